"""Several runs of trial at once, shown one after the other and ended together."""

import signal
import subprocess
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from .progress import repeatedly, say, show


def summed(parts):
    """:return: the sums of dicts of "passed", "failed" and "skipped" to numbers."""
    totals = dict.fromkeys(("passed", "failed", "skipped"), 0)
    for part in parts:
        for outcome, number in part.items():
            totals[outcome] += number
    return totals


def line_of(counts):
    """:return: the line of counts, text."""
    return "{passed} passed, {failed} failed, {skipped} skipped".format(**counts)


class Turns:
    """
    The output of several jobs, shown one after the other: the first unfinished job's as it comes,
    and the next ones' when it is their turn.

    :param int number: the number of jobs.
    """

    def __init__(self, number):
        self._lock = threading.Lock()
        self._kept = [[] for _ in range(number + 1)]
        self._ended = [False] * number
        self._turn = 0

    def show(self, index, line):
        """Show a line of one job, given by its index."""
        with self._lock:
            if index == self._turn:
                show(line)
            else:
                self._kept[index].append(line)

    def say(self, text):
        """Show a text at once."""
        with self._lock:
            say(text)

    def end(self, index, text):
        """Record the end of a job, and show a text at once."""
        with self._lock:
            say(text)
            self._ended[index] = True
            while self._turn < len(self._ended) and self._ended[self._turn]:
                self._turn += 1
                # an empty buffer stands after the last job's
                show("".join(self._kept[self._turn]))


class Processes:
    """The running processes, which can be ended together."""

    def __init__(self):
        self._lock = threading.Lock()
        self._running = set()
        self._ending = False

    def adopt(self, parent):
        """
        Have an object end its processes, too.

        :param parent: its ``terminate()`` is called; more than once does no harm.
        """
        with self._lock:
            if self._ending:
                raise KeyboardInterrupt
            self._running.add(parent)

    def start(self, command, **options):
        """
        Start a process.

        :param options: of ``Popen``.
        :return: a ``Popen``, whose output must be read to its end.
        """
        with self._lock:
            if self._ending:
                raise KeyboardInterrupt
            options = {"stderr": subprocess.STDOUT, "universal_newlines": True, **options}
            process = subprocess.Popen(command, stdout=subprocess.PIPE, **options)
            self._running.add(process)
            return process

    def wait(self, process):
        """
        Wait for a process.

        :return: its exit code.
        """
        code = process.wait()
        with self._lock:
            self._running.remove(process)
        return code

    def end(self):
        """End all processes, and start no more.  They clean up, without being waited for here."""
        with self._lock:
            self._ending = True
            for process in self._running:
                # terminated, as trial takes one interrupt for the end of one test, and continues
                process.terminate()


PROCESSES = Processes()


def take_interrupts():
    """
    Restore the default handling of interrupts.

    A process in the background ignores interrupts, and so would all the processes that tests mean
    to interrupt.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def side_by_side(jobs, at_once):
    """
    Run several jobs; show the first one's output as it comes, and each other's whole, and between
    their lines the running jobs with their times.

    :param jobs: pairs of a name and a function that is called with a function that shows a line,
        and returns counts.  A job that raises has failed.
    :param int at_once: the number of jobs that run at a time.
    :return: list of the jobs' counts.
    """
    take_interrupts()
    turns = Turns(len(jobs))
    running = {}

    def report():
        now, since = time.monotonic(), running.copy()
        times = ["{} for {:.0f} s".format(name, now - since[name]) for name in since]
        if times:
            turns.say("running: " + ", ".join(times))

    def run_one(index):
        name, job = jobs[index]
        running[name] = time.monotonic()
        try:
            counts = job(partial(turns.show, index))
        except Exception:
            turns.show(index, traceback.format_exc())
            counts = summed([{"failed": 1}])
        took = time.monotonic() - running.pop(name)
        turns.end(index, "{}: {} in {:.0f} s".format(name, line_of(summed([counts])), took))
        return counts

    with repeatedly(report), ThreadPoolExecutor(at_once) as pool:
        try:
            return list(pool.map(run_one, range(len(jobs))))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            PROCESSES.end()
            raise

"""
Several runs of trial at once: what they print, one after the other, and their
end, together.
"""

import signal
import subprocess
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from functools import partial


def show(line):
    print(line, end="", flush=True)


def say(text, show=show):
    show("--- " + text + "\n")


def summed(parts):
    """:return: the sums of dicts of "passed", "failed" and "skipped" to how many."""
    totals = dict.fromkeys(("passed", "failed", "skipped"), 0)
    for part in parts:
        for outcome, number in part.items():
            totals[outcome] += number
    return totals


def told(counts):
    """:return: text: such a dict, as these all tell it."""
    return "{passed} passed, {failed} failed, {skipped} skipped".format(**counts)


class Turns:
    """
    What several print at once, shown one after the other: of the first that
    has not ended as it comes, of the next ones when it is their turn.

    :param int number: how many there are.
    """

    def __init__(self, number):
        self._lock = threading.Lock()
        self._kept = [[] for _ in range(number + 1)]
        self._ended = [False] * number
        self._turn = 0

    def show(self, index, line):
        """One of them, by its index, prints a line."""
        with self._lock:
            if index == self._turn:
                show(line)
            else:
                self._kept[index].append(line)

    def end(self, index, text):
        """One of them ended; the text is said at once."""
        with self._lock:
            say(text)
            self._ended[index] = True
            while self._turn < len(self._ended) and self._ended[self._turn]:
                self._turn += 1
                # there is an empty one after the last
                show("".join(self._kept[self._turn]))


class Processes:
    """Those of trial that run, so that they can be ended together."""

    def __init__(self):
        self._lock = threading.Lock()
        self._running = set()
        self._ending = False

    def start(self, command, **options):
        """:return: a ``Popen``, whose output is to be read to its end."""
        with self._lock:
            if self._ending:
                raise KeyboardInterrupt
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                universal_newlines=True,
                **options,
            )
            self._running.add(process)
            return process

    def wait(self, process):
        """:return: the exit code."""
        code = process.wait()
        with self._lock:
            self._running.remove(process)
        return code

    def end(self):
        """End all; no more are started.  They clean up, which is not waited for here."""
        with self._lock:
            self._ending = True
            for process in self._running:
                # trial takes an interrupt for the end of one test, and goes on
                process.terminate()


PROCESSES = Processes()


def take_interrupts():
    """
    What is started in the background has to ignore them, and so would all the
    processes that tests mean to interrupt.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def side_by_side(jobs, at_once):
    """
    Run several, and show the output of each whole, and the first one's as it comes.

    :param jobs: pairs of a name and a function that is called with what shows a
        line, and returns such a dict.  One that raises has failed.
    :param int at_once: how many at a time.
    :return: list of what they returned.
    """
    take_interrupts()
    turns = Turns(len(jobs))

    def run_one(index):
        name, job = jobs[index]
        begun = time.monotonic()
        try:
            counts = job(partial(turns.show, index))
        except Exception:
            turns.show(index, traceback.format_exc())
            counts = summed([{"failed": 1}])
        took = time.monotonic() - begun
        turns.end(index, "{}: {} in {:.0f} s".format(name, told(summed([counts])), took))
        return counts

    with ThreadPoolExecutor(at_once) as pool:
        try:
            return list(pool.map(run_one, range(len(jobs))))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            PROCESSES.end()
            raise

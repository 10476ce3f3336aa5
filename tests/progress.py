"""
Messages of the programs that ``make`` runs: the steps, and the seconds that each takes.

As a program, run a command as a step::

    python3 -m tests.progress "removing the packages" rm -rf dist
"""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager

#: Seconds between two messages about something that still runs.
AGAIN = 20


def show(line):
    print(line, end="", flush=True)


def say(text, show=show):
    show("--- " + text + "\n")


@contextmanager
def repeatedly(report):
    """
    Call a function every :data:`AGAIN` seconds while the block runs, and never after it.

    :param report: called without arguments, in a thread of its own.
    """
    ended = threading.Event()

    def repeat():
        while not ended.wait(AGAIN):
            report()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def step(text, say=say, clock=time.monotonic):
    """
    Report a step: its beginning, its end, and every :data:`AGAIN` seconds between them.

    :param text: names the step.
    :param say: called with each message.
    :param clock: returns seconds.
    """
    begun = clock()

    def report(state):
        say("{}: {} {:.0f} s".format(text, state, clock() - begun))

    say(text)
    outcome = "failed after"
    try:
        with repeatedly(lambda: report("running for")):
            yield
        outcome = "done in"
    finally:
        report(outcome)


def main(text, *command):
    """
    Run a command as a step.

    :param text: names the step.
    :return: the command's exit code.
    """
    try:
        with step(text):
            subprocess.run(command, check=True)
    except subprocess.CalledProcessError as error:
        return error.returncode
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

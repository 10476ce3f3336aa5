"""
Run targets of make, one after the other, also after failures::

    python3 -m tests.targets lint test test-openstack+test-packages

Targets with a plus between them run side by side: one mostly waits while the other computes.  Ends
with the targets' counts and times, the names of the tests that failed, and the line of counts that
each target ends with, for all together.
"""

import os
import re
import sys
import time

from .progress import say, show
from .run import FAILED, ROOT, concluded
from .side_by_side import PROCESSES, line_of, side_by_side, summed

LINE = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")


def outcome(output, code):
    """
    :param output: a target's output.
    :param code: make's exit code.
    :return: dict of "passed", "failed" and "skipped" to numbers; at least one failed when the
        target failed, or printed no line of counts.
    """
    lines = output.rstrip().splitlines()
    match = LINE.fullmatch(lines[-1]) if lines else None
    if match is None:
        return {"failed": 1}
    passed, failed, skipped = map(int, match.groups())
    return {"passed": passed, "failed": failed or int(code != 0), "skipped": skipped}


class Target:
    """
    A target of make.

    :ivar name: the target.
    :ivar counts: as :func:`outcome` returns them, once it was made.
    :ivar seconds: those that it took.
    :ivar failed: the messages about tests that failed.
    """

    def __init__(self, name):
        self.name = name
        self.counts = {"failed": 1}
        self.seconds = 0
        self.failed = []

    def make(self, show):
        """
        Make the target and show its output.

        :param show: called with each line.
        :return: its counts.
        """
        begun = time.monotonic()
        say("make " + self.name, show)
        command = [os.environ.get("MAKE", "make"), "--no-print-directory", self.name]
        # a failure's own message stands in the errors, after the line of counts
        process = PROCESSES.start(command, cwd=ROOT, stderr=None, errors="replace")
        output = []
        for line in process.stdout:
            output.append(line)
            show(line)
        self.counts = outcome("".join(output), PROCESSES.wait(process))
        self.failed = [line for line in output if line.startswith("--- " + FAILED)]
        self.seconds = time.monotonic() - begun
        return self.counts


def make_all(targets):
    """Make targets at the same time."""
    if len(targets) == 1:
        targets[0].make(show)
    else:
        side_by_side([(target.name, target.make) for target in targets], len(targets))


def main():
    groups = [[Target(name) for name in group.split("+")] for group in sys.argv[1:]]
    for group in groups:
        make_all(group)
    every = [target for group in groups for target in group]
    # last, as a cut log shows its end
    for target in every:
        took = "{} in {:.0f} s".format(line_of(summed([target.counts])), target.seconds)
        say("{}: {}".format(target.name, took))
        show("".join(target.failed))
    return concluded(summed(target.counts for target in every))


if __name__ == "__main__":
    sys.exit(main())

"""
Run targets of make, one after the other, also after failures::

    python3 -m tests.targets lint test

Ends with the targets' counts and times, the names of the tests that failed, and the line of counts
that each target ends with, for all together.
"""

import os
import re
import subprocess
import sys
import time

from .progress import say, show
from .run import FAILED, ROOT, concluded
from .side_by_side import line_of, summed

LINE = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")


def outcome(output, code):
    """
    :param output: a target's output.
    :param code: make's exit code.
    :return: dict of "passed", "failed" and "skipped" to numbers; at least one failed when the
        target
        failed, or printed no line of counts.
    """
    lines = output.rstrip().splitlines()
    match = LINE.fullmatch(lines[-1]) if lines else None
    if match is None:
        return {"failed": 1}
    passed, failed, skipped = map(int, match.groups())
    return {"passed": passed, "failed": failed or int(code != 0), "skipped": skipped}


def made(target):
    """
    Make a target and show its output.

    :return: its counts, as :func:`outcome` returns them, the seconds it took, and the messages
        about tests that failed.
    """
    say("make " + target)
    begun = time.monotonic()
    process = subprocess.Popen(
        [os.environ.get("MAKE", "make"), "--no-print-directory", target],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        universal_newlines=True,
        errors="replace",
    )
    output = []
    for line in process.stdout:
        output.append(line)
        show(line)
    counts = outcome("".join(output), process.wait())
    failed = [line for line in output if line.startswith("--- " + FAILED)]
    return counts, time.monotonic() - begun, failed


def main():
    results = [(target, *made(target)) for target in sys.argv[1:]]
    # last, as a cut log shows its end
    for target, counts, seconds, failed in results:
        say("{}: {} in {:.0f} s".format(target, line_of(summed([counts])), seconds))
        show("".join(failed))
    return concluded(summed(counts for _, counts, _, _ in results))


if __name__ == "__main__":
    sys.exit(main())

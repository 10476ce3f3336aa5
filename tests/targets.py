"""
Run targets of make, one after the other, also after failures::

    python3 -m tests.targets lint test

Ends with the line of counts that each of them ends with, for all together.
"""

import os
import re
import subprocess
import sys

from .progress import say, show
from .run import ROOT, concluded
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

    :return: its counts, as :func:`outcome` returns them.
    """
    say("make " + target)
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
    return outcome("".join(output), process.wait())


def main():
    results = [(target, made(target)) for target in sys.argv[1:]]
    for target, result in results:
        say("{}: {}".format(target, line_of(summed([result]))))
    return concluded(summed(result for _, result in results))


if __name__ == "__main__":
    sys.exit(main())

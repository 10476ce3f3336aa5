"""
The run of a release's steps: each is printed, and a failure is printed with its remedy.
"""

import re
import subprocess

from tests.progress import say, step


class NotReady(Exception):
    """
    A step failed.

    :ivar problems: texts.
    :ivar remedy: the remedy.
    """

    def __init__(self, problems, remedy):
        super().__init__("; ".join(problems))
        self.remedy = remedy


def require(problems, remedy):
    """:raises NotReady: there are problems."""
    if problems:
        raise NotReady(problems, remedy)


def failure_of(text, check, release, say):
    """
    Run a step, and report its beginning and its end.

    :return: ``None``, or the problem and the remedy (texts).
    """
    try:
        with step(text, say=say):
            check(release)
    except NotReady as error:
        return str(error), error.remedy
    except (subprocess.CalledProcessError, OSError) as error:
        return re.sub(r"\s+", " ", str(error)), "the output above has the reason"
    return None


def run_steps(release, steps, say=say):
    """
    Run the steps, except those that need the result of a failed one.

    :param release: the argument of each step.
    :param steps: of each step, the text to print, the function, and whether the steps after it need
        its result.
    :param say: called with each message.
    :return: dict of "passed", "failed" and "skipped" to numbers.
    """
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    blocked = None
    for text, check, is_needed in steps:
        if blocked is not None:
            say("skipped: {}: because of {}".format(text, blocked))
            counts["skipped"] += 1
            continue
        failed = failure_of(text, check, release, say)
        if failed is None:
            counts["passed"] += 1
            continue
        say("failed: {}: {}. What to do: {}".format(text, *failed))
        counts["failed"] += 1
        blocked = text if is_needed else None
    return counts

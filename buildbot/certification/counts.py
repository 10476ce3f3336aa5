"""
Counting tests in what trial prints, line by line, while it does.

Knows nothing of Buildbot; :class:`certification.steps.TrialObserver` feeds it.
"""

from __future__ import annotations

import re

#: Between one failure and the next; after the last comes "Ran".
_RULE = "=" * 79
_LAST_RULE = "-" * 79
_HEADING = re.compile(r"^\[(FAIL|ERROR|SUCCESS!\?!)\]$")
_NAME = re.compile(r"^[A-Za-z_]\w*(\.\w+)+$")
_ENDED = re.compile(r" \[(OK|FAIL|ERROR|SKIPPED|TODO|SUCCESS!\?!)\]$")
_RAN = re.compile(r"^Ran \d+ tests in ")
_SUMMARY = re.compile(r"^(?:PASSED|FAILED)\s*(?:\((.*)\))?$")

#: What trial calls the outcomes, and what they count as; others are failures.
_OUTCOMES = {
    "successes": "passed",
    "expectedFailures": "skipped",
    "skips": "skipped",
    "todos": "skipped",
}
#: How many names fit into a line.
_NAMES = 3


class Counted:
    """
    The outcomes of one or more runs of trial, one after the other.

    :ivar counts: dict of "passed", "failed" and "skipped" to numbers, of the runs
        that came to their summary.
    :ivar failed: the names of the tests that failed, each once.
    :ivar ended: how many tests ended by now, of all runs.
    :ivar runs: how many runs came to their summary.
    """

    def __init__(self) -> None:
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.failed: list[str] = []
        self.ended = 0
        self.runs = 0
        self._summary_follows = False
        self._names: list[str] | None = None

    def line(self, line: str) -> None:
        """
        :param line: the next line that trial printed, without its end.
        """
        line = line.rstrip()
        if _HEADING.match(line):
            self._names = []
        elif line == _RULE:
            self._section_ended()
        elif _RAN.match(line):
            self._section_ended()
            self._summary_follows = True
        elif self._names is not None:
            self._in_section(line)
        elif _ENDED.search(line):
            self.ended += 1
        elif self._summary_follows and _SUMMARY.match(line):
            self._summary_follows = False
            self._summarised(_SUMMARY.match(line).group(1) or "")

    def _in_section(self, line: str) -> None:
        """The names come last, after an empty line: keep what may be them."""
        if _NAME.match(line):
            self._names.append(line)
        elif line != _LAST_RULE:
            self._names.clear()

    def _section_ended(self) -> None:
        for name in self._names or ():
            if name not in self.failed:
                self.failed.append(name)
        self._names = None

    def _summarised(self, outcomes: str) -> None:
        self.runs += 1
        for outcome, number in re.findall(r"(\w+)=(\d+)", outcomes):
            self.counts[_OUTCOMES.get(outcome, "failed")] += int(number)

    def __str__(self) -> str:
        """The counts, and some of what failed."""
        if not self.runs:
            return "no tests ran to their end"
        said = "{passed} passed, {failed} failed, {skipped} skipped".format(**self.counts)
        if self.failed:
            said += ": " + ", ".join(self.failed[:_NAMES])
        if len(self.failed) > _NAMES:
            said += f" and {len(self.failed) - _NAMES} more"
        return said

    def plausible(self) -> bool:
        """:return: whether the counts allow a success."""
        return self.counts["passed"] > 0 and not self.counts["failed"]

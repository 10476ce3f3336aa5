"""Tests of the counts from trial's output, which need no Buildbot."""

from __future__ import annotations

import io
from typing import Any

from certification.counts import Counted
from twisted.trial.reporter import TreeReporter
from twisted.trial.unittest import SynchronousTestCase, TestCase, TestSuite

RULE = "-" * 79


class Sample(TestCase):
    """Sample tests, whose report is counted; not collected by trial."""

    def good(self) -> None:
        pass

    def another_good(self) -> None:
        pass

    def bad(self) -> None:
        self.assertEqual("one", "two\n\nnot.a.test\n" + RULE + "\nmore")

    def worse(self) -> None:
        raise RuntimeError("[FAIL]")

    def skipped(self) -> None:
        pass

    skipped.skip = "no reason"  # type: ignore[attr-defined]

    def expected(self) -> None:
        self.fail()

    expected.todo = "later"  # type: ignore[attr-defined]

    def unexpected(self) -> None:
        pass

    unexpected.todo = "later"  # type: ignore[attr-defined]


def said(*names: str) -> list[str]:
    """:return: trial's output for some of the sample's tests."""
    stream = io.StringIO()
    reporter: Any = TreeReporter(stream)
    TestSuite([Sample(name) for name in names]).run(reporter)
    reporter.done()
    return stream.getvalue().splitlines()


def counted(*runs: list[str]) -> Counted:
    made = Counted()
    for lines in runs:
        for line in lines:
            made.line(line)
    return made


def full(name: str) -> str:
    return f"{__name__}.Sample.{name}"


class CountedTests(SynchronousTestCase):
    """Trial's own output is counted."""

    def test_passed(self) -> None:
        """Passed tests are counted, and make a success."""
        counts = counted(said("good", "another_good"))
        self.assertEqual({"passed": 2, "failed": 0, "skipped": 0}, counts.counts)
        self.assertEqual([], counts.failed)
        self.assertEqual("2 passed, 0 failed, 0 skipped", str(counts))
        self.assertTrue(counts.plausible())

    def test_outcomes(self) -> None:
        """Each outcome counts as itself; an unexpected success counts as failed."""
        counts = counted(said("good", "bad", "worse", "skipped", "expected", "unexpected"))
        self.assertEqual({"passed": 1, "failed": 3, "skipped": 2}, counts.counts)
        self.assertEqual(6, counts.ended)
        self.assertFalse(counts.plausible())

    def test_failed_names(self) -> None:
        """
        Failed tests are named, regardless of the form of their messages; skipped tests are not.
        """
        counts = counted(said("good", "bad", "worse", "skipped", "expected", "unexpected"))
        self.assertEqual(
            sorted(full(name) for name in ("bad", "worse", "unexpected")), sorted(counts.failed)
        )

    def test_runs_add_up(self) -> None:
        """Runs on several Pythons, one after the other, add up; a name is listed once."""
        counts = counted(said("good", "bad"), ["--- trial on 2.7"], said("bad", "skipped"))
        self.assertEqual({"passed": 1, "failed": 2, "skipped": 1}, counts.counts)
        self.assertEqual([full("bad")], counts.failed)
        self.assertEqual(2, counts.runs)

    def test_live(self) -> None:
        """Tests are counted when they end, before there is a summary."""
        lines = said("good", "bad")
        counts = counted(lines[: lines.index("")])
        self.assertEqual(2, counts.ended)
        self.assertEqual("no tests ran to their end", str(counts))
        self.assertFalse(counts.plausible())

    def test_nothing(self) -> None:
        """Neither an empty output nor a run of no tests is a success."""
        self.assertFalse(counted([]).plausible())
        self.assertFalse(counted(said("skipped")).plausible())

    def test_summary_of_others(self) -> None:
        """A line that looks like a summary counts only after trial's "Ran"."""
        self.assertEqual(0, counted(["PASSED (successes=7)"]).counts["passed"])

    def test_told_in_short(self) -> None:
        """Of many failures, some are named and the rest are counted."""
        counts = counted(said("bad"))
        counts.failed = [full(str(number)) for number in range(5)]
        self.assertEqual(
            "0 passed, 1 failed, 0 skipped: {}, {}, {} and 2 more".format(
                *map(full, ("0", "1", "2"))
            ),
            str(counts),
        )

"""The comparison of what suites did with what is recorded, and the table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .execution import Outcome
from .records import Record
from .suites import Suite

#: The tests whose subject are the routes that are never missing, and which are never vacuous.
OF_FIRST_ROUTES = re.compile(
    r"^tempest\.api\.identity\.v3\.test_(api_discovery|catalog|tokens)\."
    r"|^tempest\.api\.volume\.test_versions\."
    r"|^openstack (token|catalog|versions) |^cinder version-list"
)
#: Characters of an answer of the service.
LONGEST = 160


@dataclass(frozen=True)
class Judgement:
    """
    A suite's result.

    :ivar total: the number of tests.
    :ivar passed: how many passed.
    :ivar counted: how many of them are not vacuous.
    :ivar recorded: how many there were when the record was made.
    :ivar problems: messages: the tests that failed unexpectedly, and a number that fell.
    :ivar news: messages about tests that pass unexpectedly.
    :ivar left: the names of the tests that did not pass, with what is seen of each.
    :ivar vacuous: the names of the tests that pass vacuously.
    """

    total: int
    passed: int
    counted: int
    recorded: int
    problems: tuple[str, ...]
    news: tuple[str, ...]
    left: dict[str, str] = field(repr=False)
    vacuous: tuple[str, ...] = field(repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """The counts of the last line, in which what is expected to fail is skipped."""
        failed = len(self.problems)
        skipped = max(0, self.total - self.counted - failed)
        return {"passed": self.counted, "failed": failed, "skipped": skipped}


def vacuous_in(outcomes: Iterable[Outcome]) -> list[str]:
    """
    :param outcomes: with almost every route missing.
    :return: the names of the tests that passed all the same.
    """
    names = {each.name for each in outcomes if each.result == "passed"}
    return sorted(name for name in names if not OF_FIRST_ROUTES.search(name))


def judge(outcomes: Sequence[Outcome], record: Record, vacuous: Iterable[str] | None) -> Judgement:
    """
    :param vacuous: the names of the tests that passed with almost every route missing; ``None``
        where this was not tried now.
    """
    empty = set(record.vacuous if vacuous is None else vacuous)
    passed = {each.name for each in outcomes if each.result == "passed"}
    counted = len(passed - empty)
    left = {each.name: seen(each) for each in outcomes if each.result != "passed"}
    problems = [f"{name}: {left[name]}" for name in sorted(set(left) - set(record.expected))]
    if counted < record.counted:
        problems.append(f"{counted} tests count, {record.counted} did")
    return Judgement(
        total=len(outcomes),
        passed=len(passed),
        counted=counted,
        recorded=record.counted,
        problems=tuple(problems),
        news=tuple(f"{name} passes now" for name in sorted(passed & set(record.expected))),
        left=left,
        vacuous=tuple(sorted(empty & passed)),
    )


def part_of(outcomes: Iterable[Outcome], suite: Suite) -> list[Outcome]:
    """:return: the outcomes of a suite, out of those of the suite that it is within."""
    return [each for each in outcomes if any(text in each.whole for text in suite.only)]


def seen(outcome: Outcome) -> str:
    """:return: why a test did not pass: the service's last error, or the test's own words."""
    if outcome.result == "skipped":
        return "skipped: " + outcome.reason
    missing = [each for each in outcome.refusals if "resource could not be found.<br" in each]
    refusals = missing or list(outcome.refusals)
    if not refusals:
        return outcome.reason
    return outcome.reason + " <- " + " ".join(refusals[-1].split())[:LONGEST]


_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}")


def causes(judgement: Judgement) -> list[str]:
    """:return: lines: what stops tests, and how many, the most frequent first."""
    texts = (_IDS.sub("ID", text.rpartition(" <- ")[2]) for text in judgement.left.values())
    return [f"{number:4} {text}" for text, number in Counter(texts).most_common()]


def table(rows: Iterable[tuple[str, int, Judgement]]) -> list[str]:
    """
    :param rows: titles, goals and judgements.
    :return: the lines of the table.
    """
    titles = ("suite", "tests", "passed", "vacuous", "counted", "recorded", "to reach")
    lines = [titles]
    for title, goal, found in rows:
        numbers = (found.total, found.passed, found.passed - found.counted, found.counted)
        lines.append((title, *map(str, (*numbers, found.recorded, goal))))
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    return [
        "  ".join(
            text.ljust(width) if not column else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths))
        )
        for line in lines
    ]

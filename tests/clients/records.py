"""
The records in ``data/records``: of each suite, the number of tests that count, the tests that do
not pass, with the reasons, and the tests that pass vacuously.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

import yaml

from .commands import DATA

PLACE = os.path.join(DATA, "records")
#: The reason that a new failure is recorded with, until somebody finds it.
UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class Record:
    """
    One suite's record.

    :ivar counted: the number of tests that pass and are not vacuous.
    :ivar reasons: the names of the tests that do not pass, by the reason.
    :ivar vacuous: the names of the tests that pass also when almost every route is missing.
    """

    counted: int = 0
    reasons: dict[str, list[str]] = field(default_factory=dict)
    vacuous: list[str] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """The number of tests that pass."""
        return self.counted + len(self.vacuous)

    @property
    def tests(self) -> int:
        """The number of tests."""
        return self.passed + len(self.expected)

    @property
    def expected(self) -> dict[str, str]:
        """The reasons by the names of the tests."""
        return {name: reason for reason, names in self.reasons.items() for name in names}

    def renewed(self, counted: int, left: dict[str, str], vacuous: Iterable[str] | None) -> Record:
        """
        :param left: the names of the tests that do not pass now, with what is seen of each.
        :param vacuous: names; ``None`` for those of before.
        :return: the new record; what has no reason yet is unexplained.
        """
        reasons: dict[str, list[str]] = {}
        for name in sorted(left):
            reasons.setdefault(self.expected.get(name, UNEXPLAINED), []).append(name)
        ordered = {reason: reasons[reason] for reason in self.reasons if reason in reasons}
        ordered.update(reasons)
        found = self.vacuous if vacuous is None else sorted(vacuous)
        return Record(counted, ordered, found)


def path_of(name: str) -> str:
    """:return: the path of a suite's record."""
    return os.path.join(PLACE, name + ".yaml")


def load(name: str) -> Record:
    """:return: a suite's record; an empty one if there is none."""
    try:
        with open(path_of(name), encoding="utf-8") as opened:
            content = yaml.safe_load(opened)
    except FileNotFoundError:
        return Record()
    return Record(content["counted"], content["not passed"], content["vacuous"])


def save(name: str, record: Record) -> None:
    """Write a suite's record."""
    content = {
        "counted": record.counted,
        "not passed": record.reasons,
        "vacuous": list(record.vacuous),
    }
    os.makedirs(PLACE, exist_ok=True)
    with open(path_of(name), "w", encoding="utf-8") as opened:
        yaml.safe_dump(content, opened, sort_keys=False, width=1000, allow_unicode=True)

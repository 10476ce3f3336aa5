# -*- test-case-name: tests.cli.doctor.test_command -*-
"""The findings of checks, as tables and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attr
from rich.box import Box
from rich.table import Table
from rich.text import Text

from ..app import CommandResult
from ..tables import AdaptiveTable
from ..terminal import one_line


@attr.s(frozen=True, auto_attribs=True)
class Finding:
    """
    The outcome of one check.

    :ivar outcome: ``ok``, ``warning``, ``fail`` or ``skipped``.
    :ivar detail: the finding, or the error.
    :ivar seconds: its duration.
    :ivar remedy: the remedy; may be empty.
    """

    name: str
    outcome: str
    detail: str
    seconds: float = 0.0
    remedy: str = ""


def to_document(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings as a JSON value."""
    return {"ok": is_well(findings), "steps": [attr.asdict(each) for each in findings]}


def is_well(findings: Sequence[Finding]) -> bool:
    """Check that no step failed; a warning is not a failure."""
    return all(finding.outcome != "fail" for finding in findings)


_STYLES = {"ok": "green", "warning": "bold yellow", "fail": "bold red", "skipped": "yellow"}


def to_table(findings: Sequence[Finding], box: Box | None) -> Table:
    """Return the table of the findings."""
    table = Table(box=box)
    for title in ("Step", "Outcome", "Seconds", "Detail"):
        table.add_column(title, justify="right" if title == "Seconds" else "left", overflow="fold")
    for each in findings:
        detail = Text(one_line(each.detail))
        if each.remedy:
            detail.append("\nWhat to do: " + each.remedy, style="bold")
        outcome = Text(each.outcome, style=_STYLES[each.outcome])
        table.add_row(each.name, outcome, f"{each.seconds:.2f}", detail)
    return table


def result_of(findings: Sequence[Finding]) -> CommandResult:
    """Return the result of a command that checks; it is not ok if a check failed."""
    table = AdaptiveTable(lambda box: to_table(findings, box))
    return CommandResult(to_document(findings), table, is_well(findings))


__all__ = ["Finding", "is_well", "result_of", "to_document", "to_table"]

# -*- test-case-name: tests.cli.doctor.test_command -*-
"""``txstorage doctor``: a check of the configuration, with the reasons of failures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attr
import click
from rich.box import Box
from rich.table import Table
from rich.text import Text
from twisted.internet.defer import CancelledError

from ..app import App, CommandResult
from ..errors import explain
from ..progress import progress
from ..running import IReactor
from ..shell import pass_app
from ..tables import AdaptiveTable
from ..terminal import one_line
from .checks import STEPS, CheckWarning, DoctorRun, Skipped, Step


@attr.s(frozen=True, auto_attribs=True)
class Finding:
    """
    The outcome of one step.

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


async def find(step: Step, state: DoctorRun) -> Finding:
    """Run one step."""
    started = state.reactor.seconds()
    outcome, remedy = "ok", ""
    try:
        detail = await step.check(state)
    except CancelledError:
        # The doctor itself was interrupted.
        raise
    except Skipped as reason:
        outcome, detail = "skipped", str(reason)
    except Exception as error:
        explanation = explain(error)
        outcome = "warning" if isinstance(error, CheckWarning) else "fail"
        detail, remedy = explanation.message, explanation.remedy
    return Finding(step.name, outcome, detail, state.reactor.seconds() - started, remedy)


async def examine(app: App, reactor: IReactor, steps: Sequence[Step] = STEPS) -> list[Finding]:
    """
    Run all steps, except those that depend on a failed step.

    :param steps: the steps in the order of their execution.
    """
    state, findings, broken = DoctorRun(app, reactor), [], set()
    with progress(app.progress_console(), "Checking") as note:
        for step in steps:
            note.text = step.name
            blocked = [name for name in step.after if name in broken]
            if blocked:
                finding = Finding(step.name, "skipped", "because of: " + ", ".join(blocked))
            else:
                finding = await find(step, state)
            findings.append(finding)
            if blocked or finding.outcome == "fail":
                broken.add(step.name)
    return findings


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


@click.command("doctor")
@pass_app
def doctor(app: App) -> None:
    """Check the configuration step by step, and print the remedies."""

    async def operation(reactor: IReactor) -> CommandResult:
        findings = await examine(app, reactor)
        return CommandResult(
            to_document(findings),
            AdaptiveTable(lambda box: to_table(findings, box)),
            is_well(findings),
        )

    app.perform(operation)

# -*- test-case-name: tests.cli.doctor.test_command -*-
"""``txstorage doctor``: a check of the configuration, with the reasons of failures."""

from __future__ import annotations

from collections.abc import Sequence

import click
from twisted.internet.defer import CancelledError

from ..app import App, CommandResult
from ..errors import explain
from ..progress import progress
from ..running import IReactor
from ..shell import pass_app
from .checks import STEPS, Step
from .findings import Finding, result_of
from .state import CheckWarning, DoctorRun, Skipped


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
    Run all steps, except those that depend on a failed step, and leave out those of other clouds.

    :param steps: the steps in the order of their execution.
    """
    state, findings, broken = DoctorRun(app, reactor), [], set()
    with progress(app.progress_console(), "Checking") as note:
        for step in steps:
            if step.cloud not in (None, state.cloud):
                continue
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


@click.command("doctor")
@pass_app
def doctor(app: App) -> None:
    """Check the configuration step by step, and print the remedies."""

    async def operation(reactor: IReactor) -> CommandResult:
        findings = await examine(app, reactor)
        return result_of(findings)

    app.perform(operation)

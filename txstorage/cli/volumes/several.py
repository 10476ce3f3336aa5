# -*- test-case-name: tests.cli.volumes.test_several -*-
"""One operation on several volumes: each has its own outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, Callable

import attr
from rich.console import Group, RenderableType
from twisted.internet.defer import CancelledError, Deferred, DeferredList, DeferredSemaphore

from ..app import App, CommandResult
from ..errors import Explanation, explain
from .references import Reference

#: Volumes on which the operation runs at the same time.
AT_ONCE = 8

#: The operation: from a volume's id to its document and the text or table.
Work = Callable[[str], Coroutine[Any, Any, "tuple[Any, str | RenderableType]"]]


@attr.s(auto_attribs=True)
class VolumeOutcome:
    """
    The outcome for one volume; without a document and an error, the operation is not finished.

    :ivar reference: the volume.
    :ivar document: the result as a JSON value.
    :ivar shown: the result as text or a renderable.
    :ivar error: the reason of a failure.
    """

    reference: Reference
    document: Any = None
    shown: str | RenderableType = ""
    error: Explanation | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the outcome as a JSON value."""
        return {
            "volume": self.reference.text,
            "volume_id": self.reference.volume_id,
            "result": self.document,
            "error": None if self.error is None else self.error.to_wire()["error"],
        }


async def for_each(app: App, references: Sequence[Reference], work: Work) -> CommandResult:
    """
    Run an operation on volumes.

    The result for one volume is the operation's own.

    :raises CancelledError: the command was interrupted; the output says which volumes were done.
    :raises Exception: the operation on the only volume failed.
    """
    if len(references) == 1:
        return await _only(references[0], work)
    outcomes = [VolumeOutcome(each, error=each.explanation) for each in references]
    app.outcomes["volumes"] = []
    cancelled = await _run_all([each for each in outcomes if each.error is None], work)
    documents = [each.to_wire() for each in outcomes]
    app.outcomes["volumes"] = documents
    if cancelled:
        for line in _interim(outcomes):
            app.note(line)
        raise CancelledError()
    errors = [each.error for each in outcomes if each.error is not None]
    document = {"ok": not errors, "volumes": documents}
    return CommandResult(document, _together(outcomes), not errors, errors)


async def _only(reference: Reference, work: Work) -> CommandResult:
    if reference.volume_id is None:
        assert reference.error is not None
        raise reference.error
    return CommandResult(*await work(reference.volume_id))


async def _run_all(outcomes: Sequence[VolumeOutcome], work: Work) -> bool:
    """Run the operation, and set each outcome.  Return whether a part was cancelled."""
    limit = DeferredSemaphore(AT_ONCE)

    def start(outcome: VolumeOutcome) -> Awaitable[None]:
        return Deferred.fromCoroutine(_run(outcome, work))

    calls = [limit.run(start, each) for each in outcomes]
    results: Any = await DeferredList(calls, consumeErrors=True)
    for ok, failure in results:
        if not ok and not failure.check(CancelledError):
            failure.raiseException()
    return not all(ok for ok, _ in results)


async def _run(outcome: VolumeOutcome, work: Work) -> None:
    volume_id = outcome.reference.volume_id
    assert volume_id is not None
    try:
        outcome.document, outcome.shown = await work(volume_id)
    except CancelledError:
        raise
    except Exception as error:
        outcome.error = explain(error)


def _together(outcomes: Sequence[VolumeOutcome]) -> str | RenderableType:
    shown = [each.shown for each in outcomes if each.document is not None]
    if all(isinstance(each, str) for each in shown):
        return "\n".join(str(each) for each in shown)
    return Group(*shown)


def _interim(outcomes: Sequence[VolumeOutcome]) -> list[str]:
    """Return the lines about an interrupted operation."""
    groups: dict[str, list[str]] = {"Done": [], "Failed": [], "Not finished": []}
    for each in outcomes:
        group = "Done" if each.document is not None else "Failed" if each.error else "Not finished"
        groups[group].append(each.reference.volume_id or each.reference.text)
    return [f"{name}: {', '.join(ids)}" for name, ids in groups.items() if ids]


__all__ = ["VolumeOutcome", "for_each"]

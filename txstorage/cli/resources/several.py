# -*- test-case-name: tests.cli.resources.test_several -*-
"""One operation on several volumes or snapshots: each has its own outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, Callable

import attr
from rich.console import Group, RenderableType
from twisted.internet.defer import CancelledError, Deferred, DeferredList, DeferredSemaphore

from ..app import App, CommandResult
from ..errors import Explanation, explain
from .references import Reference

#: Resources on which the operation runs at the same time.
AT_ONCE = 8

#: The document of a resource, and the text or table.
Shown = tuple[Any, "str | RenderableType"]

#: The operation: from an id to the result.
Work = Callable[[str], Coroutine[Any, Any, Shown]]


@attr.s(auto_attribs=True)
class ResourceOutcome:
    """
    The outcome for one resource; without a document and an error, the operation is not finished.

    :ivar reference: the resource.
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
            self.reference.kind: self.reference.text,
            f"{self.reference.kind}_id": self.reference.identity,
            "result": self.document,
            "error": None if self.error is None else self.error.to_wire()["error"],
        }


async def for_each(app: App, references: Sequence[Reference], work: Work) -> CommandResult:
    """
    Run an operation on resources.

    The result for one resource is the operation's own.

    :param references: at least one, all of one kind.
    :raises CancelledError: the command was interrupted; the output says which ones were done.
    :raises Exception: the operation on the only resource failed.
    """
    if len(references) == 1:
        return await _only(references[0], work)
    outcomes = [ResourceOutcome(each, error=each.explanation) for each in references]
    together = f"{references[0].kind}s"
    app.outcomes[together] = []
    cancelled = await _run_all([each for each in outcomes if each.error is None], work)
    documents = [each.to_wire() for each in outcomes]
    app.outcomes[together] = documents
    if cancelled:
        for line in _interim(outcomes):
            app.note(line)
        raise CancelledError()
    errors = [each.error for each in outcomes if each.error is not None]
    document = {"ok": not errors, together: documents}
    return CommandResult(document, _together(outcomes), not errors, errors)


async def _only(reference: Reference, work: Work) -> CommandResult:
    if reference.identity is None:
        assert reference.error is not None
        raise reference.error
    return CommandResult(*await work(reference.identity))


async def _run_all(outcomes: Sequence[ResourceOutcome], work: Work) -> bool:
    """Run the operation, and set each outcome.  Return whether a part was cancelled."""
    limit = DeferredSemaphore(AT_ONCE)

    def start(outcome: ResourceOutcome) -> Awaitable[None]:
        return Deferred.fromCoroutine(_run(outcome, work))

    calls = [limit.run(start, each) for each in outcomes]
    results: Any = await DeferredList(calls, consumeErrors=True)
    for ok, failure in results:
        if not ok and not failure.check(CancelledError):
            failure.raiseException()
    return not all(ok for ok, _ in results)


async def _run(outcome: ResourceOutcome, work: Work) -> None:
    identity = outcome.reference.identity
    assert identity is not None
    try:
        outcome.document, outcome.shown = await work(identity)
    except CancelledError:
        raise
    except Exception as error:
        outcome.error = explain(error)


def _together(outcomes: Sequence[ResourceOutcome]) -> str | RenderableType:
    shown = [each.shown for each in outcomes if each.document is not None]
    if all(isinstance(each, str) for each in shown):
        return "\n".join(str(each) for each in shown)
    return Group(*shown)


def _interim(outcomes: Sequence[ResourceOutcome]) -> list[str]:
    """Return the lines about an interrupted operation."""
    groups: dict[str, list[str]] = {"Done": [], "Failed": [], "Not finished": []}
    for each in outcomes:
        group = "Done" if each.document is not None else "Failed" if each.error else "Not finished"
        groups[group].append(each.reference.identity or each.reference.text)
    return [f"{name}: {', '.join(ids)}" for name, ids in groups.items() if ids]


__all__ = ["ResourceOutcome", "Shown", "Work", "for_each"]

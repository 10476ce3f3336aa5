# -*- test-case-name: tests.cli.test_volumes -*-
"""The operations that volumes and snapshots have in common."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Callable

from twisted.internet.defer import Deferred

from ..app import App, CommandResult, ConfiguredCloud
from ..progress import Note, progress
from ..running import IReactor
from .confirmation import confirm
from .documents import Document, details_of
from .observing import named, observed
from .references import References
from .several import Shown, for_each
from .watching import watch

#: From the cloud and an id to the document.
Describe = Callable[[ConfiguredCloud, str], Coroutine[Any, Any, Document]]


def show_each(
    app: App,
    kind: type[References],
    words: Sequence[str],
    describe: Describe,
    interval: float | None,
) -> None:
    """
    Show everything about resources.

    :param interval: seconds between two looks; ``None`` for one look.
    """

    async def look(cloud: ConfiguredCloud) -> CommandResult:
        async def work(identity: str) -> Shown:
            document = await describe(cloud, identity)
            return document, details_of(document)

        return await for_each(app, await kind.of(cloud).resolve(words), work)

    async def operation(reactor: IReactor) -> CommandResult:
        if interval is not None:
            cloud = app.cloud(reactor)
            return await watch(app, reactor, interval, lambda: look(cloud))
        with observed(app, reactor, "Looking") as cloud:
            return await look(cloud)

    app.perform(operation, endless=interval is not None)


def destroy_each(
    app: App,
    kind: type[References],
    words: Sequence[str],
    destroy: Callable[[ConfiguredCloud, str], Deferred[None]],
    yes: bool,
) -> None:
    """
    Destroy resources.

    :param destroy: called with the cloud and an id.
    :param yes: whether the user has confirmed it.
    """
    name = kind.kind

    async def operation(reactor: IReactor) -> CommandResult:
        note = Note()
        with observed(app, reactor, "Looking", note) as cloud:
            references = await kind.of(cloud).resolve(words)
        found = [each.identity for each in references if each.identity is not None]
        if found and not yes:
            confirm(name, found)

        async def work(identity: str) -> Shown:
            await destroy(cloud, identity)
            document = {f"{name}_id": identity, "destroyed": True}
            return document, f"{name.capitalize()} {identity} is destroyed"

        with progress(app.progress_console(), "Destroying " + named(name, words), note):
            return await for_each(app, references, work)

    app.perform(operation)


__all__ = ["destroy_each", "show_each"]

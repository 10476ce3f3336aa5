# -*- test-case-name: tests.cli.resources.test_listing -*-
"""Lists of resources: filters, order and columns."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Callable
from uuid import UUID

import attr

from ...clouds.interface import IVolumeService
from ...errors import InvalidConfiguration
from ..app import App, CommandResult
from ..progress import progress
from ..running import IReactor
from .documents import Document, list_of
from .watching import watch

#: Pairs of the id and the problem of each entry of a list that can't be read.
Malformed = Sequence[tuple[str, str]]


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class Selection:
    """
    The resources to list, and the order.

    :ivar filters: the values that pass, by members of the documents.  Without values, everything
        passes.
    :ivar sort: the name of a column; ``None`` for the cloud's order.
    :ivar reverse: whether the order is reversed.
    """

    filters: Mapping[str, Sequence[str]] = attr.ib(factory=dict)
    sort: str | None = None
    reverse: bool = False

    def of(self, documents: Sequence[Document]) -> list[Document]:
        """Select resources, and put them in order."""
        found = [each for each in documents if self._lets_pass(each)]
        if self.sort is not None:
            name = self.sort
            found.sort(key=lambda document: _rank(document[name]))
        return found[::-1] if self.reverse else found

    def _lets_pass(self, document: Document) -> bool:
        return all(
            not some or any(each in some for each in _values(document[name]))
            for name, some in self.filters.items()
        )


def _values(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _rank(value: Any) -> tuple[bool, Any]:
    """Return a sort key, with absent values first."""
    if isinstance(value, Mapping):
        value = sorted(value.items())
    return value is not None, 0 if value is None else value


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class View:
    """
    The form of the list.

    :ivar columns: names; empty for the usual ones.
    :ivar quiet: whether only ids are printed.
    :ivar all_clusters: whether the resources of all clusters are listed.
    :ivar interval: seconds between two looks; ``None`` for one look.
    """

    columns: Sequence[str] = ()
    quiet: bool = False
    all_clusters: bool = False
    interval: float | None = None

    @classmethod
    def of(cls, watch: bool, interval: float, **form: Any) -> View:
        """
        Return the view that the options of a command describe.

        :param watch: whether to look again and again.
        :param interval: seconds between two looks.
        """
        return cls(interval=interval if watch else None, **form)

    def names(self, usual: Sequence[str]) -> Sequence[str]:
        """Return the names of the columns."""
        if self.columns:
            return self.columns
        return ("cluster_id", *usual) if self.all_clusters else usual


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class Listing:
    """
    A command that lists resources of one kind.

    :ivar kind: such as ``volume``.
    :ivar columns: names to titles.
    :ivar usual: the columns that are shown by default.
    :ivar optional: those of them that are shown only when a resource has a value.
    :ivar look: from a service and a cluster, or ``None`` for all, to the documents and to the
        malformed entries.
    """

    kind: str
    columns: Mapping[str, str]
    usual: Sequence[str]
    optional: Sequence[str] = ()
    look: Callable[[IVolumeService, UUID | None], Awaitable[tuple[Sequence[Document], Malformed]]]

    def run(
        self,
        app: App,
        view: View,
        choose: Callable[[IVolumeService, UUID | None], Awaitable[Selection]],
    ) -> None:
        """
        List the resources.

        :param choose: from a service and a cluster, or ``None`` for all, to the selection; looks up
            the words for nodes and volumes.
        """

        async def operation(reactor: IReactor) -> CommandResult:
            service = app.service(reactor)
            cluster_id = None if view.all_clusters else self._cluster(app)

            async def look() -> CommandResult:
                documents, malformed = await self.look(service, cluster_id)
                return self._result(app, view, chosen.of(documents), malformed)

            with progress(app.progress_console(), f"Listing {self.kind}s"):
                chosen = await choose(service, cluster_id)
                if view.interval is None:
                    return await look()
            return await watch(app, reactor, view.interval, look)

        app.perform(operation, endless=view.interval is not None)

    def _cluster(self, app: App) -> UUID:
        cluster_id: UUID | None = app.configuration().cluster_id
        if cluster_id is None:
            raise InvalidConfiguration(
                "cluster_id", "is missing", f"set it, or list the {self.kind}s of --all-clusters"
            )
        return cluster_id

    def _result(
        self,
        app: App,
        view: View,
        found: Sequence[Document],
        malformed: Malformed,
    ) -> CommandResult:
        identity = f"{self.kind}_id"
        bad = [{identity: name, "problem": problem} for name, problem in malformed]
        for each in [*bad, *(each for each in found if each["problem"])]:
            app.warn(f"{self.kind.capitalize()} {each[identity]}: {each['problem']}")
        document = {f"{self.kind}s": found, "malformed": bad}
        if view.quiet:
            return CommandResult(document, "\n".join(each[identity] for each in found))
        usual = [
            name
            for name in self.usual
            if name not in self.optional or any(each[name] is not None for each in found)
        ]
        return CommandResult(document, list_of(found, view.names(usual), self.columns))


__all__ = ["Listing", "Malformed", "Selection", "View"]

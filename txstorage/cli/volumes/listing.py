# -*- test-case-name: tests.cli.volumes.test_listing -*-
"""``txstorage volumes list``: filters, order and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import attr

from ...clouds.values import Volume, VolumePage
from ...driver.labels import CLUSTER, belongs_to, cluster_labels
from ...errors import InvalidConfiguration
from ..app import App, CommandResult
from ..progress import progress
from ..running import IReactor
from .columns import USUAL
from .documents import list_of, to_document
from .references import node_id
from .watching import watch

Document = dict[str, Any]


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class Selection:
    """
    The volumes to list, and the order.  An empty filter lets everything pass.

    :ivar statuses: the cloud's own.
    :ivar attached_to: ids of nodes.
    :ivar datasets: the volumes' datasets.
    :ivar volume_types: the cloud's own.
    :ivar sort: the name of a column; ``None`` for the cloud's order.
    :ivar reverse: whether the order is reversed.
    """

    statuses: Sequence[str] = ()
    attached_to: Sequence[str] = ()
    datasets: Sequence[UUID] = ()
    volume_types: Sequence[str] = ()
    sort: str | None = None
    reverse: bool = False

    def of(self, documents: Sequence[Document]) -> list[Document]:
        """Select volumes, and put them in order."""
        found = [each for each in documents if self._lets_pass(each)]
        if self.sort is not None:
            name = self.sort
            found.sort(key=lambda document: _rank(document[name]))
        return found[::-1] if self.reverse else found

    def _lets_pass(self, document: Document) -> bool:
        datasets = [str(each) for each in self.datasets]
        wanted = (
            (self.statuses, [document["status"]]),
            (self.attached_to, document["attached_to"]),
            (datasets, [document["dataset_id"]]),
            (self.volume_types, [document["volume_type"]]),
        )
        return all(not some or any(each in some for each in values) for some, values in wanted)


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
    :ivar all_clusters: whether the volumes of all clusters are listed.
    :ivar interval: seconds between two looks; ``None`` for one look.
    """

    columns: Sequence[str] = ()
    quiet: bool = False
    all_clusters: bool = False
    interval: float | None = None

    def names(self) -> Sequence[str]:
        """Return the names of the columns."""
        if self.columns:
            return self.columns
        return ("cluster_id", *USUAL) if self.all_clusters else USUAL


def _documents(page: VolumePage, cluster_id: UUID | None) -> list[Document]:
    """Return the volumes of one cluster, or, for ``None``, of all."""

    def wanted(volume: Volume) -> bool:
        return CLUSTER in volume.labels if cluster_id is None else belongs_to(volume, cluster_id)

    return [
        {**to_document(each), "cluster_id": each.labels.get(CLUSTER)}
        for each in page.volumes
        if wanted(each)
    ]


def _cluster(app: App) -> UUID:
    cluster_id: UUID | None = app.configuration().cluster_id
    if cluster_id is None:
        raise InvalidConfiguration(
            "cluster_id", "is missing", "set it, or list the volumes of --all-clusters"
        )
    return cluster_id


def list_volumes(app: App, selection: Selection, view: View) -> None:
    """
    :param selection: whose ``attached_to`` may be words for nodes.
    """

    async def look(service: Any, chosen: Selection) -> CommandResult:
        cluster_id = None if view.all_clusters else _cluster(app)
        page = await service.list_volumes({} if cluster_id is None else cluster_labels(cluster_id))
        found = chosen.of(_documents(page, cluster_id))
        malformed = [{"volume_id": name, "problem": problem} for name, problem in page.malformed]
        for bad in malformed + [each for each in found if each["problem"]]:
            app.warn("Volume {volume_id}: {problem}".format(**bad))
        ids = "\n".join(each["volume_id"] for each in found)
        document = {"volumes": found, "malformed": malformed}
        return CommandResult(document, ids if view.quiet else list_of(found, view.names()))

    async def operation(reactor: IReactor) -> CommandResult:
        service = app.service(reactor)
        with progress(app.progress_console(), "Listing volumes"):
            nodes = [await node_id(service, each) for each in selection.attached_to]
            chosen = attr.evolve(selection, attached_to=nodes)
            if view.interval is None:
                return await look(service, chosen)
        return await watch(app, reactor, view.interval, lambda: look(service, chosen))

    app.perform(operation)


__all__ = ["Selection", "View", "list_volumes"]

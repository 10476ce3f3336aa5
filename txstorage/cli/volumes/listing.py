# -*- test-case-name: tests.cli.volumes.test_listing -*-
"""``txstorage volumes list``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import attr

from ...clouds.interface import IVolumeService
from ...driver.labels import CLUSTER
from ..app import App
from ..resources.clusters import is_of, labels_of
from ..resources.documents import Document
from ..resources.listing import Listing, Malformed, Selection, View
from ..resources.references import node_id
from .columns import COLUMNS, OPTIONAL, USUAL
from .documents import to_document
from .orphans import orphans_of, reason_of


async def _look(
    only_orphans: bool, service: IVolumeService, cluster_id: UUID | None
) -> tuple[list[Document], Malformed]:
    page = await service.list_volumes(labels_of(cluster_id))
    orphans = orphans_of(page, cluster_id)
    found = []
    for each in page.volumes:
        orphan = orphans.get(each.volume_id)
        if not is_of(each, cluster_id) or (only_orphans and orphan is None):
            continue
        document = {**to_document(each), "cluster_id": each.labels.get(CLUSTER)}
        document["superseded_by"] = None if orphan is None else orphan.superseded_by
        if orphan is not None:
            document["problem"] = reason_of(orphan)
        found.append(document)
    return found, page.malformed


def list_volumes(
    app: App,
    selection: Selection,
    attached_to: Sequence[str],
    view: View,
    only_orphans: bool = False,
) -> None:
    """
    :param attached_to: words for nodes.
    :param only_orphans: whether only volumes are listed that are never used.
    """

    async def choose(service: IVolumeService, cluster_id: UUID | None) -> Selection:
        nodes = [await node_id(service, each) for each in attached_to]
        return attr.evolve(selection, filters={**selection.filters, "attached_to": nodes})

    look = partial(_look, only_orphans)
    listing = Listing(kind="volume", columns=COLUMNS, usual=USUAL, optional=OPTIONAL, look=look)
    listing.run(app, view, choose)


__all__ = ["list_volumes"]

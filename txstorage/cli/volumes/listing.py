# -*- test-case-name: tests.cli.volumes.test_listing -*-
"""``txstorage volumes list``."""

from __future__ import annotations

from collections.abc import Sequence
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


async def _look(
    service: IVolumeService, cluster_id: UUID | None
) -> tuple[list[Document], Malformed]:
    page = await service.list_volumes(labels_of(cluster_id))
    found = [
        {**to_document(each), "cluster_id": each.labels.get(CLUSTER)}
        for each in page.volumes
        if is_of(each, cluster_id)
    ]
    return found, page.malformed


def list_volumes(app: App, selection: Selection, attached_to: Sequence[str], view: View) -> None:
    """
    :param attached_to: words for nodes.
    """

    async def choose(service: IVolumeService, cluster_id: UUID | None) -> Selection:
        nodes = [await node_id(service, each) for each in attached_to]
        return attr.evolve(selection, filters={**selection.filters, "attached_to": nodes})

    listing = Listing(kind="volume", columns=COLUMNS, usual=USUAL, optional=OPTIONAL, look=_look)
    listing.run(app, view, choose)


__all__ = ["list_volumes"]

# -*- test-case-name: tests.cli.snapshots.test_listing -*-
"""``txstorage snapshots list``."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import attr

from ...clouds.interface import IVolumeService
from ..app import App
from ..resources.clusters import is_of, labels_of
from ..resources.documents import Document
from ..resources.listing import Listing, Malformed, Selection, View
from ..resources.references import VolumeReferences
from .columns import COLUMNS, USUAL
from .documents import to_document


async def _look(
    service: IVolumeService, cluster_id: UUID | None
) -> tuple[list[Document], Malformed]:
    page = await service.list_snapshots(labels_of(cluster_id))
    return [to_document(each) for each in page.snapshots if is_of(each, cluster_id)], page.malformed


def list_snapshots(app: App, selection: Selection, volumes: Sequence[str], view: View) -> None:
    """
    :param volumes: words for volumes.
    """

    async def choose(service: IVolumeService, cluster_id: UUID | None) -> Selection:
        references = VolumeReferences(service, cluster_id)
        ids = [await references.identity(each) for each in volumes]
        return attr.evolve(selection, filters={**selection.filters, "volume_id": ids})

    Listing(kind="snapshot", columns=COLUMNS, usual=USUAL, look=_look).run(app, view, choose)


__all__ = ["list_snapshots"]

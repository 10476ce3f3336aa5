# -*- test-case-name: tests.cli.snapshots.test_command -*-
"""The operations on existing snapshots that the commands run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred

from ...driver.snapshots import check_owner
from ..app import App, ConfiguredCloud
from ..resources.documents import Document
from ..resources.operations import destroy_each, show_each
from ..resources.references import SnapshotReferences
from .documents import to_document


async def _described(cloud: ConfiguredCloud, snapshot_id: str) -> Document:
    """
    :raises UnknownSnapshot: the snapshot does not exist, or belongs to another cluster.
    """
    cluster_id: Any = cloud.configuration.cluster_id
    found = check_owner(await cloud.service.get_snapshot(snapshot_id), cluster_id)
    document = to_document(found)
    if "error" in document["status"]:
        document["problem"] = await cloud.service.failure_reason(snapshot_id) or None
    return document


def show(app: App, snapshots: Sequence[str], interval: float | None) -> None:
    """
    :param interval: seconds between two looks; ``None`` for one look.
    """
    show_each(app, SnapshotReferences, snapshots, _described, interval)


def destroy(app: App, snapshots: Sequence[str], yes: bool) -> None:
    """
    :param yes: whether the user has confirmed it.
    """

    def destroy_one(cloud: ConfiguredCloud, snapshot_id: str) -> Deferred[None]:
        return cloud.driver.destroy_snapshot(snapshot_id)

    destroy_each(app, SnapshotReferences, snapshots, destroy_one, yes)


__all__ = ["destroy", "show"]

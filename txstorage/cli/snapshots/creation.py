# -*- test-case-name: tests.cli.snapshots.test_creation -*-
"""``txstorage snapshots create``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ...clouds import Snapshot, Volume
from ...driver.labels import belongs_to, cluster_labels
from ...driver.snapshots import check_snapshot
from ...errors import SnapshotError
from ..app import App, CommandResult, ConfiguredCloud
from ..resources.documents import details_of
from ..resources.observing import observed, volume_of
from ..resources.references import VolumeReferences
from ..running import IReactor
from .documents import to_document

#: The statuses of snapshots that the driver itself completes or refuses.
_IN_THE_MAKING = ("creating", "error", "deleting", "error_deleting")


class SnapshotExists(SnapshotError):
    """
    The volume had a snapshot of that name before the command began.

    :param snapshot: the existing snapshot.
    """

    remedy = (
        "choose another name, or none; if the existing snapshot is the one to keep, there is "
        "nothing to do"
    )

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(
            snapshot.snapshot_id,
            f"Volume {snapshot.volume_id} already has a snapshot named '{snapshot.name}', "
            f"{snapshot.snapshot_id}, made at {snapshot.created_at}",
        )


def default_name() -> str:
    """Return a name with the current time, UTC, to the second."""
    return datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")


async def _check_new(cloud: ConfiguredCloud, volume_id: str, name: str) -> None:
    """
    Check that a volume has no snapshot of a name, except one that is still being made.

    The driver would return the existing snapshot, whatever its age.  A user who takes it for one of
    today loses the data of the time between.

    :raises SnapshotExists: it has one.
    """
    cluster_id: Any = cloud.configuration.cluster_id
    page = await cloud.service.list_snapshots(cluster_labels(cluster_id), volume_id, name)
    for each in page.snapshots:
        same = (each.volume_id, each.name) == (volume_id, name)
        if same and belongs_to(each, cluster_id) and each.status not in _IN_THE_MAKING:
            raise SnapshotExists(each)


def _note_attached(app: App, volume: Volume) -> None:
    if volume.attachments:
        app.note(
            f"Volume {volume.volume_id} is attached: the snapshot has the data that the device has "
            "received, as after a power failure. To include the data that is still in memory, "
            "freeze the file system with fsfreeze, or stop the programs that write to it."
        )


def create(app: App, word: str, name: str | None, labels: Mapping[str, str]) -> None:
    """
    :param word: for a volume.
    :param name: the snapshot's; ``None`` for the current time.
    """

    async def operation(reactor: IReactor) -> CommandResult:
        chosen = default_name() if name is None else name
        check_snapshot(chosen, labels)
        with observed(app, reactor, f"Creating a snapshot of volume {word}") as cloud:
            volume = await volume_of(cloud, await VolumeReferences.of(cloud).identity(word))
            await _check_new(cloud, volume.volume_id, chosen)
            _note_attached(app, volume)
            try:
                made = await cloud.driver.create_snapshot(volume.volume_id, chosen, labels)
            except BaseException:
                if name is None and app.sent:
                    # A retry without this name would make a second snapshot.
                    app.warn(f"to repeat this, add the name {chosen}")
                    app.outcomes["name"] = chosen
                raise
            document = to_document(await cloud.service.get_snapshot(made.snapshot_id))
        document["was_attached"] = bool(volume.attachments)
        return CommandResult(document, details_of(document))

    app.perform(operation)


__all__ = ["SnapshotExists", "create", "default_name"]

# -*- test-case-name: tests.embedded.ec2.test_lag -*-
"""
The state that describes answer from: the store's, or with a lag, that of some time ago.

EC2 is eventually consistent: a describe may not show a change that has been answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Optional

import attr

from ...store.ec2.records import DetachRecord, EC2Kind, ModificationRecord
from ...store.records import SnapshotRecord, VolumeFilter, VolumeRecord
from ...store.store import Store
from .ids import SNAPSHOT, VOLUME

#: The only project in EC2: the first one.
_PROJECT = None
_OWN = VolumeFilter().of_project(_PROJECT)


@attr.s(frozen=True, auto_attribs=True)
class SeenVolume:
    """
    A volume with everything that EC2 shows of it.

    :ivar kind: ``None`` when OpenStack's clients have made the volume.
    :ivar detach: of its attachment, if EC2's clients have requested one that has not ended.
    """

    record: VolumeRecord
    kind: Optional[EC2Kind]
    detach: Optional[DetachRecord]
    modification: Optional[ModificationRecord]

    @property
    def hidden(self) -> bool:
        """``True`` when EC2's clients have deleted the volume."""
        return self.kind is not None and self.kind.hidden


class StoreReader:
    """
    Reads the present state.

    :param store: of reading, or of a change.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def _seen(self, records: list[VolumeRecord]) -> list[SeenVolume]:
        tables = self._store.ec2
        detaches = tables.detaches() if records else {}
        seen = (
            SeenVolume(
                each,
                tables.kind(each.volume_id),
                detaches.get(each.volume_id),
                tables.modification(each.volume_id),
            )
            for each in records
        )
        return [each for each in seen if not each.hidden]

    def volume(self, ec2_id: str) -> SeenVolume | None:
        """
        :return: the volume, or ``None`` when there is none.
        :raises QueryRefusal: the id is malformed.
        """
        volume_id = VOLUME.find(self._store, ec2_id)
        record = None if volume_id is None else self._store.volume(volume_id)
        found = [] if record is None else self._seen([record])
        return found[0] if found else None

    def volumes(
        self, labels: Mapping[str, str], before: int | None, limit: int
    ) -> tuple[list[SeenVolume], int | None]:
        """
        List volumes, the newest first.

        :param labels: that each of them has.
        :param before: only those with a smaller sequence number.
        :param limit: the maximum number.
        :return: the volumes, and the sequence number before which there may be more.
        """
        records = self._store.volumes(attr.evolve(_OWN, metadata=labels), before, limit)
        more = records[-1].sequence if len(records) == limit else None
        return self._seen(records), more

    def modified(self) -> list[SeenVolume]:
        """List the volumes that were modified, in any order."""
        ids = (each.volume_id for each in self._store.ec2.modifications())
        found = (self._store.volume(volume_id) for volume_id in ids)
        # One that was transferred is another project's.
        own = [each for each in found if each is not None and each.project_id == _PROJECT]
        return self._seen(own)

    def attached(self, server_id: str) -> list[SeenVolume]:
        """List the volumes of a server, the newest attachment first."""
        return self._seen(
            self._store.searches.attached({"instance_id": server_id}, None, -1, 0, [_PROJECT])
        )

    def snapshots(self) -> list[SnapshotRecord]:
        """List snapshots, the newest first; a deleted one is gone at once."""
        return [
            each for each in self._store.snapshots.of_project(_PROJECT) if each.status != "deleting"
        ]

    def snapshot(self, ec2_id: str) -> SnapshotRecord | None:
        """
        :return: the snapshot, or ``None`` when there is none.
        :raises QueryRefusal: the id is malformed.
        """
        snapshot_id = SNAPSHOT.find(self._store, ec2_id)
        found = None if snapshot_id is None else self._store.snapshots.find(snapshot_id)
        return None if found is None or found.status == "deleting" else found

    def changing(self) -> None:
        """Prepare for a change."""

    def forget(self) -> None:
        """Read the present state next."""


class LaggingReader(StoreReader):
    """
    Reads a copy of the state, which is made again when it is older than the lag.

    :param lag: seconds.
    :param now: returns the time in seconds.
    """

    def __init__(self, store: Store, lag: float, now: Callable[[], float]) -> None:
        super().__init__(store)
        self._lag = lag
        self._now = now
        self._made_at: float | None = None
        self._volumes: list[SeenVolume] = []
        self._snapshots: list[SnapshotRecord] = []

    def forget(self) -> None:
        """See :class:`StoreReader`."""
        self._made_at = None

    def changing(self) -> None:
        """Make a copy without the change, so that describes do not show it."""
        self._refresh()

    def _refresh(self) -> None:
        if self._made_at is None or self._now() - self._made_at >= self._lag:
            self._made_at = self._now()
            self._volumes = self._seen(self._store.volumes(_OWN))
            self._snapshots = super().snapshots()

    def volume(self, ec2_id: str) -> SeenVolume | None:
        """See :class:`StoreReader`."""
        VOLUME.check(ec2_id)
        self._refresh()
        found = (each for each in self._volumes if VOLUME.of(each.record.volume_id) == ec2_id)
        return next(found, None)

    def volumes(
        self, labels: Mapping[str, str], before: int | None, limit: int
    ) -> tuple[list[SeenVolume], int | None]:
        """See :class:`StoreReader`."""
        self._refresh()
        found = [
            each
            for each in self._volumes
            if (before is None or each.record.sequence < before)
            and labels.items() <= each.record.metadata.items()
        ]
        more = found[limit - 1].record.sequence if len(found) > limit else None
        return found[:limit], more

    def modified(self) -> list[SeenVolume]:
        """See :class:`StoreReader`."""
        self._refresh()
        return [each for each in self._volumes if each.modification is not None]

    def attached(self, server_id: str) -> list[SeenVolume]:
        """See :class:`StoreReader`."""
        self._refresh()
        return [
            each
            for each in self._volumes
            if each.record.attachment is not None and each.record.attachment.server_id == server_id
        ]

    def snapshots(self) -> list[SnapshotRecord]:
        """See :class:`StoreReader`."""
        self._refresh()
        return list(self._snapshots)

    def snapshot(self, ec2_id: str) -> SnapshotRecord | None:
        """See :class:`StoreReader`."""
        SNAPSHOT.check(ec2_id)
        self._refresh()
        found = (each for each in self._snapshots if SNAPSHOT.of(each.snapshot_id) == ec2_id)
        return next(found, None)

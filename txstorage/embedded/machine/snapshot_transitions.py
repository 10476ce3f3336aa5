# -*- test-case-name: tests.embedded.machine.test_snapshot_transitions -*-
"""
The transitions of snapshots in transient statuses.

A snapshot of a volume in use is a copy as
:mod:`~txstorage.embedded.machine.transitions` describes it.
"""

from __future__ import annotations

from ..._log import SERVER_SNAPSHOT
from ..settings import GIB
from ..store.records import SnapshotRecord
from ..store.store import GONE, Store
from .devices import IDeviceBackend
from .transitions import Subjects, Transition


async def _make_copy(devices: IDeviceBackend, snapshot: SnapshotRecord) -> None:
    files = devices.files
    await devices.flush(snapshot.volume_id)
    source, target = files.path(snapshot.volume_id), files.snapshot_path(snapshot.snapshot_id)
    await files.copy(source, target, snapshot.size * GIB)


async def _remove_copy(devices: IDeviceBackend, snapshot: SnapshotRecord) -> None:
    await devices.files.aside(devices.files.remove_snapshot, snapshot.snapshot_id)


SNAPSHOT_TRANSITIONS: dict[str, Transition] = {
    "creating": Transition("create", _make_copy, "available", "error"),
    "deleting": Transition("delete", _remove_copy, GONE, "error_deleting"),
}


class Snapshots(Subjects[SnapshotRecord]):
    """All snapshots."""

    noun = "snapshot"

    def find(self, store: Store, key: str) -> SnapshotRecord | None:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        return store.snapshots.find(key)

    def every(self, store: Store) -> dict[str, SnapshotRecord]:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        return {snapshot.snapshot_id: snapshot for snapshot in store.snapshots.every()}

    def transition(self, subject: SnapshotRecord) -> Transition | None:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        return SNAPSHOT_TRANSITIONS.get(subject.status)

    def waits(self, store: Store, subject: SnapshotRecord) -> bool:
        """A snapshot is deleted after the volumes that are being filled from it are complete."""
        return subject.status == "deleting" and bool(store.searches.copies(subject.snapshot_id))

    def settle(
        self, store: Store, subject: SnapshotRecord, status: str, device: str | None, reason: str
    ) -> None:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        snapshot_id = subject.snapshot_id
        present = store.snapshots.find(snapshot_id)
        if present is None or present.status != subject.status:
            return
        if status == GONE:
            store.snapshots.remove(snapshot_id)
            return
        store.snapshots.set_status(snapshot_id, status)
        if reason:
            store.messages.add(subject.volume_id, reason, snapshot_id)

    def log(self, key: str, status: str, reason: str) -> None:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        SERVER_SNAPSHOT.log(snapshot_id=key, status=status, reason=reason)

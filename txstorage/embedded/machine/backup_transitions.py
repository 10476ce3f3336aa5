# -*- test-case-name: tests.embedded.apis.test_backups -*-
"""
The transitions of backups in transient statuses.

A backup of a volume in use is a copy as :mod:`~txstorage.embedded.machine.transitions` describes
it.  A volume gets a restored content as a whole, or keeps the former one.
"""

from __future__ import annotations

from ..._log import SERVER_BACKUP
from ..settings import GIB
from ..store.features.backups import BackupRecord
from ..store.features.processes import BACKUP
from ..store.store import GONE, Store
from .devices import DeviceFailure, IDeviceBackend
from .transitions import Subjects, Transition


async def _make_copy(devices: IDeviceBackend, backup: BackupRecord) -> None:
    files = devices.files
    if backup.snapshot_id is not None:
        source = files.snapshot_path(backup.snapshot_id)
    else:
        await devices.flush(backup.volume_id)
        source = files.path(backup.volume_id)
    await files.copy(source, files.backup_path(backup.backup_id), backup.size * GIB)


async def _remove_copy(devices: IDeviceBackend, backup: BackupRecord) -> None:
    await devices.files.aside(devices.files.remove_backup, backup.backup_id)


async def _restore(devices: IDeviceBackend, backup: BackupRecord) -> None:
    if backup.restore_volume_id is None:
        raise DeviceFailure("it is restored to no volume")
    files = devices.files
    await files.replace(
        files.backup_path(backup.backup_id), files.path(backup.restore_volume_id), backup.size * GIB
    )


BACKUP_TRANSITIONS: dict[str, Transition] = {
    "creating": Transition("create", _make_copy, "available", "error"),
    "restoring": Transition("restore", _restore, "available", "available"),
    "deleting": Transition("delete", _remove_copy, GONE, "error"),
}


class Backups(Subjects[BackupRecord]):
    """All backups."""

    noun = "backup"

    def find(self, store: Store, key: str) -> BackupRecord | None:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        return store.backups.find(key)

    def every(self, store: Store) -> dict[str, BackupRecord]:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        return {backup.backup_id: backup for backup in store.backups.every()}

    def transition(self, subject: BackupRecord) -> Transition | None:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        return BACKUP_TRANSITIONS.get(subject.status)

    def waits(self, store: Store, subject: BackupRecord) -> bool:
        """
        A backup is deleted after the volumes that are being filled from it are complete.

        :raises DeviceFailure: it is to be created, and its process is disabled.
        """
        if subject.status == "creating" and BACKUP in store.processes.disabled():
            raise DeviceFailure("Service not found for creating backup.")
        return subject.status == "deleting" and bool(store.searches.copies(subject.backup_id))

    def settle(
        self, store: Store, subject: BackupRecord, status: str, device: str | None, reason: str
    ) -> None:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        store.backups.settle(subject, status, reason)

    def log(self, key: str, status: str, reason: str) -> None:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        SERVER_BACKUP(backup_id=key, status=status, reason=reason).write()

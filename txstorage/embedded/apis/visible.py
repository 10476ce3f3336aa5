# -*- test-case-name: tests.embedded.accounts.test_policy -*-
"""
The volumes, snapshots and volume types that exist for a user: those of the user's project, public
types, and all for an administrator.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from ..store.features.backups import BackupRecord
from ..store.projects.types import TypeRecord
from ..store.records import SnapshotRecord, VolumeRecord
from ..store.store import Store
from ..wire import refusals
from ..wire.exchange import APIRequest


class _Owned(Protocol):
    """A record that belongs to a project."""

    @property
    def project_id(self) -> str | None:
        """The project; ``None`` for the first one."""


_Record = TypeVar("_Record", bound=_Owned)


def seen(call: APIRequest, record: _Record | None) -> _Record | None:
    """Return a record, or ``None`` if there is none that exists for the user."""
    return record if record is not None and call.requester.sees(record.project_id) else None


def visible_volume(call: APIRequest, store: Store, volume_id: str) -> VolumeRecord:
    """
    Find a volume.

    :raises WireError: 404.
    """
    volume = seen(call, store.volume(volume_id))
    if volume is None:
        raise refusals.NO_VOLUME(volume_id)
    return volume


def visible_snapshot(call: APIRequest, store: Store, snapshot_id: str) -> SnapshotRecord:
    """
    Find a snapshot.

    :raises WireError: 404.
    """
    snapshot = seen(call, store.snapshots.find(snapshot_id))
    if snapshot is None:
        raise refusals.NO_SNAPSHOT(snapshot_id)
    return snapshot


def visible_backup(call: APIRequest, store: Store, backup_id: str) -> BackupRecord:
    """
    Find a backup.

    :raises WireError: 404.
    """
    backup = seen(call, store.backups.find(backup_id))
    if backup is None:
        raise refusals.NO_BACKUP(backup_id)
    return backup


def sees_type(call: APIRequest, store: Store, found: TypeRecord) -> bool:
    """Check whether a volume type exists for the user."""
    if found.is_public or call.requester.is_admin:
        return True
    return call.requester.owner.project_id in store.types.projects(found.type_id)


def default_type(call: APIRequest, store: Store) -> TypeRecord:
    """
    :return: the type of a volume of the user's project whose request names none.
    :raises WireError: 404, the user may not use it.
    """
    found = store.types.default(call.requester.owner.project_id)
    if not sees_type(call, store, found):
        raise refusals.NO_VOLUME_TYPE(found.type_id)
    return found


def visible_type(call: APIRequest, store: Store, name_or_id: str) -> TypeRecord | None:
    """:return: a volume type, or ``None`` when the user has none of that name or id."""
    found = store.types.find(name_or_id)
    return found if found is not None and sees_type(call, store, found) else None


__all__ = [
    "default_type",
    "seen",
    "sees_type",
    "visible_backup",
    "visible_snapshot",
    "visible_type",
    "visible_volume",
]

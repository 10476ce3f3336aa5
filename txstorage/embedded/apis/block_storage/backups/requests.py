# -*- test-case-name: tests.embedded.apis.test_backups -*-
"""The bodies of requests for backups, the checks that Cinder makes, and the filters of lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

import attr

from ....store.features.backups import BackupRecord, NewBackup
from ....store.records import SnapshotRecord, VolumeRecord
from ....store.store import Store
from ....wire import refusals, volume_refusals
from ....wire.exchange import APIRequest, Version
from ....wire.fields import OPTIONAL_UUID, UUID, BodySchema, only_member, volume_body, wrapped
from ....wire.versions import VOLUME
from ...volume_requests import BOOLEAN, LABELS, is_true
from ..queries import filter_names, finds_nothing

#: The first microversions to change a backup, to sort by the name, with labels, and with a zone.
UPDATE, NAME_ORDER, METADATA, _ZONE = (3, 9), (3, 37), (3, 43), (3, 51)
_TEXT = {"type": ["string", "null"], "maxLength": 255}
_LABELS = {"type": ["object", "null"], **LABELS}


def _schema(name: str, members: Mapping[str, Any], **more: Any) -> BodySchema:
    inner = {"type": "object", "properties": members, "additionalProperties": False, **more}
    return volume_body(wrapped(name, inner, additionalProperties=False))


_NEW = {
    "volume_id": UUID,
    "container": _TEXT,
    "description": _TEXT,
    "incremental": BOOLEAN,
    "force": BOOLEAN,
    "name": _TEXT,
    "snapshot_id": OPTIONAL_UUID,
}
_TEXTS = {"name": _TEXT, "description": _TEXT}
_NULLABLE = {"type": ["object", "null"]}
#: By their first microversions, the latest first.
_CREATES: tuple[tuple[Version, BodySchema], ...] = (
    (
        _ZONE,
        _schema(
            "backup",
            {**_NEW, "metadata": _LABELS, "availability_zone": _TEXT},
            required=["volume_id"],
        ),
    ),
    (METADATA, _schema("backup", {**_NEW, "metadata": _LABELS}, required=["volume_id"])),
    ((3, 0), _schema("backup", _NEW, required=["volume_id"])),
)
_UPDATES: tuple[tuple[Version, BodySchema], ...] = (
    (
        METADATA,
        _schema("backup", {**_TEXTS, "metadata": {"type": "object", **LABELS}}, **_NULLABLE),
    ),
    ((3, 0), _schema("backup", _TEXTS, **_NULLABLE)),
)
_RESTORE = _schema("restore", {"name": _TEXT, "volume_id": OPTIONAL_UUID}, **_NULLABLE)
_STATUS = _schema("os-reset_status", {"status": {"type": "string"}}, required=["status"])
_FORCE = volume_body(wrapped("os-force_delete", {}, additionalProperties=False))
#: The statuses that an administrator may set.
_STATUSES = ["available", "error"]
#: The filters of a list.
_FILTERS: Mapping[str, Callable[[BackupRecord], object]] = {
    "name": lambda backup: backup.name,
    "status": lambda backup: backup.status,
    "volume_id": lambda backup: backup.volume_id,
}
FILTERS = frozenset(_FILTERS)
#: The columns that administrators filter by, too.
_COLUMNS: Mapping[str, Callable[[BackupRecord], object]] = {
    "id": lambda backup: backup.backup_id,
    "display_name": lambda backup: backup.name,
    "display_description": lambda backup: backup.description,
    "size": lambda backup: str(backup.size),
    "container": lambda backup: backup.container,
    "snapshot_id": lambda backup: backup.snapshot_id,
    "parent_id": lambda backup: backup.parent_id,
}
_STRICT = (3, 31)
#: The columns that lists can be ordered by.
KEYS: Mapping[str, Callable[[BackupRecord], Any]] = {
    # The clock may have given two backups the same time.
    "created_at": lambda backup: backup.sequence,
    "id": lambda backup: backup.backup_id,
    "updated_at": lambda backup: backup.updated_at or 0,
    "data_timestamp": lambda backup: backup.data_timestamp or 0,
    "display_name": lambda backup: backup.name or "",
    "display_description": lambda backup: backup.description or "",
    "status": lambda backup: backup.status,
    "size": lambda backup: backup.size,
    "volume_id": lambda backup: backup.volume_id,
    "snapshot_id": lambda backup: backup.snapshot_id or "",
    "container": lambda backup: backup.container or "",
}


@attr.s(frozen=True, auto_attribs=True)
class WantedBackup:
    """
    The body of a create.

    :ivar force: whether the volume may be in use.
    """

    volume_id: str
    snapshot_id: str | None
    name: str | None
    description: str | None
    container: str | None
    incremental: bool
    force: bool
    metadata: Mapping[str, str]


def new_backup(body: Mapping[str, Any], version: Version) -> WantedBackup:
    """
    Parse the body of a create.

    :raises WireError: 400.
    """
    _of_version(_CREATES, version).check(body)
    found = body["backup"]
    return WantedBackup(
        volume_id=found["volume_id"],
        snapshot_id=found.get("snapshot_id"),
        name=_stripped(found.get("name")),
        description=_stripped(found.get("description")),
        container=found.get("container"),
        incremental=is_true(found.get("incremental", False)),
        force=is_true(found.get("force", False)),
        metadata=found.get("metadata") or {},
    )


def backup_of(
    wanted: WantedBackup, volume: VolumeRecord, snapshot: SnapshotRecord | None
) -> NewBackup:
    """
    Complete a request with what its source has.

    :raises WireError: 400, the source's status does not allow it.
    """
    if snapshot is not None:
        if snapshot.volume_id != volume.volume_id:
            ids = (volume.volume_id, snapshot.volume_id)
            raise volume_refusals.OTHER_VOLUMES_SNAPSHOT(*ids)
        if snapshot.status != "available":
            raise volume_refusals.NO_BACKUP_OF_SNAPSHOT(snapshot.status)
    elif volume.status not in ("available", "in-use"):
        raise volume_refusals.NO_BACKUP_NOW(volume.status)
    elif volume.status == "in-use" and not wanted.force:
        raise volume_refusals.NO_BACKUP_IN_USE()
    return NewBackup(
        volume_id=volume.volume_id,
        snapshot_id=wanted.snapshot_id,
        name=wanted.name,
        description=wanted.description,
        size=volume.size,
        container=wanted.container,
        metadata=wanted.metadata,
        parent_id=None,
        data_timestamp=None if snapshot is None else snapshot.created_at,
        project_id=None,
        user_id=None,
    )


def parent_of(store: Store, new: NewBackup) -> str:
    """
    :return: the id of the backup that an incremental one follows.
    :raises WireError: 400, there is none.
    """
    for each in store.backups.of_project(new.project_id):
        before = new.data_timestamp is None or (each.data_timestamp or 0) < new.data_timestamp
        if each.volume_id == new.volume_id and each.status == "available" and before:
            return each.backup_id
    raise volume_refusals.NO_PARENT()


def updated(body: Mapping[str, Any], version: Version) -> dict[str, Any]:
    """
    Parse the body of an update.

    :return: new values by column.
    :raises WireError: 400; 500 when the body has none, which Cinder's schema admits.
    """
    _of_version(_UPDATES, version).check(body)
    found = body["backup"]
    if found is None:
        raise refusals.VOLUME_FAULT()
    columns: dict[str, Any] = {
        name: _stripped(found[name]) for name in ("name", "description") if name in found
    }
    if "metadata" in found:
        columns["metadata"] = dict(found["metadata"])
    return columns


def restored(body: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """
    Parse the body of a restore.

    :return: the id of the volume to restore to, or the name of a new one, if it is given.
    :raises WireError: 400; 500 when the body has none, which Cinder's schema admits.
    """
    _RESTORE.check(body)
    found = body["restore"]
    if found is None:
        raise refusals.VOLUME_FAULT()
    return found.get("volume_id"), found.get("name")


def new_status(body: Mapping[str, Any]) -> tuple[str, str]:
    """
    Parse an administrator's action.

    :return: the action, and the new status.
    :raises WireError: 400.
    """
    name = only_member(body, VOLUME)
    if name == "os-force_delete":
        _FORCE.check(body)
        return name, "deleting"
    if name != "os-reset_status":
        raise refusals.NO_VOLUME_ACTION(name)
    _STATUS.check(body)
    status = body[name]["status"]
    if status.lower() not in _STATUSES:
        raise volume_refusals.BAD_BACKUP_STATUS(status, _STATUSES)
    return name, status.lower()


def chosen(
    call: APIRequest, backups: list[BackupRecord], query: Mapping[str, str], first_user: str
) -> list[BackupRecord]:
    """
    Filter a list.

    :param first_user: the id of the user that the store has as ``None``.
    :raises WireError: 400, for an unknown filter; older versions ignore it.
    """
    known = dict(_FILTERS)
    if call.requester.is_admin:
        known.update(_COLUMNS, user_id=lambda backup: backup.user_id or first_user)
    filters = filter_names(call, query, ["with_count"])
    if finds_nothing(call, [name for name in filters if name not in known], _STRICT):
        return []
    given = {name: query[name] for name in filters if name in known}
    return [each for each in backups if all(known[name](each) == given[name] for name in given)]


def _of_version(schemas: tuple[tuple[Version, BodySchema], ...], version: Version) -> BodySchema:
    return next(schema for since, schema in schemas if version >= since)


def _stripped(value: str | None) -> str | None:
    return None if value is None else value.strip()


__all__ = [
    "FILTERS",
    "KEYS",
    "METADATA",
    "NAME_ORDER",
    "UPDATE",
    "WantedBackup",
    "backup_of",
    "chosen",
    "new_backup",
    "new_status",
    "parent_of",
    "restored",
    "updated",
]

# -*- test-case-name: tests.embedded.store.test_sidecars -*-
"""
The content of sidecars: the rows of a volume, a snapshot or a backup, and their owner.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import attr

from ..machine.files import BACKUP_PREFIX, PREFIX, SNAPSHOT_PREFIX
from .features.backups import BackupRecord, of_volume
from .records import AttachmentRecord, SnapshotRecord, VolumeRecord

SUFFIX = ".json"
_FORMAT = 1


class DamagedSidecar(Exception):
    """A sidecar can't be used; the text gives the reason."""


@attr.s(frozen=True, auto_attribs=True)
class Sidecar:
    """
    A sidecar's content.

    :ivar volume: an attachment, if any, is complete; transitions are left out.
    :ivar project_id: of the service's first project.
    :ivar cluster_id: of the service.
    :ivar offered: whether the volume was offered to other projects.
    """

    volume: VolumeRecord
    project_id: str
    cluster_id: str
    offered: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Return the content as a JSON value."""
        volume = self.volume
        attachment = attached(volume)
        return {
            "format": _FORMAT,
            "id": volume.volume_id,
            "size": volume.size,
            "name": volume.name,
            "description": volume.description,
            "volume_type": volume.volume_type,
            "metadata": dict(volume.metadata),
            "created_at": volume.created_at,
            "project_id": self.project_id,
            "cluster_id": self.cluster_id,
            "snapshot_id": volume.snapshot_id,
            "source_volid": volume.source_volid,
            "growing": volume.growing,
            "bootable": volume.bootable,
            "readonly": volume.readonly,
            "image_metadata": dict(volume.image_metadata),
            "attachment": None if attachment is None else attr.asdict(attachment),
            "status": "available" if attachment is None else _settled(volume.status),
            "offered": volume.status == "awaiting-transfer",
            **_owner(volume),
        }

    @classmethod
    def from_wire(cls, found: Any, volume_id: str) -> Sidecar:
        """
        :param volume_id: of the sidecar's name.
        :raises DamagedSidecar: anything is missing or has the wrong type.
        """
        with _checked(found, volume_id):
            attachment = found["attachment"]
            volume = VolumeRecord(
                sequence=0,
                volume_id=volume_id,
                name=_text(found["name"]),
                description=_text(found["description"]),
                size=_positive(found["size"]),
                status=str(found["status"]),
                volume_type=_volume_type(found["volume_type"]),
                bootable=bool(found.get("bootable")),
                created_at=float(found["created_at"]),
                updated_at=None,
                metadata=_texts(found["metadata"]),
                attachment=None if attachment is None else AttachmentRecord(**attachment),
                # Earlier releases did not write the rest.
                snapshot_id=_text(found.get("snapshot_id")),
                source_volid=_text(found.get("source_volid")),
                growing=None if found.get("growing") is None else _positive(found["growing"]),
                project_id=_text(found.get("owner_project_id")),
                user_id=_text(found.get("owner_user_id")),
                readonly=None if found.get("readonly") is None else bool(found["readonly"]),
                image_metadata=_texts(found.get("image_metadata", {})),
            )
            offered = bool(found.get("offered"))
            return cls(volume, str(found["project_id"]), str(found["cluster_id"]), offered)


def attached(volume: VolumeRecord) -> AttachmentRecord | None:
    """Return a volume's attachment once it has a device, else ``None``."""
    attachment = volume.attachment
    return None if attachment is None or attachment.node_device is None else attachment


def _settled(status: str) -> str:
    """The status of an attached volume without its transition."""
    return "attaching" if status == "attaching" else "in-use"


def _owner(record: VolumeRecord | SnapshotRecord | BackupRecord) -> dict[str, str | None]:
    """The owner's ids; ``None`` stands for the first project and the first user."""
    return {"owner_project_id": record.project_id, "owner_user_id": record.user_id}


@contextmanager
def _checked(found: Any, key: str) -> Iterator[None]:
    """
    Check a sidecar's format, and then its members as they are read.

    :param key: the id in the sidecar's name.
    :raises DamagedSidecar: anything is missing or has the wrong type.
    """
    try:
        if (found["format"], found["id"]) != (_FORMAT, key):
            raise DamagedSidecar(f"it has format {found['format']} and id {found['id']}")
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedSidecar(f"{type(error).__name__}: {error}") from error


def _texts(found: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in found.items()}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _positive(value: object) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"the size is {value!r}")
    return value


def _volume_type(value: str) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"the volume type is {value!r}")
    return value


@attr.s(frozen=True, auto_attribs=True)
class SnapshotSidecar:
    """
    The content of a snapshot's sidecar.

    :ivar snapshot: transitions are left out.
    :ivar project_id: of the service's first project.
    :ivar cluster_id: of the service.
    """

    snapshot: SnapshotRecord
    project_id: str
    cluster_id: str

    def to_wire(self) -> dict[str, Any]:
        """Return the content as a JSON value."""
        snapshot = self.snapshot
        return {
            "format": _FORMAT,
            "id": snapshot.snapshot_id,
            "volume_id": snapshot.volume_id,
            "size": snapshot.size,
            "name": snapshot.name,
            "description": snapshot.description,
            "volume_type": snapshot.volume_type,
            "metadata": dict(snapshot.metadata),
            "created_at": snapshot.created_at,
            "project_id": self.project_id,
            "cluster_id": self.cluster_id,
            **_owner(snapshot),
        }

    @classmethod
    def from_wire(cls, found: Any, snapshot_id: str) -> SnapshotSidecar:
        """
        :param snapshot_id: of the sidecar's name.
        :raises DamagedSidecar: anything is missing or has the wrong type.
        """
        with _checked(found, snapshot_id):
            snapshot = SnapshotRecord(
                sequence=0,
                snapshot_id=snapshot_id,
                volume_id=str(found["volume_id"]),
                name=_text(found["name"]),
                description=_text(found["description"]),
                size=_positive(found["size"]),
                status="available",
                volume_type=_volume_type(found["volume_type"]),
                created_at=float(found["created_at"]),
                updated_at=None,
                metadata=_texts(found["metadata"]),
                project_id=_text(found.get("owner_project_id")),
                user_id=_text(found.get("owner_user_id")),
            )
            return cls(snapshot, str(found["project_id"]), str(found["cluster_id"]))


@attr.s(frozen=True, auto_attribs=True)
class BackupSidecar:
    """
    The content of a backup's sidecar.

    :ivar backup: transitions are left out.
    :ivar project_id: of the service's first project.
    :ivar cluster_id: of the service.
    """

    backup: BackupRecord
    project_id: str
    cluster_id: str

    def to_wire(self) -> dict[str, Any]:
        """Return the content as a JSON value."""
        backup = self.backup
        return {
            "format": _FORMAT,
            "id": backup.backup_id,
            **{name: getattr(backup, name) for name in _BACKUP_TEXTS},
            "size": backup.size,
            "metadata": dict(backup.metadata),
            "of_volume": dict(backup.of_volume),
            "data_timestamp": backup.data_timestamp,
            "created_at": backup.created_at,
            "project_id": self.project_id,
            "cluster_id": self.cluster_id,
            **_owner(backup),
        }

    @classmethod
    def from_wire(cls, found: Any, backup_id: str) -> BackupSidecar:
        """
        :param backup_id: of the sidecar's name.
        :raises DamagedSidecar: anything is missing or has the wrong type.
        """
        with _checked(found, backup_id):
            backup = BackupRecord(
                sequence=0,
                backup_id=backup_id,
                volume_id=str(found["volume_id"]),
                **{name: _text(found[name]) for name in _BACKUP_TEXTS if name != "volume_id"},
                size=_positive(found["size"]),
                status="available",
                metadata=_texts(found["metadata"]),
                of_volume=of_volume(**found["of_volume"]),
                data_timestamp=float(found["data_timestamp"]),
                created_at=float(found["created_at"]),
                updated_at=None,
                fail_reason=None,
                project_id=_text(found["owner_project_id"]),
                user_id=_text(found["owner_user_id"]),
            )
            return cls(backup, str(found["project_id"]), str(found["cluster_id"]))


#: The columns of a backup that are texts.
_BACKUP_TEXTS = (
    *("volume_id", "snapshot_id", "parent_id", "restore_volume_id"),
    *("name", "description", "container"),
)


def sidecar_path(directory: str, volume_id: str) -> str:
    """The path of a volume's sidecar."""
    return os.path.join(directory, PREFIX + volume_id + SUFFIX)


def snapshot_sidecar_path(directory: str, snapshot_id: str) -> str:
    """The path of a snapshot's sidecar."""
    return os.path.join(directory, SNAPSHOT_PREFIX + snapshot_id + SUFFIX)


def backup_sidecar_path(directory: str, backup_id: str) -> str:
    """The path of a backup's sidecar."""
    return os.path.join(directory, BACKUP_PREFIX + backup_id + SUFFIX)


def names_with_sidecar(names: Collection[str]) -> list[str]:
    """The names of the files whose sidecars are among a directory's entries."""
    return [
        name[: -len(SUFFIX)]
        for name in names
        if name.startswith((PREFIX, SNAPSHOT_PREFIX, BACKUP_PREFIX)) and name.endswith(SUFFIX)
    ]


def ids_with_file(names: Collection[str], prefix: str = PREFIX) -> list[str]:
    """The ids of the volumes, snapshots or backups whose file is among a directory's entries."""
    return [name[len(prefix) :] for name in names if name.startswith(prefix) and "." not in name]


def ids_with_sidecar(names: Collection[str], prefix: str = PREFIX) -> list[str]:
    """The ids of the volumes, snapshots or backups whose sidecar is among a directory's entries."""
    return [name[len(prefix) :] for name in names_with_sidecar(names) if name.startswith(prefix)]


def read_sidecar(directory: str, volume_id: str) -> Sidecar:
    """
    :raises DamagedSidecar: there is none, or it can't be used.
    """
    return Sidecar.from_wire(_read(sidecar_path(directory, volume_id)), volume_id)


def read_snapshot_sidecar(directory: str, snapshot_id: str) -> SnapshotSidecar:
    """
    :raises DamagedSidecar: there is none, or it can't be used.
    """
    found = _read(snapshot_sidecar_path(directory, snapshot_id))
    return SnapshotSidecar.from_wire(found, snapshot_id)


def read_backup_sidecar(directory: str, backup_id: str) -> BackupSidecar:
    """
    :raises DamagedSidecar: there is none, or it can't be used.
    """
    return BackupSidecar.from_wire(_read(backup_sidecar_path(directory, backup_id)), backup_id)


def _read(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as opened:
            return json.load(opened)
    except (OSError, ValueError) as error:
        raise DamagedSidecar(getattr(error, "strerror", None) or str(error)) from error

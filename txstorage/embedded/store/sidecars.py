# -*- test-case-name: tests.embedded.store.test_sidecars -*-
"""
Sidecars: beside the file of each volume and each snapshot, a file with its rows in the database.

A lost database can be rebuilt from them.  A change is acknowledged only when its sidecar is
durable, too.  The database is right where they differ, as after a crash.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from contextlib import suppress
from typing import Any

import attr

from ..disk import UNFINISHED, is_full, replace_private, sync_directory
from ..machine.files import PREFIX, SNAPSHOT_PREFIX
from ..settings import VOLUME_TYPES
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
    :ivar cluster_id: of the service.
    """

    volume: VolumeRecord
    project_id: str
    cluster_id: str

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
            "attachment": None if attachment is None else attr.asdict(attachment),
            "status": "available" if attachment is None else _settled(volume.status),
        }

    @classmethod
    def from_wire(cls, found: Any, volume_id: str) -> Sidecar:
        """
        :param volume_id: of the sidecar's name.
        :raises DamagedSidecar: anything is missing or has the wrong type.
        """
        try:
            if (found["format"], found["id"]) != (_FORMAT, volume_id):
                raise DamagedSidecar(f"it has format {found['format']} and id {found['id']}")
            attachment = found["attachment"]
            volume = VolumeRecord(
                sequence=0,
                volume_id=volume_id,
                name=_text(found["name"]),
                description=_text(found["description"]),
                size=_positive(found["size"]),
                status=str(found["status"]),
                volume_type=_volume_type(found["volume_type"]),
                bootable=False,
                created_at=float(found["created_at"]),
                updated_at=None,
                metadata={str(key): str(value) for key, value in found["metadata"].items()},
                attachment=None if attachment is None else AttachmentRecord(**attachment),
                # Earlier releases did not write the rest.
                snapshot_id=_text(found.get("snapshot_id")),
                source_volid=_text(found.get("source_volid")),
                growing=None if found.get("growing") is None else _positive(found["growing"]),
            )
            return cls(volume, str(found["project_id"]), str(found["cluster_id"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DamagedSidecar(f"{type(error).__name__}: {error}") from error


def attached(volume: VolumeRecord) -> AttachmentRecord | None:
    """Return a volume's attachment once it has a device, else ``None``."""
    attachment = volume.attachment
    return None if attachment is None or attachment.node_device is None else attachment


def _settled(status: str) -> str:
    """The status of an attached volume without its transition."""
    return "attaching" if status == "attaching" else "in-use"


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _positive(value: object) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"the size is {value!r}")
    return value


def _volume_type(value: str) -> str:
    if value not in VOLUME_TYPES:
        raise ValueError(f"the volume type is {value!r}")
    return value


@attr.s(frozen=True, auto_attribs=True)
class SnapshotSidecar:
    """
    The content of a snapshot's sidecar.

    :ivar snapshot: transitions are left out.
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
        }

    @classmethod
    def from_wire(cls, found: Any, snapshot_id: str) -> SnapshotSidecar:
        """
        :param snapshot_id: of the sidecar's name.
        :raises DamagedSidecar: anything is missing or has the wrong type.
        """
        try:
            if (found["format"], found["id"]) != (_FORMAT, snapshot_id):
                raise DamagedSidecar(f"it has format {found['format']} and id {found['id']}")
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
                metadata={str(key): str(value) for key, value in found["metadata"].items()},
            )
            return cls(snapshot, str(found["project_id"]), str(found["cluster_id"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DamagedSidecar(f"{type(error).__name__}: {error}") from error


class Sidecars:
    """
    The sidecars of a directory.

    :param directory: of the volumes' files.
    :param project_id: of all volumes.
    :param cluster_id: of the service.
    """

    def __init__(self, directory: str, project_id: str, cluster_id: str) -> None:
        self._directory = directory
        self._owner = (project_id, cluster_id)
        self._written: dict[str, bytes] = {}
        self._changed = False

    def keep(self, volume_id: str, volume: VolumeRecord | None, strict: bool = True) -> None:
        """
        Write or remove a volume's sidecar, unless that is done; :meth:`sync` makes that durable.

        :param volume: the present rows; ``None`` when the volume does not exist.
        :param strict: ``False`` on a full disk, where a volume must be detached before it is
            destroyed: then a former sidecar that lacks nothing but that may stay.
        :raises OSError: there is no room; the former sidecar stays.
        """
        has_file = volume is not None and not volume.bootable
        content = Sidecar(volume, *self._owner).to_wire() if volume and has_file else None
        self._keep(PREFIX + volume_id, content, strict)

    def keep_snapshot(
        self, snapshot_id: str, snapshot: SnapshotRecord | None, strict: bool = True
    ) -> None:
        """Write or remove a snapshot's sidecar, as :meth:`keep` does a volume's."""
        content = None if snapshot is None else SnapshotSidecar(snapshot, *self._owner).to_wire()
        self._keep(SNAPSHOT_PREFIX + snapshot_id, content, strict)

    def _keep(self, name: str, content: dict[str, Any] | None, strict: bool) -> None:
        """
        :param name: of the file beside the sidecar.
        """
        wanted = None if content is None else json.dumps(content, indent=1).encode("ascii") + b"\n"
        if self._written.get(name) == wanted:
            return
        path = os.path.join(self._directory, name + SUFFIX)
        if wanted is None:
            with suppress(FileNotFoundError):
                os.unlink(path)
            del self._written[name]
        else:
            try:
                replace_private(path, wanted)
            except OSError as error:
                former = self._written.get(name)
                if strict or not is_full(error) or not _differ_by_attachment(former, wanted):
                    raise
                return
            self._written[name] = wanted
        self._changed = True

    def sync(self) -> None:
        """Make the directory's entries durable, if any has changed."""
        if self._changed:
            sync_directory(self._directory)
            self._changed = False

    def reconcile(
        self, volumes: Collection[VolumeRecord], snapshots: Collection[SnapshotRecord] = ()
    ) -> None:
        """
        Make every sidecar agree with the database, after a crash or an upgrade, and remove those of
        volumes and snapshots that never were, which have no file.

        :param volumes: all volumes.
        :param snapshots: all snapshots.
        :raises OSError: there is no room.
        """
        names = os.listdir(self._directory)
        for name in names:
            if name.endswith(SUFFIX + UNFINISHED):
                os.unlink(os.path.join(self._directory, name))
        for name in _with_sidecar(names):
            with open(os.path.join(self._directory, name + SUFFIX), "rb") as opened:
                self._written[name] = opened.read()
        known = {PREFIX + volume.volume_id for volume in volumes}
        known |= {SNAPSHOT_PREFIX + snapshot.snapshot_id for snapshot in snapshots}
        for name in set(self._written).difference(known, names):
            self._keep(name, None, strict=True)
        for volume in volumes:
            self.keep(volume.volume_id, volume)
        for snapshot in snapshots:
            self.keep_snapshot(snapshot.snapshot_id, snapshot)
        self.sync()


def _differ_by_attachment(former: bytes | None, wanted: bytes) -> bool:
    """Check that two sidecars differ in the volume's attachment only."""
    if former is None:
        return False
    with suppress(ValueError, AttributeError):
        one, other = json.loads(former), json.loads(wanted)
        return all(one.get(name) == other[name] for name in set(other) - {"attachment", "status"})
    return False


def sidecar_path(directory: str, volume_id: str) -> str:
    """The path of a volume's sidecar."""
    return os.path.join(directory, PREFIX + volume_id + SUFFIX)


def snapshot_sidecar_path(directory: str, snapshot_id: str) -> str:
    """The path of a snapshot's sidecar."""
    return os.path.join(directory, SNAPSHOT_PREFIX + snapshot_id + SUFFIX)


def _with_sidecar(names: Collection[str]) -> list[str]:
    """The names of the files whose sidecars are among a directory's entries."""
    return [
        name[: -len(SUFFIX)]
        for name in names
        if name.startswith((PREFIX, SNAPSHOT_PREFIX)) and name.endswith(SUFFIX)
    ]


def ids_with_file(names: Collection[str], prefix: str = PREFIX) -> list[str]:
    """The ids of the volumes, or the snapshots, whose file is among a directory's entries."""
    return [name[len(prefix) :] for name in names if name.startswith(prefix) and "." not in name]


def ids_with_sidecar(names: Collection[str], prefix: str = PREFIX) -> list[str]:
    """The ids of the volumes, or the snapshots, whose sidecar is among a directory's entries."""
    return [name[len(prefix) :] for name in _with_sidecar(names) if name.startswith(prefix)]


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


def _read(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as opened:
            return json.load(opened)
    except (OSError, ValueError) as error:
        raise DamagedSidecar(getattr(error, "strerror", None) or str(error)) from error

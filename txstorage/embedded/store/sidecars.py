# -*- test-case-name: tests.embedded.store.test_sidecars -*-
"""
Sidecars: beside each volume's file, a file with the volume's rows in the database.

A lost database can be rebuilt from them.  A change is acknowledged only when its sidecar is
durable, too.  The database is right where they differ, as after a crash.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import attr

from ..disk import (
    UNFINISHED,
    drop_unfinished,
    finish,
    is_full,
    sync_directory,
    write_unfinished,
)
from ..machine.files import PREFIX
from ..settings import VOLUME_TYPES
from .records import AttachmentRecord, VolumeRecord

SUFFIX = ".json"
_FORMAT = 1
#: Files that are made durable at once: the disk's journal makes all of them durable together.
_AT_ONCE = 16


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
        self._threads = ThreadPoolExecutor(_AT_ONCE, "txstorage-sidecars")
        self._written: dict[str, bytes] = {}
        #: The content of unfinished files.
        self._unfinished: dict[str, bytes] = {}
        self._changed = False

    def keep(
        self,
        volume_id: str,
        volume: VolumeRecord | None,
        strict: bool = True,
        at_once: bool = False,
    ) -> None:
        """
        Write or remove a volume's sidecar, unless that is done; :meth:`sync` makes that durable.

        :param volume: the present rows; ``None`` when the volume does not exist.
        :param strict: ``False`` on a full disk, where a volume must be detached before it is
            destroyed: then a former sidecar that lacks nothing but that may stay.
        :param at_once: whether all of the file is written now, and not a part of it in
            :meth:`sync`, so that its errors are found now.
        :raises OSError: there is no room; the former sidecar stays.
        """
        wanted = None if volume is None or volume.bootable else self._content(volume)
        if self._unfinished.get(volume_id, self._written.get(volume_id)) == wanted:
            return
        if volume_id in self._unfinished:
            if self._written.get(volume_id) == wanted:
                del self._unfinished[volume_id]
                drop_unfinished(sidecar_path(self._directory, volume_id))
                return
            # Should the next one fail, this one stays.
            self.sync()
        if wanted is None:
            self._remove(volume_id)
        else:
            self._write(volume_id, wanted, strict, at_once)

    def _remove(self, volume_id: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(sidecar_path(self._directory, volume_id))
        del self._written[volume_id]
        self._changed = True

    def _write(self, volume_id: str, wanted: bytes, strict: bool, at_once: bool) -> None:
        try:
            write_unfinished(sidecar_path(self._directory, volume_id), wanted)
            self._unfinished[volume_id] = wanted
            if at_once:
                self._finish([volume_id])
        except OSError as error:
            former = self._written.get(volume_id)
            if strict or not is_full(error) or not _differ_by_attachment(former, wanted):
                raise

    def _finish(self, volume_ids: list[str]) -> None:
        """
        Make the content of unfinished files durable, and give them their names.

        :raises OSError: the first error; the other files are written.
        """
        paths = [sidecar_path(self._directory, volume_id) for volume_id in volume_ids]
        errors: list[OSError] = []
        # Another thread would only cost time for a single file.
        each = self._threads.map if len(paths) > 1 else map
        for volume_id, error in zip(volume_ids, each(_error_of_finish, paths)):
            content = self._unfinished.pop(volume_id)
            if error is None:
                self._written[volume_id] = content
                self._changed = True
            else:
                errors.append(error)
        if errors:
            raise errors[0]

    def _content(self, volume: VolumeRecord) -> bytes:
        document = Sidecar(volume, *self._owner).to_wire()
        return json.dumps(document, indent=1).encode("ascii") + b"\n"

    def sync(self) -> None:
        """
        Make every sidecar durable.

        :raises OSError: some are not; their former ones stay.
        """
        self._finish(list(self._unfinished))
        if self._changed:
            sync_directory(self._directory)
            self._changed = False

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    def reconcile(self, volumes: Iterable[VolumeRecord]) -> None:
        """
        Make every sidecar agree with the database, after a crash or an upgrade, and remove those of
        volumes that never were, which have no file.

        :param volumes: all volumes.
        :raises OSError: there is no room.
        """
        names = os.listdir(self._directory)
        for name in names:
            if name.endswith(SUFFIX + UNFINISHED):
                os.unlink(os.path.join(self._directory, name))
        for volume_id in volumes_with_sidecar(names):
            with open(sidecar_path(self._directory, volume_id), "rb") as opened:
                self._written[volume_id] = opened.read()
        known = {volume.volume_id: volume for volume in volumes}
        for volume_id in set(self._written).difference(known, volumes_with_file(names)):
            self.keep(volume_id, None)
        for volume_id, volume in known.items():
            self.keep(volume_id, volume)
        self.sync()


def _error_of_finish(path: str) -> OSError | None:
    try:
        finish(path)
    except OSError as error:
        return error
    return None


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


def volumes_with_file(names: Collection[str]) -> list[str]:
    """The ids of the volumes whose file is among a directory's entries."""
    return [name[len(PREFIX) :] for name in names if name.startswith(PREFIX) and "." not in name]


def volumes_with_sidecar(names: Collection[str]) -> list[str]:
    """The ids of the volumes whose sidecar is among a directory's entries."""
    cut = slice(len(PREFIX), -len(SUFFIX))
    return [name[cut] for name in names if name.startswith(PREFIX) and name.endswith(SUFFIX)]


def read_sidecar(directory: str, volume_id: str) -> Sidecar:
    """
    :raises DamagedSidecar: there is none, or it can't be used.
    """
    try:
        with open(sidecar_path(directory, volume_id), encoding="utf-8") as opened:
            found = json.load(opened)
    except (OSError, ValueError) as error:
        raise DamagedSidecar(getattr(error, "strerror", None) or str(error)) from error
    return Sidecar.from_wire(found, volume_id)

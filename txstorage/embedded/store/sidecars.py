# -*- test-case-name: tests.embedded.store.test_sidecars -*-
"""
Sidecars: beside the file of each volume, snapshot and backup, a file with its rows in the database.

A lost database can be rebuilt from them.  A change is acknowledged only when its sidecar is
durable, too.  The database is right where they differ, as after a crash.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from ..disk import (
    UNFINISHED,
    drop_unfinished,
    finish,
    is_full,
    sync_directory,
    write_unfinished,
)
from ..machine.files import BACKUP_PREFIX, PREFIX, SNAPSHOT_PREFIX
from .features.backups import BackupRecord
from .records import SnapshotRecord, VolumeRecord
from .sidecar_content import (
    SUFFIX,
    BackupSidecar,
    Sidecar,
    SnapshotSidecar,
    names_with_sidecar,
)

#: Files that are made durable at once: the disk's journal makes all of them durable together.
_AT_ONCE = 16


class Sidecars:
    """
    The sidecars of a directory.

    :param directory: of the volumes' files.
    :param project_id: of the first project.
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
        has_file = volume is not None and not volume.root
        content = Sidecar(volume, *self._owner).to_wire() if volume and has_file else None
        self._keep(PREFIX + volume_id, content, strict, at_once)

    def keep_snapshot(
        self,
        snapshot_id: str,
        snapshot: SnapshotRecord | None,
        strict: bool = True,
        at_once: bool = False,
    ) -> None:
        """Write or remove a snapshot's sidecar, as :meth:`keep` does a volume's."""
        content = None if snapshot is None else SnapshotSidecar(snapshot, *self._owner).to_wire()
        self._keep(SNAPSHOT_PREFIX + snapshot_id, content, strict, at_once)

    def keep_backup(
        self,
        backup_id: str,
        backup: BackupRecord | None,
        strict: bool = True,
        at_once: bool = False,
    ) -> None:
        """Write or remove a backup's sidecar, as :meth:`keep` does a volume's."""
        content = None if backup is None else BackupSidecar(backup, *self._owner).to_wire()
        self._keep(BACKUP_PREFIX + backup_id, content, strict, at_once)

    def _keep(
        self, name: str, content: dict[str, Any] | None, strict: bool, at_once: bool = False
    ) -> None:
        """
        :param name: of the file beside the sidecar.
        """
        # Without indentation: json has a fast encoder for that only.
        wanted = None if content is None else json.dumps(content).encode("ascii") + b"\n"
        if self._unfinished.get(name, self._written.get(name)) == wanted:
            return
        if name in self._unfinished:
            if self._written.get(name) == wanted:
                del self._unfinished[name]
                drop_unfinished(self._path(name))
                return
            # Should the next one fail, this one stays.
            self.sync()
        if wanted is None:
            self._remove(name)
        else:
            self._write(name, wanted, strict, at_once)

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name + SUFFIX)

    def _remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._path(name))
        del self._written[name]
        self._changed = True

    def _write(self, name: str, wanted: bytes, strict: bool, at_once: bool) -> None:
        try:
            write_unfinished(self._path(name), wanted)
            self._unfinished[name] = wanted
            if at_once:
                self._finish([name])
        except OSError as error:
            former = self._written.get(name)
            if strict or not is_full(error) or not _differ_by_attachment(former, wanted):
                raise

    def _finish(self, names: list[str]) -> None:
        """
        Make the content of unfinished files durable, and give them their names.

        :raises OSError: the first error; the other files are written.
        """
        paths = [self._path(name) for name in names]
        errors: list[OSError] = []
        # Another thread would only cost time for a single file.
        each = self._threads.map if len(paths) > 1 else map
        for name, error in zip(names, each(_error_of_finish, paths)):
            content = self._unfinished.pop(name)
            if error is None:
                self._written[name] = content
                self._changed = True
            else:
                errors.append(error)
        if errors:
            raise errors[0]

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

    def reconcile(
        self,
        volumes: Collection[VolumeRecord],
        snapshots: Collection[SnapshotRecord] = (),
        backups: Collection[BackupRecord] = (),
    ) -> None:
        """
        Make every sidecar agree with the database, after a crash or an upgrade, and remove those of
        volumes, snapshots and backups that never were, which have no file.

        :param volumes: all volumes.
        :param snapshots: all snapshots.
        :param backups: all backups.
        :raises OSError: there is no room.
        """
        names = os.listdir(self._directory)
        for name in names:
            if name.endswith(SUFFIX + UNFINISHED):
                os.unlink(os.path.join(self._directory, name))
        for name in names_with_sidecar(names):
            with open(os.path.join(self._directory, name + SUFFIX), "rb") as opened:
                self._written[name] = opened.read()
        known = {PREFIX + volume.volume_id for volume in volumes}
        known |= {SNAPSHOT_PREFIX + snapshot.snapshot_id for snapshot in snapshots}
        known |= {BACKUP_PREFIX + backup.backup_id for backup in backups}
        for name in set(self._written).difference(known, names):
            self._keep(name, None, strict=True)
        for volume in volumes:
            self.keep(volume.volume_id, volume)
        for snapshot in snapshots:
            self.keep_snapshot(snapshot.snapshot_id, snapshot)
        for backup in backups:
            self.keep_backup(backup.backup_id, backup)
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

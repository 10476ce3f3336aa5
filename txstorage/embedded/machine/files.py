# -*- test-case-name: tests.embedded.machine.test_devices -*-
"""
The sparse files of volumes and snapshots.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, Callable

from twisted.internet.defer import Deferred, DeferredSemaphore, maybeDeferred
from twisted.internet.interfaces import IReactorThreads
from twisted.internet.threads import deferToThreadPool

from ..disk import UNFINISHED, Reserve, free_bytes, sync_directory
from .copies import Copies

#: Calls a function that waits for the disk; returns a ``Deferred`` of its result.
Aside = Callable[..., "Deferred[Any]"]

PREFIX = "volume-"
SNAPSHOT_PREFIX = "snapshot-"
BACKUP_PREFIX = "backup-"
#: Bytes, whatever the file system's blocks are.
_BLOCK = 512
#: Copies that are made at once, so that they leave threads, and the disk, to others.
_COPIES = 2
#: Bytes that a new volume takes before anything is written to it, generously.
_ROOM = 2**20


def in_threads(reactor: IReactorThreads) -> Aside:
    """Call functions in the reactor's pool of threads, so that a busy disk stalls no request."""
    return lambda function, *args: deferToThreadPool(
        reactor, reactor.getThreadPool(), function, *args
    )


class VolumeFiles:
    """
    The files of the volumes, ``volume-<id>``, of the snapshots, ``snapshot-<id>``, and of the
    backups, ``backup-<id>``, in a directory.

    :ivar aside: calls the methods that change files.
    :ivar copies: makes files that begin as copies of others.
    :param directory: an absolute path.
    :param reserve: room that is kept for the service itself.
    """

    def __init__(
        self, directory: str, aside: Aside = maybeDeferred, reserve: Reserve | None = None
    ) -> None:
        self.aside = aside
        self.copies = Copies(self.has_room_for)
        self._copying = DeferredSemaphore(_COPIES)
        self._reserve = reserve
        # The kernel's path of a loop device's file has no symbolic links.
        self.directory = os.path.realpath(directory)

    def path(self, volume_id: str) -> str:
        """The path of a volume's file, which may not exist."""
        return os.path.join(self.directory, PREFIX + volume_id)

    def snapshot_path(self, snapshot_id: str) -> str:
        """The path of a snapshot's file, which may not exist."""
        return os.path.join(self.directory, SNAPSHOT_PREFIX + snapshot_id)

    def backup_path(self, backup_id: str) -> str:
        """The path of a backup's file, which may not exist."""
        return os.path.join(self.directory, BACKUP_PREFIX + backup_id)

    def has_room(self) -> bool:
        """
        Check that the disk has room for another volume or snapshot, beside the reserve, which only
        changes of existing ones may use.

        :raises OSError: the disk has another problem.
        """
        if self._reserve is None:
            return True
        return free_bytes(self.directory) >= _ROOM and self._reserve.keep()

    def has_room_for(self, size: int) -> bool:
        """
        Check that the disk has room for a file, beside the reserve.

        :param size: bytes.
        :raises OSError: the disk has another problem.
        """
        return self.has_room() and free_bytes(self.directory) >= size + _ROOM

    def space(self) -> tuple[int, int]:
        """:return: the bytes that the volumes' files take on the disk, and the free ones."""
        taken = 0
        with os.scandir(self.directory) as entries:
            for entry in entries:
                # A file may be removed meanwhile.
                with suppress(FileNotFoundError):
                    taken += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
        return taken, free_bytes(self.directory)

    def exists(self, volume_id: str) -> bool:
        """Check whether the volume has a file; a symbolic link is not followed."""
        return is_file(self.path(volume_id))

    def snapshot_exists(self, snapshot_id: str) -> bool:
        """Check whether the snapshot has a file; a symbolic link is not followed."""
        return is_file(self.snapshot_path(snapshot_id))

    def backup_exists(self, backup_id: str) -> bool:
        """Check whether the backup has a file; a symbolic link is not followed."""
        return is_file(self.backup_path(backup_id))

    def create(self, volume_id: str, size: int, content: bytes = b"") -> None:
        """
        Make a volume's file, which reads as zeros, or complete it.

        :param size: bytes.
        :param content: of its beginning, which a complete file keeps as it is.
        :raises OSError: there is no room.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        opened = os.open(self.path(volume_id), flags, 0o600)
        try:
            if content and os.fstat(opened).st_size < size:
                with open(opened, "wb", closefd=False) as beginning:
                    beginning.write(content)
                os.fsync(opened)
            os.ftruncate(opened, size)
            os.fsync(opened)
        finally:
            os.close(opened)
        sync_directory(self.directory)

    def copy(self, source: str, target: str, size: int) -> Deferred[None]:
        """
        Copy a file, when it is its turn; see
        :meth:`~txstorage.embedded.machine.copies.Copies.make`.

        :return: fires with ``None`` when the copy is durable.
        """
        return self._copying.run(self.aside, self.copies.make, source, target, size)

    def replace(self, source: str, target: str, size: int) -> Deferred[None]:
        """
        Put a copy of a file in another's place, when it is its turn.

        :param size: bytes; a file that has more keeps its size, and reads as zeros there.
        :return: fires with ``None`` when the copy is durable.
        """
        return self._copying.run(self.aside, self._replace, source, target, size)

    def _replace(self, source: str, target: str, size: int) -> None:
        if is_file(target):
            size = max(size, os.path.getsize(target))
        self.copies.make(source, target, size, replace=True)

    def grow(self, volume_id: str, size: int) -> int:
        """
        Extend a volume's file; its new part reads as zeros, and takes no room.

        :param size: bytes; a file that has more stays as it is.
        :return: the former size in bytes.
        :raises OSError: the file is missing, or can't have that size.
        """
        return self._set_size(volume_id, lambda old: max(old, size))

    def cut(self, volume_id: str, size: int) -> None:
        """
        Undo the extension of a volume's file, whose new part nobody has used.

        :param size: bytes.
        :raises OSError: the file is missing.
        """
        self._set_size(volume_id, lambda old: min(old, size))

    def _set_size(self, volume_id: str, choose: Callable[[int], int]) -> int:
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        opened = os.open(self.path(volume_id), flags)
        try:
            former = os.fstat(opened).st_size
            os.ftruncate(opened, choose(former))
            os.fsync(opened)
            return former
        finally:
            os.close(opened)

    def remove(self, volume_id: str) -> None:
        """Remove a volume's file, if there is one."""
        self._remove(self.path(volume_id))

    def remove_snapshot(self, snapshot_id: str) -> None:
        """Remove a snapshot's file, if there is one."""
        self._remove(self.snapshot_path(snapshot_id))

    def remove_backup(self, backup_id: str) -> None:
        """Remove a backup's file, if there is one."""
        self._remove(self.backup_path(backup_id))

    def _remove(self, path: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(path)
        sync_directory(self.directory)

    def remove_unfinished(self) -> None:
        """Remove the copies that a crash has interrupted, none of which is used."""
        for name in os.listdir(self.directory):
            stem, end = os.path.splitext(name)
            if end == UNFINISHED and stem.startswith((PREFIX, SNAPSHOT_PREFIX, BACKUP_PREFIX)):
                if "." not in stem:
                    os.unlink(os.path.join(self.directory, name))


def is_file(path: str) -> bool:
    """Check for a regular file; a symbolic link is not followed."""
    return os.path.isfile(path) and not os.path.islink(path)

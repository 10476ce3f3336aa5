# -*- test-case-name: tests.embedded.machine.test_devices -*-
"""
The volumes' sparse files.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, Callable

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorThreads
from twisted.internet.threads import deferToThreadPool

from ..disk import Reserve, free_bytes, sync_directory

#: Calls a function that waits for the disk; returns a ``Deferred`` of its result.
Aside = Callable[..., "Deferred[Any]"]

PREFIX = "volume-"
#: Bytes, whatever the file system's blocks are.
_BLOCK = 512
#: Bytes that a new volume takes before anything is written to it, generously.
_ROOM = 2**20


def in_threads(reactor: IReactorThreads) -> Aside:
    """Call functions in the reactor's pool of threads, so that a busy disk stalls no request."""
    return lambda function, *args: deferToThreadPool(
        reactor, reactor.getThreadPool(), function, *args
    )


class VolumeFiles:
    """
    The files of the volumes, ``volume-<id>``, in a directory.

    :ivar aside: calls the methods that change files.
    :param directory: an absolute path.
    :param reserve: room that is kept for the service itself.
    """

    def __init__(
        self, directory: str, aside: Aside = maybeDeferred, reserve: Reserve | None = None
    ) -> None:
        self.aside = aside
        self._reserve = reserve
        # The kernel's path of a loop device's file has no symbolic links.
        self.directory = os.path.realpath(directory)

    def path(self, volume_id: str) -> str:
        """The path of a volume's file, which may not exist."""
        return os.path.join(self.directory, PREFIX + volume_id)

    def has_room(self) -> bool:
        """
        Check that the disk has room for another volume, beside the reserve, which only changes of
        existing volumes may use.

        :raises OSError: the disk has another problem.
        """
        if self._reserve is None:
            return True
        return free_bytes(self.directory) >= _ROOM and self._reserve.keep()

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
        path = self.path(volume_id)
        return os.path.isfile(path) and not os.path.islink(path)

    def create(self, volume_id: str, size: int) -> None:
        """
        Make a volume's file, which reads as zeros, or complete it.

        :param size: bytes.
        :raises OSError: there is no room.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        opened = os.open(self.path(volume_id), flags, 0o600)
        try:
            os.ftruncate(opened, size)
            os.fsync(opened)
        finally:
            os.close(opened)
        sync_directory(self.directory)

    def remove(self, volume_id: str) -> None:
        """Remove a volume's file, if there is one."""
        with suppress(FileNotFoundError):
            os.unlink(self.path(volume_id))
        sync_directory(self.directory)

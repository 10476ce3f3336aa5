# -*- test-case-name: tests.embedded.test_disk -*-
"""
The service's own room on the disk, the errors of a full one, and files that are written wholly.

Programs that write to their volumes can fill the disk at any time.  The service must still be able
to record that a volume is detached or destroyed, since a destroyed volume makes room.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import suppress

#: Bytes.
RESERVE = 4 * 2**20
#: The end of the name of a file that is being written; a killed service may leave one.
UNFINISHED = ".new"
_FULL = frozenset([errno.ENOSPC, errno.EDQUOT])
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def is_full(error: BaseException | None) -> bool:
    """Check for the error of a write for which the disk, or the user's part of it, has no room."""
    if isinstance(error, sqlite3.Error):
        return "disk is full" in str(error)
    return isinstance(error, OSError) and error.errno in _FULL


class Reserve:
    """
    A file that takes room, and gives it to the service when the disk is full.

    :param path: the file; its directory exists.
    :param size: bytes.
    """

    def __init__(self, path: str, size: int = RESERVE) -> None:
        self._path = path
        self._size = size

    def keep(self) -> bool:
        """
        Take the room, unless that is done.

        :return: whether the room is taken; otherwise the disk is full.
        :raises OSError: the disk has another problem.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        opened = os.open(self._path, flags, 0o600)
        try:
            if os.fstat(opened).st_size < self._size:
                os.posix_fallocate(opened, 0, self._size)
            return True
        except OSError as error:
            if error.errno not in _FULL:
                raise
            self.release()
            return False
        finally:
            os.close(opened)

    def release(self) -> bool:
        """
        Give the room back to the disk.

        :return: whether there was any.
        """
        with suppress(FileNotFoundError):
            had = os.stat(self._path).st_size > 0
            os.truncate(self._path, 0)
            return had
        return False


def sync_directory(path: str) -> None:
    """Make a directory's entries durable."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def write_unfinished(path: str, content: bytes) -> None:
    """
    Begin to write a file that only its owner can read; :func:`finish` ends it.

    :raises OSError: the former file stays, and nothing else.
    """
    unfinished = path + UNFINISHED
    with suppress(FileNotFoundError):
        os.unlink(unfinished)
    try:
        with os.fdopen(os.open(unfinished, _MAKE, 0o600), "wb") as opened:
            opened.write(content)
    except BaseException:
        drop_unfinished(path)
        raise


def finish(path: str) -> None:
    """
    Replace a file by its unfinished successor, whole.

    The content is durable, and the directory's entry only after :func:`sync_directory`.

    :raises OSError: the former file stays, and nothing else.
    """
    try:
        opened = os.open(path + UNFINISHED, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
        os.replace(path + UNFINISHED, path)
    except BaseException:
        drop_unfinished(path)
        raise


def drop_unfinished(path: str) -> None:
    """Give up to write a file."""
    with suppress(OSError):
        os.unlink(path + UNFINISHED)


def write_private(path: str, content: bytes) -> None:
    """Write a file that only its owner can read: all of it, durably, or nothing."""
    write_unfinished(path, content)
    finish(path)
    sync_directory(os.path.dirname(path))


def allocated_bytes(directory: str) -> int:
    """Return the room that the files in a directory take on the disk, in bytes."""
    total = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            # A file may be removed meanwhile.
            with suppress(FileNotFoundError):
                total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total


def free_bytes(path: str) -> int:
    """Return the room for this user on a file's or directory's file system, in bytes."""
    found = os.statvfs(path)
    # Root may also use what is kept back from other users.
    return found.f_frsize * (found.f_bfree if os.geteuid() == 0 else found.f_bavail)

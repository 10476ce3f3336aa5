# -*- test-case-name: tests.embedded.machine.test_copies -*-
"""
Files that begin as copies of others: by reference where the file system can, else sparse ones.

A copy has its name only when all of it is on the disk, so that a crash leaves either the whole copy
or none.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from ..disk import UNFINISHED, sync_directory

#: ``linux/fs.h``: share another file's data with a file, at one moment.
_FICLONE = 0x40049409
#: The errors of a file system that can't share data between files.
_REFUSED = frozenset(
    [errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM]
)
#: Bytes that are read at once.
_PIECE = 2**20
#: Bytes, whatever the file system's blocks are.
_BLOCK = 512
#: Copies of a file that is being changed, before the copy is given up.
_ATTEMPTS = 5
#: Nanoseconds, by which a time of change is put back.
_MARK = 1000


class CopyInterrupted(Exception):
    """The service stops; the copy is made after its next start."""


class FileChanged(OSError):
    """A file was changed during each attempt to copy it."""


class Copies:
    """
    Makes copies.

    The copy of a file that is in use has the file's content of one moment, as a disk has after its
    machine lost power.  A copy by reference is of one moment by nature.  Any other copy counts only
    if the file was not changed meanwhile.

    :ivar progress: percent of the unfinished copies, by the path of the copy.
    :param has_room: returns whether the disk has room for a number of bytes.
    """

    def __init__(self, has_room: Callable[[int], bool]) -> None:
        self.progress: dict[str, int] = {}
        self._has_room = has_room
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Interrupt the copies that other threads make."""
        self._stopped.set()

    def make(self, source: str, target: str, size: int, replace: bool = False) -> None:
        """
        Copy a file, unless the copy exists.

        :param source: the file's path.
        :param target: the copy's path; nothing is there.
        :param size: bytes of the copy; its part beyond the file's end reads as zeros.
        :param replace: whether the copy takes the place of a file that is there.
        :raises CopyInterrupted: :meth:`stop` was called.
        :raises FileChanged: the file was changed during each attempt.
        :raises OSError: there is no room, or no such file.
        """
        if os.path.exists(target) and not replace:
            return
        unfinished = target + UNFINISHED
        try:
            self.progress[target] = 0
            self._fill(source, unfinished, size, target)
            os.rename(unfinished, target)
            sync_directory(os.path.dirname(target))
        finally:
            del self.progress[target]
            with suppress(FileNotFoundError):
                os.unlink(unfinished)

    def _fill(self, source: str, unfinished: str, size: int, target: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(unfinished)
        reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            writing = os.open(unfinished, flags, 0o600)
            try:
                if not share(reading, writing):
                    self._copy(reading, writing, target)
                os.ftruncate(writing, size)
                os.fsync(writing)
            finally:
                os.close(writing)
        finally:
            os.close(reading)

    def _copy(self, reading: int, writing: int, target: str) -> None:
        for _ in range(_ATTEMPTS):
            before = _marked(reading)
            if not self._has_room(before.st_blocks * _BLOCK):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.ftruncate(writing, 0)
            for percent in copy_sparse(reading, writing, before.st_size):
                self.progress[target] = percent
                if self._stopped.is_set():
                    raise CopyInterrupted()
            after = os.fstat(reading)
            if (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size):
                return
        raise FileChanged(
            errno.EBUSY,
            "it was written to during each attempt to copy it, and the file system can't share "
            "data between files: stop writing for a moment, or detach it",
        )


def _marked(opened: int) -> os.stat_result:
    """
    Give a file a time of change that no later change can give it.

    :return: the file's state.
    """
    found = os.fstat(opened)
    os.utime(opened, ns=(found.st_atime_ns, found.st_mtime_ns - _MARK))
    # Programs that have mapped the file change its time only after its pages were written.
    os.fsync(opened)
    return os.fstat(opened)


def share(reading: int, writing: int) -> bool:
    """
    Let a file have another's data, which takes no room until one of them is changed.

    :param reading: the other file's descriptor.
    :param writing: the file's descriptor.
    :return: whether the file system can do it.
    :raises OSError: another problem.
    """
    try:
        fcntl.ioctl(writing, _FICLONE, reading)
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        return False
    return True


def copy_sparse(reading: int, writing: int, size: int) -> Iterator[int]:
    """
    Copy a file's data, and leave its holes out.

    :param reading: the file's descriptor.
    :param writing: the copy's descriptor; the copy is empty.
    :param size: bytes of the file.
    :return: yields the percent of the file that is copied, before each piece.
    """
    position = 0
    os.ftruncate(writing, size)
    while position < size:
        try:
            position = os.lseek(reading, position, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            # The rest is a hole.
            return
        end = min(os.lseek(reading, position, os.SEEK_HOLE), size)
        while position < end:
            yield position * 100 // size
            piece = os.pread(reading, min(_PIECE, end - position), position)
            if not piece:
                # The file became shorter.
                return
            position += _write(writing, piece, position)


def _write(writing: int, piece: bytes, position: int) -> int:
    """:return: the number of bytes of a whole piece."""
    written = 0
    while written < len(piece):
        written += os.pwrite(writing, piece[written:], position + written)
    return written

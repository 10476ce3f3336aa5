"""Tests of files that begin as copies of others."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from typing import Any, Callable

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.machine import copies
from txstorage.embedded.machine.copies import Copies, CopyInterrupted, FileChanged, share
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.errors import SnapshotFailed

from ...helpers.loops import detach_below
from ..support import no_loop_devices, temporary_directory

MIB = 2**20
#: Positions and data of a file of 64 MiB.
PIECES = {0: b"begin", 3 * MIB - 2: b"across", 40 * MIB: b"x" * (2 * MIB + 5), 64 * MIB - 1: b"e"}


def content(path: str) -> bytes:
    """Return a file's content."""
    with open(path, "rb") as opened:
        return opened.read()


def write(path: str, pieces: dict[int, bytes], size: int = 64 * MIB) -> None:
    """Write a sparse file."""
    with open(path, "wb") as opened:
        opened.truncate(size)
        for position, data in pieces.items():
            opened.seek(position)
            opened.write(data)


class CopyTests(SynchronousTestCase):
    """Tests of copies on a file system that can't share data between files."""

    def setUp(self) -> None:
        self.directory = temporary_directory(self)
        self.source = os.path.join(self.directory, "source")
        self.target = os.path.join(self.directory, "target")
        self.room: list[int] = []
        self.copies = Copies(lambda size: self.room.append(size) or True)  # type: ignore[func-returns-value]
        self.patch(copies, "share", lambda reading, writing: False)
        write(self.source, PIECES)

    def make(self, size: int = 64 * MIB) -> None:
        """Copy the source."""
        self.copies.make(self.source, self.target, size)

    def assert_none(self) -> None:
        """Assert that the copy does not exist, not even a part of it."""
        self.assertEqual(os.listdir(self.directory), ["source"])
        self.assertEqual(self.copies.progress, {})

    def meanwhile(self, act: Callable[[int], None]) -> None:
        """
        Act while the source is copied.

        :param act: called before each piece, with the number of pieces until now.
        """
        real, calls = os.pread, [0]

        def read(*arguments: Any) -> bytes:
            act(calls[0])
            calls[0] += 1
            return real(*arguments)

        self.patch(os, "pread", read)

    def test_equal(self) -> None:
        """The copy has the source's bytes, and its holes; only its owner can use it."""
        self.make()
        self.assertEqual(content(self.target), content(self.source))
        found = os.stat(self.target)
        self.assertLess(found.st_blocks * 512, 8 * MIB)
        self.assertEqual(found.st_mode & 0o777, 0o600)
        self.assertEqual(self.copies.progress, {})

    def test_room(self) -> None:
        """The copy needs room for the source's data, not for its holes."""
        self.make()
        (needed,) = self.room
        self.assertLess(needed, 8 * MIB)
        self.assertGreaterEqual(needed, 2 * MIB)

    def test_no_room(self) -> None:
        """Without room, there is no copy."""
        self.copies = Copies(lambda size: False)
        error = self.assertRaises(OSError, self.make)
        self.assertEqual(error.errno, errno.ENOSPC)
        self.assert_none()

    def test_full(self) -> None:
        """When the disk is full in the middle, nothing is left of the copy."""

        def fill(number: int) -> None:
            if number:
                raise OSError(errno.ENOSPC, "full")

        self.meanwhile(fill)
        self.assertRaises(OSError, self.make)
        self.assert_none()

    def test_other_size(self) -> None:
        """A larger copy reads as zeros at its end, a smaller one has the beginning."""
        self.make(65 * MIB)
        self.assertEqual(content(self.target), content(self.source) + b"\0" * MIB)
        os.unlink(self.target)
        self.make(MIB)
        self.assertEqual(content(self.target), content(self.source)[:MIB])

    def test_empty(self) -> None:
        """A file that is one hole has a copy that is one."""
        write(self.source, {})
        self.make()
        self.assertEqual(os.stat(self.target).st_size, 64 * MIB)
        self.assertLess(os.stat(self.target).st_blocks, 100)

    def test_durable(self) -> None:
        """All of the copy is on the disk before it gets its name, and the name before the end."""
        steps: list[str] = []

        def sync(opened: int) -> None:
            steps.append("sync " + os.path.basename(os.readlink(f"/proc/self/fd/{opened}")))

        real = os.rename
        self.patch(os, "fsync", sync)
        self.patch(os, "rename", lambda *paths: steps.append("rename") or real(*paths))
        self.make()
        directory = "sync " + os.path.basename(self.directory)
        self.assertEqual(steps, ["sync source", "sync target.new", "rename", directory])

    def test_again(self) -> None:
        """A copy that exists stays as it is."""
        self.make()
        write(self.source, {5: b"other"})
        before = content(self.target)
        self.make()
        self.assertEqual(content(self.target), before)

    def test_half(self) -> None:
        """The remains of a copy that a crash interrupted are not used."""
        write(self.target + ".new", {7: b"half"}, 70 * MIB)
        self.make()
        self.assertEqual(content(self.target), content(self.source))

    def test_changed(self) -> None:
        """A copy during which the source was changed does not count; the next one does."""

        def change(number: int) -> None:
            if number == 2:
                write_piece(self.source, 0, b"later")
                write_piece(self.source, 64 * MIB - 1, b"l")

        self.meanwhile(change)
        self.make()
        self.assertEqual(content(self.target), content(self.source))
        self.assertEqual(content(self.target)[:5], b"later")
        self.assertEqual(len(self.room), 2)

    def test_changed_at_once(self) -> None:
        """
        A change counts, too, that the kernel's clock, which goes in steps, gives the time of the
        change before.
        """
        times = os.stat(self.source)

        def change(number: int) -> None:
            if number == 2:
                write_piece(self.source, 0, b"later")
                os.utime(self.source, ns=(times.st_atime_ns, times.st_mtime_ns))

        self.meanwhile(change)
        self.make()
        self.assertEqual(content(self.target)[:5], b"later")

    def test_emptied(self) -> None:
        """Nothing of a copy that does not count is in the next one."""

        def empty(number: int) -> None:
            if number == 2:
                write(self.source, {64 * MIB - 5: b"later"})

        self.meanwhile(empty)
        self.make()
        self.assertEqual(content(self.target), content(self.source))

    def test_always_changed(self) -> None:
        """The copy of a source that is written to all the time fails, and nothing is left."""
        self.meanwhile(lambda number: write_piece(self.source, 0, b"%d" % number))
        error = self.assertRaises(FileChanged, self.make)
        self.assertIn("stop writing", str(error))
        # The driver's remedy goes by these words.
        failed = SnapshotFailed("create", "s", str(error))
        self.assertIn("fsfreeze", failed.remedy)
        self.assert_none()

    def test_interrupted(self) -> None:
        """A copy ends when the service stops, and nothing is left of it."""
        self.meanwhile(lambda number: self.copies.stop())
        self.assertRaises(CopyInterrupted, self.make)
        self.assert_none()

    def test_progress(self) -> None:
        """The progress of a copy is known while it lasts, and never falls."""
        seen: list[int] = []
        self.meanwhile(lambda number: seen.append(self.copies.progress[self.target]))
        self.make()
        self.assertEqual((seen[0], seen), (0, sorted(seen)))
        self.assertGreater(seen[-1], 60)

    def test_no_source(self) -> None:
        """Without a source there is no copy; a symbolic link is none."""
        os.rename(self.source, self.source + "s")
        self.assertRaises(FileNotFoundError, self.make)
        os.symlink(self.source + "s", self.source)
        self.assertRaises(OSError, self.make)
        self.assertFalse(os.path.exists(self.target))


def write_piece(path: str, position: int, data: bytes) -> None:
    """Change a file."""
    with open(path, "r+b") as opened:
        opened.seek(position)
        opened.write(data)


class ShareTests(SynchronousTestCase):
    """Tests of copies by reference."""

    def both(self, directory: str) -> tuple[int, int]:
        """Open a file with data, and an empty one."""
        write(os.path.join(directory, "one"), PIECES)
        flags = os.O_RDWR | os.O_CREAT
        found = [os.open(os.path.join(directory, name), flags) for name in ("one", "two")]
        for opened in found:
            self.addCleanup(os.close, opened)
        return found[0], found[1]

    def test_refused(self) -> None:
        """A file system that can't do it is not an error; any other problem is."""
        reading, writing = self.both(temporary_directory(self))
        for number, expected in ((errno.EOPNOTSUPP, False), (errno.EXDEV, False)):
            self.patch(copies.fcntl, "ioctl", raising(number))
            self.assertEqual(share(reading, writing), expected)
        self.patch(copies.fcntl, "ioctl", raising(errno.EIO))
        self.assertRaises(OSError, share, reading, writing)

    def test_shared(self) -> None:
        """On a file system that shares data, a copy takes no room, and no reading."""
        reason = no_loop_devices() or ("" if shutil.which("mkfs.xfs") else "there is no mkfs.xfs")
        if reason:
            self.skipTest(reason)
        directory = temporary_directory(self)
        image, mountpoint = (os.path.join(directory, name) for name in ("image", "mounted"))
        write(image, {}, 512 * MIB)
        os.mkdir(mountpoint)
        subprocess.check_call(["mkfs.xfs", "-q", "-m", "reflink=1", image])
        subprocess.check_call(["mount", "-o", "loop", image, mountpoint])
        self.addCleanup(detach_below, directory)
        self.addCleanup(subprocess.check_call, ["umount", mountpoint])
        self.patch(os, "pread", raising(errno.EIO))
        files = VolumeFiles(mountpoint)
        write(files.path("v"), PIECES)
        free = os.statvfs(mountpoint).f_bfree
        files.copies.make(files.path("v"), files.snapshot_path("s"), 65 * MIB)
        self.assertLess(free - os.statvfs(mountpoint).f_bfree, 100)
        expected = content(files.path("v")) + b"\0" * MIB
        write_piece(files.path("v"), 0, b"later")
        self.assertEqual(content(files.snapshot_path("s")), expected)


def raising(number: int) -> Callable[..., Any]:
    """Return a function that raises an ``OSError``."""

    def fail(*arguments: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail

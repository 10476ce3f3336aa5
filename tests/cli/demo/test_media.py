"""
Tests for ``txstorage.cli.demo.media``.
"""

from __future__ import annotations

import os
import stat
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.properties import RELAXED
from txstorage.cli.demo import media as _media
from txstorage.cli.demo.media import (
    FILES,
    MIB,
    FileSystem,
    NotBlank,
    RawDevice,
    check_blank,
    medium_for,
    pieces,
)


class MediaTestCase(SynchronousTestCase):
    """Base: a device, and a clock that turns until a coroutine is done."""

    def device(self, size: int = 64 * MIB) -> str:
        """The path of a sparse file."""
        path = self.mktemp()
        with open(path, "wb") as opened:
            opened.truncate(size)
        return path

    def poke(self, path: str, offset: int) -> None:
        """Change one byte."""
        with open(path, "r+b") as opened:
            opened.seek(offset)
            byte = opened.read(1) or b"\0"
            opened.seek(offset)
            opened.write(bytes([byte[0] ^ 1]))

    def finish(self, clock: Clock, work: Any) -> Any:
        """The result of a coroutine."""
        call, outcome = Deferred.fromCoroutine(work), []  # type: ignore
        call.addBoth(outcome.append)
        while not outcome:
            clock.advance(0)
        call.addCallback(lambda _: outcome[0])
        return self.successResultOf(call)


class BlankTests(MediaTestCase):
    """``check_blank``, the guard of everybody's data."""

    def test_blank(self) -> None:
        """A device full of zeros is blank, however small."""
        for size in (0, 512, 5 * MIB, 64 * MIB):
            check_blank(self.device(size))

    def test_marks(self) -> None:
        """One byte in the place of a file system's or partition table's signature is enough."""
        for offset in (0, 510, 1080, 65600, 4 * MIB - 1, 64 * MIB - 512, 60 * MIB):
            path = self.device()
            self.poke(path, offset)
            error = self.assertRaises(NotBlank, check_blank, path)
            self.assertIn(path, error.message)

    def test_nothing_is_formatted_by_guess(self) -> None:
        """A file system is made on a blank device only."""
        path = self.device()
        self.poke(path, 1080)
        call = Deferred.fromCoroutine(FileSystem(None, self.mktemp()).format(path))
        self.failureResultOf(call, NotBlank)


class RawDeviceTests(MediaTestCase):
    """``RawDevice``."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.raw, self.path = RawDevice(self.clock), self.device()

    def test_round_trip(self) -> None:
        """Written data is read back, and the device keeps its size."""
        written: dict[str, str] = self.finish(self.clock, self.raw.write(self.path))
        self.assertEqual(set(written), {name for name, _ in FILES})
        self.assertEqual(len(set(written.values())), len(FILES))
        self.assertEqual(self.finish(self.clock, self.raw.read(self.path)), written)
        self.assertEqual(os.path.getsize(self.path), 64 * MIB)

    def test_change(self) -> None:
        """A single changed bit is detected, in the file that contains it."""
        written = self.finish(self.clock, self.raw.write(self.path))
        self.poke(self.path, MIB + 5)
        read = self.finish(self.clock, self.raw.read(self.path))
        self.assertEqual({name for name in read if read[name] != written[name]}, {"odd.bin"})

    def test_nothing_to_mount(self) -> None:
        """Formatting, opening and closing leave the device alone."""
        for work in (self.raw.format(self.path), self.raw.open(self.path), self.raw.close()):
            self.finish(self.clock, work)
        check_blank(self.path)


class FileSystemTests(MediaTestCase):
    """``FileSystem``, with a directory where one would be mounted."""

    def test_round_trip(self) -> None:
        """Files are written in pieces, and all of them are found again."""
        clock, mountpoint = Clock(), self.mktemp()
        os.makedirs(os.path.join(mountpoint, "lost+found"))
        medium = FileSystem(clock, mountpoint)
        written = self.finish(clock, medium.write("device"))
        self.assertEqual(self.finish(clock, medium.read("device")), written)
        self.assertEqual(
            [os.path.getsize(os.path.join(mountpoint, name)) for name, _ in FILES],
            [size for _, size in FILES],
        )

    def test_existing_file(self) -> None:
        """A file that is there already is never overwritten."""
        clock, mountpoint = Clock(), self.mktemp()
        os.makedirs(mountpoint)
        open(os.path.join(mountpoint, FILES[0][0]), "w").close()
        call = Deferred.fromCoroutine(FileSystem(clock, mountpoint).write("device"))
        self.failureResultOf(call, FileExistsError)


class ChoiceTests(MediaTestCase):
    """``medium_for``."""

    def choose(self, block: bool, root: bool, program: bool) -> Any:
        """The kind of medium in those circumstances."""
        with (
            mock.patch.object(_media.stat, "S_ISBLK", lambda mode: block),
            mock.patch.object(_media.os, "geteuid", lambda: 0 if root else 1000),
            mock.patch.object(_media, "find_program", lambda name: name if program else None),
        ):
            return type(medium_for(None, self.device(0), "mountpoint"))

    def test_all_conditions(self) -> None:
        """
        A file system requires a block device, root, and the program that creates file systems.
        """
        self.assertIs(self.choose(True, True, True), FileSystem)
        for conditions in ((False, True, True), (True, False, True), (True, True, False)):
            self.assertIs(self.choose(*conditions), RawDevice)
        self.assertFalse(stat.S_ISBLK(os.stat(self.device(0)).st_mode))


class PiecesTests(SynchronousTestCase):
    """``pieces``."""

    @settings(**RELAXED)
    @given(st.integers(min_value=0, max_value=20 * MIB))
    def test_adds_up(self, size: int) -> None:
        """The pieces add up, and none is empty or more than a MiB."""
        cut: list[int] = list(pieces(size))
        self.assertEqual(sum(cut), size)
        self.assertTrue(all(0 < piece <= MIB for piece in cut))
        shape: tuple[int, int] = (len(cut), -(-size // MIB))
        self.assertEqual(shape[0], shape[1])

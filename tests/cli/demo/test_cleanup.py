"""
Tests for ``txstorage.cli.demo.cleanup``, with real mounts and loop devices.
"""

from __future__ import annotations

import os
import tempfile

from twisted.internet import reactor
from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase

from txstorage.cli.demo.cleanup import is_below, loops_below, mounts_below, remove
from txstorage.cli.demo.commands import CommandFailed, command

from ..support import sweep


class TableTests(SynchronousTestCase):
    """The mounts and loop devices from the kernel."""

    def test_below(self) -> None:
        """A directory is not below itself, nor below one whose name it begins with."""
        self.assertTrue(is_below("/tmp/a/b", "/tmp/a"))
        for path in ("/tmp/a", "/tmp/ab", "/tmp", "/"):
            self.assertFalse(is_below(path, "/tmp/a"))

    def test_mounts(self) -> None:
        """Only what is below is listed, the innermost first, with its name decoded."""
        table = self.mktemp()
        with open(table, "w") as opened:
            opened.write(
                "/dev/sda1 / ext4 rw 0 0\n"
                "/dev/loop0 /tmp/a/one ext4 rw 0 0\n"
                "/dev/loop1 /tmp/a/one/t\\040wo ext4 rw 0 0\n"
                "/dev/loop2 /tmp/ab ext4 rw 0 0\n"
            )
        self.assertEqual(mounts_below("/tmp/a", table), ["/tmp/a/one/t wo", "/tmp/a/one"])

    def test_no_mount_table(self) -> None:
        """Without /proc, there are no mounts."""
        self.assertEqual(mounts_below("/tmp/a", self.mktemp()), [])

    def test_loops(self) -> None:
        """Only those with a backing file below are listed; others are never named."""
        sysfs = self.mktemp()
        for name, backing in (
            ("loop0", "/tmp/a/volumes/v"),
            ("loop1", "/tmp/ab/v"),
            ("loop2", "/tmp/a/gone (deleted)"),
            ("loop3", "/home/x"),
        ):
            directory = os.path.join(sysfs, "block", name, "loop")
            os.makedirs(directory)
            with open(os.path.join(directory, "backing_file"), "w") as opened:
                opened.write(backing + "\n")
        # One that is detached while the others are read.
        os.makedirs(os.path.join(sysfs, "block", "loop4", "loop", "backing_file"))
        self.assertEqual(sorted(loops_below("/tmp/a", sysfs)), ["/dev/loop0", "/dev/loop2"])


class RemoveTests(TestCase):
    """``remove`` with real mounts and loop devices."""

    timeout = 120

    def setUp(self) -> None:
        if os.geteuid() != 0:
            raise SkipTest("mounting takes root")
        self.directory = os.path.realpath(tempfile.mkdtemp(prefix="txstorage-test-"))
        self.addCleanup(sweep, self.directory)

    async def disk(self, name: str) -> str:
        """A loop device on a file in the directory."""
        path = os.path.join(self.directory, name)
        with open(path, "wb") as opened:
            opened.truncate(32 * 2**20)
        try:
            loop = (await command(reactor, "losetup", "--find", "--show", path)).strip()
        except CommandFailed as error:
            raise SkipTest(f"no loop devices here: {error}")
        await command(reactor, "mkfs.ext4", "-q", loop)
        return loop

    async def mount(self, loop: str, *path: str) -> str:
        """Mount a device in the directory."""
        mountpoint = os.path.join(self.directory, *path)
        os.makedirs(mountpoint)
        await command(reactor, "mount", loop, mountpoint)
        return mountpoint

    def traces(self) -> list[object]:
        """The removal of remains."""
        return [
            mounts_below(self.directory),
            list(loops_below(self.directory)),
            os.path.exists(self.directory),
        ]

    async def test_everything(self) -> None:
        """Nested mounts, loop devices and files are gone."""
        outer = await self.mount(await self.disk("one"), "with space")
        await self.mount(await self.disk("two"), outer, "inner")
        await self.disk("three")
        await remove(reactor, self.directory)
        self.assertEqual(self.traces(), [[], [], False])

    async def test_busy(self) -> None:
        """A mount that a process uses is unmounted, too."""
        mountpoint = await self.mount(await self.disk("one"), "mounted")
        visitor = open(os.path.join(mountpoint, "file"), "w")
        self.addCleanup(visitor.close)
        await remove(reactor, self.directory)
        self.assertEqual((self.traces()[0], self.traces()[2]), ([], False))
        visitor.close()

    async def test_others_are_left_alone(self) -> None:
        """Mounts and loop devices in another directory stay."""
        mine = self.directory
        self.setUp()
        loop = await self.disk("theirs")
        theirs = await self.mount(loop, "mounted")
        await remove(reactor, mine)
        self.assertEqual(mounts_below(self.directory), [theirs])
        self.assertEqual(list(loops_below(self.directory)), [loop])

    async def test_twice(self) -> None:
        """Without remains, there is nothing to do."""
        await remove(reactor, self.directory)
        await remove(reactor, self.directory)

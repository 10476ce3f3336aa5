"""Tests for :mod:`txstorage.filesystem.kinds`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txstorage.errors import InvalidFilesystem
from txstorage.filesystem.kinds import KINDS, Options, growing, making, words


class OptionsTests(SynchronousTestCase):
    """The choices for a file system."""

    def test_kinds(self) -> None:
        """Three kinds are supported, and no other."""
        self.assertEqual({"ext4", "xfs", "btrfs"}, set(KINDS))
        self.assertRaises(InvalidFilesystem, Options, kind="ntfs")

    def test_mount_options(self) -> None:
        """An option that would mount something else, or break the list of options, is refused."""
        Options(mount=("noatime", "data=journal", "discard"))
        for option in (
            "bind",
            "rbind",
            "remount",
            "loop",
            "loop=/dev/loop0",
            "offset=1",
            "a,b",
            "a\n",
            "",
        ):
            self.assertRaises(InvalidFilesystem, Options, mount=("noatime", option))

    def test_make_options(self) -> None:
        """An argument that could name another device is refused."""
        Options(make=("-O", "^64bit"))
        self.assertRaises(InvalidFilesystem, Options, make=("/dev/sda",))

    def test_words(self) -> None:
        """Options are read as a shell reads them."""
        self.assertEqual(("-L", "my data"), words("-L 'my data'"))
        self.assertRaises(InvalidFilesystem, words, "'")


class CommandsTests(SynchronousTestCase):
    """The commands."""

    def test_making(self) -> None:
        """The caller's arguments stand before the device."""
        command = making(Options(make=("-b", "4096")), "/dev/x")
        self.assertEqual(("mkfs.ext4", ["-b", "4096", "/dev/x"]), (command[0], list(command[-3:])))

    def test_no_force(self) -> None:
        """The programs that refuse a device with data keep that choice."""
        for kind in ("xfs", "btrfs"):
            self.assertNotIn("-f", making(Options(kind), "/dev/x"))

    def test_growing(self) -> None:
        """ext4 grows by its device, the others by their mount point."""
        for kind, last in [("ext4", "/dev/x"), ("xfs", "/mnt"), ("btrfs", "/mnt")]:
            self.assertEqual(last, growing(kind, "/dev/x", "/mnt")[-1])

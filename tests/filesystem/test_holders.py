"""Tests for :mod:`txstorage.filesystem.holders`."""

from __future__ import annotations

import os
import subprocess

import attr
from twisted.trial.unittest import SynchronousTestCase

from txstorage.filesystem.holders import Holder, Mount, holders_of, mounts_of, number_of, parsed

from .support import MIB, DeviceTestCase, shell

LINE = r"36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 - ext3 /dev/root\040x rw,errors=continue"


class ParsedTests(SynchronousTestCase):
    """A mount table."""

    def test_line(self) -> None:
        """The fields are those of proc_pid_mountinfo(5), and spaces are decoded."""
        expected = Mount("98:0", "/mnt1", "/mnt 2", "ext3", "/dev/root x")
        self.assertEqual([expected], parsed(LINE + "\n"))

    def test_no_optional_fields(self) -> None:
        """There may be no optional field, or several; one of them shows a shared mount."""
        bare = LINE.replace(" master:1", "")
        several = LINE.replace("master:1", "shared:2 master:1")
        [mount] = parsed(LINE)
        expected = [mount, attr.evolve(mount, shared=True)]
        self.assertEqual(expected, parsed(f"{bare}\n{several}\n"))

    def test_malformed(self) -> None:
        """A line of another form is left out."""
        self.assertEqual([], parsed("\n36 35\n36 35 98:0 / /x rw ext3 /dev/root\n - \n"))

    def test_own_numbers(self) -> None:
        """A file system with numbers of its own is found by its device."""
        mount = Mount("0:55", "/", "/x", "btrfs", "/dev/null")
        self.assertTrue(mount.is_of("1:3"))
        self.assertFalse(mount.is_of("1:4"))
        self.assertFalse(Mount("0:55", "/", "/x", "btrfs", "/dev/gone").is_of("1:3"))
        self.assertFalse(Mount("0:55", "/", "/x", "tmpfs", "tmpfs").is_of("1:3"))

    def test_own(self) -> None:
        """The mounts of this process include the root."""
        self.assertIn("/", [each.mounted_at for each in mounts_of()])


class HolderTests(SynchronousTestCase):
    """A holder, for people."""

    def test_text(self) -> None:
        """A process is named with its number; the kernel's own users by their kind."""
        self.assertEqual("dd (process 7) at /mnt", str(Holder(7, "dd", "/mnt")))
        self.assertEqual("swap at /dev/x", str(Holder(0, "swap", "/dev/x")))

    def test_fake(self) -> None:
        """Swap and devices on top are holders; what can't be read is none."""
        proc, sysfs = self.mktemp(), self.mktemp()
        above = os.path.join(sysfs, "dev/block/1:3/holders")
        os.makedirs(os.path.join(above, "dm-0"))
        os.makedirs(os.path.join(proc, "77"))
        with open(os.path.join(proc, "swaps"), "w") as opened:
            opened.write(
                "Filename Type Size Used Priority\n/dev/null file 1 0 -2\n/gone x 1 0 -2\n"
            )
        self.assertEqual("1:3", number_of("/dev/null"))
        self.assertEqual(
            [Holder(0, "swap", "/dev/null"), Holder(0, "a device on top", "/dev/dm-0")],
            holders_of("1:3", proc, sysfs),
        )
        self.assertEqual([], holders_of("1:4", proc, sysfs))

    def test_on_top(self) -> None:
        """The users of a device on top, such as an opened encrypted one, are users of both."""
        proc, sysfs = self.mktemp(), self.mktemp()
        top = os.path.join(sysfs, "dev/block/7:0/holders/dm-0")
        os.makedirs(top)
        with open(os.path.join(top, "dev"), "w") as opened:
            opened.write("252:0\n")
        os.makedirs(os.path.join(proc, "77/ns"))
        os.symlink("mnt:[1]", os.path.join(proc, "77/ns/mnt"))
        with open(os.path.join(proc, "77/comm"), "w") as opened:
            opened.write("postgres\n")
        with open(os.path.join(proc, "77/mountinfo"), "w") as opened:
            opened.write("1 0 252:0 / /mnt rw - xfs /dev/mapper/x rw\n")
        mount = Holder(77, "postgres", "/mnt", "/")
        expected = [Holder(0, "a device on top", "/dev/dm-0"), mount]
        self.assertEqual(expected, holders_of("7:0", proc, sysfs))
        self.assertEqual([mount], holders_of("252:0", proc, sysfs))


class HoldersOfTests(DeviceTestCase):
    """The users of a real device."""

    def test_namespaces(self) -> None:
        """A mount in another mount namespace is found, with a process that sees it."""
        device = self.device(16 * MIB)
        shell("mkfs.ext4", "-q", device)
        self.assertEqual([], holders_of(number_of(device)))
        os.mkdir(self.directory)
        script = 'mount "$1" "$2" && echo ready && read -r _'
        inside = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script, "sh", device, self.directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(inside.wait)
        self.addCleanup(inside.communicate)
        assert inside.stdout is not None
        self.assertEqual("ready\n", inside.stdout.readline())
        self.assertEqual(
            [Holder(inside.pid, "sh", self.directory, "/")], holders_of(number_of(device))
        )
        inside.communicate("\n")
        self.assertEqual([], holders_of(number_of(device)))

"""
Tests for :mod:`txstorage._support.linux`.
"""

from __future__ import absolute_import, division, print_function

import errno
import os

from twisted.trial.unittest import SynchronousTestCase

from txstorage._support import linux


class MountsTests(SynchronousTestCase):
    """:func:`linux.mounts`."""

    def test_rows(self):
        """The mounts come in the table's order; lines without a mount point are left out."""
        table = u"/dev/sda1 / ext4 rw 0 0\n\nproc /proc proc rw 0 0\nbroken\n"
        self.assertEqual(
            linux.mounts(table), [(u"/dev/sda1", u"/"), (u"proc", u"/proc")]
        )

    def test_octal(self):
        """White space, backslashes and the comment sign are decoded in both fields."""
        table = u"/dev/a\\040b /mnt/\\011\\012\\134\\043 ext4 rw 0 0\n"
        self.assertEqual(linux.mounts(table), [(u"/dev/a b", u"/mnt/\t\n\\#")])


class BackingFileTests(SynchronousTestCase):
    """:func:`linux.backing_file`."""

    def of(self, content):
        """Return the backing file that sysfs has with ``content``."""
        directory = self.mktemp()
        os.makedirs(os.path.join(directory, "loop"))
        with open(os.path.join(directory, "loop", "backing_file"), "wb") as opened:
            opened.write(content)
        return linux.backing_file(directory)

    def test_path(self):
        """The path has no line feed, and need not be valid text."""
        self.assertEqual(self.of(b"/var/\xff/v\n"), (b"/var/\xff/v", False))

    def test_deleted(self):
        """The kernel's mark of a deleted file is not part of the path."""
        self.assertEqual(self.of(b"/var/v (deleted)\n"), (b"/var/v", True))

    def test_no_loop_device(self):
        """A device without the file in sysfs has no backing file."""
        self.assertIsNone(linux.backing_file(self.mktemp()))


class IsClaimedTests(SynchronousTestCase):
    """:func:`linux.is_claimed`."""

    def fail_with(self, number):
        """Let every open fail."""

        def refuse(path, flags):
            raise OSError(number, os.strerror(number))

        self.patch(os, "open", refuse)

    def test_busy(self):
        """EBUSY means that something has claimed the device."""
        self.fail_with(errno.EBUSY)
        self.assertTrue(linux.is_claimed("/dev/loop0"))

    def test_free(self):
        """A device that opens is free, and is closed again."""
        self.assertFalse(linux.is_claimed(os.devnull))
        before = os.listdir("/proc/self/fd")
        linux.is_claimed(os.devnull)
        self.assertEqual(len(os.listdir("/proc/self/fd")), len(before))

    def test_other_errors(self):
        """Other errors give no answer about the device, and are raised."""
        self.fail_with(errno.EACCES)
        error = self.assertRaises(OSError, linux.is_claimed, "/dev/loop0")
        self.assertEqual(error.errno, errno.EACCES)

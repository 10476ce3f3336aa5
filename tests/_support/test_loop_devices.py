"""
Tests for :mod:`txstorage._support.loop_devices`.
"""

from __future__ import absolute_import, division, print_function

import errno
import os
import time

from twisted.trial.unittest import SynchronousTestCase

from txstorage._support import linux, loop_devices

from ..helpers.sysfs import attach_loop, backing_file


class LoopDeviceTests(SynchronousTestCase):
    """Two files, the first of which has a real loop device."""

    def setUp(self):
        self.path = backing_file(self, "one")
        self.other = backing_file(self, "two")
        self.device = str(attach_loop(self, self.path))

    def bound(self):
        """:return: whether the device has the first file; another process may bind a free one."""
        directory = os.path.join("/sys/block", os.path.basename(self.device))
        backing = linux.backing_file(directory)
        return backing is not None and backing[0] == self.path.encode("ascii")

    def released(self):
        """:return: whether the device loses the file, which an open device keeps."""
        end = time.time() + 10
        while self.bound() and time.time() < end:
            pass
        return not self.bound()

    def autoclear(self):
        """:return: whether the kernel detaches the device with its last close."""
        name = os.path.basename(self.device)
        with open("/sys/block/{}/loop/autoclear".format(name)) as opened:
            return opened.read().strip() == "1"

    def test_is_on(self):
        """A device is on its own file only, by whichever path."""
        self.assertTrue(loop_devices.is_on(self.device, self.path))
        self.assertFalse(loop_devices.is_on(self.device, self.other))
        self.assertFalse(loop_devices.is_on(self.device, self.path + "x"))
        link = self.path + "-link"
        os.link(self.path, link)
        self.assertTrue(loop_devices.is_on(self.device, link))

    def test_detach(self):
        """A device is detached from its own file, once."""
        self.assertTrue(loop_devices.detach(self.device, self.path))
        self.assertTrue(self.released())
        for function in (loop_devices.is_on, loop_devices.was_on, loop_devices.detach):
            self.assertFalse(function(self.device, self.path))

    def test_another_file(self):
        """A device with another file stays as it is."""
        self.assertFalse(loop_devices.detach(self.device, self.other))
        self.assertFalse(loop_devices.detach(self.device, self.path + "x"))
        loop_devices.keep(self.device, self.other)
        self.assertTrue(self.bound())

    def test_grow(self):
        """A device gets the size of its own grown file; no other file's device does."""
        self.assertRaises(OSError, loop_devices.grow, self.device, self.other)
        with open(self.path, "r+b") as opened:
            opened.truncate(os.path.getsize(self.path) + 2 ** 20)
        size_path = "/sys/block/{}/size".format(os.path.basename(self.device))
        with open(size_path) as opened:
            before = int(opened.read())
        loop_devices.grow(self.device, self.path)
        with open(size_path) as opened:
            self.assertEqual(before + 2 ** 20 // 512, int(opened.read()))

    def test_flush(self):
        """A device is flushed to its own file only; without the device, that is an error."""
        loop_devices.flush(self.device, self.path)
        for device, path in [(self.device, self.other), ("/dev/nonexistent", self.path)]:
            error = self.assertRaises(OSError, loop_devices.flush, device, path)
            self.assertEqual(errno.ENODEV, error.errno)

    def test_removed(self):
        """A removed file's device is still the file's."""
        os.unlink(self.path)
        self.assertTrue(loop_devices.is_on(self.device, self.path))
        self.assertFalse(loop_devices.detach(self.device, self.other))
        self.assertTrue(loop_devices.detach(self.device, self.path))
        self.assertFalse(self.bound())

    def test_replaced(self):
        """A device is not on a file that has replaced its own, but was on that path."""
        os.rename(self.other, self.path)
        self.assertFalse(loop_devices.is_on(self.device, self.path))
        self.assertTrue(loop_devices.was_on(self.device, self.path))
        self.assertTrue(loop_devices.detach(self.device, self.path))

    def test_exclusive(self):
        """A device in use is refused, when that is asked for, and stays as it is."""
        opened = os.open(self.device, os.O_RDONLY | os.O_EXCL)
        try:
            error = self.assertRaises(
                OSError, loop_devices.detach, self.device, self.path, exclusive=True
            )
            self.assertEqual((error.errno, self.autoclear()), (errno.EBUSY, False))
        finally:
            os.close(opened)
        self.assertTrue(self.bound())
        self.assertTrue(loop_devices.detach(self.device, self.path, exclusive=True))

    def test_keep(self):
        """A detach that waits for the last close is cancelled, for the device's own file only."""
        opened = os.open(self.device, os.O_RDONLY)
        try:
            loop_devices.detach(self.device, self.path)
            self.assertTrue(self.autoclear())
            loop_devices.keep(self.device, self.other)
            self.assertTrue(self.autoclear())
            loop_devices.keep(self.device, self.path)
            self.assertFalse(self.autoclear())
        finally:
            os.close(opened)
        self.assertTrue(self.bound())

    def test_no_device(self):
        """A device that does not exist has no file."""
        missing = self.device + "x"
        for function in (loop_devices.is_on, loop_devices.was_on, loop_devices.detach):
            self.assertFalse(function(missing, self.path))
        self.assertIs(loop_devices.keep(missing, self.path), None)

    def test_no_loop_device(self):
        """A device of another kind is an error."""
        for function in (loop_devices.is_on, loop_devices.detach):
            self.assertRaises((IOError, OSError), function, "/dev/null", self.path)


class AttachTests(SynchronousTestCase):
    """Tests of ``attach`` with two files."""

    def setUp(self):
        self.path = backing_file(self, "one")
        self.other = backing_file(self, "two")

    def attach(self, path):
        device = loop_devices.attach(path)
        self.addCleanup(loop_devices.detach, device, path)
        return device

    def test_attach(self):
        """A device gets the file, writable, and the kernel knows its name."""
        device = self.attach(self.path)
        self.assertTrue(loop_devices.is_on(device, self.path))
        self.assertNotEqual(self.attach(self.other), device)
        with open(device, "r+b") as written:
            written.write(b"data")
        with open(self.path, "rb") as opened:
            self.assertEqual(opened.read(4), b"data")
        backing = linux.backing_file(os.path.join("/sys/block", os.path.basename(device)))
        self.assertEqual(backing, (self.path.encode("ascii"), False))

    def test_taken(self):
        """A device that another process has taken meanwhile is left alone."""
        taken = self.attach(self.other)
        free = loop_devices._free_number
        numbers = [int(taken[len("/dev/loop"):])]
        self.patch(loop_devices, "_free_number", lambda: numbers.pop() if numbers else free())
        device = self.attach(self.path)
        self.assertTrue(loop_devices.is_on(device, self.path))
        self.assertTrue(loop_devices.is_on(taken, self.other))

    def test_always_taken(self):
        """The search for a free device ends."""
        taken = self.attach(self.other)
        self.patch(loop_devices, "_free_number", lambda: int(taken[len("/dev/loop"):]))
        error = self.assertRaises(OSError, loop_devices.attach, self.path, tries=3)
        self.assertEqual(error.errno, errno.EBUSY)
        self.assertTrue(loop_devices.is_on(taken, self.other))

    def test_unusable(self):
        """A missing file, a symbolic link and a lack of devices are errors; nothing is made."""
        link = self.path + "-link"
        os.symlink(self.path, link)
        for path, number in ((self.path + "x", errno.ENOENT), (link, errno.ELOOP)):
            error = self.assertRaises(OSError, loop_devices.attach, path)
            self.assertEqual(error.errno, number)
        self.patch(loop_devices, "_CONTROL", self.path)
        error = self.assertRaises(OSError, loop_devices.attach, self.path)
        self.assertEqual(error.errno, errno.ENOTTY)
        self.assertIn("no free loop device", str(error))

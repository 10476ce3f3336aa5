"""
Tests for :mod:`txstorage._devices.finder`: waiting until a device shows its volume's new size.
"""

from __future__ import absolute_import, division, print_function

import subprocess

from twisted.internet import reactor
from twisted.python.filepath import FilePath
from twisted.trial.unittest import TestCase

from txstorage._devices.finder import DeviceFinder
from txstorage.errors import DeviceAmbiguous, DeviceNotGrown

from ..helpers.sysfs import VOLUME, attach_loop, backing_file, new_volume_id
from .test_waiting import FinderTestCase

GIB = 2 ** 30
MIB = 2 ** 20


class GrowingTests(FinderTestCase):
    """Waiting, with a :class:`Clock`."""

    def test_grown_already(self):
        """A device that has the size is found at once."""
        self.plug(size=2 * GIB)
        d = self.finder.wait_until_grown(VOLUME, 2 * GIB)
        self.assertEqual(FilePath("/dev/vdb"), self.successResultOf(d))
        self.assert_idle()

    def test_shown_later(self):
        """A device that has its old size is waited for, and the reason is reported."""
        self.plug(size=GIB)
        reports = []
        d = self.finder.wait_until_grown(VOLUME, 2 * GIB, report=reports.append)
        self.assertNoResult(d)
        self.plug(size=2 * GIB)
        self.events.changed()
        self.assertEqual(2 * GIB, self.successResultOf(d).size)
        self.assertEqual([DeviceNotGrown], [each.type for each in reports])
        self.assert_idle()

    def test_header(self):
        """A device that lacks a header has grown as well; one that lacks a GiB has not."""
        for missing, grown in [(16 * MIB, True), (512 * MIB - 512, True), (512 * MIB, False)]:
            files = [("serial", VOLUME.encode("ascii"))]
            self.sysfs.add("vdb", size=2 * GIB - missing, files=files)
            found = []
            d = self.finder.wait_until_grown(VOLUME, 2 * GIB, encrypted=True)
            d.addBoth(found.append)
            d.cancel()
            self.assertEqual(grown, found == [FilePath("/dev/vdb")], missing)

    def test_truncated(self):
        """A device with a truncated identity counts again when it shows the new size."""
        self.plug(size=GIB)
        d = self.finder.wait_until_grown(VOLUME, 2 * GIB)
        self.plug(size=3 * GIB)
        self.events.changed()
        self.assertNoResult(d)
        self.plug(size=2 * GIB)
        self.events.changed()
        self.successResultOf(d)

    def test_ambiguous(self):
        """Two devices of the volume end the wait."""
        self.plug(size=2 * GIB)
        self.plug("vdc", size=2 * GIB)
        self.failureResultOf(self.finder.wait_until_grown(VOLUME, 2 * GIB), DeviceAmbiguous)
        self.assert_idle()


class RealDeviceTests(TestCase):
    """A loop device of this machine."""

    def test_loop(self):
        """The wait ends when the kernel shows the size of a file that has grown."""
        volume_id = new_volume_id()
        image = backing_file(self, volume_id, GIB)
        device = attach_loop(self, image)
        finder = DeviceFinder(reactor, intervals=(0.01, 0.05))
        d = finder.wait_until_grown(volume_id, 2 * GIB)
        self.assertFalse(d.called)
        with open(image, "r+b") as opened:
            opened.truncate(2 * GIB)
        subprocess.check_call(["losetup", "--set-capacity", device])
        return d.addCallback(
            lambda path: self.assertEqual((device, 2 * GIB), (path.path, path.size))
        )

"""
Tests of devices that share a volume's identity: the busy check's candidates, and multipath devices.
"""

from __future__ import absolute_import, division, print_function

from itertools import permutations

from twisted.trial.unittest import SynchronousTestCase

from txstorage._devices import block_devices as _block_devices
from txstorage._devices.matching import candidates, match
from txstorage._devices.sysfs import BlockDevice
from txstorage.errors import DeviceAmbiguous, DeviceBusy, DeviceMismatch, DeviceNotFound

from ..helpers.sysfs import MIB, VOLUME, serial
from .test_waiting import FinderTestCase


class BusyCandidatesTests(FinderTestCase):
    """The busy check of a volume that several devices may be."""

    def setUp(self):
        FinderTestCase.setUp(self)
        self.plug("vdb")
        self.plug("vdc")

    def check(self, wrong, busy, error):
        """Check with a device whose node is wrong, and a device that is mounted."""

        def check_node(volume_id, device, path):
            if device.name == wrong:
                raise error(volume_id, u"the node is another device's")

        self.patch(_block_devices, "check_node", check_node)
        self.patch(_block_devices, "_is_claimed", lambda path: path.basename() == busy)
        self.finder.refuse_if_busy(VOLUME)

    def test_all_are_checked(self):
        """A mounted device is found although the node of another candidate is wrong or missing."""
        for error in (DeviceMismatch, DeviceNotFound):
            for wrong, busy in permutations(["vdb", "vdc"]):
                found = self.assertRaises(DeviceBusy, self.check, wrong, busy, error)
                self.assertEqual(VOLUME, found.volume_id)
                self.assertIn(u"/dev/" + busy, found.message)

    def test_each_position(self):
        """A mounted device is found in any position."""
        for busy in ("vdb", "vdc"):
            self.assertRaises(DeviceBusy, self.check, None, busy, DeviceMismatch)

    def test_another_devices_node(self):
        """A mounted device at the node of a candidate that it is not does not count."""
        self.check("vdb", "vdb", DeviceMismatch)


class UnequalHoldersTests(SynchronousTestCase):
    """A multipath device whose paths have different holders."""

    def device(self, name, holders=(), paths=(), identities=()):
        """Return a :class:`BlockDevice`."""
        return BlockDevice(
            name=name,
            size=MIB,
            major=8,
            minor=0,
            identities=frozenset(identities),
            holders=frozenset(holders),
            paths=frozenset(paths),
        )

    def test_ambiguous(self):
        """One path with another holder makes the devices ambiguous, whichever path has it."""
        top = self.device(u"dm-0", paths=[u"sda", u"sdb"])
        for first, second in permutations([[u"dm-0"], [u"dm-0", u"dm-1"]]):
            paths = [
                self.device(u"sda", first, identities=[serial(VOLUME)]),
                self.device(u"sdb", second, identities=[serial(VOLUME)]),
            ]
            self.assertRaises(DeviceAmbiguous, match, VOLUME, MIB, paths + [top])
            self.assertEqual(paths + [top], candidates(VOLUME, paths + [top]))

    def test_one_path_without_holder(self):
        """A path that the multipath device does not hold makes the devices ambiguous."""
        top = self.device(u"dm-0", paths=[u"sda", u"sdb"])
        for first, second in permutations([[u"dm-0"], []]):
            paths = [
                self.device(u"sda", first, identities=[serial(VOLUME)]),
                self.device(u"sdb", second, identities=[serial(VOLUME)]),
            ]
            self.assertRaises(DeviceAmbiguous, match, VOLUME, MIB, paths + [top])

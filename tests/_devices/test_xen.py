"""
Tests for :mod:`txstorage._devices.xen`: the disks of a Xen hypervisor.
"""

from __future__ import absolute_import, division, print_function

import os
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from txstorage._devices import block_devices as _block_devices
from txstorage._devices.finder import DeviceFinder
from txstorage._devices.sysfs import BlockDevice, read_block_devices, root_disk
from txstorage._devices.xen import CONTRADICTIONS, attached_as, is_xen, match_name
from txstorage._support.notations.xen_disks import disk_named, disk_numbered
from txstorage.errors import (
    DeviceAmbiguous,
    DeviceBusy,
    DeviceError,
    DeviceMismatch,
    DeviceNameDoubtful,
    DeviceNotFound,
    DeviceUnidentified,
)

from ..helpers.properties import RELAXED
from ..helpers.sysfs import MIB, FakeSysfs, serial

VOLUME = u"vol-0123456789abcdef0"
OTHER = u"vol-0123456789abcdef1"

#: The numbers of disks in the hypervisor, as HVM and PV instances of EC2 have them.
XVDA, XVDF, SDB, SDF = 202 << 8, 51792, 8 << 8 | 1 << 4, 2128
XVDBA = 1 << 28 | 52 << 8

AT_SDF = {VOLUME: u"/dev/sdf", OTHER: u"/dev/sda1"}


def disk(name, number, size=MIB, **more):
    """Return a disk of Xen's."""
    facts = dict(name=name, size=size, major=202, minor=0, is_disk=True, xen_number=number)
    return BlockDevice(**dict(facts, **more))


ROOT = disk(u"xvda", XVDA, 8 * MIB)


class NameTests(SynchronousTestCase):
    """The device of a volume that is attached as /dev/sdf."""

    def match(self, *devices, **options):
        """Return the result of :func:`match_name`."""
        names = options.pop("names", AT_SDF)
        return match_name(VOLUME, MIB, (ROOT,) + devices, names, **options)

    def doubted(self, words, *devices, **options):
        """Assert that nothing is found, for a reason with these words."""
        error = self.assertRaises(DeviceNameDoubtful, self.match, *devices, **options)
        self.assertIn(VOLUME, error.message)
        self.assertIn(words, error.message)
        self.assertEqual(VOLUME, error.volume_id)
        return error

    def test_found(self):
        """The disk has the name of the attachment in the kernel and in the hypervisor."""
        for name, number in ((u"xvdf", XVDF), (u"xvdf", SDF), (u"sdf", SDF)):
            mine = disk(name, number)
            self.assertIs(mine, self.match(mine, disk(u"xvdg", XVDF + 16)))

    def test_two_letters(self):
        """The driver's own names have two letters, whose numbers are extended ones."""
        mine = disk(u"xvdba", XVDBA)
        names = {VOLUME: u"/dev/xvdba"}
        self.assertIs(mine, self.match(mine, disk(u"xvdb", XVDA + 16), names=names))

    def test_absent(self):
        """Without such a disk, the message names Xen's disks; the wait for it continues."""
        error = self.assertRaises(DeviceNotFound, self.match, disk(u"xvdg", XVDF + 16))
        self.assertIn(u"/dev/sdf", error.message)
        self.assertIn(u"xvda, number 51712 (8388608 bytes); xvdg, number 51808", error.message)

    def test_no_size_yet(self):
        """A disk that is being set up is waited for."""
        self.assertRaises(DeviceNotFound, self.match, disk(u"xvdf", XVDF, size=0))

    def test_size(self):
        """A disk of another size is refused, however little it differs."""
        for size in (MIB - 512, MIB + 512):
            error = self.assertRaises(DeviceMismatch, self.match, disk(u"xvdf", XVDF, size=size))
            self.assertIn(u"{} bytes, not {}".format(size, MIB), error.message)

    def test_shifted_letters(self):
        """
        A kernel that begins with xvde, as RHEL 6 does, shows /dev/sdf as xvdj, and /dev/sdb as
        xvdf: neither is taken.
        """
        shifted = disk(u"xvdj", SDF)
        self.doubted(u"this kernel gives the hypervisor's disks other letters", shifted)
        wrong = disk(u"xvdf", SDB)
        error = self.doubted(u"its number in the hypervisor is another disk's", wrong)
        self.assertIn(u"xvdf, number 2064", error.message)
        self.doubted(u"it may be any of xvdf, number 2064", wrong, shifted)

    def test_sd_and_xvd(self):
        """Two devices, /dev/sdf and /dev/xvdf, are ambiguous, even if one is not Xen's."""
        scsi = BlockDevice(name=u"sdf", size=MIB, major=8, minor=80, is_disk=True)
        self.doubted(u"it may be any of sdf (1048576 bytes); xvdf", scsi, disk(u"xvdf", XVDF))
        self.doubted(u"it may be any of", disk(u"sdf", SDF), disk(u"xvdf", XVDF))

    def test_not_xen(self):
        """A device of the name that is not Xen's is refused."""
        scsi = BlockDevice(name=u"sdf", size=MIB, major=8, minor=80, is_disk=True)
        self.doubted(u"it is not a disk of Xen's", scsi)

    def test_removable(self):
        """A removable medium is refused."""
        self.doubted(u"it is a removable medium", disk(u"xvdf", XVDF, is_disk=False))

    def test_unknown_number(self):
        """A disk whose number the kernel does not show is refused."""
        self.doubted(u"its number in the hypervisor", disk(u"xvdf", 0))

    def test_identity(self):
        """A disk with an identity of its own is refused: xen-blkfront's have none."""
        mine = disk(u"xvdf", XVDF, identities=frozenset([serial(OTHER)]))
        self.doubted(u"it has an identity of its own", mine)

    def test_root(self):
        """The disk of the root file system is refused."""
        self.doubted(u"root file system", disk(u"xvdf", XVDF), root=u"xvdf")

    def test_claimed_twice(self):
        """A name that another attachment claims, whole or in part, is refused."""
        for name in (u"/dev/sdf", u"xvdf", u"/dev/xvdf1"):
            names = {VOLUME: u"/dev/sdf", OTHER: name}
            self.doubted(u"volume {} is attached as {}".format(OTHER, name), names=names)

    def test_other_names(self):
        """The name of a partition, or of another form, is refused."""
        for name in (u"/dev/sdf1", u"/dev/nvme1n1", u"/dev/mapper/x"):
            self.doubted(u"not the name of a whole disk", disk(u"xvdf", XVDF), names={VOLUME: name})

    def test_every_contradiction(self):
        """Each contradiction is one of those here: the words of each are in some message."""
        errors = [
            self.doubted(u"", mine, root=u"xvdf" if root else None)
            for mine, root in (
                (BlockDevice(name=u"sdf", size=MIB, major=8, minor=80, is_disk=True), False),
                (disk(u"xvdf", XVDF, is_disk=False), False),
                (disk(u"xvdf", SDB), False),
                (disk(u"xvdj", SDF), False),
                (disk(u"xvdf", XVDF, identities=frozenset([serial(OTHER)])), False),
                (disk(u"xvdf", XVDF), True),
            )
        ]
        self.assertEqual(len(CONTRADICTIONS), len(errors))
        for error, (_, words) in zip(errors, CONTRADICTIONS):
            self.assertTrue(error.message.endswith(words), error.message)


class AttachedAsTests(SynchronousTestCase):
    """The disks that may be a volume's, when its device should be free, or go."""

    def test_number(self):
        """A disk counts by the hypervisor's number, whatever the kernel's name is."""
        devices = [ROOT, disk(u"xvdj", SDF), disk(u"xvdf", SDB), disk(u"xvdg", XVDF + 16)]
        self.assertEqual(devices[1:2], attached_as(u"/dev/sdf", devices))
        self.assertEqual([ROOT], attached_as(u"/dev/sda1", devices))

    def test_name(self):
        """A disk whose number says nothing counts by the kernel's name."""
        mine = disk(u"xvdf", 0)
        self.assertEqual([mine], attached_as(u"/dev/sdf", [ROOT, mine]))

    def test_none(self):
        """No device counts without a name, and none on a host without Xen's disks."""
        self.assertEqual([], attached_as(None, [ROOT]))
        self.assertEqual([], attached_as(u"/dev/nvme0n1", [ROOT]))
        scsi = BlockDevice(name=u"sdf", size=MIB, major=8, minor=80, is_disk=True)
        self.assertEqual([], attached_as(u"/dev/sdf", [scsi]))
        self.assertFalse(is_xen([scsi]))
        self.assertTrue(is_xen([scsi, ROOT]))


def _devices():
    """Draw a host's devices, of different names."""
    device = st.builds(
        BlockDevice,
        name=st.sampled_from([u"sdf", u"xvdf", u"xvdj", u"sdb", u"nvme0n1"]),
        size=st.sampled_from([0, MIB, 2 * MIB]),
        major=st.just(202),
        minor=st.just(0),
        identities=st.sampled_from([frozenset(), frozenset([serial(OTHER)])]),
        is_disk=st.sampled_from([True, True, False]),
        xen_number=st.sampled_from([None, 0, XVDF, SDF, SDB]),
    )
    return st.lists(device, max_size=4, unique_by=lambda each: each.name)


_NAMES = st.sampled_from([u"/dev/sdf", u"/dev/xvdf", u"/dev/sdf1", u"/dev/sdb", u"bad"])
_ROOTS = st.sampled_from([None, u"xvdf", u"sdb"])


def outcome(devices, names, root):
    """Return the device, or the class of the error."""
    try:
        return match_name(VOLUME, MIB, devices, names, root)
    except DeviceError as error:
        return type(error)


class AnyHostTests(SynchronousTestCase):
    """Properties of any host and any names."""

    @settings(**RELAXED)
    @given(_devices(), _NAMES, _NAMES, _ROOTS)
    def test_never_a_doubtful_device(self, devices, name, other, root):
        """A device is returned only when everything speaks for it, and for no other device."""
        found = outcome(devices, {VOLUME: name, OTHER: other}, root)
        if not isinstance(found, BlockDevice):
            self.assertTrue(issubclass(found, DeviceError))
            return
        letters, whole = disk_named(name)
        self.assertTrue(whole)
        self.assertIn(found.name, [u"sd" + letters, u"xvd" + letters])
        self.assertEqual(letters, disk_numbered(found.xen_number))
        self.assertEqual((MIB, frozenset(), True), (found.size, found.identities, found.is_disk))
        self.assertNotEqual(root, found.name)
        self.assertNotEqual((letters,), (disk_named(other) or (None,))[:1])
        self.assertEqual([found], attached_as(name, devices))
        rivals = {each.name for each in devices} & {u"sd" + letters, u"xvd" + letters}
        self.assertEqual({found.name}, rivals)

    @settings(**RELAXED)
    @given(_devices(), _NAMES, _NAMES, _ROOTS)
    def test_order_does_not_matter(self, devices, name, other, root):
        """The result does not depend on the order of the devices."""
        names = {VOLUME: name, OTHER: other}
        outcomes = {outcome(order, names, root) for order in permutations(devices)}
        self.assertEqual(1, len(outcomes))


def link_root(sysfs, *steps):
    """Let the device number of the root directory lead to a path below a :class:`FakeSysfs`."""
    number = os.stat("/").st_dev
    directory = sysfs.root.descendant(["dev", "block"])
    directory.makedirs()
    link = directory.child("{}:{}".format(os.major(number), os.minor(number)))
    os.symlink(os.path.abspath(sysfs.root.descendant(steps).path), link.path)


class SysfsTests(SynchronousTestCase):
    """The disks of xen-blkfront in /sys."""

    def setUp(self):
        self.sysfs = FakeSysfs(self.mktemp())

    def test_facts(self):
        """A disk has its number in the hypervisor, its size, and no identity."""
        self.sysfs.add_xen("xvdf", XVDF, 3 * MIB, partitions=["xvdf1"])
        [found] = read_block_devices(self.sysfs.root)
        self.assertEqual(
            (u"xvdf", 3 * MIB, XVDF, True, frozenset()),
            (found.name, found.size, found.xen_number, found.is_disk, found.identities),
        )

    def test_other_devices(self):
        """Only a device of the type vbd has a number; one without a readable node has 0."""
        self.sysfs.add("sda", files=[("device/devtype", b"scsi_device\n")])
        self.sysfs.add("sdb", files=[("device/nodename", b"device/vbd/51792\n")])
        for name, node in (("xvdg", b"backend/vbd/51808\n"), ("xvdh", b"device/vbd/\n")):
            files = [("device/devtype", b"vbd\n"), ("device/nodename", node)]
            self.sysfs.add(name, files=files)
        self.assertEqual(
            [None, None, 0, 0],
            [device.xen_number for device in read_block_devices(self.sysfs.root)],
        )

    def test_root(self):
        """The disk of the root file system is found from one of its partitions."""
        self.sysfs.add_xen("xvda", XVDA, partitions=["xvda1"])
        link_root(self.sysfs, "devices", "vbd-51712", "block", "xvda", "xvda1")
        self.assertEqual(u"xvda", root_disk(self.sysfs.root))

    def test_root_on_a_disk(self):
        """The root file system may be on a whole disk."""
        self.sysfs.add_xen("xvda", XVDA)
        link_root(self.sysfs, "devices", "vbd-51712", "block", "xvda")
        self.assertEqual(u"xvda", root_disk(self.sysfs.root))

    def test_root_elsewhere(self):
        """A root file system without a device of its own, such as a container's, has no disk."""
        self.assertIs(None, root_disk(self.sysfs.root))


class SearchTests(SynchronousTestCase):
    """The finder on a Xen host."""

    def setUp(self):
        self.sysfs = FakeSysfs(self.mktemp())
        self.sysfs.add_xen("xvda", XVDA, 8 * MIB, partitions=["xvda1"])
        self.clock = Clock()
        self.finder = DeviceFinder(
            self.clock,
            sysfs=self.sysfs.root,
            dev=FilePath("/dev"),
            events=lambda changed: lambda: None,
        )
        self.patch(_block_devices, "check_node", lambda *arguments: None)

    def test_attach_and_detach(self):
        """The device is waited for, found again, and waited for until it is gone."""
        d = self.finder.wait_until_present(VOLUME, MIB, names=AT_SDF)
        self.clock.advance(1)
        self.assertNoResult(d)
        self.sysfs.add_xen("xvdf", XVDF)
        self.clock.advance(1)
        found = self.successResultOf(d)
        self.assertEqual((FilePath("/dev/xvdf"), MIB), (found, found.size))
        self.assertEqual(found, self.finder.find(VOLUME, MIB, names=AT_SDF))
        gone = self.finder.wait_until_gone(VOLUME, AT_SDF)
        self.clock.advance(1)
        self.assertNoResult(gone)
        self.sysfs.remove("xvdf")
        self.clock.advance(1)
        self.assertIs(None, self.successResultOf(gone))

    def test_without_names(self):
        """Without a name, a disk of the size is named, and refused."""
        self.sysfs.add_xen("xvdf", XVDF)
        error = self.assertRaises(DeviceUnidentified, self.finder.find, VOLUME, MIB)
        self.assertIn(u"xvdf", error.message)
        others = {OTHER: u"/dev/sdf"}
        self.assertRaises(DeviceUnidentified, self.finder.find, VOLUME, MIB, names=others)

    def test_contradiction(self):
        """A contradiction ends the wait."""
        d = self.finder.wait_until_present(VOLUME, MIB, names={VOLUME: u"/dev/sdf1"})
        self.failureResultOf(d, DeviceNameDoubtful)

    def test_root(self):
        """The disk of the root file system is refused, also if EC2 gives its name to a volume."""
        link_root(self.sysfs, "devices", "vbd-51712", "block", "xvda", "xvda1")
        names = {VOLUME: u"/dev/sda"}
        self.assertRaises(DeviceNameDoubtful, self.finder.find, VOLUME, 8 * MIB, names=names)

    def test_own_identity(self):
        """A device with the volume's serial number is the volume's, whatever the names are."""
        self.sysfs.add_xen("xvdf", XVDF)
        mine = VOLUME.replace(u"-", u"").encode("ascii")
        self.sysfs.add("nvme1n1", files=[("device/serial", mine)])
        self.assertEqual(FilePath("/dev/nvme1n1"), self.finder.find(VOLUME, MIB, names=AT_SDF))
        self.sysfs.add("nvme2n1", files=[("device/serial", mine)])
        self.assertRaises(DeviceAmbiguous, self.finder.find, VOLUME, MIB, names=AT_SDF)

    def test_not_on_xen(self):
        """On a host without Xen's disks, the name has no effect."""
        self.sysfs.remove("xvda")
        self.assertFalse(self.finder.needs_names())
        self.sysfs.add("sdf", files=[("device/type", b"0\n")])
        self.assertRaises(DeviceUnidentified, self.finder.find, VOLUME, MIB, names=AT_SDF)
        self.assertIs(None, self.successResultOf(self.finder.wait_until_gone(VOLUME, AT_SDF)))

    def test_needs_names(self):
        """The names are needed on a Xen host; one whose devices can't be read needs none yet."""
        self.assertTrue(self.finder.needs_names())
        self.sysfs.root.remove()
        self.assertFalse(self.finder.needs_names())

    def test_busy(self):
        """The device is checked for users by its name."""
        self.sysfs.add_xen("xvdf", XVDF)
        self.patch(_block_devices, "_is_claimed", lambda path: path.path == "/dev/xvdf")
        self.finder.refuse_if_busy(VOLUME)
        self.finder.refuse_if_busy(VOLUME, {VOLUME: u"/dev/sdg"})
        self.assertRaises(DeviceBusy, self.finder.refuse_if_busy, VOLUME, AT_SDF)

    def test_grown(self):
        """The growth is waited for until the device has the new size."""
        self.sysfs.add_xen("xvdf", XVDF)
        reports = []
        d = self.finder.wait_until_grown(VOLUME, 2 * MIB, False, reports.append, AT_SDF)
        self.clock.advance(1)
        self.assertNoResult(d)
        self.assertIn(u"1048576 bytes, not 2097152", reports[0].value.message)
        self.assertNotIn(DeviceMismatch.remedy, reports[0].value.message)
        self.sysfs.write("xvdf", "size", b"4096\n")
        self.clock.advance(1)
        self.assertEqual(2 * MIB, self.successResultOf(d).size)

    def test_kept_path(self):
        """A path that a caller keeps is checked again by the name, and ends with the device."""
        self.sysfs.add_xen("xvdf", XVDF)
        path = self.finder.find(VOLUME, MIB, names=AT_SDF)
        self.patch(FilePath, "isBlockDevice", lambda path: True)
        self.assertTrue(path.isBlockDevice())
        self.sysfs.remove("xvdf")
        self.assertFalse(path.isBlockDevice())

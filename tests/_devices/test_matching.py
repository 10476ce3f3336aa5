"""
Tests for :mod:`txstorage._devices.matching` and :mod:`txstorage._devices.nodes`.
"""

from __future__ import absolute_import, division, print_function

import errno
import os
import stat
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from txstorage._devices import block_devices as _block_devices
from txstorage._devices.matching import fits, fits_exactly, match, verified
from txstorage._devices.nodes import check_node
from txstorage._devices.sysfs import BlockDevice
from txstorage.errors import (
    DeviceAmbiguous,
    DeviceError,
    DeviceMismatch,
    DeviceNotFound,
    DeviceUnidentified,
)

from ..helpers.properties import RELAXED
from ..helpers.sysfs import MIB, OTHER, VOLUME, serial

PLAIN = VOLUME.replace(u"-", u"")


def device(name=u"vda", size=MIB, identities=(), **more):
    """Return a :class:`BlockDevice`."""
    return BlockDevice(
        name=name, size=size, major=8, minor=1, identities=frozenset(identities), **more
    )


class FitsTests(SynchronousTestCase):
    """The identities of a volume."""

    def check(self, expected, volume_id, *identities):
        """Assert the result of :func:`fits`."""
        self.assertIs(fits(volume_id, device(identities=identities)), expected, identities)

    def test_serials(self):
        """A serial number fits in full or truncated to 20 characters, with or without hyphens."""
        for text in (VOLUME, PLAIN, VOLUME[:20], PLAIN[:20]):
            self.check(True, VOLUME, serial(text))

    def test_other_lengths(self):
        """No other part of the id fits, nor the id within a longer text."""
        for text in [VOLUME[:n] for n in range(36) if n != 20]:
            self.check(False, VOLUME, serial(text))
        for text in (VOLUME[:20] + u"x", VOLUME + u"x", u"x" + VOLUME, u"snapshot-" + VOLUME):
            self.check(False, VOLUME, serial(text))

    def test_same_beginning(self):
        """
        A device with another volume's full id does not fit, although both ids begin with the same
        characters.
        """
        sibling = VOLUME[:20] + u"f" * 16
        self.check(False, VOLUME, serial(VOLUME[:20]), serial(sibling))
        self.check(True, VOLUME, serial(VOLUME[:20]), serial(OTHER))

    def test_files(self):
        """A file's name fits with these prefixes and suffixes only."""
        for name in (u"{}", u"volume-{}", u"{}.img", u"{}.raw", u"volume-{}.img"):
            self.check(True, VOLUME, u"file:" + name.format(VOLUME))
        for name in (VOLUME[:20], PLAIN, VOLUME + u".qcow2", u"old-" + VOLUME, u""):
            self.check(False, VOLUME, u"file:" + name)

    def test_wwn(self):
        """A WWN fits if it is the whole id, without hyphens: 16 bytes."""
        self.check(True, VOLUME, u"wwn:" + PLAIN)
        for text in (PLAIN[:16], PLAIN[:20], PLAIN + u"0", u"6" + PLAIN[1:], VOLUME, u""):
            self.check(False, VOLUME, u"wwn:" + text)

    def test_kinds_are_apart(self):
        """A file's name is not compared as a serial number, nor a serial number as a WWN."""
        self.check(False, VOLUME, u"file:" + VOLUME[:20])
        self.check(False, VOLUME, serial(u"volume-" + VOLUME))
        self.check(False, u"vol-1", u"wwn:vol-1")

    def test_ebs(self):
        """
        An EBS volume's serial number is its id without the hyphen, whole; no part of it fits, and
        no longer one does.
        """
        for volume_id, number in (
            (u"vol-0123456789abcdef0", u"vol0123456789abcdef0"), (u"vol-1234abcd", u"vol1234abcd"),
        ):
            self.check(True, volume_id, serial(number))
            self.assertTrue(fits_exactly(volume_id, device(identities=[serial(number)])))
            self.check(False, volume_id, serial(number[:-1]))
            self.check(False, volume_id, serial(number + u"1"))
            self.check(False, volume_id, u"file:" + number)
        # Instance stores have serial numbers of their own.
        self.check(False, u"vol-0123456789abcdef0", serial(u"AWS0123456789ABCDEF0"))

    def test_embedded_ec2(self):
        """
        The file of an EBS volume of the embedded service begins like the volume's id, which no
        other volume of the service shares.
        """
        volume_id = u"vol-" + PLAIN[:17]
        for name in (VOLUME, u"volume-{}".format(VOLUME), VOLUME + u".img"):
            self.check(True, volume_id, u"file:" + name)
        for name in (OTHER, VOLUME[:20], u"x" + VOLUME, VOLUME + u"x"):
            self.check(False, volume_id, u"file:" + name)
        mine = device(u"loop0", identities=[u"file:" + VOLUME])
        self.assertTrue(fits_exactly(volume_id, mine))
        self.assertIs(match(volume_id, 2 * MIB, [mine]), mine)
        self.check(False, u"vol-" + PLAIN[:8], u"file:" + VOLUME)

    def test_not_a_uuid(self):
        """An id that is not a UUID fits in full only."""
        volume_id = u"disk-0123456789abcdef0"
        self.check(True, volume_id, serial(volume_id))
        self.check(True, volume_id, u"file:" + volume_id)
        self.check(False, volume_id, serial(volume_id[:20]))
        self.check(False, volume_id, serial(volume_id.replace(u"-", u"")))
        self.check(False, volume_id, u"file:volume-" + volume_id)

    def test_empty(self):
        """An empty id fits nothing."""
        self.check(False, u"", serial(u""), u"file:", u"file:volume-")


class MatchTests(SynchronousTestCase):
    """The choice of the volume's device."""

    def test_found(self):
        """The device with the identity is returned."""
        mine = device(u"vdb", identities=[serial(VOLUME[:20])])
        others = [device(u"vda", identities=[serial(OTHER)]), device(u"vdc")]
        self.assertEqual(match(VOLUME, MIB, others + [mine]), mine)

    def test_not_found(self):
        """The only device of the size is not returned without the identity."""
        error = self.assertRaises(
            DeviceNotFound, match, VOLUME, MIB, [device(identities=[serial(OTHER)])]
        )
        self.assertEqual(error.volume_id, VOLUME)

    def test_ambiguous(self):
        """Two devices with the identity are refused; the error names both."""
        pair = [
            device(u"vdb", identities=[serial(VOLUME[:20])]),
            device(u"loop3", size=0, identities=[u"file:" + VOLUME]),
        ]
        error = self.assertRaises(DeviceAmbiguous, match, VOLUME, MIB, pair)
        self.assertIn(u"loop3, vdb", error.message)

    def test_no_size_yet(self):
        """A device without a size is not found yet."""
        self.assertRaises(
            DeviceNotFound, match, VOLUME, MIB, [device(size=0, identities=[serial(VOLUME)])]
        )

    def paths(self, holders=(u"dm-0",), identity=serial(VOLUME)):
        """Return two paths to one volume."""
        return [
            device(name, identities=[identity], holders=frozenset(holders))
            for name in (u"sda", u"sdb")
        ]

    def top(self, name=u"dm-0", paths=(u"sda", u"sdb")):
        """Return a multipath device."""
        return device(name, paths=frozenset(paths))

    def test_multipath(self):
        """A multipath device replaces its paths, also when it has only one."""
        self.assertEqual(match(VOLUME, MIB, self.paths() + [self.top()]), self.top())
        single = self.top(paths=[u"sda"])
        self.assertEqual(match(VOLUME, MIB, self.paths()[:1] + [single]), single)

    def test_multipath_wwn(self):
        """A multipath device whose paths have the volume's id as their WWN is found."""
        paths = self.paths(identity=u"wwn:" + PLAIN)
        self.assertEqual(match(VOLUME, MIB, paths + [self.top()]), self.top())
        self.assertRaises(DeviceNotFound, match, OTHER, MIB, paths + [self.top()])

    def test_multipath_size(self):
        """The identity of a multipath device's paths decides whether its size may differ."""
        exact = self.paths() + [self.top()]
        self.assertEqual(match(VOLUME, 2 * MIB, exact), self.top())
        cut = self.paths(identity=serial(VOLUME[:20])) + [self.top()]
        self.assertEqual(match(VOLUME, MIB, cut), self.top())
        self.assertRaises(DeviceMismatch, match, VOLUME, 2 * MIB, cut)
        one_is_cut = exact[:1] + cut[1:]
        self.assertRaises(DeviceMismatch, match, VOLUME, 2 * MIB, one_is_cut)

    def test_multipath_in_doubt(self):
        """A multipath device with other paths, or paths with another holder, are ambiguous."""
        for devices in (
            self.paths(),
            self.paths() + [device(u"dm-0")],
            self.paths() + [self.top(paths=[u"sda"])],
            self.paths() + [self.top(paths=[u"sda", u"sdb", u"sdc"])],
            self.paths()[:1] + [self.top()],
            self.paths(holders=[u"dm-0", u"dm-1"]) + [self.top()],
            self.paths(holders=[]) + [self.top()],
            self.paths() + [self.top(), self.top(u"dm-1")],
        ):
            self.assertRaises(DeviceAmbiguous, match, VOLUME, MIB, devices)

    def test_a_holder_that_is_not_multipath(self):
        """A logical volume on the device is not returned."""
        mine = device(u"sda", identities=[serial(VOLUME)], holders=frozenset([u"dm-7"]))
        self.assertEqual(match(VOLUME, MIB, [mine, device(u"dm-7")]), mine)


SECTOR = 512
GIB = 1024 * MIB
EXACT = [serial(VOLUME), serial(PLAIN), u"wwn:" + PLAIN, u"file:volume-" + VOLUME]
CUT = [serial(VOLUME[:20]), serial(PLAIN[:20])]


class SizeTests(SynchronousTestCase):
    """A device whose size is not the volume's."""

    def outcome(self, identity, size, encrypted=False):
        """Return the device of a volume of 2 GiB, or the class of the error."""
        mine = device(size=size, identities=[identity])
        try:
            return match(VOLUME, 2 * GIB, [mine], encrypted) is mine
        except DeviceError as error:
            return type(error)

    @settings(**RELAXED)
    @given(st.sampled_from(EXACT), st.integers(1, 10 * GIB // SECTOR), st.booleans())
    def test_exact(self, identity, sectors, encrypted):
        """An exact identity is sufficient for every size, smaller or larger."""
        self.assertIs(True, self.outcome(identity, sectors * SECTOR, encrypted))

    @settings(**RELAXED)
    @given(st.sampled_from(CUT), st.integers(1, 10 * GIB // SECTOR))
    def test_truncated(self, identity, sectors):
        """A truncated identity is sufficient for the volume's own size only."""
        for size in {sectors * SECTOR, GIB, 2 * GIB - SECTOR, 2 * GIB + SECTOR, 3 * GIB}:
            if size != 2 * GIB:
                self.assertIs(DeviceMismatch, self.outcome(identity, size))
        self.assertIs(True, self.outcome(identity, 2 * GIB))

    def test_encrypted(self):
        """
        The device of an encrypted volume may lack the header of LUKS: of QEMU (4,040 sectors),
        LUKS1 or LUKS2.
        """
        for identity in CUT:
            for missing in (0, 4040 * SECTOR, 2 * MIB, 16 * MIB):
                self.assertIs(True, self.outcome(identity, 2 * GIB - missing, encrypted=True))

    def test_not_a_header(self):
        """Only the size of a header may be missing: any other device may be another volume's."""
        for identity in CUT:
            for size in (GIB, 2 * GIB - 16 * MIB - SECTOR, 2 * GIB + SECTOR, 3 * GIB - 16 * MIB):
                self.assertIs(DeviceMismatch, self.outcome(identity, size, encrypted=True))

    def test_message(self):
        """The error gives both sizes, and the reason why the device is in doubt."""
        mine = device(u"vdb", identities=[serial(VOLUME[:20])])
        error = self.assertRaises(DeviceMismatch, match, VOLUME, 2 * MIB, [mine])
        for part in (u"vdb", u"begins like", u"1048576 bytes, not 2097152", VOLUME):
            self.assertIn(part, error.message)

    def test_another_encrypted_volume(self):
        """Two devices with the truncated identity are ambiguous, whatever their sizes."""
        pair = [
            device(name, size=size, identities=CUT[:1])
            for name, size in [(u"vdb", 2 * GIB - 2 * MIB), (u"vdc", GIB)]
        ]
        self.assertRaises(DeviceAmbiguous, match, VOLUME, 2 * GIB, pair, True)


class UnidentifiedTests(SynchronousTestCase):
    """Hosts whose disks have no identity, such as Xen and Hyper-V."""

    def missing(self, *devices, **options):
        """Return the error for a volume that no device fits."""
        return self.assertRaises(DeviceNotFound, match, VOLUME, MIB, devices, **options)

    def test_xen(self):
        """A disk of the volume's size without any identity is named, and not used."""
        error = self.missing(device(u"xvda", size=MIB + 1, is_disk=True),
                             device(u"xvdb", is_disk=True))
        self.assertIsInstance(error, DeviceUnidentified)
        self.assertIn(u"xvdb", error.message)
        self.assertNotIn(u"xvda", error.message)
        for part in (u"Xen and Hyper-V", u"attach_through: storage", u"instance_id"):
            self.assertIn(part, error.remedy)

    def test_hyper_v(self):
        """An identity that can't be a volume's, such as the hypervisor's own, does not count."""
        own = [u"wwn:60022480e3b7c1d2f0a95c21b64f8e07", serial(u"QM00001"), u"file:disk"]
        error = self.missing(device(u"sdb", identities=own, is_disk=True))
        self.assertIsInstance(error, DeviceUnidentified)
        self.assertIn(u"sdb", error.message)

    def test_encrypted(self):
        """A disk that has the size of the encrypted volume's device is named, too."""
        small = device(u"xvdb", size=MIB - 512, is_disk=True)
        self.assertIsInstance(self.missing(small, encrypted=True), DeviceUnidentified)
        self.assertNotIsInstance(self.missing(small), DeviceUnidentified)

    def test_others(self):
        """Other volumes' disks, and devices that are not disks, do not count."""
        plain = OTHER.replace(u"-", u"")
        for other in (serial(OTHER), serial(OTHER[:20]), serial(plain[:20]), u"wwn:" + plain):
            error = self.missing(device(identities=[other], is_disk=True), device(u"loop0"))
            self.assertNotIsInstance(error, DeviceUnidentified)
        self.assertNotIsInstance(self.missing(), DeviceUnidentified)


_texts = st.sampled_from(
    [VOLUME, PLAIN, VOLUME[:20], PLAIN[:20], VOLUME[:19], VOLUME[:20] + u"0", OTHER[:20], u""]
    + [OTHER]
)
_identity = st.builds(
    lambda kind, text: kind + text,
    st.sampled_from([u"serial:", u"wwn:", u"file:", u"file:volume-"]),
    _texts,
)
_names = st.sets(st.sampled_from([u"a", u"b", u"dm-0"]), max_size=2).map(frozenset)
_device = st.builds(
    BlockDevice,
    name=st.just(u"x"),
    size=st.sampled_from([0, MIB, 2 * MIB]),
    major=st.just(8),
    minor=st.integers(min_value=0, max_value=255),
    identities=st.sets(_identity, max_size=3).map(frozenset),
    holders=_names,
    paths=st.one_of(st.just(frozenset()), _names),
)


@st.composite
def _hosts(draw):
    """Draw up to three devices with different names."""
    found = draw(st.lists(_device, max_size=3))
    named = zip([u"a", u"b", u"dm-0"], found)
    return [
        BlockDevice(name, d.size, d.major, d.minor, d.identities, d.holders, d.paths)
        for name, d in named
    ]


def outcome(volume_id, devices):
    """Return the device, or the class of the error."""
    try:
        return match(volume_id, MIB, devices)
    except DeviceError as error:
        return type(error)


class MatchPropertyTests(SynchronousTestCase):
    """Properties for any devices of a host."""

    @settings(**RELAXED)
    @given(_hosts(), st.sampled_from([VOLUME, OTHER, VOLUME[:20], u""]))
    def test_never_a_device_that_does_not_fit(self, devices, volume_id):
        """
        The device returned has the identity, or is the multipath device of all devices with the
        identity; no other device has the identity; and if it is not exact, the size is right.
        """
        found = outcome(volume_id, devices)
        fitting = {one.name for one in devices if fits(volume_id, one)}
        if not isinstance(found, BlockDevice):
            self.assertTrue(issubclass(found, DeviceError))
            return
        proven = {one.name for one in devices if fits_exactly(volume_id, one)}
        self.assertTrue(found.size == MIB or fitting == proven and found.size > 0)
        self.assertTrue(fitting)
        self.assertIn(fitting, [{found.name}, set(found.paths)])

    @settings(**RELAXED)
    @given(_hosts())
    def test_order_does_not_matter(self, devices):
        """The result does not depend on the order of the devices."""
        outcomes = {outcome(VOLUME, order) for order in permutations(devices)}
        self.assertEqual(len(outcomes), 1)


class Status(object):
    """A fake result of ``lstat``."""

    def __init__(self, mode, major, minor):
        self.st_mode = mode
        self.st_rdev = os.makedev(major, minor)


class VerifiedTests(SynchronousTestCase):
    """The device at the expected path."""

    def verify(self, *devices, **options):
        """Return the result of :func:`verified` for the expected path /dev/x, device 8:1."""
        size = options.get("size", MIB)
        return verified(VOLUME, size, devices, u"/dev/x", (8, 1))

    def other(self, *identities):
        """Return another device."""
        return BlockDevice(
            name=u"vdb", size=MIB, major=8, minor=2, identities=frozenset(identities)
        )

    def test_without_identity(self):
        """A device without an identity is accepted by its number and size."""
        mine = device()
        self.assertIs(mine, self.verify(self.other(), mine))

    def test_other_serial(self):
        """A serial number of the storage's own is ignored."""
        mine = device(identities=[serial(u"LIO-ORG disk0")])
        self.assertIs(mine, self.verify(mine))

    def test_own_file(self):
        """A loop device on the volume's file is accepted."""
        mine = device(identities=[u"file:volume-" + VOLUME])
        self.assertIs(mine, self.verify(mine))

    def test_other_file(self):
        """A loop device on another file is refused; the error names the file."""
        wrong = device(identities=[u"file:volume-" + OTHER])
        error = self.assertRaises(DeviceMismatch, self.verify, wrong)
        self.assertIn(u"on the file volume-" + OTHER, error.message)

    def test_other_identity(self):
        """The device is refused when another device has the volume's identity."""
        error = self.assertRaises(
            DeviceAmbiguous, self.verify, device(), self.other(serial(VOLUME))
        )
        self.assertIn(u"vdb", error.message)

    def test_no_device(self):
        """A path that is not a whole device of this host is reported as not found."""
        self.assertRaises(DeviceNotFound, self.verify, self.other())

    def test_size(self):
        """
        Another size is refused, unless the device has an exact identity; a device without a size is
        not found yet.
        """
        error = self.assertRaises(DeviceMismatch, self.verify, device(), size=2 * MIB)
        self.assertIn(u"1048576 bytes, not 2097152", error.message)
        cut = device(identities=CUT[:1])
        self.assertRaises(DeviceMismatch, self.verify, cut, size=2 * MIB)
        for identity in EXACT:
            mine = device(identities=[identity])
            self.assertIs(mine, self.verify(mine, size=2 * MIB))
        self.assertRaises(DeviceNotFound, self.verify, device(size=0))

    def test_encrypted(self):
        """The device of an encrypted volume may lack the header."""
        mine = device(size=MIB)
        found = verified(VOLUME, 17 * MIB, [mine], u"/dev/x", (8, 1), encrypted=True)
        self.assertIs(mine, found)
        self.assertRaises(
            DeviceMismatch, verified, VOLUME, 18 * MIB, [mine], u"/dev/x", (8, 1), encrypted=True
        )


class NodeCheckTests(SynchronousTestCase):
    """The check of a device node."""

    path = FilePath("/dev/vda")

    def check(self, status):
        """Check a node with this status; the device is 8:1."""
        return check_node(VOLUME, device(), self.path, lstat=lambda volume_id, path: status)

    def test_right(self):
        """A node with the device's number is accepted."""
        self.assertIsNone(self.check(Status(stat.S_IFBLK | 0o600, 8, 1)))

    def test_other_number(self):
        """A node of another number is refused; the error gives both numbers."""
        for number in ((8, 2), (7, 1)):
            error = self.assertRaises(
                DeviceMismatch, self.check, Status(stat.S_IFBLK | 0o600, *number)
            )
            self.assertIn(u"is device {}:{}, but the volume's".format(*number), error.message)

    def test_other_kind(self):
        """A character device, a file or a link is refused."""
        for kind in (stat.S_IFCHR, stat.S_IFREG, stat.S_IFLNK):
            error = self.assertRaises(DeviceMismatch, self.check, Status(kind, 8, 1))
            self.assertIn(u"/dev/vda for volume " + VOLUME, error.message)

    def test_absent(self):
        """A node that does not exist is not found yet."""
        missing = FilePath(self.mktemp())
        self.assertRaises(DeviceNotFound, check_node, VOLUME, device(), missing)

    def test_unreachable(self):
        """The error for a node that can't be examined gives the reason."""
        blocked = FilePath(self.mktemp())
        blocked.setContent(b"")
        error = self.assertRaises(
            DeviceError, check_node, VOLUME, device(), blocked.child("vda")
        )
        self.assertNotIsInstance(error, DeviceNotFound)
        self.assertIn(os.strerror(errno.ENOTDIR), error.message)

    def test_claimed(self):
        """Only EBUSY means that a device is claimed."""
        for number, expected in ((errno.EBUSY, True), (errno.EACCES, False)):

            def refuse(path, flags, number=number):
                raise OSError(number, "failed")

            self.patch(os, "open", refuse)
            self.assertIs(_block_devices._is_claimed(self.path), expected)

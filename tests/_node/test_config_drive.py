"""
Tests for :mod:`txstorage._node.config_drive` and the readers of file systems, with
images and with real loop devices.
"""

from __future__ import absolute_import, division, print_function

import json
import os
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from txstorage._node.config_drive import ConfigDrive, NoMetadata
from txstorage._node.image_reader import UnreadableImage
from txstorage._node.instance_id import NodeIdentity
from txstorage._node.iso9660 import Iso9660
from txstorage._node.vfat import VFat
from txstorage._support import loop_devices
from txstorage.interfaces import UnknownInstanceID

from ..helpers.images import drive, iso_image, vfat_image
from ..helpers.machine import NODE, Client, Compute
from ..helpers.properties import RELAXED

METADATA = (u"openstack", u"latest", u"meta_data.json")
CONTENT = json.dumps({"uuid": NODE, "padding": "x" * 5000}).encode("ascii")

#: What people's tools make, and how to read it.
IMAGES = [
    ("Joliet", Iso9660, iso_image(drive(CONTENT))),
    ("Rock Ridge", Iso9660, iso_image(drive(CONTENT), joliet=False, rock_ridge=True)),
    ("ISO 9660 alone", Iso9660, iso_image(drive(CONTENT), joliet=False)),
    ("FAT12", VFat, vfat_image(drive(CONTENT), 12)),
    ("FAT16", VFat, vfat_image(drive(CONTENT), 16)),
    ("FAT32", VFat, vfat_image(drive(CONTENT), 32)),
]

#: With the places in them where there is something.
SMALL = [
    (kind, image, [at for at in range(len(image)) if image[at : at + 1] not in (b"\0", b"x")])
    for _, kind, image in IMAGES[:4]
]


def reader(image):
    return lambda offset, size: image[offset : offset + size]


def mounts(device):
    """:return: the mount points of a device from the kernel's table, which other tests extend."""
    number = os.stat(device).st_rdev
    wanted = "{}:{}".format(os.major(number), os.minor(number))
    with open("/proc/self/mountinfo") as table:
        return "".join(line for line in table if line.split()[2] == wanted)


class ReadersTests(SynchronousTestCase):
    """Small files out of images."""

    def test_file_and_label(self):
        """Exactly one reader recognizes each kind of image; it finds the label and the file."""
        for name, kind, image in IMAGES:
            found = kind.of(reader(image))
            self.assertEqual(u"config-2", found.label.lower(), name)
            self.assertEqual(CONTENT, found.file(METADATA), name)
            [other] = {Iso9660, VFat} - {kind}
            self.assertIs(None, other.of(reader(image)), name)

    def test_many_entries(self):
        """A directory may be longer than a sector or a cluster; order means nothing."""
        tree = drive(CONTENT)
        tree[u"openstack"][u"latest"].update(
            (u"a rather long name, number {}.txt".format(n), b"") for n in range(100)
        )
        for image in (iso_image(tree), vfat_image(tree)):
            found = Iso9660.of(reader(image)) or VFat.of(reader(image))
            self.assertEqual(CONTENT, found.file(METADATA))

    def test_not_there(self):
        """The error names a missing file, and a file in the place of a directory."""
        for tree in (
            {},
            {u"openstack": {}},
            {u"openstack": b"a file"},
            {u"openstack": {u"latest": b"a file"}},
            {u"openstack": {u"latest": {u"meta_data.jso": b""}}},
        ):
            for image in (iso_image(tree), vfat_image(tree)):
                found = Iso9660.of(reader(image)) or VFat.of(reader(image))
                error = self.assertRaises(UnreadableImage, found.file, METADATA)
                self.assertEqual(u"there is no openstack/latest/meta_data.json", error.args[0])

    def test_empty(self):
        """An empty file is empty."""
        for image in (iso_image(drive(b"")), vfat_image(drive(b""))):
            found = Iso9660.of(reader(image)) or VFat.of(reader(image))
            self.assertEqual(b"", found.file(METADATA))

    def test_bounded(self):
        """Of an endless file a MiB is read."""
        for image in (iso_image(drive(b"x" * 1100000)), vfat_image(drive(b"x" * 1100000))):
            found = Iso9660.of(reader(image)) or VFat.of(reader(image))
            self.assertEqual(1048576, len(found.file(METADATA)))

    def test_circle(self):
        """Clusters that go in a circle are not followed for ever."""
        tree = drive(CONTENT)
        tree[u"openstack"].update((u"a file with number {}".format(n), b"") for n in range(9))
        image = bytearray(vfat_image(tree))
        table = 512
        for cluster in range(2, 60):
            image[table + cluster * 2 : table + cluster * 2 + 2] = bytearray([cluster, 0])
        found = VFat.of(reader(bytes(image)))
        self.assertRaises(UnreadableImage, found.file, METADATA[:1] + (u"none",))

    def test_cut_short(self):
        """Of an image that ends too early the file is whole, or refused."""
        for name, kind, image in IMAGES:
            for size in list(range(0, 60000, 512)) + [573440, 580000]:
                found = kind.of(reader(image[:size]))
                if found is not None and size < len(image):
                    try:
                        self.assertIn(found.label.lower(), (u"config-2", u""), name)
                        self.assertEqual(CONTENT, found.file(METADATA), name)
                    except UnreadableImage:
                        pass

    def test_damaged_directory(self):
        """A directory of ISO 9660 whose records make no sense is refused."""
        image = bytearray(IMAGES[2][2])
        root = bytes(image).index(b"openstack") - 33
        for length in (5, 33):
            image[root] = length
            found = Iso9660.of(reader(bytes(image)))
            error = self.assertRaises(UnreadableImage, found.file, METADATA)
            self.assertEqual(u"a directory of it is damaged", error.args[0])

    def test_endless_descriptors(self):
        """An image without an end to its descriptors is read all the same."""
        image = bytearray(IMAGES[2][2].ljust(200 * 2048, b"\0"))
        for sector in range(17, 150):
            image[sector * 2048 : sector * 2048 + 7] = b"\3CD001\1"
        self.assertEqual(u"config-2", Iso9660.of(reader(bytes(image))).label)

    def test_label_in_the_boot_sector(self):
        """Without a label in the root directory of a vfat, the boot sector's counts."""
        for bits in (12, 16, 32):
            image = vfat_image({}, bits)
            at = image.index(b"CONFIG-2", 512)
            image = image[: at - at % 32] + b"\0" * 32 + image[at - at % 32 + 32 :]
            self.assertEqual(u"CONFIG-2", VFat.of(reader(image)).label)

    def test_none_of_them(self):
        """Anything else is neither."""
        for image in (b"", b"\0" * 100000, os.urandom(510) + b"\0\0", b"x" * 40000):
            self.assertIs(None, Iso9660.of(reader(image)))
            self.assertIs(None, VFat.of(reader(image)))

    @settings(**RELAXED)
    @given(st.data())
    def test_damaged(self, data):
        """A damaged image is read, or refused: there is no third."""
        kind, image, used = data.draw(st.sampled_from(SMALL))
        damaged = bytearray(image)
        for at in data.draw(st.lists(st.sampled_from(used), min_size=1, max_size=20)):
            damaged[at] = data.draw(st.integers(0, 255))
        damaged = bytes(damaged[: data.draw(st.sampled_from([len(image), 40000, 35000, 600]))])
        found = kind.of(reader(damaged))
        if found is not None:
            self.assertIsInstance(found.label, type(u""))
            try:
                self.assertIsInstance(found.file(METADATA), bytes)
            except UnreadableImage:
                pass


class DriveTestCase(SynchronousTestCase):
    """A machine without a config drive, unless a test adds one."""

    def setUp(self):
        self.root = FilePath(os.path.abspath(self.mktemp()))
        self.table = self.root.child("mounts")
        self.labels = self.root.child("by-label")
        self.sysfs = self.root.child("sys")
        self.dev = self.root.child("dev")
        for directory in (self.labels, self.dev):
            directory.makedirs()
        self.table.setContent(b"")

    def drive(self):
        return ConfigDrive(self.table, self.labels, self.sysfs, self.dev)

    def add(self, name, image, labelled=True):
        """A device, with the link that udev makes."""
        path = self.dev.child(name)
        path.setContent(image)
        size = self.sysfs.descendant(["class", "block", name, "size"])
        size.parent().makedirs()
        size.setContent("{}\n".format(len(image) // 512).encode("ascii"))
        if labelled:
            os.symlink(path.path, self.labels.child("config-2").path)

    def refused(self):
        return str(self.assertRaises(NoMetadata, self.drive().metadata))


class ConfigDriveTests(DriveTestCase):
    """The search for the drive, and its errors."""

    def test_not_mounted(self):
        """A drive that is not mounted is read from the device."""
        self.add("sr0", IMAGES[0][2])
        self.assertEqual(CONTENT, self.drive().metadata())

    def test_mounted(self):
        """A mounted drive is read at its mount point, and the device is not opened."""
        self.add("sr0", b"")
        place = self.root.child("a place")
        file = place.descendant(METADATA)
        file.parent().makedirs()
        file.setContent(CONTENT)
        self.table.setContent("{} {} iso9660 ro 0 0\n".format(
            self.dev.child("sr0").path, place.path.replace(" ", "\\040")
        ).encode("utf-8"))
        self.assertEqual(CONTENT, self.drive().metadata())

    def test_hidden_mount(self):
        """A mount that shows something else does not hinder reading the device."""
        self.add("sr0", IMAGES[3][2])
        self.table.setContent("{} {} vfat ro 0 0\n".format(
            self.dev.child("sr0").path, self.root.path
        ).encode("utf-8"))
        self.assertEqual(CONTENT, self.drive().metadata())

    def test_every_source_is_reported(self):
        """The error names each place and device, and what was wrong with it."""
        self.add("sr0", b"\0" * 100000)
        self.table.setContent("{} {} vfat ro 0 0\n".format(
            self.dev.child("sr0").path, self.root.path
        ).encode("utf-8"))
        text = self.refused()
        self.assertIn("{}: No such file or directory".format(self.root.path), text)
        self.assertIn("sr0: it is neither mounted nor ISO 9660 or vfat", text)

    def test_none(self):
        """A missing drive is an error."""
        self.assertEqual("there is none", self.refused())

    def test_no_udev(self):
        """Without udev's links the labels are read from the devices."""
        self.labels.remove()
        self.assertEqual("there is none", self.refused())
        self.add("sda", b"\0" * 4096, labelled=False)
        self.add("sdb", iso_image(drive(b"other"), label=u"other"), labelled=False)
        self.add("sdc", vfat_image(drive(CONTENT)), labelled=False)
        self.assertEqual(CONTENT, self.drive().metadata())

    def test_no_udev_and_odd_devices(self):
        """Devices without a disc or a node are skipped, and floppies are not opened."""
        self.labels.remove()
        for name in ("fd0", "sr0", "sda"):
            self.add(name, IMAGES[0][2], labelled=False)
        self.sysfs.descendant(["class", "block", "sr0", "size"]).setContent(b"0\n")
        self.sysfs.descendant(["class", "block", "odd"]).makedirs()
        self.dev.child("sda").remove()
        self.assertEqual("there is none", self.refused())


class RealDriveTests(DriveTestCase):
    """A config drive on a loop device."""

    def attach(self, image):
        """
        :return: the path of a loop device, with the link that udev makes.
        """
        if os.geteuid() != 0 or not os.path.exists("/dev/loop-control"):
            raise SkipTest("loop devices take root and a kernel that has them")
        file = self.root.child("image")
        file.setContent(image)
        return self.attach_file(file.path)

    def attach_file(self, path):
        device = subprocess.check_output(
            ["losetup", "--find", "--show", "--read-only", path]
        ).decode("ascii").strip()
        self.addCleanup(loop_devices.detach, device, path)
        os.symlink(device, self.labels.child("config-2").path)
        return device

    def identity(self):
        """Return this node's identity without any other source."""
        return NodeIdentity(
            Clock(), self.compute, agent=Client(), mounts=FilePath("/proc/self/mounts"),
            labels=self.labels, sysfs=self.sysfs,
        )

    def instance_id(self):
        self.compute = Compute(NODE)
        return self.identity().instance_id()

    def test_not_mounted(self):
        """Its id is found; nothing was mounted for it, and the device is free again."""
        for name, _, image in IMAGES:
            self.setUp()
            device = self.attach(image)
            before = mounts(device)
            self.assertEqual(NODE, self.successResultOf(self.instance_id()), name)
            self.assertEqual(before, mounts(device))
            self.assert_free(device)

    def test_label(self):
        """These are drives that udev labels so: it asks blkid."""
        for name, _, image in IMAGES:
            self.setUp()
            device = self.attach(image)
            try:
                label = subprocess.check_output(
                    ["blkid", "--probe", "--output", "value", "--match-tag", "LABEL", device]
                )
            except OSError:
                raise SkipTest("there is no blkid")
            self.assertIn(label.strip(), (b"config-2", b"CONFIG-2"), name)

    def test_cannot_be_read(self):
        """A drive that is damaged leaves nothing mounted or open, either."""
        for image in (IMAGES[0][2][:36864], iso_image({}), vfat_image({}), b"\0" * 65536):
            self.setUp()
            device = self.attach(image)
            before = mounts(device)
            error = self.failureResultOf(self.instance_id(), UnknownInstanceID).value
            self.assertIn("config drive: {}: ".format(device), str(error))
            self.assertEqual(before, mounts(device))
            self.assert_free(device)

    def test_cancelled(self):
        """Cancelled while Compute is asked, it leaves nothing mounted or open, either."""
        device = self.attach(IMAGES[0][2])
        before = mounts(device)
        self.compute = Compute()
        self.compute.answer = Deferred()
        d = self.identity().instance_id()
        self.assertEqual([NODE], self.compute.asked)
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertEqual(before, mounts(device))
        self.assert_free(device)

    def test_mounted_elsewhere(self):
        """A mounted drive is read there, and stays mounted."""
        device = self.attach_file(self.make_mountable())
        place = self.root.child("place")
        place.makedirs()
        place.chmod(0o700)
        subprocess.check_call(["mount", "-o", "ro", device, place.path])
        self.addCleanup(subprocess.check_call, ["umount", place.path])
        before = mounts(device)
        self.assertIn(place.path, before)
        self.assertEqual(NODE, self.successResultOf(self.instance_id()))
        self.assertEqual(before, mounts(device))

    def make_mountable(self):
        """
        :return: the path of an image that this kernel can mount: what it is
            makes no difference to where its files are read.
        """
        if os.geteuid() != 0:
            raise SkipTest("to mount takes root")
        path = self.root.child("image")
        with open("/proc/filesystems") as known:
            known = known.read().split()
        if "iso9660" in known or "vfat" in known:
            path.setContent(IMAGES[0 if "iso9660" in known else 4][2])
            return path.path
        # This kernel has neither.
        tree = self.root.child("tree")
        file = tree.descendant(METADATA)
        file.parent().makedirs()
        file.setContent(CONTENT)
        environ = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        try:
            subprocess.check_call(
                ["mkfs.ext4", "-q", "-L", "config-2", "-d", tree.path, path.path, "8M"],
                env=environ, stderr=subprocess.STDOUT, stdout=open(os.devnull, "w"),
            )
        except OSError:
            raise SkipTest("the kernel has neither iso9660 nor vfat, and there is no mkfs.ext4")
        return path.path

    def assert_free(self, device):
        """
        Check that Linux grants exclusive access to the device: no process has it open or mounted.
        """
        os.close(os.open(device, os.O_RDONLY | os.O_EXCL))
        held = [os.path.realpath(link.path) for link in FilePath("/proc/self/fd").children()]
        self.assertNotIn(device, held)

"""
Tests for :mod:`txstorage._devices.sysfs`.
"""

from __future__ import absolute_import, division, print_function

import errno
import os
from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from txstorage._devices import sysfs as _blockdevices
from txstorage._devices.sysfs import read_block_devices

from ..helpers.sysfs import MIB, OTHER, VOLUME, FakeSysfs, loop_files, serial, vpd80, vpd83

PLAIN = VOLUME.replace(u"-", u"")
ASCII, BINARY, UTF8 = 2, 1, 3
UNIT, PORT = 0, 1


class SysfsTestCase(SynchronousTestCase):
    """A fake /sys."""

    def setUp(self):
        self.sysfs = FakeSysfs(self.mktemp())

    def read(self):
        """Return the devices that :func:`read_block_devices` finds, by name."""
        return {found.name: found for found in read_block_devices(self.sysfs.root)}

    def identities(self, *files):
        """Return the identities of a device with these files."""
        self.sysfs.add("sda", files=files)
        found = self.read()[u"sda"].identities
        self.sysfs.remove("sda")
        return found


class ReadingTests(SysfsTestCase):
    """The identities from sysfs files."""

    def test_facts(self):
        """The size is in bytes, and the device number is split into major and minor."""
        self.sysfs.add("vdb", size=3 * MIB, number="252:16")
        found = self.read()[u"vdb"]
        self.assertEqual((found.size, found.major, found.minor), (3 * MIB, 252, 16))
        self.assertEqual(found.identities, frozenset())

    def test_virtio(self):
        """virtio-blk's serial number has no newline."""
        self.assertEqual(
            self.identities(("serial", VOLUME[:20].encode("ascii"))), {serial(VOLUME[:20])}
        )

    def test_serial_of_the_device_below(self):
        """The spaces that pad an NVMe serial number are removed."""
        padded = PLAIN[:18].encode("ascii") + b"  \n"
        self.assertEqual(self.identities(("device/serial", padded)), {serial(PLAIN[:18])})

    def test_empty_serial(self):
        """An empty serial number is not an identity."""
        self.assertEqual(
            self.identities(
                ("serial", b"\n"), ("device/serial", b" \0 "), ("device/vpd_pg80", vpd80(b"  "))
            ),
            frozenset(),
        )

    def test_unit_serial(self):
        """Page 0x80 has the length in its header, not the length of the file."""
        page = vpd80(VOLUME.encode("ascii")) + b"rubbish"
        self.assertEqual(self.identities(("device/vpd_pg80", page)), {serial(VOLUME)})

    def test_damaged_pages(self):
        """A page that is too short, or is another page, has no identity."""
        self.assertEqual(
            self.identities(
                ("device/vpd_pg80", b"\0\x80\0"), ("device/vpd_pg83", b"\0\x83")
            ),
            frozenset(),
        )
        text = VOLUME.encode("ascii")
        self.assertEqual(
            self.identities(
                ("device/vpd_pg80", vpd83((ASCII, UNIT, 0, text))),
                ("device/vpd_pg83", vpd80(text)),
            ),
            frozenset(),
        )

    def test_truncated_designator(self):
        """A designator that is shorter than its length is ignored."""
        page = vpd83((ASCII, UNIT, 0, VOLUME.encode("ascii")))
        self.assertEqual(self.identities(("device/vpd_pg83", page[:-3])), frozenset())

    def test_designators(self):
        """
        Each word of vendor specific and T10 designators of the logical unit is an identity, except
        the T10 vendor; other binary designators, and those of a port, are ignored.
        """
        page = vpd83(
            (BINARY, PORT, 3, b"\x60\x01\x40\x50" * 4),
            (ASCII, UNIT, 3, b"text"),
            (ASCII, UNIT, 0, b"whole"),
            (UTF8, UNIT, 1, b"VENDOR  PRODUCT number\0"),
            (ASCII, PORT, 0, b"port"),
            (BINARY, UNIT, 0, b"binary"),
            (ASCII, UNIT, 8, b"name-string"),
        )
        self.assertEqual(
            self.identities(("device/vpd_pg83", page)),
            {serial(u"whole"), serial(u"PRODUCT"), serial(u"number")},
        )

    def test_wwn(self):
        """The WWN of the logical unit is an identity, from page 0x83 or from ``wwid``."""
        raw = UUID(VOLUME).bytes
        page = ("device/vpd_pg83", vpd83((BINARY, UNIT, 3, raw), (BINARY, PORT, 3, raw[::-1])))
        wwid = ("device/wwid", b"naa." + PLAIN.upper().encode("ascii") + b"\n")
        for files in ([page], [wwid], [page, wwid]):
            self.assertEqual(self.identities(*files), {u"wwn:" + PLAIN})

    def test_short_wwn(self):
        """A WWN of 8 bytes is an identity."""
        page = vpd83((BINARY, UNIT, 3, b"\x50\x01\x40\x50\x00\x00\x00\x01"))
        self.assertEqual(
            self.identities(("device/vpd_pg83", page)), {u"wwn:5001405000000001"}
        )

    def test_other_wwids(self):
        """A ``wwid`` of another kind, or without a value, is not an identity."""
        for raw in (b"t10.ATA     QEMU HARDDISK  QM00001 \n", b"naa.\n", b"\n", b"0QEMU"):
            self.assertEqual(self.identities(("device/wwid", raw)), frozenset())

    def test_nvme_namespace(self):
        """A namespace's UUID is an identity, and so is its EUI."""
        wwid = ("wwid", b"uuid." + VOLUME.encode("ascii") + b"\n")
        self.assertEqual(self.identities(wwid), {serial(VOLUME)})
        self.assertEqual(
            self.identities(("wwid", b"eui.0025385b71b00000\n")), {u"wwn:0025385b71b00000"}
        )
        self.assertEqual(
            self.identities(("wwid", b""), ("uuid", OTHER.encode("ascii"))), {serial(OTHER)}
        )

    def test_loop(self):
        """The name of a loop device's file is an identity."""
        self.assertEqual(
            self.identities(*loop_files(u"/var/lib/v/volume-1 \u00fc")),
            {u"file:volume-1 \u00fc"},
        )

    def test_loop_on_a_deleted_file(self):
        """A deleted file is not an identity."""
        self.assertEqual(self.identities(*loop_files(u"/v/" + VOLUME + u" (deleted)")), set())

    def test_loop_inside_a_file(self):
        """The file of a loop device that begins inside the file is not an identity."""
        files = loop_files(u"/v/" + VOLUME) + [("loop/offset", b"512\n")]
        self.assertEqual(self.identities(*files), frozenset())

    def test_not_utf8(self):
        """Bytes that are not UTF-8 are replaced."""
        self.assertEqual(self.identities(("serial", b"\xff1")), {serial(u"\ufffd1")})

    def test_multipath(self):
        """Only device-mapper's multipath devices have paths."""
        self.sysfs.add("sda", holders=["dm-0"])
        self.sysfs.add("dm-0", slaves=["sda"], files=[("dm/uuid", b"mpath-3600\n")])
        self.sysfs.add("dm-1", slaves=["sda"], files=[("dm/uuid", b"LVM-abc\n")])
        found = self.read()
        self.assertEqual(found[u"sda"].holders, {u"dm-0"})
        self.assertEqual(found[u"dm-0"].paths, {u"sda"})
        self.assertEqual(found[u"dm-1"].paths, frozenset())

    def test_disks(self):
        """A disk has hardware, and is not a removable medium."""
        self.sysfs.add("xvdb", files=[("device/devtype", b"vbd\n"), ("removable", b"0\n")])
        self.sysfs.add("sr0", files=[("device/type", b"5\n"), ("removable", b"1\n")])
        self.sysfs.add("loop0", files=loop_files(u"/v/" + VOLUME))
        self.sysfs.add("dm-0", slaves=["xvdb"])
        found = self.read().values()
        self.assertEqual([one.name for one in found if one.is_disk], [u"xvdb"])

    def test_hidden(self):
        """A hidden device, such as a path of NVMe's own multipath, is left out."""
        self.sysfs.add("nvme0c0n1", files=[("hidden", b"1\n")])
        self.assertEqual(self.read(), {})

    def test_no_device_number(self):
        """A device without a number or a size is left out; the others are returned."""
        self.sysfs.add("sda")
        self.sysfs.write("sdb", "size", b"1\n")
        self.sysfs.add("sdc")
        self.sysfs.write("sdc", "size", b"\n")
        self.assertEqual(list(self.read()), [u"sda"])

    def test_bytes_path(self):
        """A root given as bytes gives names as text."""
        self.sysfs.add("sda")
        found = read_block_devices(self.sysfs.root.asBytesMode())
        self.assertEqual([one.name for one in found], [u"sda"])


class RacingTests(SysfsTestCase):
    """Changes while sysfs is read."""

    def interfere(self, meddle):
        """Call ``meddle(path)`` before each file is opened."""

        def opening(path, mode):
            meddle(path)
            return open(path, mode)

        _blockdevices.open = opening
        self.addCleanup(vars(_blockdevices).pop, "open", None)

    def fail_on(self, suffix, number):
        """Let opening each file with that suffix fail."""

        def meddle(path):
            if path.endswith(suffix):
                raise EnvironmentError(number, "failed")

        self.interfere(meddle)

    def test_idle_loops(self):
        """Loop devices without a file are left out, and none of their files is opened."""
        opened = []
        for number in range(300):
            self.sysfs.add("loop{}".format(number), size=0)
        for name in ("loop7", "sda", "loopback"):
            self.sysfs.add(name, size=0)
        for name, content in loop_files(u"/v/" + VOLUME):
            self.sysfs.write("loop7", name, content)
        self.interfere(opened.append)
        self.assertEqual([u"loop7", u"loopback", u"sda"], sorted(self.read()))
        read = {path.split("/block/")[1].split("/")[0] for path in opened}
        self.assertEqual({"loop7", "loopback", "sda"}, read)

    def test_loop_that_can_not_be_examined(self):
        """A loop device whose directory can't be examined is not taken for one without a file."""
        self.sysfs.add("loop0", files=loop_files(u"/v/" + VOLUME))
        real = os.stat

        def stat(path, *args, **kwargs):
            if str(path).endswith("loop0/loop"):
                raise OSError(errno.ENOMEM, "failed")
            return real(path, *args, **kwargs)

        self.patch(os, "stat", stat)
        self.assertEqual({u"file:" + VOLUME}, self.read()[u"loop0"].identities)

    def test_unreadable_file(self):
        """A device whose serial number can't be read has no serial number."""
        for number in (errno.ENOENT, errno.ENXIO, errno.EIO, errno.ENODEV, errno.EACCES):
            self.sysfs.add("sda", files=[("serial", b"1")])
            self.sysfs.add("sdb", files=[("device/serial", b"2")])
            self.fail_on("sda/serial", number)
            found = self.read()
            self.assertEqual(found[u"sda"].identities, frozenset())
            self.assertEqual(found[u"sdb"].identities, {serial(u"2")})

    def test_exhausted(self):
        """
        A process without file descriptors or memory gets an error, because every device would seem
        to have no identity, and so to be gone.
        """
        self.sysfs.add("sda", files=[("serial", b"1")])
        self.fail_on("sda/serial", errno.EMFILE)
        self.assertEqual(self.assertRaises(EnvironmentError, self.read).errno, errno.EMFILE)

    def test_exhausted_at_a_backing_file(self):
        """The same applies to a loop device's backing file."""
        self.sysfs.add("loop0", files=loop_files(u"/v/" + VOLUME))
        for number in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
            self.fail_on("loop/backing_file", number)
            self.assertEqual(self.assertRaises(EnvironmentError, self.read).errno, number)

    def test_exhausted_at_a_directory(self):
        """The same applies to a device's holders."""
        self.sysfs.add("sda")
        real = os.listdir

        def listdir(path):
            if path.endswith("holders"):
                raise OSError(errno.ENFILE, "failed")
            return real(path)

        self.patch(os, "listdir", listdir)
        self.assertEqual(self.assertRaises(EnvironmentError, self.read).errno, errno.ENFILE)

    def test_vanishing(self):
        """A device that is unplugged while it is read is left out."""
        self.sysfs.add("sda", files=[("serial", b"1")])
        self.sysfs.add("sdb")

        def meddle(path):
            if path.endswith("sda/serial") and os.path.exists(path):
                self.sysfs.remove("sda")

        self.interfere(meddle)
        self.assertEqual(list(self.read()), [u"sdb"])

    def test_replaced(self):
        """
        When another disk takes over the name meanwhile, the serial number of one disk is never
        combined with the size of the other.
        """
        self.sysfs.add("sda", size=MIB, files=[("serial", b"old"), ("diskseq", b"1")])

        def meddle(path):
            if path.endswith("device/serial"):
                self.sysfs.add("sda", size=2 * MIB, files=[("serial", b"new"), ("diskseq", b"2")])

        self.interfere(meddle)
        found = self.read()[u"sda"]
        self.assertEqual((found.size, found.identities), (2 * MIB, {serial(u"new")}))

    def test_restless(self):
        """A device that changes on every read is returned with the size 0."""
        self.sysfs.add("sda", files=[("serial", b"1")])
        count = []

        def meddle(path):
            if path.endswith("device/serial"):
                count.append(path)
                self.sysfs.write("sda", "diskseq", b"%d" % len(count))

        self.interfere(meddle)
        found = self.read()[u"sda"]
        self.assertEqual((found.size, found.identities), (0, {serial(u"1")}))

"""
A fake /sys and real loop devices, for tests.
"""

from __future__ import absolute_import, division, print_function

import os
import struct
import subprocess
from uuid import uuid4

from twisted.python.filepath import FilePath
from twisted.trial.unittest import SkipTest

from txstorage._support import loop_devices
from txstorage._support.compat import as_text

MIB = 1024 * 1024
VOLUME = u"0b1f1d7c-52a4-4c1e-9f3a-6d2f5c8e9a10"
OTHER = u"7e0d8c11-90ab-4d2f-8c55-1a2b3c4d5e6f"


def new_volume_id():
    """Return a new UUID as text."""
    return as_text(str(uuid4()))


def serial(text):
    """Return the identity of a disk with this serial number, text."""
    return u"serial:" + text


def vpd80(serial):
    """Return SCSI vital product data page 0x80, bytes."""
    return b"\x00\x80" + struct.pack(">H", len(serial)) + serial


def vpd83(*designators):
    """Return page 0x83, bytes, from ``(code set, association, type, bytes)``."""
    body = b"".join(
        struct.pack("4B", code_set, association << 4 | kind, 0, len(data)) + data
        for code_set, association, kind, data in designators
    )
    return b"\x00\x83" + struct.pack(">H", len(body)) + body


class FakeSysfs(object):
    """
    A directory with the layout of /sys.

    :param path: the directory to create.
    """

    def __init__(self, path):
        self.root = FilePath(path)
        self.root.descendant(["block"]).makedirs()

    def write(self, device, name, content):
        """Write one file of a device."""
        path = self.root.descendant(["block", device] + name.split("/"))
        if not path.parent().isdir():
            path.parent().makedirs()
        path.setContent(content)

    def add(self, device, size=MIB, number="8:0", files=(), holders=(), slaves=()):
        """
        Add a device.

        :param int size: bytes.
        :param files: pairs of names and bytes.
        """
        self.write(device, "dev", number.encode("ascii") + b"\n")
        self.write(device, "size", b"%d\n" % (size // 512))
        for name, content in files:
            self.write(device, name, content)
        for name in holders:
            self.write(device, "holders/" + name, b"")
        for name in slaves:
            self.write(device, "slaves/" + name, b"")

    def add_xen(self, device, number, size=MIB, files=(), partitions=()):
        """
        Add a disk as xen-blkfront does: below a device of the bus ``xen``, with links to its
        directory, and no identity.

        :param int number: of the disk in the hypervisor.
        """
        bus = self.root.descendant(["devices", "vbd-{}".format(number)])
        disk = bus.descendant(["block", device])
        disk.makedirs()
        os.symlink(os.path.abspath(disk.path), self.root.descendant(["block", device]).path)
        os.symlink("../../../vbd-{}".format(number), disk.child("device").path)
        os.symlink("../../bus/xen", bus.child("subsystem").path)
        os.symlink("../../bus/xen/drivers/vbd", bus.child("driver").path)
        bus.child("devtype").setContent(b"vbd\n")
        bus.child("modalias").setContent(b"xen:vbd\n")
        bus.child("nodename").setContent(b"device/vbd/%d\n" % number)
        minor = 16 * len(self.root.child("block").listdir())
        self.write(device, "removable", b"0\n")
        for name in partitions:
            self.write(device, name + "/partition", b"1\n")
            self.write(device, name + "/dev", b"202:%d\n" % (minor + 1))
        self.add(device, size, "202:{}".format(minor), files)

    def remove(self, device):
        """Remove a device."""
        self.root.descendant(["block", device]).remove()


def loop_files(path):
    """Return the files of a loop device on a file."""
    return [("loop/backing_file", path.encode("utf-8") + b"\n"), ("loop/offset", b"0\n")]


def backing_file(test, volume_id, size=8 * MIB):
    """
    Create a file for a loop device, which is removed after the test.

    :return: the file's path.
    """
    if os.getuid() != 0 or not os.path.exists("/dev/loop-control"):
        raise SkipTest("loop devices require root")
    directory = FilePath(test.mktemp())
    directory.makedirs()
    path = os.path.abspath(directory.child("volume-" + str(volume_id)).path)
    with open(path, "wb") as stream:
        stream.truncate(size)
    return path


def attach_loop(test, path):
    """
    Create a loop device, which is removed after the test.

    :return: the device's path, text.
    """
    output = subprocess.check_output(["losetup", "--find", "--show", path])
    device = as_text(output).strip()
    test.addCleanup(detach_loop, device, path)
    return device


def detach_loop(device, path):
    """Remove a loop device, if it is still the file's."""
    loop_devices.detach(device, path)

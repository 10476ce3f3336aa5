"""Volumes of guests: files with a text at both ends, and the disks that clouds make of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from ..agent import TEXT

GIB = 1024**3
#: The characters of a serial number that a virtio disk has room for: VIRTIO_BLK_ID_BYTES.
VIRTIO_SERIAL = 20


@dataclass(frozen=True)
class Volume:
    """
    :ivar id: the volume's id in its cloud.
    :ivar path: of the file.
    :ivar size: bytes.
    """

    id: str
    path: str
    size: int

    @property
    def first(self):
        """The text at the beginning."""
        return f"the beginning of {self.id}"

    @property
    def last(self):
        """The text at the end."""
        return f"the end of {self.id} at {self.size}"

    def write(self):
        """Make the file, or let it grow to the size, and write the texts."""
        with open(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as opened:
            opened.truncate(self.size)
            opened.write(self.first.encode("ascii"))
            opened.seek(self.size - TEXT)
            opened.write(self.last.encode("ascii"))


@dataclass(frozen=True)
class Disk:
    """
    A kind of emulated disk.

    :ivar driver: QEMU's name of the device.
    :ivar properties: of the device.
    """

    driver: str
    properties: dict[str, str] = field(default_factory=dict)


def virtio(volume_id):
    """:return: the :class:`Disk` of a Nova that uses ``virtio``, which is its default."""
    return Disk("virtio-blk-pci", {"serial": volume_id[:VIRTIO_SERIAL]})


def scsi(volume_id):
    """:return: the :class:`Disk` of a Nova whose image has ``hw_disk_bus=scsi``."""
    # libvirt sets the device id, too, when a disk has a serial number.
    return Disk("scsi-hd", {"bus": "scsi.0", "serial": volume_id, "device_id": volume_id})


def nvme(volume_id):
    """:return: the :class:`Disk` of EC2's Nitro instances; the id is an EBS volume's."""
    return Disk("nvme", {"serial": volume_id.replace("-", "")})


def nameless(_volume_id):
    """:return: a :class:`Disk` without an identity, like one of EC2's Xen instances."""
    return Disk("virtio-blk-pci")


__all__ = ["GIB", "Disk", "Volume", "nameless", "nvme", "scsi", "virtio"]

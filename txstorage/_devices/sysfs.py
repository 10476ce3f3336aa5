# -*- test-case-name: tests._devices.test_finder -*-
"""
This host's block devices, as sysfs describes them.

Only a device's own sysfs files count as its identity: its serial numbers, its World Wide Name
(WWN), and a loop device's backing file.  :mod:`txstorage._devices.matching` compares them with a
volume's id.
"""

from __future__ import absolute_import, division, print_function

import errno
import os
import re
import struct
from binascii import hexlify

import attr
from attr.validators import instance_of, optional

from .._support import linux
from .._support.compat import integer_types, text_type

MYPY = False
if MYPY:
    from typing import Any, FrozenSet, Iterator, List, Optional, Text, Tuple  # noqa: F401

    from twisted.python.filepath import FilePath  # noqa: F401

SECTOR = 512  # bytes: the unit of sysfs, independent of the device's own sector size

# These failures are this process's, not the device's.  If they were ignored, every device would
# seem to have no identity, and an attached device would seem to be gone.
_EXHAUSTED = frozenset([errno.EMFILE, errno.ENFILE, errno.ENOMEM])

_LOOP = re.compile(u"loop[0-9]+\\Z")
_XEN_NODE = re.compile(b"device/vbd/([0-9]{1,10})\\Z")

_names = attr.Factory(frozenset)  # type: Any


@attr.s(frozen=True)
class BlockDevice(object):
    """
    One whole block device.

    :ivar text name: the name in sysfs, with ``!`` for ``/``.
    :ivar int size: bytes; 0 while the kernel sets the device up.
    :ivar int major: of the device number.
    :ivar int minor: of the device number.
    :ivar frozenset identities: text; ``serial:``, ``wwn:`` or ``file:`` and a value; a WWN is in
        hexadecimal digits, lower case.
    :ivar frozenset holders: text; names of the devices built upon this device.
    :ivar frozenset paths: text; names of the devices that are this multipath device's paths; empty
        for any other device.
    :ivar bool is_disk: whether the device is a disk, with hardware of its own, physical or virtual:
        neither a loop device, nor a device built upon others, nor a removable medium.
    :ivar xen_number: the number (int) of a Xen hypervisor's disk in the hypervisor; ``None`` for
        any other device.
    """

    name = attr.ib(validator=instance_of(text_type))  # type: Text
    size = attr.ib(validator=instance_of(integer_types))  # type: int
    major = attr.ib(validator=instance_of(integer_types))  # type: int
    minor = attr.ib(validator=instance_of(integer_types))  # type: int
    identities = attr.ib(default=_names, validator=instance_of(frozenset))  # type: FrozenSet[Text]
    holders = attr.ib(default=_names, validator=instance_of(frozenset))  # type: FrozenSet[Text]
    paths = attr.ib(default=_names, validator=instance_of(frozenset))  # type: FrozenSet[Text]
    is_disk = attr.ib(default=False, validator=instance_of(bool))  # type: bool
    xen_number = attr.ib(default=None, validator=optional(instance_of(integer_types)))  # type: Optional[int]


def read_block_devices(sysfs):
    # type: (FilePath[str]) -> Tuple[BlockDevice, ...]
    """
    Read every whole block device; partitions are left out.

    A device that can't be read, or that disappears meanwhile, is left out too, as are the loop
    devices without a file: a host may have hundreds, and their reading would stall the reactor.

    :param FilePath sysfs: the mount point of sysfs.
    :return: a tuple of :class:`BlockDevice`, by name.
    :raises EnvironmentError: the list itself can't be read, or this process has run out of file
        descriptors or memory.
    """
    block = os.path.join(sysfs.asTextMode().path, u"block")
    names = sorted(os.listdir(block))
    found = (_read_device(block, name) for name in names if not _is_idle(block, name))
    return tuple(device for device in found if device is not None)


def _is_idle(block, name):
    # type: (Text, Text) -> bool
    """Check whether a device is a loop device without a file."""
    if _LOOP.match(name) is None:
        return False
    try:
        os.stat(os.path.join(block, name, u"loop"))
    except EnvironmentError as error:
        return error.errno == errno.ENOENT
    return False


def _read_device(block, name):
    # type: (Text, Text) -> Optional[BlockDevice]
    directory = os.path.join(block, name)
    facts = _facts(directory)
    for _ in range(3):
        if facts is None:
            return None
        identities = frozenset(_identities(directory))
        before, facts = facts, _facts(directory)
        if facts == before:
            size = before[2]
            break
    else:
        size = 0  # the device is being replaced; 0 means that it is not ready
    major, minor = before[:2]
    return BlockDevice(
        name=name,
        size=size,
        major=major,
        minor=minor,
        identities=identities,
        holders=_listing(directory, u"holders"),
        paths=_paths(directory),
        is_disk=_is_disk(directory),
        xen_number=_xen_number(directory),
    )


def _facts(directory):
    # type: (Text) -> Optional[Tuple[int, int, int, Optional[bytes]]]
    """
    Read the properties that distinguish two devices of one name: ``(major, minor, bytes,
    diskseq)``, or ``None`` when the device can't be opened.
    """
    # The paths of NVMe's own multipath are hidden devices, which have no node.
    if _read(directory, u"hidden").strip() == b"1":
        return None
    try:
        major, minor = _read(directory, u"dev").split(b":")
        sectors = int(_read(directory, u"size"))
        return int(major), int(minor), sectors * SECTOR, _read(directory, u"diskseq")
    except ValueError:
        return None


def _read(directory, name):
    # type: (Text, Text) -> bytes
    """:return: ``bytes``; empty when the file is missing or can't be read."""
    try:
        with open(os.path.join(directory, name), "rb") as stream:
            return stream.read()
    except EnvironmentError as error:
        if error.errno in _EXHAUSTED:
            raise
        return b""


def _listing(directory, name):
    # type: (Text, Text) -> FrozenSet[Text]
    try:
        return frozenset(os.listdir(os.path.join(directory, name)))
    except EnvironmentError as error:
        if error.errno in _EXHAUSTED:
            raise
        return frozenset()


def _paths(directory):
    # type: (Text) -> FrozenSet[Text]
    # Other device-mapper targets have slaves too, but with other data.
    if _read(directory, u"dm/uuid").startswith(b"mpath-"):
        return _listing(directory, u"slaves")
    return frozenset()


def _is_disk(directory):
    # type: (Text) -> bool
    return bool(_listing(directory, u"device")) and _read(directory, u"removable").strip() != b"1"


def _xen_number(directory):
    # type: (Text) -> Optional[int]
    # The attributes of a device on the bus xen, of the type that xen-blkfront drives.
    if _read(directory, u"device/devtype").strip() != b"vbd":
        return None
    node = _XEN_NODE.match(_read(directory, u"device/nodename").strip())
    # Without a number, the disk is still Xen's.
    return 0 if node is None else int(node.group(1))


def root_disk(sysfs, root="/"):
    # type: (FilePath[str], str) -> Optional[Text]
    """
    Find the disk that a file system is on, directly or on a partition.

    :param FilePath sysfs: the mount point of sysfs.
    :param str root: a path on the file system.
    :return: text: the disk's name in sysfs; ``None`` for a file system on no device of its own.
    """
    number = os.stat(root).st_dev
    name = u"dev/block/{}:{}".format(os.major(number), os.minor(number))
    link = os.path.join(sysfs.asTextMode().path, name)
    if not os.path.islink(link):
        return None
    # The directory of a partition is in that of its disk, which is in one named "block".
    _, found, below = os.path.realpath(link).rpartition(u"/block/")
    return below.partition(u"/")[0] if found else None


# -- identities --------------------------------------------------------------


def _clean(raw):
    # type: (bytes) -> Text
    return raw.replace(b"\0", b" ").decode("utf-8", "replace").strip()


def _serials(*values):
    # type: (*Text) -> List[Text]
    return [u"serial:" + value for value in values if value]


def _serial(raw):
    # type: (bytes) -> List[Text]
    """Parse a file that holds a serial number and nothing else."""
    return _serials(_clean(raw))


def _unit_serial(page):
    # type: (bytes) -> List[Text]
    """Parse vital product data page 0x80, unit serial number.  Source: SCSI Primary Commands."""
    if len(page) < 4 or page[1:2] != b"\x80":
        return []
    (length,) = struct.unpack(">H", page[2:4])
    return _serials(_clean(page[4:4 + length]))


# Designator types of page 0x83 that are text, and the number of bytes before the part that
# identifies the unit: none in a vendor specific designator (QEMU's), the vendor in a T10 one
_DESIGNATOR_PREFIX = {0: 0, 1: 8}
_TEXT_CODE_SETS = (2, 3)
_BINARY_CODE_SET = 1
_NAA = 3  # the designator type of a WWN
_LOGICAL_UNIT = 0


def _designators(page):
    # type: (bytes) -> Iterator[Text]
    """
    Parse vital product data page 0x83, device identification.  Source: SCSI Primary Commands.

    A text is split at white space, and each word is one serial number: a longer word that contains
    a volume's id may be the name of a snapshot.
    """
    if len(page) < 4 or page[1:2] != b"\x83":
        return
    (length,) = struct.unpack(">H", page[2:4])
    rest = page[4:4 + length]
    while len(rest) >= 4:
        code_set, kind, _reserved, size = struct.unpack("4B", rest[:4])
        body, rest = rest[4:4 + size], rest[4 + size:]
        if len(body) == size and (kind >> 4) & 0x03 == _LOGICAL_UNIT:
            for identity in _designated(code_set & 0x0F, kind & 0x0F, body):
                yield identity


def _designated(code_set, kind, body):
    # type: (int, int, bytes) -> List[Text]
    """:return: the identities in one designator of the logical unit."""
    if (code_set, kind) == (_BINARY_CODE_SET, _NAA):
        return [u"wwn:" + hexlify(body).decode("ascii")]
    skipped = _DESIGNATOR_PREFIX.get(kind)
    if skipped is None or code_set not in _TEXT_CODE_SETS:
        return []
    return _serials(*_clean(body[skipped:]).split())


def _wwid(raw):
    # type: (bytes) -> List[Text]
    """
    Parse a ``wwid``: the kernel's choice among the UUID, the WWN (``naa``, of SCSI; ``eui``, of
    NVMe) and others, which are ignored.
    """
    kind, _, value = _clean(raw).partition(u".")
    if kind == u"uuid":
        return _serials(value)
    return [u"wwn:" + value.lower()] if kind in (u"naa", u"eui") and value else []


_FILES = (
    (u"serial", _serial),  # virtio-blk
    (u"device/serial", _serial),  # NVMe, and old SCSI drivers
    (u"device/vpd_pg80", _unit_serial),
    (u"device/vpd_pg83", _designators),
    (u"device/wwid", _wwid),  # SCSI, also where a process may not read page 0x83
    (u"wwid", _wwid),  # NVMe namespace
    (u"uuid", _serial),  # NVMe namespace
)


def _identities(directory):
    # type: (Text) -> Iterator[Text]
    for name, parse in _FILES:
        for identity in parse(_read(directory, name)):
            yield identity
    backing = _backing_file(directory)
    if backing:
        yield u"file:" + backing


def _backing_file(directory):
    # type: (Text) -> Text
    """:return: text: the base name of a loop device's file, or empty."""
    # _read raises when this process is exhausted; linux.backing_file would report no file.
    path, deleted = linux.parse_backing_file(_read(directory, u"loop/backing_file"))
    # A loop device that starts inside the file shows other data.
    if deleted or _read(directory, u"loop/offset").strip() != b"0":
        return u""
    return path.decode("utf-8", "replace").rpartition(u"/")[2]

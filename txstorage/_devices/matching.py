# -*- test-case-name: tests._devices.test_matching -*-
"""
The match between a volume and the host's block devices: pure functions.

An exact identity is the whole id of the volume: as a serial number, as the WWN, or in the name of
the backing file.  An exact identity is sufficient proof, and the size may differ: an encrypted
volume's device lacks the header, and some storage rounds sizes up.  A truncated identity, the first
characters of the id, may be another volume's, so the device must also have a size that is possible
for the volume.
"""

from __future__ import absolute_import, division, print_function

import re

from .._support.notations.ec2_ids import DIGITS, is_ec2_id
from .._support.notations.uuids import is_uuid
from ..errors import (
    DeviceAmbiguous,
    DeviceMismatch,
    DeviceNotFound,
    DeviceNotGrown,
    DeviceUnidentified,
)

MYPY = False
if MYPY:
    from typing import FrozenSet, Iterable, List, Text, Tuple  # noqa: F401

    from .sysfs import BlockDevice  # noqa: F401

# The number of characters to which disks truncate a serial number: VIRTIO_BLK_ID_BYTES, the size
# of NVMe's SN field, and QEMU's limit for SCSI.
_TRUNCATED_TO = 20

#: The bytes that the header of an encrypted volume takes, at most: LUKS2's; LUKS1's takes 2 MiB.
LUKS_HEADER = 16 * 1024 ** 2

# Volumes grow by whole GiB; a device may be smaller than its volume by a header, or by rounding.
_SMALLER = 512 * 1024 ** 2

# The random UUIDs of volumes, whole or truncated, with or without hyphens.
_VOLUME_ID = re.compile(
    u"(serial|wwn):[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab]|file:(volume-)?[0-9a-f]{8}-"
    u"|serial:vol-?[0-9a-f]{8}"
)

# The embedded service has a file for each volume, whose name is a UUID.  Its EC2 face shortens that
# to an id of EC2's form, and refuses an id that two of its volumes share.
_FILE_UUID = re.compile(u"(volume-)?([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})(\\.(img|raw))?\\Z")

_FILE_NAMES = (u"{}", u"volume-{}", u"{}.img", u"{}.raw", u"volume-{}.img", u"volume-{}.raw")


def _identities_of(volume_id):
    # type: (Text) -> Tuple[FrozenSet[Text], FrozenSet[Text]]
    """
    Return the identities by which a volume's device is known.

    :return: a pair of frozensets of text: identities that only this volume's device has, and
        truncated identities, which other volumes may share.
    """
    if not is_uuid(volume_id):
        # The form of other ids is unknown: an id without its hyphens, decorated or truncated, may
        # be the id of another volume.
        exact = [u"serial:" + volume_id, u"file:" + volume_id] if volume_id else []
        if is_ec2_id(u"vol", volume_id):
            # The serial number of EBS's NVMe devices.  Source: "Amazon EBS and NVMe" in the EBS
            # user guide.
            exact.append(u"serial:" + volume_id.replace(u"-", u""))
        return frozenset(exact), frozenset()
    forms = (volume_id, volume_id.replace(u"-", u""))
    files = frozenset(u"file:" + name.format(volume_id) for name in _FILE_NAMES)
    serials = frozenset(u"serial:" + form for form in forms)
    wwn = frozenset([u"wwn:" + forms[1]])
    cut = frozenset(u"serial:" + form[:_TRUNCATED_TO] for form in forms)
    return files | serials | wwn, cut


def is_file_of(volume_id, name):
    # type: (Text, Text) -> bool
    """
    Check whether an EBS volume of the embedded service has a file.

    :param text volume_id: the volume: the first digits of a UUID.
    :param text name: the file's name.
    """
    if not is_ec2_id(u"vol", volume_id):
        return False
    digits, whole = volume_id.partition(u"-")[2], _FILE_UUID.match(name)
    if whole is None or len(digits) != DIGITS:
        return False
    return whole.group(2).replace(u"-", u"").startswith(digits)


def fits(volume_id, device):
    # type: (Text, BlockDevice) -> bool
    """
    Check whether a device has the volume's identity.

    :param text volume_id: the volume.
    :param BlockDevice device: the device.
    :rtype: bool
    """
    if fits_exactly(volume_id, device):
        return True
    _, cut = _identities_of(volume_id)
    # A truncated serial number counts only if the device has no longer serial number with the same
    # beginning.
    return any(
        [known for known in device.identities if known.startswith(start)] == [start]
        for start in cut
    )


def fits_exactly(volume_id, device):
    # type: (Text, BlockDevice) -> bool
    """
    Check whether a device has an identity that only the volume's device has.

    :param text volume_id: the volume.
    :param BlockDevice device: the device.
    :rtype: bool
    """
    exact, _ = _identities_of(volume_id)
    files = [each[len(u"file:") :] for each in device.identities if each.startswith(u"file:")]
    return bool(exact & device.identities) or any(is_file_of(volume_id, name) for name in files)


def possible_size(size, encrypted, actual):
    # type: (int, bool, int) -> bool
    """
    Check whether a device of unproven identity can be a volume's, by its size.

    Volumes have sizes in GiB, so the device of a smaller volume is not accepted by mistake.

    :param int size: bytes: the volume's.
    :param bool encrypted: whether the cloud describes the volume as encrypted.
    :param int actual: bytes: the device's.
    :rtype: bool
    """
    return size - (LUKS_HEADER if encrypted else 0) <= actual <= size


def check_grown(volume_id, size, actual, name):
    # type: (Text, int, int, Text) -> None
    """
    Check that a device shows the size to which its volume has grown.

    :param text volume_id: the volume.
    :param int size: bytes: the volume's.
    :param int actual: bytes: the device's.
    :param text name: the device's name, for the error.
    :raises DeviceNotGrown: it does not (yet).
    """
    if actual <= size - _SMALLER:
        raise DeviceNotGrown(
            volume_id,
            u"{} has {} bytes, and volume {} has {}".format(name, actual, volume_id, size),
        )


def match(volume_id, size, devices, encrypted=False):
    # type: (Text, int, Iterable[BlockDevice], bool) -> BlockDevice
    """
    Find the volume's device.

    :param text volume_id: the volume.
    :param int size: bytes: the volume's.
    :param devices: iterable of :class:`BlockDevice`: all of the host's.
    :param bool encrypted: whether the cloud describes the volume as encrypted.
    :return: the :class:`BlockDevice`.
    :raises DeviceNotFound: no device has the volume's identity (yet).
    :raises DeviceAmbiguous: several devices have the volume's identity.
    :raises DeviceMismatch: the device has a truncated identity, and a size that is impossible for
        the volume.
    """
    devices = tuple(devices)
    found = candidates(volume_id, devices)
    if not found:
        raise _not_found(volume_id, size, encrypted, devices)
    if len(found) > 1:
        raise DeviceAmbiguous(
            volume_id,
            u"{} all have the identity of volume {}".format(
                u", ".join(sorted(_names(found))), volume_id
            ),
        )
    device = found[0]
    check_ready(volume_id, device.size, device.name)
    # The identity of a multipath device is that of its paths.
    proven = all(fits_exactly(volume_id, each) for each in devices if fits(volume_id, each))
    if not proven and not possible_size(size, encrypted, device.size):
        raise DeviceMismatch(
            volume_id,
            u"{} has an identity that begins like that of volume {}, but its size is {} bytes, not "
            u"{}: it may be another volume's".format(
                device.name, volume_id, device.size, size
            ),
        )
    return device


def _not_found(volume_id, size, encrypted, devices):
    # type: (Text, int, bool, Iterable[BlockDevice]) -> DeviceNotFound
    problem = u"No block device of this host has the identity of volume {}".format(volume_id)
    nameless = _names(
        device
        for device in devices
        if device.is_disk
        and not any(_VOLUME_ID.match(identity) for identity in device.identities)
        and possible_size(size, encrypted, device.size)
    )
    if not nameless:
        return DeviceNotFound(volume_id, problem)
    return DeviceUnidentified(
        volume_id,
        u"{}; disks of this size have no identity that could be a volume's (serial number or "
        u"WWN): {}".format(problem, u", ".join(sorted(nameless))),
    )


def candidates(volume_id, devices):
    # type: (Text, Iterable[BlockDevice]) -> List[BlockDevice]
    """
    Find the devices that have the volume's identity.  A multipath device replaces its paths, if
    every path was found and no path has another holder.

    :param text volume_id: the volume.
    :param devices: iterable of :class:`BlockDevice`: all of the host's.
    :return: a list of :class:`BlockDevice`.
    """
    devices = tuple(devices)
    found = [device for device in devices if fits(volume_id, device)]
    names = _names(found)
    tops = [device for device in devices if device.paths & names]
    if len(tops) == 1 and tops[0].paths == names:
        if all(device.holders == _names(tops) for device in found):
            return tops
    return found + tops


def verified(volume_id, size, devices, expected_path, number, encrypted=False):
    # type: (Text, int, Iterable[BlockDevice], Text, Tuple[int, int], bool) -> BlockDevice
    """
    Verify the device at the path that storage reports, as far as possible: not all storage gives
    its devices an identity.

    :param text volume_id: the volume.
    :param int size: bytes: the volume's.
    :param devices: iterable of :class:`BlockDevice`: all of the host's.
    :param text expected_path: the path that storage reports.
    :param tuple number: the major and minor numbers of the device at that path.
    :param bool encrypted: whether the cloud describes the volume as encrypted.
    :return: the :class:`BlockDevice`.
    :raises DeviceNotFound: the path is not a whole device (yet).
    :raises DeviceAmbiguous: another device has the volume's identity.
    :raises DeviceMismatch: the device is another volume's, or has no exact identity, and a size
        that is impossible for the volume.
    """
    devices = tuple(devices)
    found = [device for device in devices if (device.major, device.minor) == number]
    if not found:
        raise DeviceNotFound(
            volume_id,
            u"{}, the expected path of volume {}, is not a whole block device of this host".format(
                expected_path, volume_id
            ),
        )
    device = found[0]
    _check_file(volume_id, device, expected_path)
    others = _names(candidates(volume_id, devices)) - _names([device])
    if others:
        raise DeviceAmbiguous(
            volume_id,
            u"{} is the expected path of volume {}, but this host has its identity on {}".format(
                expected_path, volume_id, u", ".join(sorted(others))
            ),
        )
    check_ready(volume_id, device.size, expected_path)
    if not fits_exactly(volume_id, device) and not possible_size(size, encrypted, device.size):
        raise DeviceMismatch(
            volume_id,
            u"{} is the expected path of volume {}, but its size is {} bytes, not {}, and nothing "
            u"else identifies it".format(expected_path, volume_id, device.size, size),
        )
    return device


def _check_file(volume_id, device, expected_path):
    # type: (Text, BlockDevice, Text) -> None
    files = [each for each in device.identities if each.startswith(u"file:")]
    if files and not fits(volume_id, device):
        raise DeviceMismatch(
            volume_id,
            u"{}, the expected path of volume {}, is a loop device on the file {}".format(
                expected_path, volume_id, u", ".join(sorted(files))[len(u"file:") :]
            ),
        )


def _names(devices):
    # type: (Iterable[BlockDevice]) -> FrozenSet[Text]
    return frozenset(device.name for device in devices)


def check_ready(volume_id, actual, name):
    # type: (Text, int, Text) -> None
    """
    Check that a device has a size.

    :param text volume_id: the volume.
    :param int actual: bytes: the device's.
    :param text name: the device's name, for the error.
    :raises DeviceNotFound: the device has no size yet.
    """
    if actual == 0:
        raise DeviceNotFound(volume_id, u"{} is still being set up: its size is 0".format(name))

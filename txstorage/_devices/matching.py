# -*- test-case-name: tests._devices.test_matching -*-
"""
The match between a volume and the host's block devices: pure functions.
"""

from __future__ import absolute_import, division, print_function

from .._support.uuids import is_uuid
from ..errors import DeviceAmbiguous, DeviceMismatch, DeviceNotFound

MYPY = False
if MYPY:
    from typing import FrozenSet, Iterable, List, Text, Tuple  # noqa: F401

    from .sysfs import BlockDevice  # noqa: F401

# The number of characters to which disks truncate a serial number: VIRTIO_BLK_ID_BYTES, the size
# of NVMe's SN field, and QEMU's limit for SCSI.
_TRUNCATED_TO = 20

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
        return frozenset(exact), frozenset()
    forms = (volume_id, volume_id.replace(u"-", u""))
    files = frozenset(u"file:" + name.format(volume_id) for name in _FILE_NAMES)
    serials = frozenset(u"serial:" + form for form in forms)
    cut = frozenset(u"serial:" + form[:_TRUNCATED_TO] for form in forms)
    return files | serials, cut


def fits(volume_id, device):
    # type: (Text, BlockDevice) -> bool
    """
    Check whether a device has the volume's identity.

    :param text volume_id: the volume.
    :param BlockDevice device: the device.
    :rtype: bool
    """
    exact, cut = _identities_of(volume_id)
    if exact & device.identities:
        return True
    # A truncated serial number counts only if the device has no longer serial number with the same
    # beginning.
    return any(
        [known for known in device.identities if known.startswith(start)] == [start]
        for start in cut
    )


def match(volume_id, size, devices):
    # type: (Text, int, Iterable[BlockDevice]) -> BlockDevice
    """
    Find the volume's device.

    :param text volume_id: the volume.
    :param int size: bytes that the device must have.
    :param devices: iterable of :class:`BlockDevice`: all of the host's.
    :return: the :class:`BlockDevice`.
    :raises DeviceNotFound: no device has the volume's identity (yet).
    :raises DeviceAmbiguous: several devices have the volume's identity.
    :raises DeviceMismatch: the device has another size.
    """
    found = candidates(volume_id, devices)
    if not found:
        raise DeviceNotFound(
            volume_id,
            u"No block device of this host has the identity of volume {}".format(volume_id),
        )
    if len(found) > 1:
        raise DeviceAmbiguous(
            volume_id,
            u"{} all have the identity of volume {}".format(
                u", ".join(sorted(_names(found))), volume_id
            ),
        )
    check_size(volume_id, size, found[0].size, found[0].name)
    return found[0]


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


def verified(volume_id, size, devices, expected_path, number):
    # type: (Text, int, Iterable[BlockDevice], Text, Tuple[int, int]) -> BlockDevice
    """
    Verify the device at the path that storage reports, as far as possible: not all storage gives
    its devices an identity.

    :param text volume_id: the volume.
    :param int size: bytes that the device must have.
    :param devices: iterable of :class:`BlockDevice`: all of the host's.
    :param text expected_path: the path that storage reports.
    :param tuple number: the major and minor numbers of the device at that path.
    :return: the :class:`BlockDevice`.
    :raises DeviceNotFound: the path is not a whole device (yet).
    :raises DeviceAmbiguous: another device has the volume's identity.
    :raises DeviceMismatch: the device is another volume's, or has another size.
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
    check_size(volume_id, size, device.size, expected_path)
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


def check_size(volume_id, expected, actual, name):
    # type: (Text, int, int, Text) -> None
    """
    Check that a device has the volume's size.

    :param text volume_id: the volume.
    :param int expected: bytes.
    :param int actual: bytes.
    :param text name: the device's name, for the error.
    :raises DeviceNotFound: the device has no size yet.
    :raises DeviceMismatch: the device has another size.
    """
    if actual == 0:
        raise DeviceNotFound(volume_id, u"{} is still being set up: its size is 0".format(name))
    if actual != expected:
        raise DeviceMismatch(
            volume_id,
            u"{} has the identity of volume {}, but its size is {} bytes, not {}".format(
                name, volume_id, actual, expected
            ),
        )

# -*- test-case-name: tests._devices.test_matching -*-
"""
Which of a host's block devices is a volume's: pure functions.
"""

from __future__ import absolute_import, division, print_function

import re

from ..errors import DeviceAmbiguous, DeviceMismatch, DeviceNotFound

_UUID = re.compile(u"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\Z")

# How much of a disk's serial number a guest gets to see, at the least:
# VIRTIO_BLK_ID_BYTES; NVMe's SN field; and what QEMU keeps of it for SCSI.
_TRUNCATED_TO = 20

_FILE_NAMES = (u"{}", u"volume-{}", u"{}.img", u"{}.raw", u"volume-{}.img", u"volume-{}.raw")


def _identities_of(volume_id):
    """
    :return: a pair of frozensets of identities: those that only this volume's
        device has, and those cut short, which it may share.
    """
    if not _UUID.match(volume_id):
        # Nothing is known about how such ids are made, so that without its
        # hyphens, decorated or cut short one may be the id of another volume.
        exact = [u"serial:" + volume_id, u"file:" + volume_id] if volume_id else []
        return frozenset(exact), frozenset()
    forms = (volume_id, volume_id.replace(u"-", u""))
    files = frozenset(u"file:" + name.format(volume_id) for name in _FILE_NAMES)
    serials = frozenset(u"serial:" + form for form in forms)
    cut = frozenset(u"serial:" + form[:_TRUNCATED_TO] for form in forms)
    return files | serials, cut


def fits(volume_id, device):
    """
    Whether a device says that it is the volume.

    :param text volume_id: the volume.
    :param BlockDevice device: the device.
    :rtype: bool
    """
    exact, cut = _identities_of(volume_id)
    if exact & device.identities:
        return True
    # Cut short it counts only if the device does not know, from elsewhere,
    # how its serial number goes on.
    return any(
        [known for known in device.identities if known.startswith(start)] == [start]
        for start in cut
    )


def match(volume_id, size, devices):
    """
    Find the volume's device.

    :param text volume_id: the volume.
    :param int size: bytes that it must have.
    :param devices: iterable of :class:`BlockDevice`: all that the host has.
    :return: the :class:`BlockDevice`.
    :raises DeviceNotFound: there is none (yet).
    :raises DeviceAmbiguous: there are several.
    :raises DeviceMismatch: it has another size.
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
            u"{} all claim to be volume {}".format(u", ".join(sorted(_names(found))), volume_id),
        )
    check_size(volume_id, size, found[0].size, found[0].name)
    return found[0]


def candidates(volume_id, devices):
    """
    Find the devices that say that they are the volume.  A multipath device is
    put in the place of its paths, if every path was found and none of them
    has another holder.

    :param text volume_id: the volume.
    :param devices: iterable of :class:`BlockDevice`: all that the host has.
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


def verified(volume_id, size, devices, told, number):
    """
    Make sure that the device that storage names is the volume's, as far as it
    can be known: not all storage gives its devices an identity.

    :param text volume_id: the volume.
    :param int size: bytes that it must have.
    :param devices: iterable of :class:`BlockDevice`: all that the host has.
    :param text told: where the device is said to be.
    :param tuple number: major and minor of what is there.
    :return: the :class:`BlockDevice`.
    :raises DeviceNotFound: it is no whole device, or none (yet).
    :raises DeviceAmbiguous: another claims to be the volume.
    :raises DeviceMismatch: it is another volume's, or has another size.
    """
    devices = tuple(devices)
    found = [device for device in devices if (device.major, device.minor) == number]
    if not found:
        raise DeviceNotFound(
            volume_id,
            u"{}, where volume {} should be, is none of this host's whole block devices".format(
                told, volume_id
            ),
        )
    device = found[0]
    files = [each for each in device.identities if each.startswith(u"file:")]
    if files and not fits(volume_id, device):
        raise DeviceMismatch(
            volume_id, u"{}, where volume {} should be, is on the file {}".format(
                told, volume_id, u", ".join(sorted(files))[len(u"file:") :]
            )
        )
    others = _names(candidates(volume_id, devices)) - _names([device])
    if others:
        raise DeviceAmbiguous(
            volume_id,
            u"{} should be volume {}, and {} claim to be it".format(
                told, volume_id, u", ".join(sorted(others))
            ),
        )
    check_size(volume_id, size, device.size, told)
    return device


def _names(devices):
    return frozenset(device.name for device in devices)


def check_size(volume_id, wanted, actual, name):
    """
    Make sure that a device has the volume's size.

    :param text volume_id: the volume.
    :param int wanted: bytes.
    :param int actual: bytes.
    :param text name: the device's, for the error.
    :raises DeviceNotFound: it has no size yet.
    :raises DeviceMismatch: it has another size.
    """
    if actual == 0:
        raise DeviceNotFound(volume_id, u"{} is still being set up: its size is 0".format(name))
    if actual != wanted:
        raise DeviceMismatch(
            volume_id,
            u"{} says that it is volume {}, but its size is {} bytes and not {}".format(
                name, volume_id, actual, wanted
            ),
        )

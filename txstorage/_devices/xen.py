# -*- test-case-name: tests._devices.test_xen -*-
"""
The match between a volume and a disk of a Xen hypervisor, by the disk's name: pure functions.

xen-blkfront's disks have no identity, so the name that the cloud gives a disk and the size are all
that there is.  They count only when nothing contradicts them.  The kernel also shows the number of
the disk in the hypervisor, which stands for the name that the cloud asked for: some kernels shift
the letters of their own names, and would show one disk under the name of another.
"""

from __future__ import absolute_import, division, print_function

from .._support.notations.xen_disks import PREFIXES, disk_named, disk_numbered
from ..errors import DeviceMismatch, DeviceNameDoubtful, DeviceNotFound
from .matching import check_ready

MYPY = False
if MYPY:
    from typing import Callable, Iterable, List, Mapping, Optional, Text, Tuple  # noqa: F401

    from .sysfs import BlockDevice  # noqa: F401


def is_xen(devices):
    # type: (Iterable[BlockDevice]) -> bool
    """
    :param devices: iterable of :class:`BlockDevice`: all of the host's.
    :return: whether the host has disks of a Xen hypervisor.
    """
    return any(device.xen_number is not None for device in devices)


def attached_as(device_name, devices):
    # type: (Optional[Text], Iterable[BlockDevice]) -> List[BlockDevice]
    """
    Find Xen's disks that a volume may have, whose device is to be free, or to go.

    :param device_name: the name (text) that the cloud gives the volume's device, or ``None``.
    :param devices: iterable of :class:`BlockDevice`: all of the host's.
    :return: a list of :class:`BlockDevice`: those with the hypervisor's number for the name, and,
        where the number says nothing, with the kernel's name for it.
    """
    disk = None if device_name is None else disk_named(device_name)
    if disk is None:
        return []
    return [
        each
        for each in devices
        if each.xen_number is not None and disk[0] == (_numbered(each) or _shown(each))
    ]


def _shown(device):
    # type: (BlockDevice) -> Optional[Text]
    """:return: the letters of the kernel's name."""
    for prefix in PREFIXES:
        if device.name.startswith(prefix):
            return device.name[len(prefix) :]
    return None


def _numbered(device):
    # type: (BlockDevice) -> Optional[Text]
    """:return: the letters of the hypervisor's number."""
    return None if device.xen_number is None else disk_numbered(device.xen_number)


#: The facts that contradict a device's name, and the words for each.  A function is called with the
#: device, the letters of the name, and the name of the root file system's disk.
CONTRADICTIONS = (
    (lambda device, letters, root: device.xen_number is None, u"it is not a disk of Xen's"),
    (lambda device, letters, root: not device.is_disk, u"it is a removable medium"),
    (
        lambda device, letters, root: _numbered(device) != letters,
        u"its number in the hypervisor is another disk's",
    ),
    (
        lambda device, letters, root: _shown(device) != letters,
        u"this kernel gives the hypervisor's disks other letters",
    ),
    (lambda device, letters, root: bool(device.identities), u"it has an identity of its own"),
    (lambda device, letters, root: device.name == root, u"this host's root file system is on it"),
)  # type: Tuple[Tuple[Callable[[BlockDevice, Text, Optional[Text]], bool], Text], ...]


def match_name(volume_id, size, devices, names, root=None):
    # type: (Text, int, Iterable[BlockDevice], Mapping[Text, Text], Optional[Text]) -> BlockDevice
    """
    Find a volume's device by its name, on a host where no device has the volume's identity.

    :param text volume_id: the volume.
    :param int size: bytes: the volume's, which the device must have.
    :param devices: iterable of :class:`BlockDevice`: all of the host's.
    :param dict names: the names (text) that the cloud gives this server's devices, by volume id
        (text), the volume's among them.
    :param root: the name (text) of the disk that the root file system is on, or ``None``.
    :return: the :class:`BlockDevice`.
    :raises DeviceNotFound: there is no such device (yet).
    :raises DeviceNameDoubtful: something contradicts the name.
    :raises DeviceMismatch: the device has another size.
    """
    devices, name = tuple(devices), names[volume_id]
    letters = _check_name(volume_id, names)
    # Each device that has the name, the kernel's or the hypervisor's.
    found = [each for each in devices if letters in (_shown(each), _numbered(each))]
    if not found:
        raise DeviceNotFound(
            volume_id,
            u"No Xen disk of this host is {}, the name of volume {}; it has {}".format(
                name, volume_id, _described(each for each in devices if each.xen_number is not None)
            ),
        )
    if len(found) > 1:
        _doubt(volume_id, name, u"it may be any of {}".format(_described(found)))
    device = found[0]
    for contradicts, words in CONTRADICTIONS:
        if contradicts(device, letters, root):
            _doubt(volume_id, name, u"of {}, {}".format(_described(found), words))
    check_ready(volume_id, device.size, device.name)
    if device.size != size:
        raise DeviceMismatch(
            volume_id,
            u"{} has the name of volume {}, {}, but its size is {} bytes, not {}".format(
                device.name, volume_id, name, device.size, size
            ),
        )
    return device


def _check_name(volume_id, names):
    # type: (Text, Mapping[Text, Text]) -> Text
    """:return: text: the letters of the volume's name, which no other volume has."""
    name = names[volume_id]
    disk = disk_named(name)
    if disk is None or not disk[1]:
        _doubt(volume_id, name, u"it is not the name of a whole disk")
    letters = disk[0]  # type: Text  # type: ignore[index]
    for other, its_name in sorted(names.items()):
        if other != volume_id and (disk_named(its_name) or (u"",))[0] == letters:
            _doubt(volume_id, name, u"volume {} is attached as {}".format(other, its_name))
    return letters


def _doubt(volume_id, name, reason):
    # type: (Text, Text, Text) -> None
    raise DeviceNameDoubtful(
        volume_id,
        u"Volume {} is attached as {}, and nothing else identifies its device: {}".format(
            volume_id, name, reason
        ),
    )


def _described(devices):
    # type: (Iterable[BlockDevice]) -> Text
    """:return: text: the devices' names, with what the hypervisor calls them, and their sizes."""
    shown = (
        u"{}{} ({} bytes)".format(
            each.name,
            u"" if each.xen_number is None else u", number {}".format(each.xen_number),
            each.size,
        )
        for each in sorted(devices, key=lambda device: device.name)
    )
    return u"; ".join(shown) or u"none"


__all__ = ["CONTRADICTIONS", "attached_as", "is_xen", "match_name"]

# -*- test-case-name: tests._devices.test_matching -*-
"""
The search for a volume's device among the host's block devices.
"""

from __future__ import absolute_import, division, print_function

from twisted.python.filepath import FilePath

from .._support import linux
from .._support.compat import as_text, native
from ..errors import (
    DeviceBusy,
    DeviceError,
    DeviceMismatch,
    DeviceNotFound,
    DeviceStillPresent,
)
from .matching import candidates, fits, match, verified
from .nodes import check_node, device_number
from .sysfs import read_block_devices, root_disk
from .xen import attached_as, is_xen, match_name

MYPY = False
if MYPY:
    from typing import Callable, Dict, Iterable, List, Mapping, Optional, Text, Tuple  # noqa: F401

    from .sysfs import BlockDevice  # noqa: F401


def _is_claimed(path):
    # type: (FilePath[str]) -> bool
    """Check whether a device is in use; a device that can't be opened counts as unused."""
    try:
        return linux.is_claimed(path.path)
    except OSError:
        return False


class SizedPath(FilePath):  # type: ignore[type-arg]
    """
    The path of a volume's device or file.

    :ivar int size: bytes: the device's, which may differ from the volume's.
    """

    def __init__(self, path, size):
        # type: (str, int) -> None
        FilePath.__init__(self, path)
        self.size = size

    def __hash__(self):
        # type: () -> int
        return hash(FilePath(self.path))


class DevicePath(SizedPath):
    """
    The path of a volume's device, safe to keep.

    The node of a detached volume may belong to another volume a moment later.  Flocker's agent
    keeps paths, and calls ``isBlockDevice`` before it uses a path.

    :param str path: the device node.
    :param int size: bytes: the device's.
    :param find: called without arguments; returns the current :class:`SizedPath` of the volume's
        verified device, or raises :class:`~txstorage.errors.DeviceError` or ``EnvironmentError``.
    """

    def __init__(self, path, size, find):
        # type: (str, int, Callable[[], SizedPath]) -> None
        SizedPath.__init__(self, path, size)
        self._find = find

    def isBlockDevice(self):
        # type: () -> bool
        """
        Find the volume's device again, and set this path to the device's current path.

        :return: ``bool``: whether the volume has a device on this host.
        """
        try:
            found = self._find()
        except (DeviceError, EnvironmentError):
            return False
        self.path, self.size = found.path, found.size
        return FilePath(self.path).isBlockDevice()


class BlockDevices(object):
    """Finds volumes among the host's block devices."""

    def __init__(self, sysfs, dev):
        # type: (FilePath[str], FilePath[str]) -> None
        self._sysfs = sysfs
        self._dev = dev
        self._expected_paths = {}  # type: Dict[Text, Text]

    def read(self):
        # type: () -> Tuple[BlockDevice, ...]
        """Read the host's block devices, which the other methods evaluate."""
        return read_block_devices(self._sysfs)

    def set_expected_path(self, volume_id, path):
        # type: (Text, Optional[Text]) -> None
        if path is None:
            self._expected_paths.pop(volume_id, None)
        else:
            self._expected_paths[volume_id] = path

    def needs_names(self, devices):
        # type: (Iterable[BlockDevice]) -> bool
        """Check whether this host's devices may have no identity but the cloud's names for them."""
        return is_xen(devices)

    def path_of(self, volume_id, size, encrypted, names, devices):
        # type: (Text, int, bool, Mapping[Text, Text], Iterable[BlockDevice]) -> DevicePath
        device = self._device_of(volume_id, size, encrypted, names, devices)
        path = self._node(device)
        check_node(volume_id, device, path)
        return DevicePath(
            path.path,
            device.size,
            lambda: self.path_of(volume_id, size, encrypted, names, self.read()),
        )

    def _device_of(self, volume_id, size, encrypted, names, devices):
        # type: (Text, int, bool, Mapping[Text, Text], Iterable[BlockDevice]) -> BlockDevice
        expected_path = self._expected_paths.get(volume_id)
        if expected_path is not None:
            number = device_number(volume_id, expected_path)
            return verified(volume_id, size, devices, expected_path, number, encrypted)
        # A device with the volume's identity is the volume's, or an error.
        if volume_id in names and is_xen(devices) and not candidates(volume_id, devices):
            return match_name(volume_id, size, devices, names, root_disk(self._sysfs))
        return match(volume_id, size, devices, encrypted)

    def _node(self, device):
        # type: (BlockDevice) -> FilePath[str]
        # sysfs can't have a slash in a name: cciss!c0d0 stands for cciss/c0d0.
        return self._dev.descendant(native(device.name).split("!"))

    def _all_of(self, volume_id, names, devices):
        # type: (Text, Mapping[Text, Text], Iterable[BlockDevice]) -> List[BlockDevice]
        found = candidates(volume_id, devices) or attached_as(names.get(volume_id), devices)
        try:
            expected_path = self._expected_paths.get(volume_id)
            number = None if expected_path is None else device_number(volume_id, expected_path)
        except DeviceError:
            return found  # the expected path has no device that could be busy
        return found + [each for each in devices if (each.major, each.minor) == number]

    def ensure_gone(self, volume_id, names, devices):
        # type: (Text, Mapping[Text, Text], Iterable[BlockDevice]) -> None
        left = [device for device in devices if fits(volume_id, device)]
        left = left or attached_as(names.get(volume_id), devices)
        if left:
            raise DeviceStillPresent(
                volume_id,
                u"Volume {} is still present on this host as {}".format(
                    volume_id, u", ".join(sorted(device.name for device in left))
                ),
            )

    def refuse_if_busy(self, volume_id, names, devices):
        # type: (Text, Mapping[Text, Text], Iterable[BlockDevice]) -> None
        for device in self._all_of(volume_id, names, devices):
            path = self._node(device)
            try:
                check_node(volume_id, device, path)
            except (DeviceNotFound, DeviceMismatch):
                continue  # the node belongs to another device
            if _is_claimed(path):
                raise DeviceBusy(
                    volume_id,
                    u"{}, the device of volume {}, is in use".format(as_text(path.path), volume_id),
                )


__all__ = ["BlockDevices", "DevicePath", "SizedPath"]

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
from .sysfs import read_block_devices

MYPY = False
if MYPY:
    from typing import Callable, Dict, Iterable, List, Optional, Text, Tuple  # noqa: F401

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

    def path_of(self, volume_id, size, encrypted, devices):
        # type: (Text, int, bool, Iterable[BlockDevice]) -> DevicePath
        expected_path = self._expected_paths.get(volume_id)
        if expected_path is None:
            device = match(volume_id, size, devices, encrypted)
        else:
            number = device_number(volume_id, expected_path)
            device = verified(volume_id, size, devices, expected_path, number, encrypted)
        path = self._node(device)
        check_node(volume_id, device, path)
        return DevicePath(
            path.path, device.size, lambda: self.path_of(volume_id, size, encrypted, self.read())
        )

    def _node(self, device):
        # type: (BlockDevice) -> FilePath[str]
        # sysfs can't have a slash in a name: cciss!c0d0 stands for cciss/c0d0.
        return self._dev.descendant(native(device.name).split("!"))

    def _all_of(self, volume_id, devices):
        # type: (Text, Iterable[BlockDevice]) -> List[BlockDevice]
        found = candidates(volume_id, devices)
        try:
            expected_path = self._expected_paths.get(volume_id)
            number = None if expected_path is None else device_number(volume_id, expected_path)
        except DeviceError:
            return found  # the expected path has no device that could be busy
        return found + [each for each in devices if (each.major, each.minor) == number]

    def ensure_gone(self, volume_id, devices):
        # type: (Text, Iterable[BlockDevice]) -> None
        left = sorted(device.name for device in devices if fits(volume_id, device))
        if left:
            raise DeviceStillPresent(
                volume_id,
                u"Volume {} is still present on this host as {}".format(
                    volume_id, u", ".join(left)
                ),
            )

    def refuse_if_busy(self, volume_id, devices):
        # type: (Text, Iterable[BlockDevice]) -> None
        for device in self._all_of(volume_id, devices):
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

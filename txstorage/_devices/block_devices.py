# -*- test-case-name: tests._devices.test_matching -*-
"""
A volume's device among the host's block devices.
"""

from __future__ import absolute_import, division, print_function

import errno
import os
import stat

from twisted.python.filepath import FilePath

from .._support.compat import as_text, native
from ..errors import (
    DeviceBusy,
    DeviceError,
    DeviceMismatch,
    DeviceNotFound,
    DeviceStillPresent,
)
from .matching import candidates, fits, match, verified
from .sysfs import read_block_devices


def lstat(volume_id, path):
    """
    :return: what ``os.lstat`` does.
    :raises DeviceNotFound: there is nothing.
    :raises DeviceError: it can't be looked at.
    """
    shown = as_text(path.path)
    try:
        return os.lstat(path.path)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise DeviceNotFound(volume_id, u"There is no {}".format(shown))
        problem = os.strerror(error.errno)
        raise DeviceError(volume_id, u"Can't look at {}: {}".format(shown, problem))


def check_node(volume_id, device, path, lstat=lstat):
    """
    Make sure that a device node leads to a device.

    :param text volume_id: the volume, for the error.
    :param BlockDevice device: what it must lead to.
    :param FilePath path: the node.
    :raises DeviceNotFound: there is no node (yet).
    :raises DeviceMismatch: it is something else.
    """
    status = lstat(volume_id, path)
    if not stat.S_ISBLK(status.st_mode):
        problem = u"is not a block special file"
    elif (os.major(status.st_rdev), os.minor(status.st_rdev)) != (device.major, device.minor):
        problem = u"is device {}:{}, but the volume's is {}:{}".format(
            os.major(status.st_rdev), os.minor(status.st_rdev), device.major, device.minor
        )
    else:
        return
    raise DeviceMismatch(
        volume_id, u"{} for volume {} {}".format(as_text(path.path), volume_id, problem)
    )


def _number(volume_id, told):
    """
    :param text told: where a device is said to be; links are followed.
    :return: major and minor.
    :raises DeviceNotFound: there is nothing.
    :raises DeviceMismatch: it is something else.
    """
    path = FilePath(native(os.path.realpath(told)))
    status = lstat(volume_id, path)
    if not stat.S_ISBLK(status.st_mode):
        raise DeviceMismatch(
            volume_id,
            u"{}, where volume {} should be, is not a block special file".format(told, volume_id),
        )
    return os.major(status.st_rdev), os.minor(status.st_rdev)


def _is_claimed(path):
    """
    Whether a file system, swap, device-mapper or the like has claimed a block
    device or a partition of it, in whatever mount namespace: see O_EXCL in
    open(2).  A device that can't be opened is taken for free.
    """
    try:
        descriptor = os.open(path.path, os.O_RDONLY | os.O_EXCL | os.O_NONBLOCK)
    except OSError as error:
        return error.errno == errno.EBUSY
    os.close(descriptor)
    return False


class DevicePath(FilePath):
    """
    The path of a volume's device, for those who keep it: the node of a volume
    that was detached may be another volume's a moment later.  Flocker's agent
    keeps paths, and asks them whether they are block devices before it uses them.

    :param str path: the device node.
    :param find: called for the ``FilePath`` of the volume's verified device now;
        raises :class:`~txstorage.errors.DeviceError` or ``EnvironmentError``.
    """

    def __init__(self, path, find):
        FilePath.__init__(self, path)
        self._find = find

    def __hash__(self):
        return hash(FilePath(self.path))

    def isBlockDevice(self):
        """
        Look again, and follow the volume to where its device is now.

        :return: whether the volume has a device on this host, and this path is its.
        """
        try:
            self.path = self._find().path
        except (DeviceError, EnvironmentError):
            return False
        return FilePath(self.path).isBlockDevice()


class BlockDevices(object):
    """Finds volumes among the host's block devices."""

    def __init__(self, sysfs, dev):
        self._sysfs = sysfs
        self._dev = dev
        self._told = {}

    def look(self):
        """What there is now; the other methods judge it."""
        return read_block_devices(self._sysfs)

    def set_expected_path(self, volume_id, path):
        if path is None:
            self._told.pop(volume_id, None)
        else:
            self._told[volume_id] = path

    def path_of(self, volume_id, size, devices):
        told = self._told.get(volume_id)
        if told is None:
            device = match(volume_id, size, devices)
        else:
            device = verified(volume_id, size, devices, told, _number(volume_id, told))
        path = self._node(device)
        check_node(volume_id, device, path)
        return DevicePath(path.path, lambda: self.path_of(volume_id, size, self.look()))

    def _node(self, device):
        # sysfs can't have a slash in a name: cciss!c0d0 is cciss/c0d0.
        return self._dev.descendant(native(device.name).split("!"))

    def _all_of(self, volume_id, devices):
        found = candidates(volume_id, devices)
        try:
            told = self._told.get(volume_id)
            number = None if told is None else _number(volume_id, told)
        except DeviceError:
            return found  # nothing is there that could be busy
        return found + [each for each in devices if (each.major, each.minor) == number]

    def ensure_gone(self, volume_id, devices):
        left = sorted(device.name for device in devices if fits(volume_id, device))
        if left:
            raise DeviceStillPresent(
                volume_id, u"Volume {} is still here as {}".format(volume_id, u", ".join(left))
            )

    def refuse_if_busy(self, volume_id, devices):
        for device in self._all_of(volume_id, devices):
            path = self._node(device)
            try:
                check_node(volume_id, device, path)
            except (DeviceNotFound, DeviceMismatch):
                continue  # whatever the node leads to, it is not this device
            if _is_claimed(path):
                raise DeviceBusy(
                    volume_id,
                    u"{}, the device of volume {}, is in use".format(as_text(path.path), volume_id),
                )


__all__ = ["BlockDevices", "DevicePath", "check_node", "lstat"]

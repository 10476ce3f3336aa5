# -*- test-case-name: tests._devices.test_matching -*-
"""
Files and device nodes on this host, with errors that name the volume.
"""

from __future__ import absolute_import, division, print_function

import errno
import os
import stat

from twisted.python.filepath import FilePath

from .._support.compat import as_text, native
from ..errors import DeviceError, DeviceMismatch, DeviceNotFound

MYPY = False
if MYPY:
    from typing import Callable, Text, Tuple  # noqa: F401

    from .sysfs import BlockDevice  # noqa: F401


def lstat(volume_id, path):
    # type: (Text, FilePath[str]) -> os.stat_result
    """
    Call ``os.lstat``.

    :param text volume_id: the volume, for the error.
    :param FilePath path: the file.
    :return: the result of ``os.lstat``.
    :raises DeviceNotFound: the path does not exist.
    :raises DeviceError: the path can't be read.
    """
    shown = as_text(path.path)
    try:
        return os.lstat(path.path)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise DeviceNotFound(volume_id, u"{} does not exist".format(shown))
        problem = os.strerror(error.errno or 0)
        raise DeviceError(volume_id, u"Can't examine {}: {}".format(shown, problem))


def check_node(volume_id, device, path, lstat=lstat):
    # type: (Text, BlockDevice, FilePath[str], Callable[[Text, FilePath[str]], os.stat_result]) -> None
    """
    Check that a device node belongs to a device.

    :param text volume_id: the volume, for the error.
    :param BlockDevice device: the expected device.
    :param FilePath path: the node.
    :raises DeviceNotFound: the node does not exist (yet).
    :raises DeviceMismatch: the node is another device's, or the path is not a block device.
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


def device_number(volume_id, expected_path):
    # type: (Text, Text) -> Tuple[int, int]
    """
    Return the device number of the block device at a path.

    :param text volume_id: the volume, for the error.
    :param text expected_path: the expected path of the device; links are followed.
    :return: the device's major and minor numbers.
    :raises DeviceNotFound: the path does not exist.
    :raises DeviceMismatch: the path is not a block device.
    """
    path = FilePath(native(os.path.realpath(expected_path)))
    status = lstat(volume_id, path)
    if not stat.S_ISBLK(status.st_mode):
        raise DeviceMismatch(
            volume_id,
            u"{}, the expected path of volume {}, is not a block special file".format(
                expected_path, volume_id
            ),
        )
    return os.major(status.st_rdev), os.minor(status.st_rdev)


__all__ = ["check_node", "device_number", "lstat"]

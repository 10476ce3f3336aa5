# -*- test-case-name: tests.test_contract -*-
"""
What the suites look at and clear away.
"""

from __future__ import absolute_import, division, print_function

import os
import stat
from subprocess import check_output
from uuid import uuid4

from twisted.internet.defer import inlineCallbacks

from ..interfaces import UnattachedVolume


def block_device_size(path):
    """
    :param FilePath path: a block device.
    :return: its size in bytes, as the kernel says.
    :raises AssertionError: when it is no block device.
    """
    assert path.isBlockDevice(), "{} is no block device".format(path.path)
    return int(check_output(["blockdev", "--getsize64", path.path]))


def regular_file_size(path):
    """
    :param FilePath path: a file that stands for a device.
    :return: its size in bytes.
    :raises AssertionError: when it is no regular file.
    """
    status = os.lstat(path.path)
    assert stat.S_ISREG(status.st_mode), "{} is no regular file".format(path.path)
    return status.st_size


def mark(path):
    """
    Write something unmistakable to the beginning of a device.

    :param FilePath path: the device.
    :return: ``bytes``: what was written.
    """
    content = uuid4().bytes * 256
    with open(path.path, "r+b") as device:
        device.write(content)
        device.flush()
        os.fsync(device.fileno())
    return content


def has_mark(path, mark):
    """
    :param FilePath path: a device, which may be gone.
    :param bytes mark: what :func:`mark` returned.
    :return: whether the device is there and begins with it.
    """
    try:
        with open(path.path, "rb") as device:
            return device.read(len(mark)) == mark
    except EnvironmentError:
        return False


@inlineCallbacks
def detach_destroy_volumes(api):
    """
    Remove all volumes that a driver lists.

    :param api: an ``IBlockDeviceAsyncAPI``.
    :return: a ``Deferred`` that fires with ``None``.
    """
    volumes = yield api.list_volumes()
    for volume in volumes:
        if volume.attached_to is not None:
            yield api.detach_volume(volume.blockdevice_id).addErrback(
                lambda failure: failure.trap(UnattachedVolume) and None
            )
        yield api.destroy_volume(volume.blockdevice_id)

# -*- test-case-name: tests._support.test_loop_devices -*-
"""
Loop devices, identified by the file behind them.

The number of a loop device is not an identity: between two commands, another process may free a
device and bind another file to it.  A path is not one either: in another mount namespace it names
another file.  Each function opens the device, compares the device number and the inode of the file
behind it, and acts on that same descriptor.  Source: ``linux/loop.h``.
"""

from __future__ import absolute_import, division, print_function

import errno
import fcntl
import os
import struct

from . import linux

MYPY = False
if MYPY:
    from typing import Callable, Optional, Tuple  # noqa: F401

_LOOP_SET_FD = 0x4C00
_LOOP_CLR_FD = 0x4C01
_LOOP_SET_STATUS64 = 0x4C04
_LOOP_GET_STATUS64 = 0x4C05
_LOOP_SET_CAPACITY = 0x4C07
_LOOP_CTL_GET_FREE = 0x4C82
_CONTROL = "/dev/loop-control"
_INFO_SIZE = 232
_FLAGS_OFFSET = 52
_AUTOCLEAR = 4
#: The node does not exist, or the device has no file.
_NO_DEVICE = (errno.ENOENT, errno.ENXIO, errno.ENODEV)


def _open(device, flags):
    # type: (str, int) -> Optional[int]
    try:
        return os.open(device, flags | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        if error.errno not in _NO_DEVICE:
            raise
        return None


def _status(opened):
    # type: (int) -> Optional[bytes]
    """:return: the ``loop_info64`` of an open device, or ``None`` when it has no file."""
    try:
        return fcntl.ioctl(opened, _LOOP_GET_STATUS64, b"\0" * _INFO_SIZE)
    except (IOError, OSError) as error:
        if error.errno not in _NO_DEVICE:
            raise
        return None


def _place(path):
    # type: (str) -> Optional[Tuple[int, int]]
    try:
        found = os.stat(path)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return None
    return found.st_dev, found.st_ino


def _holds(opened, path, removed):
    # type: (int, str, bool) -> bool
    """
    Check whether a file is behind an open device.

    :param int opened: the device's descriptor.
    :param str path: the file's absolute path.
    :param bool removed: whether a file that was removed from the path counts, too.
    """
    info = _status(opened)
    if info is None:
        return False
    place = struct.unpack_from("=QQ", info)
    if place == _place(path):
        return True
    if not removed:
        return False
    # An open device keeps its file, so that the kernel's path is that file's.
    number = os.fstat(opened).st_rdev
    backing = linux.backing_file(
        u"/sys/dev/block/{}:{}".format(os.major(number), os.minor(number))
    )
    directory = _place(os.path.dirname(path))
    bytes_path = path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")
    return backing == (bytes_path, True) and directory is not None and place[0] == directory[0]


def is_on(device, path):
    # type: (str, str) -> bool
    """
    Check whether a loop device has a file: the one at a path; or, when there is none, the one that
    was removed from there.

    :param str device: the device node.
    :param str path: the file's absolute path.
    :raises OSError: the device can't be opened.
    """
    return _check(device, path, _place(path) is None)


def was_on(device, path):
    # type: (str, str) -> bool
    """
    Check whether a loop device has the file at a path, or one that was removed from there, even
    when another file has its place.

    :param str device: the device node.
    :param str path: the file's absolute path.
    :raises OSError: the device can't be opened.
    """
    return _check(device, path, True)


def _check(device, path, removed):
    # type: (str, str, bool) -> bool
    opened = _open(device, os.O_RDONLY)
    if opened is None:
        return False
    try:
        return _holds(opened, path, removed)
    finally:
        os.close(opened)


def attach(path, tries=100):
    # type: (str, int) -> str
    """
    Attach a free loop device to a file, which another device may have already.

    ``losetup`` does the same, but pauses for a quarter of a second when another process, or
    another thread, takes the device that it has found free.

    :param str path: the file's absolute path; a symbolic link is refused.
    :param int tries: the number of free devices that others may take meanwhile.
    :return: the device node.
    :raises OSError: there is no free device, or the file can't be used.
    """
    backing = os.open(path, os.O_RDWR | os.O_NOFOLLOW | getattr(os, "O_CLOEXEC", 0))
    try:
        for _ in range(tries):
            device = "/dev/loop{}".format(_free_number())
            if _set_file(device, backing):
                return device
    finally:
        os.close(backing)
    raise OSError(errno.EBUSY, "other processes take every free loop device")


def _free_number():
    # type: () -> int
    control = os.open(_CONTROL, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    try:
        return fcntl.ioctl(control, _LOOP_CTL_GET_FREE)
    except IOError as error:
        raise OSError(error.errno, "no free loop device: " + os.strerror(error.errno or 0))
    finally:
        os.close(control)


def _set_file(device, backing):
    # type: (str, int) -> bool
    """:return: whether the device had no file before."""
    opened = os.open(device, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    try:
        fcntl.ioctl(opened, _LOOP_SET_FD, backing)
        return True
    except (IOError, OSError) as error:
        if error.errno != errno.EBUSY:
            raise
        return False
    finally:
        os.close(opened)


def detach(device, path, exclusive=False):
    # type: (str, str, bool) -> bool
    """
    Detach a loop device from a file, also from one that was removed; a device that has another
    file, or none, stays as it is.

    Closing the device waits until its data is on disk.  A device that another process has open is
    detached when the last one closes it.

    :param str device: the device node.
    :param str path: the file's absolute path.
    :param bool exclusive: whether a device that is in use, e.g. mounted, stays as it is.
    :return: whether the device had the file.
    :raises OSError: with ``EBUSY``, the device is in use; or the device can't be opened.
    """
    opened = _open(device, os.O_RDONLY | (os.O_EXCL if exclusive else 0))
    if opened is None:
        return False
    try:
        if not _holds(opened, path, removed=True):
            return False
        fcntl.ioctl(opened, _LOOP_CLR_FD)
        return True
    except (IOError, OSError) as error:
        if error.errno not in _NO_DEVICE:
            raise
        return False
    finally:
        os.close(opened)


def keep(device, path):
    # type: (str, str) -> None
    """
    Cancel a detach that waits until the last process closes the device.

    :param str device: the device node.
    :param str path: the absolute path of the file behind it.
    :raises OSError: the device can't be opened.
    """
    opened = _open(device, os.O_RDWR)
    if opened is None:
        return
    try:
        info = _status(opened)
        if info is not None and _holds(opened, path, removed=True):
            (flags,) = struct.unpack_from("=I", info, _FLAGS_OFFSET)
            changed = struct.pack("=I", flags & ~_AUTOCLEAR)
            info = info[:_FLAGS_OFFSET] + changed + info[_FLAGS_OFFSET + 4 :]
            fcntl.ioctl(opened, _LOOP_SET_STATUS64, info)
    finally:
        os.close(opened)


def grow(device, path):
    # type: (str, str) -> None
    """
    Let a loop device, also one that is in use, have the present size of its file.

    :param str device: the device node.
    :param str path: the absolute path of the file behind it.
    :raises OSError: the device can't be opened, or has another file.
    """
    _command(device, path, lambda opened: fcntl.ioctl(opened, _LOOP_SET_CAPACITY))


def flush(device, path):
    # type: (str, str) -> None
    """
    Write everything that was written to a loop device itself to its file, and that to the disk.
    Data that a mounted file system holds back stays with the file system.

    :param str device: the device node.
    :param str path: the absolute path of the file behind it.
    :raises OSError: the device can't be opened, or has another file.
    """
    _command(device, path, os.fsync)


def _command(device, path, act):
    # type: (str, str, Callable[[int], object]) -> None
    opened = _open(device, os.O_RDONLY)
    if opened is None:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), device)
    try:
        if not _holds(opened, path, removed=False):
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), device)
        act(opened)
    finally:
        os.close(opened)


__all__ = ["attach", "detach", "flush", "grow", "is_on", "keep", "was_on"]

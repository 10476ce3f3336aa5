# -*- test-case-name: tests.testing.test_suites -*-
"""
The inspection and the removal of volumes, for the suites.
"""

from __future__ import absolute_import, division, print_function

import os
import stat
from subprocess import check_output
from uuid import uuid4

from twisted.internet.defer import Deferred, inlineCallbacks

from ..interfaces import IBlockDeviceAsyncAPI, UnattachedVolume
from .calls import on_reactor_thread

MYPY = False
if MYPY:
    from typing import Any, Callable, Generator, List, Optional  # noqa: F401

    from twisted.python.failure import Failure  # noqa: F401
    from twisted.python.filepath import FilePath  # noqa: F401

    from ..interfaces import BlockDeviceVolume  # noqa: F401


def block_device_size(path):
    # type: (FilePath[str]) -> int
    """
    :param FilePath path: a block device.
    :return: its size in bytes, from the kernel.
    :raises AssertionError: when it is not a block device.
    """
    assert path.isBlockDevice(), "{} is not a block device".format(path.path)
    return int(check_output(["blockdev", "--getsize64", path.path]))


def regular_file_size(path):
    # type: (FilePath[str]) -> int
    """
    :param FilePath path: a file that stands for a device.
    :return: its size in bytes.
    :raises AssertionError: when it is not a regular file.
    """
    status = os.lstat(path.path)
    assert stat.S_ISREG(status.st_mode), "{} is not a regular file".format(path.path)
    return status.st_size


def size_of(path):
    # type: (FilePath[str]) -> int
    """
    :param FilePath path: a block device, or a file that stands for one.
    :return: its size in bytes.
    """
    with open(path.path, "rb") as device:
        device.seek(0, os.SEEK_END)
        return device.tell()


def mark(path):
    # type: (FilePath[str]) -> bytes
    """
    Write a unique mark to the beginning of a device.

    :param FilePath path: the device.
    :return: the mark, ``bytes``.
    """
    content = uuid4().bytes * 256
    with open(path.path, "r+b") as device:
        device.write(content)
        device.flush()
        os.fsync(device.fileno())
    return content


def has_mark(path, mark):
    # type: (FilePath[str], bytes) -> bool
    """
    :param FilePath path: the device, which may be gone.
    :param bytes mark: what :func:`mark` returned.
    :return: whether the device exists and begins with the mark.
    """
    try:
        with open(path.path, "rb") as device:
            return device.read(len(mark)) == mark
    except EnvironmentError:
        return False


def detach_destroy_volumes(api):
    # type: (Any) -> Optional[Deferred[None]]
    """
    Remove all volumes that a driver lists.  A volume that can't be removed does not keep the others
    from being removed.

    :param api: an ``IBlockDeviceAsyncAPI``, or an ``IBlockDeviceAPI``.
    :return: for an asynchronous driver, a ``Deferred`` that fires with ``None``, or fails with the
        first error; for a blocking driver, ``None``.
    """
    if IBlockDeviceAsyncAPI.providedBy(api):
        return remove_volumes(api)
    # a blocking driver is cleaned up by test frameworks that know no Deferreds, too
    failures = []  # type: List[Failure]
    remove_volumes(on_reactor_thread(api)).addErrback(failures.append)
    for failure in failures:
        failure.raiseException()
    return None


def with_clean_up(api_factory):
    # type: (Callable[[Any], Any]) -> Callable[[Any], Any]
    """
    Make a factory clean up: it detaches and destroys the volumes that a test left.

    The suites of this package clean up by themselves; your own tests and Flocker's need this.

    :param api_factory: called with a test case; returns a driver, or a ``Deferred`` of it.
    :return: a function, to be called in the same way.
    """

    def made(api, test_case):
        # type: (Any, Any) -> Any
        test_case.addCleanup(detach_destroy_volumes, api)
        return api

    def factory(test_case):
        # type: (Any) -> Any
        api = api_factory(test_case)
        if isinstance(api, Deferred):
            return api.addCallback(made, test_case)
        return made(api, test_case)

    return factory


@inlineCallbacks
def remove_volumes(api):
    # type: (Any) -> Generator[Any, Any, None]
    """
    Remove all volumes, as :func:`detach_destroy_volumes` does, by methods that return Deferreds.
    """
    volumes = yield api.list_volumes()
    failures = []  # type: List[Failure]
    for volume in volumes:
        yield _remove(api, volume).addErrback(failures.append)
    if failures:
        failures[0].raiseException()


@inlineCallbacks
def remove_snapshots(api):
    # type: (Any) -> Generator[Any, Any, None]
    """Remove all snapshots that a driver lists."""
    snapshots = yield api.list_snapshots()
    for snapshot in snapshots:
        yield api.destroy_snapshot(snapshot.snapshot_id)


def _ignore_unattached(failure):
    # type: (Failure) -> None
    failure.trap(UnattachedVolume)


@inlineCallbacks
def _remove(api, volume):
    # type: (Any, BlockDeviceVolume) -> Generator[Any, Any, None]
    if volume.attached_to is not None:
        yield api.detach_volume(volume.blockdevice_id).addErrback(_ignore_unattached)
    yield api.destroy_volume(volume.blockdevice_id)

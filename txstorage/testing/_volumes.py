# -*- test-case-name: tests.testing.test_suites -*-
"""
What the suites look at and clear away.
"""

from __future__ import absolute_import, division, print_function

import os
import stat
from subprocess import check_output
from uuid import uuid4

from twisted.internet.defer import Deferred, inlineCallbacks

from ..interfaces import IBlockDeviceAsyncAPI, UnattachedVolume
from ._calls import on_reactor_thread


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


def detach_destroy_volumes(api):
    """
    Remove all volumes that a driver lists.  One that can't be removed does
    not keep the others from being removed.

    :param api: an ``IBlockDeviceAsyncAPI``, or an ``IBlockDeviceAPI``.
    :return: for an asynchronous driver, a ``Deferred`` that fires with
        ``None``, or fails with the first thing that went wrong; for a blocking
        one, ``None``, when all is done.
    """
    if IBlockDeviceAsyncAPI.providedBy(api):
        return remove_volumes(api)
    # for test frameworks that know no Deferreds, as for trial
    failures = []
    remove_volumes(on_reactor_thread(api)).addErrback(failures.append)
    for failure in failures:
        failure.raiseException()


def with_clean_up(api_factory):
    """
    Make a factory clean up: what a test left is detached and destroyed.

    The suites of this package do so themselves.  This is for tests of your
    own, and for those of Flocker.

    :param api_factory: called with a test case; returns a driver, or a
        ``Deferred`` of it.
    :return: a function, to be called in the same way.
    """

    def made(api, test_case):
        test_case.addCleanup(detach_destroy_volumes, api)
        return api

    def factory(test_case):
        api = api_factory(test_case)
        if isinstance(api, Deferred):
            return api.addCallback(made, test_case)
        return made(api, test_case)

    return factory


@inlineCallbacks
def remove_volumes(api):
    """
    As :func:`detach_destroy_volumes`, for anything whose methods return Deferreds.
    """
    volumes = yield api.list_volumes()
    failures = []
    for volume in volumes:
        yield _remove(api, volume).addErrback(failures.append)
    if failures:
        failures[0].raiseException()


@inlineCallbacks
def _remove(api, volume):
    if volume.attached_to is not None:
        yield api.detach_volume(volume.blockdevice_id).addErrback(
            lambda failure: failure.trap(UnattachedVolume) and None
        )
    yield api.destroy_volume(volume.blockdevice_id)

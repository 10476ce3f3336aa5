# -*- test-case-name: tests.cli.demo.test_cleanup -*-
"""
The removal of everything in a directory of the caller's: mounts, loop devices, files.

It starts from the present state, not from a record, so that it is complete wherever the work before
it stopped.
"""

from __future__ import annotations

import glob
import os
import shutil

from twisted.internet.threads import deferToThreadPool

from ..._support import linux, loop_devices
from ..running import IReactor
from .commands import CommandFailed, command


def is_below(path: str, directory: str) -> bool:
    """Check whether a path is in a directory; both absolute and resolved."""
    return path.startswith(directory.rstrip("/") + "/")


def mounts_below(directory: str, table: str = "/proc/self/mounts") -> list[str]:
    """
    :return: the mountpoints in a directory, the innermost first.
    """
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as opened:
            points = [point for _, point in linux.mounts(opened.read())]
    except FileNotFoundError:
        return []
    return [point for point in reversed(points) if is_below(point, directory)]


def loops_below(directory: str, sysfs: str = "/sys") -> dict[str, str]:
    """
    :return: the paths of loop devices whose backing file is in a directory, with the file's.
    """
    found = {}
    for block_device in glob.glob(os.path.join(sysfs, "block/loop*")):
        backing = linux.backing_file(block_device)
        if backing is not None and is_below(os.fsdecode(backing[0]), directory):
            found["/dev/" + os.path.basename(block_device)] = os.fsdecode(backing[0])
    return found


async def _unmount(reactor: IReactor, mountpoint: str) -> None:
    try:
        await command(reactor, "umount", mountpoint)
    except CommandFailed:
        # A process uses the mount; it disappears when the last user ends.
        await command(reactor, "umount", "--lazy", mountpoint)


async def unmount_all(reactor: IReactor, directory: str) -> None:
    """
    Unmount everything that is mounted in a directory.

    :param directory: absolute and resolved.
    """
    for mountpoint in mounts_below(directory):
        await _unmount(reactor, mountpoint)


async def remove(reactor: IReactor, directory: str) -> None:
    """
    Unmount everything in a directory, detach the loop devices whose files are in it, and remove it.

    :param directory: absolute and resolved.
    """
    await unmount_all(reactor, directory)
    for loop, path in loops_below(directory).items():
        # Closing a device waits for the disk.
        await deferToThreadPool(reactor, reactor.getThreadPool(), loop_devices.detach, loop, path)
    shutil.rmtree(directory, ignore_errors=True)

# -*- test-case-name: tests.cli.demo.test_cleanup -*-
"""
The removal of everything in a directory of the caller's: mounts, loop devices, files.

It starts from the present state, not from a record, so that it is complete wherever the work before
it stopped.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
from typing import Any

from .commands import CommandFailed, command


def is_below(path: str, directory: str) -> bool:
    """Check whether a path is in a directory; both absolute and resolved."""
    return path.startswith(directory.rstrip("/") + "/")


def _unescape(field: str) -> str:
    # The kernel writes white space and backslashes as \ooo.
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), field)


def mounts_below(directory: str, table: str = "/proc/self/mounts") -> list[str]:
    """
    :return: the mountpoints in a directory, the innermost first.
    """
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as mounts:
            points = [_unescape(line.split(" ")[1]) for line in mounts]
    except FileNotFoundError:
        return []
    return [point for point in reversed(points) if is_below(point, directory)]


def loops_below(directory: str, sysfs: str = "/sys") -> list[str]:
    """
    :return: the paths of loop devices whose backing file is in a directory.
    """
    found = []
    for path in glob.glob(os.path.join(sysfs, "block/loop*/loop/backing_file")):
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as opened:
                backing = opened.read().rstrip("\n")
        except OSError:
            continue  # It was detached since the listing.
        if is_below(backing, directory):
            found.append("/dev/" + path.split("/")[-3])
    return sorted(found)


async def _unmount(reactor: Any, mountpoint: str) -> None:
    try:
        await command(reactor, "umount", mountpoint)
    except CommandFailed:
        # Somebody looks at it; it goes away when they leave.
        await command(reactor, "umount", "--lazy", mountpoint)


async def unmount_all(reactor: Any, directory: str) -> None:
    """
    Unmount everything that is mounted in a directory.

    :param directory: absolute and resolved.
    """
    for mountpoint in mounts_below(directory):
        await _unmount(reactor, mountpoint)


async def remove(reactor: Any, directory: str) -> None:
    """
    Unmount everything in a directory, detach the loop devices whose files are in it, and remove it.

    :param directory: absolute and resolved.
    """
    await unmount_all(reactor, directory)
    for loop in loops_below(directory):
        await command(reactor, "losetup", "--detach", loop)
    shutil.rmtree(directory, ignore_errors=True)

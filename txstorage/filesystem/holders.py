# -*- test-case-name: tests.filesystem.test_holders -*-
"""
The users of a block device on this node, from the kernel: mounts in all mount namespaces, swap, and
devices on top of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

import attr

from .._support.linux import unescape


@attr.s(auto_attribs=True, frozen=True)
class Mount:
    """
    A line of a mount table.  Source: proc_pid_mountinfo(5).

    :ivar number: the file system's major and minor numbers, most often its device's, such as
        ``7:0``.
    :ivar root: the mounted directory of the file system.
    :ivar mounted_at: the mount point, as the namespace shows it.
    :ivar kind: the kind of file system.
    :ivar source: the device, as it was named.
    :ivar shared: whether mounts below it appear in other mount namespaces.
    """

    number: str
    root: str
    mounted_at: str
    kind: str
    source: str
    shared: bool = False

    def is_of(self, number: str) -> bool:
        """:return: whether the mount is of the device with these numbers."""
        if self.number.startswith("0:") and self.source.startswith("/dev/"):
            # btrfs has numbers of its own.
            try:
                return number_of(self.source) == number
            except OSError:
                return False
        return self.number == number


@attr.s(auto_attribs=True, frozen=True)
class Holder:
    """
    A user of a device.

    :ivar pid: a process that sees the mount; 0 for the kernel's own users.
    :ivar command: the process's name; of another user, what it is.
    :ivar place: the mount point, or the device on top.
    :ivar root: the mounted directory of the file system; empty for other uses than mounts.
    """

    pid: int
    command: str
    place: str
    root: str = ""

    def __str__(self) -> str:
        process = f"{self.command} (process {self.pid})" if self.pid else self.command
        return f"{process} at {self.place}"


def parsed(table: str) -> list[Mount]:
    """
    :param table: the content of a ``mountinfo``.
    :return: its mounts, in the order of mounting; malformed lines are left out.
    """
    found = []
    for line in table.splitlines():
        before, separator, after = line.partition(" - ")
        left, right = before.split(" "), after.split(" ")
        if separator and len(left) >= 6 and len(right) >= 2:
            root, mounted_at, kind, source = map(unescape, [*left[3:5], *right[:2]])
            shared = any(each.startswith("shared:") for each in left[6:])
            found.append(Mount(left[2], root, mounted_at, kind, source, shared))
    return found


def mounts_of(pid: int | str = "self", proc: str = "/proc") -> list[Mount]:
    """
    :param pid: a process.
    :return: the mounts that the process sees.
    :raises OSError: there is no such process.
    """
    path = os.path.join(proc, str(pid), "mountinfo")
    with open(path, encoding="utf-8", errors="surrogateescape") as opened:
        return parsed(opened.read())


def number_of(device: str) -> str:
    """
    :param device: the path of a block device.
    :return: its major and minor numbers, such as ``7:0``.
    :raises OSError: there is none.
    """
    status = os.stat(device)
    return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"


def holders_of(number: str, proc: str = "/proc", sysfs: str = "/sys") -> list[Holder]:
    """
    Find the users of a device.

    :param number: its major and minor numbers, such as ``7:0``.
    :return: a list of :class:`Holder`, one for each mount of each mount namespace.
    """
    return [*_mounted(number, proc), *_swap(number, proc), *_above(number, proc, sysfs)]


def _mounted(number: str, proc: str) -> Iterator[Holder]:
    seen = set()
    for pid in sorted((int(name) for name in os.listdir(proc) if name.isdigit())):
        # A process may end at any moment, which ends its use, too.
        try:
            namespace = os.readlink(os.path.join(proc, str(pid), "ns", "mnt"))
            if namespace in seen:
                continue
            found = [each for each in mounts_of(pid, proc) if each.is_of(number)]
        except OSError:
            continue
        seen.add(namespace)
        for each in found:
            yield Holder(pid, _command(pid, proc), each.mounted_at, each.root)


def _command(pid: int, proc: str) -> str:
    try:
        with open(os.path.join(proc, str(pid), "comm"), errors="replace") as opened:
            return opened.read().strip()
    except OSError:
        return "?"


def _swap(number: str, proc: str) -> Iterator[Holder]:
    try:
        with open(os.path.join(proc, "swaps"), errors="surrogateescape") as opened:
            paths = [line.split()[0] for line in opened.read().splitlines()[1:] if line.strip()]
    except OSError:
        return
    for path in map(unescape, paths):
        try:
            if number_of(path) == number:
                yield Holder(0, "swap", path)
        except OSError:
            continue


def _above(number: str, proc: str, sysfs: str) -> Iterator[Holder]:
    """Yield the devices on top, such as an opened encrypted one, each with its own users."""
    above = os.path.join(sysfs, "dev", "block", number, "holders")
    try:
        names = sorted(os.listdir(above))
    except OSError:
        return
    for name in names:
        yield Holder(0, "a device on top", f"/dev/{name}")
        # It may be closed at any moment.
        with suppress(OSError), open(os.path.join(above, name, "dev"), encoding="ascii") as opened:
            yield from holders_of(opened.read().strip(), proc, sysfs)


__all__ = ["Holder", "Mount", "holders_of", "mounts_of", "number_of", "parsed"]

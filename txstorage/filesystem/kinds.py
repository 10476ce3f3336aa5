# -*- test-case-name: tests.filesystem.test_kinds -*-
"""
The kinds of file systems, and the commands that make, check and grow each.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

import attr

from ..errors import InvalidFilesystem


@attr.s(auto_attribs=True, frozen=True)
class Kind:
    """
    A kind of file system.

    :ivar name: its name for mount(8) and blkid(8).
    :ivar make: the command that makes one, without the device.
    :ivar check: the command that checks and repairs one that is not mounted, without the device;
        empty when mounting does it.
    :ivar healthy: the exit codes of the check that allow mounting.
    :ivar grow: the command that grows one that is mounted, without its last word.
    :ivar grow_by_device: whether the last word is the device, instead of the mount point.
    :ivar mount: options of mount(8) that it always has.
    """

    name: str
    make: tuple[str, ...]
    check: tuple[str, ...]
    healthy: tuple[int, ...]
    grow: tuple[str, ...]
    grow_by_device: bool
    mount: tuple[str, ...] = ()


#: The supported kinds, by name.
KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "ext4",
            # No discard: a new volume is blank. No lazy initialisation, which would still write
            # after the mount.  No reserved blocks, which only root's own file system needs.
            make=("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard"),
            # e2fsck(8): 1 means that errors were corrected.
            check=("e2fsck", "-p"),
            healthy=(0, 1),
            grow=("resize2fs",),
            grow_by_device=True,
        ),
        Kind(
            "xfs",
            # Never -f: mkfs.xfs itself refuses a device that has a file system.
            make=("mkfs.xfs", "-q", "-K"),
            # Mounting replays the log; xfs_repair(8) is for people.
            check=(),
            healthy=(),
            grow=("xfs_growfs", "-d"),
            grow_by_device=False,
            # The device is verified, and a copy of a volume has its file system's UUID.
            mount=("nouuid",),
        ),
        Kind(
            "btrfs",
            make=("mkfs.btrfs", "-q", "-K"),
            check=(),
            healthy=(),
            grow=("btrfs", "filesystem", "resize", "max"),
            grow_by_device=False,
        ),
    )
}

#: Mount options that would keep a mount from being what the caller asked for.
_NOT_ALLOWED = re.compile(r"bind|rbind|remount|move|loop(=.*)?|offset=.*|sizelimit=.*|helper=.*")


@attr.s(auto_attribs=True, frozen=True)
class Options:
    """
    The choices for a file system.

    :ivar kind: its name, a key of :data:`KINDS`.
    :ivar make: more arguments of the program that makes it.
    :ivar mount: options of mount(8).
    :ivar uid: the owner (int) of a new file system's folder.
    :ivar gid: its group (int).
    :ivar mode: its permissions (int).
    :ivar encrypted: whether the device has to be encrypted.
    """

    kind: str = "ext4"
    make: tuple[str, ...] = ()
    mount: tuple[str, ...] = ()
    uid: int = 0
    gid: int = 0
    mode: int = 0o755
    encrypted: bool = False

    def __attrs_post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidFilesystem(f"There is no file system {self.kind!r}")
        for option in self.mount:
            if not option or not option.isprintable() or "," in option:
                raise InvalidFilesystem(f"Not a mount option: {option!r}")
            if _NOT_ALLOWED.fullmatch(option):
                raise InvalidFilesystem(f"A mount option that is not allowed here: {option!r}")
        for argument in self.make:
            if not argument.isprintable() or argument.startswith("/"):
                raise InvalidFilesystem(f"Not an option of mkfs.{self.kind}: {argument!r}")


def words(text: str) -> tuple[str, ...]:
    """
    :param text: options as a shell reads them.
    :return: the words.
    :raises InvalidFilesystem: a quotation has no end.
    """
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise InvalidFilesystem(f"Can't read the options {text!r}: {error}") from None


def making(options: Options, device: str) -> Sequence[str]:
    """:return: the command that makes a file system on a device."""
    return [*KINDS[options.kind].make, *options.make, device]


def mounting(kind: str, options: Options, device: str, point: str) -> Sequence[str]:
    """:return: the command that mounts a file system."""
    chosen = ",".join((*KINDS[kind].mount, *options.mount))
    return ["mount", "-t", kind, *(["-o", chosen] if chosen else []), "--", device, point]


def growing(kind: str, device: str, mounted_at: str) -> Sequence[str]:
    """:return: the command that grows a mounted file system to the size of its device."""
    chosen = KINDS[kind]
    return [*chosen.grow, device if chosen.grow_by_device else mounted_at]


__all__ = ["KINDS", "Kind", "Options", "growing", "making", "mounting", "words"]

# -*- test-case-name: tests.filesystem.test_mounter -*-
"""
The way of a verified device to a directory, and back.
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import stat
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, Callable

from twisted.internet.defer import DeferredLock
from twisted.internet.threads import deferToThread

from .._log import FILESYSTEM_NOT_GROWN
from .._support import linux
from ..errors import (
    EncryptionUnavailable,
    FilesystemDamaged,
    MountedElsewhere,
    MountPointUnusable,
    ProgramFailed,
    StorageError,
)
from .contents import ext4_is_smaller, kind_on
from .encryption import Encryption
from .holders import Mount, holders_of, mounts_of, number_of
from .kinds import KINDS, Options, growing, making, mounting
from .programs import run

#: The folder of a file system that its users see: its root has ``lost+found``, which keeps Docker
#: from filling a new volume, and PostgreSQL from using it.
FOLDER = "data"
#: The name of the whole file system, in place of a folder of it.
ROOT = "."

# linux/fs.h
_FS_IOC_GETFLAGS = 0x80086601
_FS_IOC_SETFLAGS = 0x40086602
_FS_IMMUTABLE_FL = 0x00000010


class Mounter:
    """
    Mounts the file systems of volumes, each at a directory of its own.

    All operations can be repeated, and resume from the state of the kernel.  Those of one name take
    place one after the other.

    :param reactor: provides ``IReactorProcess`` and ``IReactorThreads``.
    :param directory: the absolute path of the directory of the mount points.
    :param key_file: the path of the key of encrypted devices, or ``None``.
    """

    def __init__(self, reactor: Any, directory: str, key_file: str | None = None) -> None:
        self._reactor = reactor
        self._directory = directory
        self._encryption = Encryption(reactor, directory, key_file)
        self._locks: dict[str, DeferredLock] = {}

    def mount_point(self, name: str) -> str:
        """:return: the path of a name's mount point."""
        if not name or "/" in name or name in (".", ".."):
            raise MountPointUnusable(f"Not the name of a mount point: {name!r}")
        return os.path.join(self._directory, name)

    def folder(self, name: str, folder: str = FOLDER) -> str:
        """
        :param folder: of the file system, or :data:`ROOT`.
        :return: the path of the folder that users see.
        """
        return os.path.normpath(os.path.join(self.mount_point(name), folder))

    def mounted(self, name: str) -> Mount | None:
        """:return: the mount at a name's mount point, or ``None``."""
        point = self.mount_point(name)
        found = [each for each in mounts_of() if each.mounted_at == point]
        return found[-1] if found else None

    def names(self) -> list[str]:
        """:return: the names that have a mount."""
        found = {os.path.split(each.mounted_at) for each in mounts_of()}
        return sorted(name for directory, name in found if directory == self._directory)

    async def mount(
        self,
        name: str,
        device: str,
        options: Options = Options(),
        new: bool = False,
        formatted: Callable[[], Awaitable[None]] | None = None,
        folder: str | None = FOLDER,
    ) -> str:
        """
        Mount a device's file system; make one first, on a device that is new and blank.

        :param name: the mount point's name.
        :param device: the path of the verified device.
        :param options: the :class:`Options`.
        :param new: whether the volume is known never to have been mounted.
        :param formatted: called when a new file system is complete, before it is mounted: from now
            on, the volume is no longer new.
        :param folder: the folder of the file system that users see; :data:`ROOT` for all of it;
            ``None`` to choose by the contents of a file system that other programs have filled.
        :return: a coroutine of the path of the folder for users.
        :raises NotFormatted: the device has no file system, and is not certainly empty.
        :raises FilesystemDamaged: the file system needs a person to repair it.
        :raises MountedElsewhere: the device is mounted, or in use, otherwise.
        :raises MountPointUnusable: something else is mounted at the mount point.
        :raises EncryptionUnavailable: it is encrypted, and this node can't open it.
        :raises KeyRefused: it is encrypted with another key.
        """
        async with self._alone(name):
            mounted = self.mounted(name)
            if mounted is None:
                # An interrupted mount may have left it open.
                await self._encryption.close(name)
                await self._check_free(device)
                await self._open(name, device, options, new, formatted)
            elif not mounted.is_of(number_of(self._encryption.top(name, device))):
                raise MountPointUnusable(
                    f"{self.mount_point(name)} has {mounted.source}, not {device}"
                )
            await self._grow(name, device)
            if folder is None:
                folder = await deferToThread(_chosen_folder, self.mount_point(name))
            path = self.folder(name, folder)
            if folder != ROOT:
                await deferToThread(_make_folder, path, options)
            return path

    async def unmount(self, name: str) -> None:
        """
        Unmount a file system, and make its mount point take no writes.

        :raises MountedElsewhere: it is in use; the error names its users.
        """
        async with self._alone(name):
            point = self.mount_point(name)
            while (mounted := self.mounted(name)) is not None:
                try:
                    await run(self._reactor, "umount", point)
                except ProgramFailed as error:
                    users = await deferToThread(_users_below, point)
                    raise MountedElsewhere(mounted.source, users or [error.output]) from error
            await self._encryption.close(name)
            with suppress(FileNotFoundError):
                _set_immutable(point, False)
                os.rmdir(point)

    def _alone(self, name: str) -> _Turn:
        return _Turn(self._locks, name)

    async def _check_free(self, device: str) -> None:
        holders = await deferToThread(holders_of, number_of(device))
        if holders:
            raise MountedElsewhere(device, map(str, holders))
        if linux.is_claimed(device):
            raise MountedElsewhere(device, ["the kernel, or a program that wants it for itself"])

    async def _open(
        self,
        name: str,
        device: str,
        options: Options,
        new: bool,
        formatted: Callable[[], Awaitable[None]] | None,
    ) -> None:
        top, fresh = await self._encryption.open(name, device, options.encrypted, new)
        try:
            kind = await self._formatted(top, options, new, fresh)
            if fresh:
                await self._encryption.keep(device)
            if new and formatted is not None:
                await formatted()
            await self._mount(name, top, kind, options)
        except BaseException:
            # The error of the mount says more than one of closing.
            with suppress(StorageError):
                await self._encryption.close(name)
            raise

    async def _formatted(self, device: str, options: Options, new: bool, fresh: bool) -> str:
        """Make a file system where there is none; :return: a coroutine of its kind."""
        kind = await kind_on(self._reactor, device, new, fresh)
        if kind is None:
            await run(self._reactor, *making(options, device))
            kind = options.kind
        return kind

    async def _mount(self, name: str, device: str, kind: str, options: Options) -> None:
        await self._check(device, kind)
        if kind == "ext4" and await deferToThread(ext4_is_smaller, device):
            # Growing a mounted one needs CAP_SYS_RESOURCE, which containers often lack.
            await self._check(device, kind, "-f")
            await run(self._reactor, *growing(kind, device, ""))
        point = self.mount_point(name)
        await deferToThread(_make_mount_point, point)
        await run(self._reactor, *mounting(kind, options, device, point))

    async def _check(self, device: str, kind: str, *options: str) -> None:
        chosen = KINDS[kind]
        if not chosen.check:
            return
        command = [*chosen.check, *options, device]
        try:
            await run(self._reactor, *command, accept=chosen.healthy)
        except ProgramFailed as error:
            raise FilesystemDamaged(device, error.output) from error

    async def _grow(self, name: str, device: str) -> None:
        point = self.mount_point(name)
        mounted = self.mounted(name)
        if mounted is None:
            return
        top = self._encryption.top(name, device)
        try:
            if top != device:
                await self._encryption.grow(name, device)
            if mounted.kind == "ext4" and not await deferToThread(ext4_is_smaller, top):
                return
            await run(self._reactor, *growing(mounted.kind, top, point))
        except (ProgramFailed, EncryptionUnavailable) as error:
            # Its users can still have it as it is.
            FILESYSTEM_NOT_GROWN(device=device, reason=str(error)).write()


class _Turn:
    """The turn of one operation on a name, for ``async with``."""

    def __init__(self, locks: dict[str, DeferredLock], name: str) -> None:
        self._locks = locks
        self._name = name

    async def __aenter__(self) -> None:
        self._lock = self._locks.setdefault(self._name, DeferredLock())
        await self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
        if not self._lock.locked:
            self._locks.pop(self._name, None)


def _make_mount_point(point: str) -> None:
    """Make a directory that takes no writes: without a mount, they would be lost."""
    os.makedirs(os.path.dirname(point), mode=0o700, exist_ok=True)
    with suppress(FileExistsError):
        os.mkdir(point, 0o700)
    if not stat.S_ISDIR(os.lstat(point).st_mode):
        raise MountPointUnusable(f"{point} is not a directory")
    _set_immutable(point, True)


def _make_folder(folder: str, options: Options) -> None:
    """Make the folder that users see, unless the file system has it."""
    if not os.path.lexists(folder):
        # Complete when it has its name: a crash in between must not leave another owner.
        temporary = folder + ".new"
        with suppress(FileExistsError):
            os.mkdir(temporary)
        os.chown(temporary, options.uid, options.gid)
        os.chmod(temporary, options.mode)
        os.rename(temporary, folder)
    if not stat.S_ISDIR(os.lstat(folder).st_mode):
        raise MountPointUnusable(f"{folder} is not a directory")


def _chosen_folder(point: str) -> str:
    """
    Choose the folder that users see of a file system that other programs have filled.

    :return: :data:`FOLDER`, when the file system has nothing else, as those of REX-Ray; else
        :data:`ROOT`, so that nothing is hidden.
    """
    others = set(os.listdir(point)) - {FOLDER, FOLDER + ".new", "lost+found"}
    return ROOT if others else FOLDER


def _set_immutable(directory: str, immutable: bool) -> None:
    """Set or clear chattr(1)'s ``i``; a file system without it is not a failure."""
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flags = array.array("I", [0])
        fcntl.ioctl(opened, _FS_IOC_GETFLAGS, flags, True)
        flags[0] = flags[0] & ~_FS_IMMUTABLE_FL | (_FS_IMMUTABLE_FL if immutable else 0)
        fcntl.ioctl(opened, _FS_IOC_SETFLAGS, flags)
    except OSError as error:
        if error.errno not in (errno.ENOTTY, errno.EOPNOTSUPP, errno.EPERM):
            raise
    finally:
        os.close(opened)


def _users_below(point: str) -> list[str]:
    """:return: the processes that have a file or their directory below a mount point, as texts."""
    device = os.stat(point).st_dev
    found = []
    for pid in (name for name in os.listdir("/proc") if name.isdigit()):
        for link in _links_of(pid):
            with suppress(OSError):
                if os.stat(link).st_dev == device:
                    with open(f"/proc/{pid}/comm", errors="replace") as opened:
                        found.append(f"{opened.read().strip()} (process {pid})")
                    break
    return found


def _links_of(pid: str) -> list[str]:
    links = [f"/proc/{pid}/cwd", f"/proc/{pid}/root", f"/proc/{pid}/exe"]
    with suppress(OSError):
        links += [f"/proc/{pid}/fd/{name}" for name in os.listdir(f"/proc/{pid}/fd")]
    return links


__all__ = ["FOLDER", "ROOT", "Mounter"]

# -*- test-case-name: tests.cli.demo.test_media -*-
"""Ways to keep files on a volume's device, and to verify them."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO, Union

from twisted.internet.task import deferLater

from ...errors import StorageError
from ..running import IReactor
from .commands import command, find_program

MIB = 2**20

FILES: tuple[tuple[str, int], ...] = (
    ("empty", 0),
    ("one.bin", 1 * MIB),
    ("odd.bin", 3 * MIB + 12345),
    ("large.bin", 8 * MIB),
)
"""Names and sizes, in bytes, of the files that are written."""

_EDGE = 4 * MIB


class NotBlank(StorageError):
    """The device is not empty."""

    remedy = "nothing was written; find out whose data it is"


def is_blank(path: str) -> bool:
    """
    Check that a device's first and last MiB are all zero.  Every file system, partition table and
    volume manager writes there.
    """
    with open(path, "rb") as device:
        size = device.seek(0, os.SEEK_END)
        for start in (0, max(0, size - _EDGE)):
            device.seek(start)
            if device.read(_EDGE).strip(b"\0"):
                return False
    return True


def check_blank(path: str) -> None:
    """
    :raises NotBlank: the device may contain data.
    """
    if not is_blank(path):
        raise NotBlank(f"The device {path} is not blank")


async def write_random(reactor: IReactor, file: BinaryIO, size: int) -> str:
    """
    Write random bytes, a piece at a time so that the reactor is not blocked.

    :return: their SHA-256, hexadecimal.
    """
    digest = hashlib.sha256()
    for piece in pieces(size):
        data = os.urandom(piece)
        digest.update(data)
        file.write(data)
        await deferLater(reactor, 0, lambda: None)
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest()


async def read_digest(reactor: IReactor, file: BinaryIO, size: int) -> str:
    """
    :return: the SHA-256 of the next ``size`` bytes, hexadecimal.
    """
    digest = hashlib.sha256()
    for piece in pieces(size):
        digest.update(file.read(piece))
        await deferLater(reactor, 0, lambda: None)
    return digest.hexdigest()


def pieces(size: int) -> Iterator[int]:
    """Sizes of at most a MiB that add up to ``size``."""
    while size > 0:
        yield min(size, MIB)
        size -= MIB


class RawDevice:
    """
    Files written consecutively to the device itself, if no file system can be mounted.

    :ivar description: the description to print.
    :ivar mounts: whether :meth:`open` mounts something.
    """

    description = "raw bytes, because a file system requires root, a real device and mkfs.ext4"
    mounts = False

    def __init__(self, reactor: IReactor) -> None:
        self._reactor = reactor

    async def format(self, device: str) -> None:
        """Do nothing."""

    async def open(self, device: str) -> None:
        """Mount the file system."""

    async def close(self) -> None:
        """Do nothing."""

    async def write(self, device: str) -> dict[str, str]:
        """
        :return: the SHA-256 of each file, by file name.
        """
        digests = {}
        with open(device, "r+b") as file:
            for name, size in FILES:
                digests[name] = await write_random(self._reactor, file, size)
        return digests

    async def read(self, device: str) -> dict[str, str]:
        """
        :return: the SHA-256 of each file, by file name.
        """
        digests = {}
        with open(device, "rb") as file:
            for name, size in FILES:
                digests[name] = await read_digest(self._reactor, file, size)
        return digests


class FileSystem:
    """
    An ext4 file system.

    :param mountpoint: a directory, created when necessary.
    """

    description = "an ext4 file system"
    mounts = True

    def __init__(self, reactor: IReactor, mountpoint: str) -> None:
        self._reactor = reactor
        self._mountpoint = mountpoint

    async def format(self, device: str) -> None:
        """
        :raises NotBlank: the device may contain data.
        """
        check_blank(device)
        await command(self._reactor, "mkfs.ext4", "-q", device)

    async def open(self, device: str) -> None:
        """Mount the file system."""
        os.makedirs(self._mountpoint, mode=0o700, exist_ok=True)
        await command(self._reactor, "mount", "-t", "ext4", device, self._mountpoint)

    async def close(self) -> None:
        """Unmount the file system, which writes all data to the device."""
        await command(self._reactor, "umount", self._mountpoint)

    async def write(self, device: str) -> dict[str, str]:
        """
        :return: the SHA-256 of each file, by file name.
        """
        digests = {}
        for name, size in FILES:
            with open(os.path.join(self._mountpoint, name), "xb") as file:
                digests[name] = await write_random(self._reactor, file, size)
        return digests

    async def read(self, device: str) -> dict[str, str]:
        """
        :return: the SHA-256 of every file in the file system, by file name.
        """
        digests = {}
        for name in sorted(os.listdir(self._mountpoint)):
            path = os.path.join(self._mountpoint, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    size = os.path.getsize(path)
                    digests[name] = await read_digest(self._reactor, file, size)
        return digests


#: The places where the demonstration can keep files.
Medium = Union[FileSystem, RawDevice]


def medium_for(reactor: IReactor, device: str, mountpoint: str) -> Medium:
    """
    :param device: a device path.
    :return: a :class:`FileSystem` if one can be created and mounted, and a :class:`RawDevice`
        otherwise.
    """
    is_device = stat.S_ISBLK(os.stat(device).st_mode)
    if is_device and os.geteuid() == 0 and find_program("mkfs.ext4") is not None:
        return FileSystem(reactor, mountpoint)
    return RawDevice(reactor)

# -*- test-case-name: tests.filesystem.test_encryption -*-
"""
LUKS between a device and its file system, with cryptsetup(8) and the kernel's device-mapper.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from hashlib import sha256
from typing import Any

from twisted.internet.threads import deferToThread

from ..errors import (
    EncryptionUnavailable,
    KeyRefused,
    MountedElsewhere,
    NotFormatted,
    ProgramFailed,
)
from .contents import LUKS, kind_on, signature_of
from .holders import holders_of, number_of
from .programs import run

#: The labels in the headers that are made here: until a file system is complete in the encrypted
#: device, which begins with noise instead of zeros, and afterwards.
FRESH = "txstorage-new"
MADE = "txstorage"

# The memory, in KiB, that opening takes: by default it is half of the memory of the node that made
# the header, up to 1 GiB, which smaller nodes lack, and so does one that opens many at its start.
_HEADERS = ("--type", "luks2", "--pbkdf-memory", "65536", "--label", FRESH)
# A key in the output of luksDump.
_KEY = re.compile(r"^Keyslots:\n +[0-9]+: ", re.M)
_CONTROL = "/dev/mapper/control"
_DIRECTORY = "/dev/mapper"
# A device-mapper's names have at most 127 characters: linux/dm-ioctl.h.
_LONGEST = 100
# Bytes that are more than the header of a LUKS device, and less than the smallest growth.
_HEADER = 64 * 2**20
# cryptsetup(8): 2, no key fits; 4, there is no such device.
_NO_KEY = 2
_NO_DEVICE = 4


class Encryption:
    """
    The encrypted devices of mount points.

    :param reactor: provides ``IReactorProcess`` and ``IReactorThreads``.
    :param directory: of the mount points, whose names the devices have, too.
    :param key_file: the path of the file with the key, or ``None`` when there is none.
    """

    def __init__(self, reactor: Any, directory: str, key_file: str | None = None) -> None:
        self._reactor = reactor
        self._key_file = key_file
        # Other plugins on this machine may have volumes of the same names.
        self._prefix = "txstorage-" + sha256(os.fsencode(directory)).hexdigest()[:8] + "-"

    def path(self, name: str) -> str:
        """:return: the path of the opened device of a mount point's name."""
        if len(name) > _LONGEST:
            name = name[: _LONGEST - 17] + "-" + sha256(name.encode()).hexdigest()[:16]
        return os.path.join(_DIRECTORY, self._prefix + name)

    def top(self, name: str, device: str) -> str:
        """
        :param name: the mount point's.
        :param device: the path of the verified device.
        :return: the path of the device that has the file system: the opened one, if there is one on
            this device.
        """
        path = self.path(name)
        return path if os.path.lexists(path) and stands_on(path, device) else device

    async def open(self, name: str, device: str, wanted: bool, new: bool) -> tuple[str, bool]:
        """
        Open an encrypted device; encrypt it first, when it is new and blank.

        :param name: the mount point's.
        :param device: the path of the verified device, which is not open.
        :param wanted: whether it has to be encrypted; else, only a device that was encrypted here
            is opened, such as a copy of a volume.
        :param new: whether the volume is known never to have been mounted.
        :return: a coroutine of the path of the device that has the file system, and of whether its
            header says that it never had one.
        :raises EncryptionUnavailable: this node has no key, or no device-mapper.
        :raises KeyRefused: the device has another key.
        :raises NotFormatted: the device is not encrypted, and not certainly empty.
        """
        found = await signature_of(self._reactor, device)
        label = found.label if found.kind == LUKS else ""
        if not wanted and label not in (FRESH, MADE):
            return device, False
        key_file = self._checked(device)
        if not found.kind:
            await kind_on(self._reactor, device, new)
            await self._run("luksFormat", key_file, *_HEADERS, device)
            label = FRESH
        elif found.kind != LUKS:
            raise NotFormatted(device, f"it has to be encrypted, but contains {found.kind}")
        elif new and label == FRESH and not await self._has_key(device):
            # An interrupted luksFormat: nothing can have been written behind this header.
            await self._run("luksFormat", key_file, *_HEADERS, device)
        path = self.path(name)
        try:
            await self._run("open", key_file, device, os.path.basename(path))
        except ProgramFailed as error:
            raise KeyRefused(device, key_file) if error.code == _NO_KEY else error from None
        return path, label == FRESH

    async def _has_key(self, device: str) -> bool:
        """:return: a coroutine of whether any key can open a device."""
        dumped = await run(self._reactor, "cryptsetup", "luksDump", device)
        return _KEY.search(dumped.output) is not None

    async def keep(self, device: str) -> None:
        """Note in a header that the device has a file system from now on."""
        await run(self._reactor, "cryptsetup", "config", "--label", MADE, device)

    async def grow(self, name: str, device: str) -> None:
        """
        Grow an open device to the size of the device that it is on.

        :raises EncryptionUnavailable: this node has no key.
        """
        path = self.path(name)
        if size_of(device) - size_of(path) > _HEADER:
            await self._run("resize", self._checked(device), os.path.basename(path))

    async def close(self, name: str) -> None:
        """
        Close a device, if it is open.  Its file system is not mounted.

        :raises MountedElsewhere: something uses it.
        """
        path = self.path(name)
        if not os.path.lexists(path):
            return
        try:
            await run(
                self._reactor,
                *("cryptsetup", "close", os.path.basename(path)),
                accept=(0, _NO_DEVICE),
            )
        except ProgramFailed as error:
            users = await deferToThread(holders_of, number_of(path))
            raise MountedElsewhere(path, map(str, users) if users else [error.output]) from error

    async def _run(self, action: str, key_file: str, *arguments: str) -> None:
        # The key never stands in the arguments, which every process can read.
        options = ("--batch-mode", "--key-file", key_file)
        await run(self._reactor, "cryptsetup", action, *options, *arguments)

    def _checked(self, device: str) -> str:
        """Check that this node can open encrypted devices; :return: the path of the key."""
        problem = problem_of(self._key_file)
        if problem is not None or self._key_file is None:
            raise EncryptionUnavailable(device, *(problem or NO_KEY))
        return self._key_file


#: The problem of a node without a key, and its remedy.
NO_KEY = (
    "this node has no key",
    "name the file with the cluster's key in the option luks-key-file of the plugin on each node",
)


def problem_of(key_file: str | None) -> tuple[str, str] | None:
    """
    Look for what encrypted devices need on this node.

    :param key_file: the path of the key, or ``None``.
    :return: a problem and its remedy, or ``None``.
    """
    if key_file is None:
        return NO_KEY
    try:
        found = os.stat(key_file)
    except OSError as error:
        return (
            f"the key {key_file} can't be read: {error.strerror}",
            "copy the cluster's key to that path",
        )
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        return f"the key {key_file} is empty, or not a file", "copy the cluster's key to that path"
    if found.st_mode & 0o077 or found.st_uid not in (0, os.geteuid()):
        return (
            f"other users can read the key {key_file}",
            f"run 'chown root {key_file}' and 'chmod 600 {key_file}'",
        )
    if not _has_device_mapper():
        return (
            "the kernel has no device-mapper",
            "run 'modprobe -a dm_mod dm_crypt', or use a node whose kernel has these modules",
        )
    return None


def _has_device_mapper() -> bool:
    # Opening loads the module; the file alone may stand for none.
    try:
        os.close(os.open(_CONTROL, os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def size_of(device: str) -> int:
    """:return: the size of a block device in bytes."""
    opened = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.lseek(opened, 0, os.SEEK_END)
    finally:
        os.close(opened)


def stands_on(path: str, device: str, sysfs: str = "/sys") -> bool:
    """
    :param path: of an opened device.
    :param device: of another one.
    :return: whether the first one is on top of the second one, from the kernel.
    """
    with suppress(OSError):
        below = os.path.join(sysfs, "dev", "block", number_of(path), "slaves")
        for each in os.listdir(below):
            with open(os.path.join(below, each, "dev"), encoding="ascii") as opened:
                if opened.read().strip() == number_of(device):
                    return True
    return False


__all__ = ["FRESH", "MADE", "Encryption", "problem_of"]

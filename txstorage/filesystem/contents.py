# -*- test-case-name: tests.filesystem.test_contents -*-
"""
The contents of a device: a known signature, nothing at all, or data of an unknown kind.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
from typing import Any

import attr
from twisted.internet.threads import deferToThread

from ..errors import NotFormatted
from .kinds import KINDS
from .programs import run

#: The bytes at the beginning, and at the end, of a device that must be zero before it is formatted.
#: All signatures that blkid(8) knows lie in them (btrfs at 64 KiB, GPT's and RAID's copies at the
#: end), and so do remains of them that blkid no longer recognises.
EXAMINED = 2**20

#: blkid's name of an encrypted device.
LUKS = "crypto_LUKS"

_OPEN_IT = "nothing was written: create the volume with the option encryption=luks"

# The place of ext4's superblock.
_SUPERBLOCK = 1024

# blkid(8): 0, a signature was found; 2, none; 8, several that contradict one another.
_NOTHING = 2
_AMBIGUOUS = 8


@attr.s(auto_attribs=True, frozen=True)
class Signature:
    """
    The data that blkid(8) recognises on a device.

    :ivar kind: such as ``ext4``, ``LVM2_member``, or the kind of a partition table; empty for none.
    :ivar usage: ``filesystem``, ``raid``, ``crypto``, ...; empty when there is none.
    :ivar label: the label in it; empty when it has none.
    """

    kind: str = ""
    usage: str = ""
    label: str = ""


def parsed(output: str) -> Signature:
    """
    :param output: that of ``blkid -p -o export``.
    :return: the :class:`Signature`.
    """
    values = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    table = values.get("PTTYPE")
    kind = values.get("TYPE") or (f"{table} partition table" if table else "")
    return Signature(kind, values.get("USAGE", ""), values.get("LABEL", ""))


async def signature_of(reactor: Any, device: str) -> Signature:
    """
    Recognise the data on a device, from the device itself, not from a cache.

    :param reactor: provides ``IReactorProcess``.
    :param device: its path.
    :return: a coroutine of the :class:`Signature`.
    :raises NotFormatted: several signatures contradict one another.
    """
    probed = await run(
        reactor, "blkid", "-p", "-o", "export", device, accept=(0, _NOTHING, _AMBIGUOUS)
    )
    if probed.code == _AMBIGUOUS:
        raise NotFormatted(device, "it has the signatures of several file systems")
    return parsed(probed.output)


def is_blank(device: str) -> bool:
    """
    Check that the beginning and the end of a device are zero, as the device has them, not the page
    cache.

    :param device: its path.
    :raises OSError: a part can't be read.
    """
    opened = os.open(device, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
    try:
        size = os.lseek(opened, 0, os.SEEK_END)
        # Direct reads need an aligned buffer, and aligned places.
        with mmap.mmap(-1, EXAMINED) as buffer:
            for begin in (0, max(0, size - EXAMINED) // 4096 * 4096):
                if _has_data(opened, buffer, begin, min(EXAMINED, size - begin)):
                    return False
    finally:
        os.close(opened)
    return True


def _has_data(opened: int, buffer: mmap.mmap, begin: int, length: int) -> bool:
    """:return: whether a part of a file has a byte that is not zero."""
    read = 0
    while read < length:
        with memoryview(buffer) as whole, whole[read:length] as left:
            got = os.preadv(opened, [left], begin + read)
        if got == 0:
            raise OSError(errno.EIO, f"the device ends at {begin + read}")
        read += got
    return buffer[:read].count(0) != read


def ext4_is_smaller(device: str) -> bool:
    """
    Check whether an ext4 file system is smaller than its device, by a block or more.

    :param device: its path.
    :raises OSError: it can't be read.
    """
    with open(device, "rb") as opened:
        opened.seek(_SUPERBLOCK)
        superblock = opened.read(1024)
        size = opened.seek(0, os.SEEK_END)
    # https://docs.kernel.org/filesystems/ext4/super.html
    low, log = struct.unpack_from("<4xI16xI", superblock)
    (high,) = struct.unpack_from("<I", superblock, 0x150)
    block = 1024 << log
    blocks: int = low | high << 32
    return bool(size - blocks * block >= block)


async def kind_on(reactor: Any, device: str, new: bool, fresh: bool = False) -> str | None:
    """
    Decide whether a device can be mounted, or formatted.

    :param reactor: provides ``IReactorProcess`` and ``IReactorThreads``.
    :param device: its path.
    :param new: whether the volume is known never to have been mounted.
    :param fresh: whether it is the inside of a device that was blank when it was encrypted, and has
        had no file system since.
    :return: a coroutine of the name of the file system on it; ``None`` when it may be formatted,
        which takes three proofs: the volume is new, no signature is found, and both ends are zero,
        or were before the encryption.
    :raises NotFormatted: neither; the error has the reason.
    """
    found = await signature_of(reactor, device)
    if found.kind:
        if found.usage == "filesystem" and found.kind in KINDS:
            return found.kind
        remedy = _OPEN_IT if found.kind == LUKS else None
        raise NotFormatted(device, f"it contains {found.kind}", remedy)
    if not new:
        raise NotFormatted(device, "it has no file system, but the volume is not new")
    if fresh:
        return None
    try:
        blank = await deferToThread(is_blank, device)
    except OSError as error:
        raise NotFormatted(device, f"it can't be read: {error.strerror}") from error
    if not blank:
        raise NotFormatted(device, "it contains data of an unknown kind")
    return None


__all__ = ["LUKS", "Signature", "ext4_is_smaller", "is_blank", "kind_on", "parsed", "signature_of"]

"""Tests for :mod:`txstorage.filesystem.contents`: nothing with data is ever formatted."""

from __future__ import annotations

import os
import struct
import zlib
from typing import Any
from uuid import UUID

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from txstorage.errors import NotFormatted
from txstorage.filesystem import contents
from txstorage.filesystem.contents import Signature, is_blank, kind_on, parsed

from .support import MIB, DeviceTestCase, needs, shell

SMALL = 16 * MIB


class ParsedTests(SynchronousTestCase):
    """The output of blkid."""

    def test_kinds(self) -> None:
        """A file system, a partition table and nothing are distinguished."""
        for output, expected in [
            (
                "DEVNAME=/dev/x\nUUID=1\nTYPE=ext4\nUSAGE=filesystem\n",
                Signature("ext4", "filesystem"),
            ),
            ("PTUUID=1\nPTTYPE=gpt\n", Signature("gpt partition table", "")),
            ("TYPE=crypto_LUKS\nUSAGE=crypto\n", Signature("crypto_LUKS", "crypto")),
            ("", Signature()),
            ("odd\n", Signature()),
        ]:
            self.assertEqual(expected, parsed(output))


class KindOnTests(DeviceTestCase):
    """The decision about a device."""

    def kind(self, device: str, new: bool = True) -> Any:
        return Deferred.fromCoroutine(kind_on(reactor, device, new))

    async def refuse(self, device: str, *words: str) -> None:
        """Assert that a device is refused, new or not, and that nothing is written to it."""
        before = shell("sha256sum", device)
        for new in (True, False):
            error = await self.assertFailure(self.kind(device, new), NotFormatted)
            for word in words if new else ():
                self.assertIn(word, error.found)
        self.assertEqual(before, shell("sha256sum", device))

    async def test_blank(self) -> None:
        """A blank device may be formatted only if the volume is new."""
        device = self.device()
        self.assertIsNone(await self.kind(device))
        error = await self.assertFailure(self.kind(device, new=False), NotFormatted)
        self.assertIn("not new", error.found)

    async def test_supported(self) -> None:
        """A supported file system is mounted, whether the volume is new or not."""
        for command in ("mkfs.ext4", "mkfs.xfs", "mkfs.btrfs"):
            needs(command)
            device = self.device()
            shell(command, "-q", device)
            for new in (True, False):
                self.assertEqual(command.partition(".")[2], await self.kind(device, new))

    async def test_other_file_systems(self) -> None:
        """A file system of another kind is not formatted."""
        device = self.device(SMALL)
        shell("mkfs.ext2", "-q", device)
        await self.refuse(device, "ext2")
        device = self.device(SMALL)
        shell("mkswap", device)
        await self.refuse(device, "swap")

    async def test_partition_tables(self) -> None:
        """A partition table is not overwritten."""
        device = self.device(SMALL)
        self.write(device, 0, _dos())
        await self.refuse(device, "dos partition table")
        device = self.device(SMALL)
        self.write(device, 0, _dos(0xEE))
        self.write(device, 512, _gpt(1, SMALL // 512 - 1))
        await self.refuse(device, "gpt partition table")

    async def test_gpt_copy(self) -> None:
        """The copy of a partition table at the end alone is not overwritten."""
        device = self.device(SMALL)
        self.write(device, SMALL - 512, _gpt(SMALL // 512 - 1, 1))
        await self.refuse(device)

    def write(self, device: str, place: int, content: bytes) -> None:
        with open(device, "r+b") as opened:
            opened.seek(place)
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())

    async def test_lvm(self) -> None:
        """A physical volume of LVM is not formatted; the label is that of lvm2's format."""
        device = self.device(SMALL)
        body = b"".join([(32).to_bytes(4, "little"), b"LVM2 001", b"A" * 32, bytes(512 - 64)])
        head = b"LABELONE" + (1).to_bytes(8, "little")
        self.write(device, 512, head + _crc(body) + body)
        await self.refuse(device)

    async def test_luks(self) -> None:
        """An encrypted volume is not formatted."""
        device = self.device(SMALL)
        header = b"LUKS\xba\xbe" + b"\x00\x01" + b"aes".ljust(32, b"\0") + b"xts".ljust(32, b"\0")
        self.write(device, 0, header.ljust(168, b"\0") + str(UUID(int=1)).encode().ljust(40, b"\0"))
        await self.refuse(device, "crypto_LUKS")

    async def test_unknown_data(self) -> None:
        """A single byte at the beginning or near the end is data."""
        for place in (0, 511, 65536, MIB - 1, SMALL - MIB, SMALL - 1):
            device = self.device(SMALL)
            self.write(device, place, b"\x01")
            self.assertFalse(is_blank(device))
            await self.refuse(device, "unknown kind")

    async def test_half_written(self) -> None:
        """An ext4 whose superblock was destroyed is data."""
        device = self.device(SMALL)
        shell("mkfs.ext4", "-q", device)
        self.write(device, 1024, bytes(1024))
        await self.refuse(device, "unknown kind")

    async def test_contradiction(self) -> None:
        """Two signatures at once are not resolved by guess."""
        needs("mkfs.btrfs")
        device = self.device()
        shell("mkfs.btrfs", "-q", device)
        with open(device, "rb") as opened:
            opened.seek(65536)
            superblock = opened.read(4096)
        shell("mkfs.ext4", "-q", "-F", "-E", "nodiscard", device)
        self.write(device, 65536, superblock)
        await self.refuse(device)

    async def test_unreadable(self) -> None:
        """A device whose beginning can't be read is not formatted."""
        device = self.device()

        def broken(*_: Any) -> int:
            raise OSError(5, "Input/output error")

        self.patch(contents.os, "preadv", broken)
        error = await self.assertFailure(self.kind(device), NotFormatted)
        self.assertIn("Input/output error", error.found)

    async def test_not_the_cache(self) -> None:
        """Data that the page cache does not show are found, since the device is read directly."""
        device = self.device()
        with open(device, "rb") as reader:
            reader.read(MIB)
            with open(self.image, "r+b") as opened:
                opened.seek(8192)
                opened.write(b"\x01")
                opened.flush()
                os.fsync(opened.fileno())
            self.assertFalse(is_blank(device))

    def test_small(self) -> None:
        """A device smaller than what is examined is read once, to its end."""
        device = self.device(64 * 1024)
        self.assertTrue(is_blank(device))
        self.write(device, 64 * 1024 - 1, b"\x01")
        self.assertFalse(is_blank(device))


def _dos(kind: int = 0x83) -> bytes:
    """:return: a sector with a partition table that has one partition."""
    entry = bytes([0, 0, 2, 0, kind, 255, 255, 255]) + struct.pack("<II", 1, 1000)
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def _gpt(here: int, other: int) -> bytes:
    """:return: the header of a partition table without partitions, at one of its two sectors."""
    entries = zlib.crc32(bytes(128 * 128))
    form = "<8sIIIIQQQQ16sQIII"
    parts = [b"EFI PART", 0x10000, 92, 0, 0, here, other, 34, 1000, UUID(int=7).bytes_le]
    parts += [2 if here == 1 else here - 32, 128, 128, entries]
    parts[3] = zlib.crc32(struct.pack(form, *parts))
    return struct.pack(form, *parts).ljust(512, b"\0")


def _crc(data: bytes) -> bytes:
    # LVM's CRC-32, with another beginning: lvm2's lib/misc/crc.c
    crc = 0xF597A6CF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return crc.to_bytes(4, "little")

# -*- test-case-name: tests._node.test_config_drive -*-
"""
Small files from a vfat image, without mounting it: FAT12, FAT16 and FAT32, with long names, after
Microsoft's FAT specification.
"""

from __future__ import absolute_import, division, print_function

import struct

from .image_reader import MAX_READ, UnreadableImage, is_named

MYPY = False
if MYPY:
    from typing import Any, Callable, Iterator, List, Optional, Sequence, Text, Tuple  # noqa: F401

_ENTRY = 32
_END, _DELETED = b"\0", b"\xe5"
_LONG_NAME, _LABEL, _DIRECTORY = 0x0F, 0x08, 0x10
# Where in its entries the pieces of a long name are.
_PIECES = (slice(1, 11), slice(14, 26), slice(28, 32))
_SECTORS = (512, 1024, 2048, 4096)


class VFat(object):
    """
    A vfat file system.

    :param read: called with an offset and a size, both in bytes.
    :param bytes boot: the first sector.

    :ivar text label: the volume's name.
    """

    def __init__(self, read, boot):
        # type: (Callable[[int, int], bytes], bytes) -> None
        self._read = read
        sector, per_cluster, reserved, tables, entries = struct.unpack_from("<HBHBH", boot, 11)
        in_table = struct.unpack_from("<H", boot, 22)[0] or struct.unpack_from("<I", boot, 36)[0]
        total = struct.unpack_from("<H", boot, 19)[0] or struct.unpack_from("<I", boot, 32)[0]
        self._cluster = sector * per_cluster
        self._table = reserved * sector
        self._root = self._table + tables * in_table * sector
        self._root_size = entries * _ENTRY
        self._data = self._root + -(-self._root_size // sector) * sector
        clusters = (total * sector - self._data) // self._cluster
        self._bits = 12 if clusters < 4085 else 16 if clusters < 65525 else 32
        self._root_cluster = struct.unpack_from("<I", boot, 44)[0] if self._bits == 32 else None
        self._boot_label = boot[71:82] if self._bits == 32 else boot[43:54]

    @classmethod
    def of(cls, read):
        # type: (Callable[[int, int], bytes]) -> Optional[VFat]
        """:return: a :class:`VFat`, or ``None`` for another file system."""
        boot = read(0, 512)
        if len(boot) < 512 or boot[510:] != b"\x55\xaa":
            return None
        sector, per_cluster, reserved, tables = struct.unpack_from("<HBHB", boot, 11)
        whole = sector in _SECTORS and per_cluster and not per_cluster & (per_cluster - 1)
        return cls(read, boot) if whole and reserved and tables else None

    @property
    def label(self):
        # type: () -> Text
        """The name in the root directory, else the boot sector's."""
        try:
            labels = [e[:11] for _, e in _entries(self._directory()) if ord(e[11:12]) & _LABEL]
        except UnreadableImage:
            labels = []
        return (labels + [self._boot_label])[0].decode("latin-1").rstrip(u" \0")

    def file(self, path):
        # type: (Sequence[Text]) -> bytes
        """
        :param path: names, text, from the root.
        :return: ``bytes``, at most :data:`~txstorage._node.image_reader.MAX_READ`.
        :raises UnreadableImage: it is missing or can't be read.
        """
        inside = self._directory()
        entry = None  # type: Any
        for name in path:
            if entry is not None:
                if not ord(entry[11:12]) & _DIRECTORY:
                    raise UnreadableImage(u"there is no {}".format(u"/".join(path)))
                inside = self._chain(_first_cluster(entry), MAX_READ)
            entry = next((each for names, each in _entries(inside) if is_named(name, names)), None)
            if entry is None:
                raise UnreadableImage(u"there is no {}".format(u"/".join(path)))
        size = min(struct.unpack_from("<I", entry, 28)[0], MAX_READ)
        data = self._chain(_first_cluster(entry), size)[:size]
        if len(data) < size:
            raise UnreadableImage(u"it ends before what it refers to")
        return data

    def _directory(self):
        # type: () -> bytes
        if self._root_cluster is not None:
            return self._chain(self._root_cluster, MAX_READ)
        return self._read(self._root, self._root_size)

    def _chain(self, cluster, most):
        # type: (int, int) -> bytes
        # Limited, as a damaged table may go in a circle.
        pieces = []  # type: List[bytes]
        while 2 <= cluster < self._last() and len(pieces) * self._cluster < most:
            pieces.append(self._read(self._data + (cluster - 2) * self._cluster, self._cluster))
            cluster = self._next(cluster)
        return b"".join(pieces)

    def _last(self):
        # type: () -> int
        # From here on it is the end of a chain, or a bad cluster.
        return {12: 0xFF7, 16: 0xFFF7, 32: 0x0FFFFFF7}[self._bits]

    def _next(self, cluster):
        # type: (int) -> int
        at, size = self._table + cluster * self._bits // 8, 4 if self._bits == 32 else 2
        data = self._read(at, size)
        if len(data) < size:
            raise UnreadableImage(u"it ends before what it refers to")
        following = struct.unpack("<I" if size == 4 else "<H", data)[0]  # type: int
        if self._bits == 12:
            return following >> 4 if cluster % 2 else following & 0xFFF
        return following & 0x0FFFFFFF


def _first_cluster(entry):
    # type: (bytes) -> int
    high = struct.unpack_from("<H", entry, 20)[0]  # type: int
    low = struct.unpack_from("<H", entry, 26)[0]  # type: int
    return high << 16 | low


def _entries(directory):
    # type: (bytes) -> Iterator[Tuple[List[Text], bytes]]
    """Yield ``(names, entry)``."""
    pieces = []  # type: List[bytes]
    for at in range(0, len(directory) - _ENTRY + 1, _ENTRY):
        entry = directory[at : at + _ENTRY]
        if entry[:1] == _END:
            return
        if entry[:1] == _DELETED:
            pieces = []
        elif ord(entry[11:12]) & 0x3F == _LONG_NAME:
            # The last piece comes first.
            pieces.insert(0, b"".join(entry[piece] for piece in _PIECES))
        else:
            long_name = b"".join(pieces).decode("utf-16-le", "replace").split(u"\0")[0]
            stem, extension = [entry[piece].decode("latin-1").rstrip() for piece in _SHORT]
            yield [long_name, stem + u"." + extension if extension else stem], entry
            pieces = []


_SHORT = (slice(0, 8), slice(8, 11))

__all__ = ["VFat"]

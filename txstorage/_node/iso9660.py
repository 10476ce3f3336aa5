# -*- test-case-name: tests._node.test_config_drive -*-
"""
Small files from an ISO 9660 image, without mounting it: ECMA-119, with Joliet's and Rock Ridge's
longer names.
"""

from __future__ import absolute_import, division, print_function

import struct

from .image_reader import MAX_READ, UnreadableImage, is_named

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Sequence, Text  # noqa: F401

_SECTOR = 2048
_FIRST_DESCRIPTOR = 16
_MOST_DESCRIPTORS = 64
_PRIMARY, _SUPPLEMENTARY, _LAST = 1, 2, 255
_JOLIET = (b"%/@", b"%/C", b"%/E")
_ROOT_RECORD = slice(156, 190)
_DIRECTORY = 2


def _descriptors(read):
    # type: (Callable[[int, int], bytes]) -> Dict[int, bytes]
    found = {}  # type: Dict[int, bytes]
    for sector in range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + _MOST_DESCRIPTORS):
        data = read(sector * _SECTOR, _SECTOR)
        kind = ord(data[:1] or b"\xff")
        if len(data) < _SECTOR or data[1:6] != b"CD001" or kind == _LAST:
            break
        if kind == _PRIMARY or (kind == _SUPPLEMENTARY and data[88:91] in _JOLIET):
            found.setdefault(kind, data)
    return found


class Iso9660(object):
    """
    An ISO 9660 file system.

    :param read: called with an offset and a size, both in bytes.
    :param dict descriptors: by their kind.

    :ivar text label: the volume's name.
    """

    def __init__(self, read, descriptors):
        # type: (Callable[[int, int], bytes], Mapping[int, bytes]) -> None
        self._read = read
        self._descriptors = descriptors
        self.label = descriptors[_PRIMARY][40:72].decode("latin-1").rstrip(u" \0")

    @classmethod
    def of(cls, read):
        # type: (Callable[[int, int], bytes]) -> Optional[Iso9660]
        """:return: an :class:`Iso9660`, or ``None`` for another file system."""
        descriptors = _descriptors(read)
        return cls(read, descriptors) if _PRIMARY in descriptors else None

    def file(self, path):
        # type: (Sequence[Text]) -> bytes
        """
        :param path: names, text, from the root.
        :return: ``bytes``, at most :data:`~txstorage._node.image_reader.MAX_READ`.
        :raises UnreadableImage: it is missing or can't be read.
        """
        # Joliet's names are whole where the primary ones may be cut short.
        for kind in (_SUPPLEMENTARY, _PRIMARY):
            if kind in self._descriptors:
                found = self._walk(path, kind)
                if found is not None:
                    return self._contents(found)
        raise UnreadableImage(u"there is no {}".format(u"/".join(path)))

    def _walk(self, path, kind):
        # type: (Sequence[Text], int) -> Any
        record = self._descriptors[kind][_ROOT_RECORD]  # type: Any
        for name in path:
            if not ord(record[25:26]) & _DIRECTORY:
                return None
            inside = _records(self._contents(record))
            record = next((each for each in inside if is_named(name, _names(each, kind))), None)
            if record is None:
                return None
        return record

    def _contents(self, record):
        # type: (bytes) -> bytes
        # All numbers are there in both byte orders.
        block, = struct.unpack_from("<I", record, 2)
        size, = struct.unpack_from("<I", record, 10)
        block_size, = struct.unpack_from("<H", self._descriptors[_PRIMARY], 128)
        data = self._read(block * block_size, min(size, MAX_READ))
        if len(data) < min(size, MAX_READ):
            raise UnreadableImage(u"it ends before what it refers to")
        return data


def _records(directory):
    # type: (bytes) -> Iterator[bytes]
    at = 0
    while at < len(directory):
        length = ord(directory[at : at + 1])
        if length == 0:
            # Records do not cross sectors.
            at += _SECTOR - at % _SECTOR
            continue
        record = directory[at : at + length]
        if length < 34 or len(record) < length:
            raise UnreadableImage(u"a directory of it is damaged")
        yield record
        at += length


def _names(record, kind):
    # type: (bytes, int) -> Iterator[Text]
    length = ord(record[32:33])
    encoded = record[33 : 33 + length]
    plain = encoded.decode("utf-16-be" if kind == _SUPPLEMENTARY else "latin-1", "replace")
    yield plain.split(u";")[0].rstrip(u".")
    # Rock Ridge: what follows the name, padded, is of entries with their lengths.
    at = 33 + length + (length + 1) % 2
    while at + 4 < len(record):
        entry = record[at : at + max(5, ord(record[at + 2 : at + 3]))]
        if entry[:2] == b"NM":
            yield entry[5:].decode("utf-8", "replace")
        at += len(entry)


__all__ = ["Iso9660"]

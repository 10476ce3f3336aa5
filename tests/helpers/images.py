"""
The smallest images of the file systems that config drives have, written
without the tools that make them, which not every machine has.
"""

from __future__ import absolute_import, division, print_function

import struct

SECTOR = 2048


def drive(content):
    """:return: the tree of a config drive; a name's value is a dict or bytes."""
    return {u"openstack": {u"latest": {u"meta_data.json": content}, u"other.json": b"{}"}}


# -- ISO 9660 -------------------------------------------------------------------


def _both(number):
    return struct.pack("<I", number) + struct.pack(">I", number)


def _record(name, sector, size, is_directory, extra=b""):
    padding = b"" if len(name) % 2 else b"\0"
    body = b"".join([
        b"\0", _both(sector), _both(size), b"\0" * 7, b"\2" if is_directory else b"\0", b"\0\0",
        struct.pack("<H", 1), struct.pack(">H", 1), struct.pack("B", len(name)), name, padding,
        extra,
    ])
    body += b"\0" * (len(body) % 2 == 0)
    return struct.pack("B", len(body) + 1) + body


def _joliet_name(name, is_directory):
    return (name if is_directory else name + u";1").encode("utf-16-be"), b""


def _plain_name(name, is_directory):
    return (name if is_directory else name + u";1").encode("ascii"), b""


def _short_name(name, is_directory):
    """Cut to eight letters and three, with the whole name beside it, as Rock Ridge has it."""
    stem, _, extension = name.upper().partition(u".")
    short = stem[:8] + (u"" if is_directory else u"." + extension[:3] + u";1")
    whole = name.encode("utf-8")
    entries = [(b"PX", b"\0" * 32), (b"NM", b"\0" + whole)]
    extra = b"".join(
        kind + struct.pack("BB", len(data) + 4, 1) + data for kind, data in entries
    )
    return short.encode("ascii"), extra


class _Iso(object):
    def __init__(self):
        self.sectors = {}
        self.next = 19
        self.files = {}

    def put(self, data):
        """:return: the sector where it is."""
        sector = self.next
        self.next += max(1, -(-len(data) // SECTOR))
        self.sectors[sector] = data
        return sector

    def tree(self, tree, encode):
        """:return: the sector and the size of a directory."""
        records = [_record(b"\0", 0, SECTOR, True), _record(b"\1", 0, SECTOR, True)]
        for name, value in sorted(tree.items()):
            is_directory = isinstance(value, dict)
            if is_directory:
                sector, size = self.tree(value, encode)
            else:
                if value not in self.files:
                    self.files[value] = self.put(value)
                sector, size = self.files[value], len(value)
            encoded, extra = encode(name, is_directory)
            records.append(_record(encoded, sector, size, is_directory, extra))
        data = b""
        for record in records:
            if len(data) % SECTOR + len(record) > SECTOR:
                data += b"\0" * (-len(data) % SECTOR)
            data += record
        data += b"\0" * (-len(data) % SECTOR)
        return self.put(data), len(data)

    def descriptor(self, kind, label, encode, escape, tree):
        sector, size = self.tree(tree, encode)
        data = bytearray(SECTOR)
        data[0:7] = struct.pack("B", kind) + b"CD001\1"
        label = label.encode("utf-16-be") if escape else label.encode("ascii").ljust(32)
        data[40:40 + len(label)] = label
        data[88:88 + len(escape)] = escape
        data[120:124] = struct.pack("<H", 1) + struct.pack(">H", 1)
        data[128:132] = struct.pack("<H", SECTOR) + struct.pack(">H", SECTOR)
        data[156:190] = _record(b"\0", sector, size, True)
        data[881] = 1
        return data


def iso_image(tree, label=u"config-2", joliet=True, rock_ridge=False):
    """
    :param bool joliet: whether there is a second tree with names in UTF-16.
    :param bool rock_ridge: whether names of the first tree are cut short.
    :return: ``bytes``.
    """
    iso = _Iso()
    first = _short_name if rock_ridge or joliet else _plain_name
    descriptors = [iso.descriptor(1, label, first, b"", tree)]
    if joliet:
        descriptors.append(iso.descriptor(2, label, _joliet_name, b"%/E", tree))
    descriptors.append(bytearray(b"\xffCD001\1".ljust(SECTOR, b"\0")))
    for descriptor in descriptors[:-1]:
        descriptor[80:88] = _both(iso.next)
    iso.sectors.update((16 + n, bytes(each)) for n, each in enumerate(descriptors))
    image = bytearray(iso.next * SECTOR)
    for sector, data in iso.sectors.items():
        image[sector * SECTOR:sector * SECTOR + len(data)] = data
    return bytes(image)


# -- vfat -----------------------------------------------------------------------

_BYTES = 512
_SECTORS = {12: 1000, 16: 6000, 32: 70000}
_TYPES = {12: b"FAT12   ", 16: b"FAT16   ", 32: b"FAT32   "}


class _VFat(object):
    def __init__(self, bits, label):
        self.bits = bits
        self.label = label
        self.reserved = 32 if bits == 32 else 1
        self.in_table = -(-_SECTORS[bits] * bits // 8 // _BYTES) + 1
        self.root_size = 0 if bits == 32 else 512 * 32
        root = (self.reserved + 2 * self.in_table) * _BYTES
        self.root, self.data = root, root + self.root_size
        self.image = bytearray(_SECTORS[bits] * _BYTES)
        self.table = [0x0FFFFFF8, 0x0FFFFFFF]

    def put(self, data):
        """
        In clusters of one sector, in reverse order, so that the chain matters.

        :return: the first.
        """
        count = max(1, -(-len(data) // _BYTES))
        clusters = list(range(len(self.table) + count - 1, len(self.table) - 1, -1))
        self.table += [0] * count
        for number, cluster in enumerate(clusters):
            self.table[cluster] = (clusters + [0x0FFFFFFF])[number + 1]
            at = self.data + (cluster - 2) * _BYTES
            piece = data[number * _BYTES:(number + 1) * _BYTES]
            self.image[at:at + len(piece)] = piece
        return clusters[0]

    def directory(self, tree):
        entries = [_entry(b"\xe5" + b"GONE   TXT", 0, 0, 0)]
        for number, (name, value) in enumerate(sorted(tree.items())):
            is_directory = isinstance(value, dict)
            cluster = self.put(self.directory(value) if is_directory else value)
            size = 0 if is_directory else len(value)
            short = "NAME~{}".format(number).encode("ascii").ljust(11)
            if len(name) <= 8 and u"." not in name:
                short = name.upper().encode("ascii").ljust(11)
            else:
                entries += _long_name(name, short)
            entries.append(_entry(short, 0x10 if is_directory else 0x20, cluster, size))
        return b"".join(entries)

    def finish(self, tree):
        label = self.label.encode("ascii").ljust(11)
        root = _entry(label, 0x08, 0, 0) + self.directory(tree)
        root_cluster = self.put(root) if self.bits == 32 else 0
        if self.bits != 32:
            self.image[self.root:self.root + len(root)] = root
        sectors, small = _SECTORS[self.bits], self.bits != 32
        boot = b"\xeb\x3c\x90mkfs.fat" + struct.pack(
            "<HBHBHHBHHHII", _BYTES, 1, self.reserved, 2, self.root_size // 32,
            sectors if sectors < 65536 else 0, 0xF8, self.in_table if small else 0, 32, 2, 0,
            0 if sectors < 65536 else sectors,
        )
        if not small:
            boot += struct.pack("<IHHIHH12x", self.in_table, 0, 0, root_cluster, 1, 6)
        boot += b"\x80\0\x29\1\2\3\4" + label + _TYPES[self.bits]
        self.image[:len(boot)] = boot
        self.image[510:512] = b"\x55\xaa"
        table = self.packed_table()
        for copy in (0, 1):
            at = (self.reserved + copy * self.in_table) * _BYTES
            self.image[at:at + len(table)] = table
        return bytes(self.image)

    def packed_table(self):
        if self.bits == 12:
            pairs = zip(*[iter([entry & 0xFFF for entry in self.table] + [0])] * 2)
            return b"".join(struct.pack("<I", low | high << 12)[:3] for low, high in pairs)
        form, mask = ("<H", 0xFFFF) if self.bits == 16 else ("<I", 0x0FFFFFFF)
        return b"".join(struct.pack(form, entry & mask) for entry in self.table)


def _entry(short, attributes, cluster, size):
    return short[:11].ljust(11) + struct.pack(
        "<B8xH4xHI", attributes, cluster >> 16, cluster & 0xFFFF, size
    )


def _long_name(name, short):
    check = 0
    for letter in bytearray(short):
        check = ((check & 1) << 7) + (check >> 1) + letter & 0xFF
    text = (name + u"\0").encode("utf-16-le")
    text += b"\xff" * (-len(text) % 26)
    pieces = [text[at:at + 26] for at in range(0, len(text), 26)]
    entries = [
        struct.pack("B", number | (0x40 if number == len(pieces) else 0)) + piece[:10]
        + struct.pack("BBB", 0x0F, 0, check) + piece[10:22] + b"\0\0" + piece[22:]
        for number, piece in enumerate(pieces, 1)
    ]
    return entries[::-1]


def vfat_image(tree, bits=16, label=u"CONFIG-2"):
    """
    :param int bits: 12, 16 or 32.
    :return: ``bytes``.
    """
    return _VFat(bits, label).finish(tree)

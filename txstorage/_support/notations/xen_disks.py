# -*- test-case-name: tests._support.test_xen_disks -*-
"""
The spelling of a Xen disk: its name, and its number in the hypervisor.

Sources: ``xen-vbd-interface(7)`` of Xen, and the kernel's ``drivers/block/xen-blkfront.c``.
"""

from __future__ import absolute_import, division, print_function

import re

MYPY = False
if MYPY:
    from typing import Optional, Text, Tuple  # noqa: F401

_NAME = re.compile(u"(?:/dev/)?(?:sd|xvd)([a-z]+)([0-9]*)\\Z")

#: The prefixes of a disk's name in the kernel.
PREFIXES = (u"xvd", u"sd")

# The bit of a number that has no major number; a disk has 256 numbers then, and 16 otherwise.
_EXTENDED = 1 << 28

# The major numbers of xvd and sd, and the first disk of each; a major number has 16 disks.
_FIRST_DISK = {202: 0, 8: 0}
_FIRST_DISK.update((65 + each, 16 + 16 * each) for each in range(7))
_FIRST_DISK.update((128 + each, 128 + 16 * each) for each in range(8))


def letters_of(index):
    # type: (int) -> Text
    """
    :param int index: of a disk, from 0.
    :return: text: the letters at the end of its name: ``a`` to ``z``, then ``aa``.
    """
    letters = u""
    while index >= 0:
        index, last = index // 26 - 1, index % 26
        letters = u"abcdefghijklmnopqrstuvwxyz"[last] + letters
    return letters


def disk_named(name):
    # type: (Text) -> Optional[Tuple[Text, bool]]
    """
    :param text name: a device's in EC2, such as ``/dev/sdf`` or ``/dev/xvdba``.
    :return: the letters (text) of its disk, and whether the name is that of the whole disk; or
        ``None`` for a name of another form.
    """
    found = _NAME.match(name)
    return None if found is None else (found.group(1), not found.group(2))


def disk_numbered(number):
    # type: (int) -> Optional[Text]
    """
    :param int number: of a virtual device in the hypervisor.
    :return: text: the letters of the whole disk that has the number; ``None`` for a partition, and
        for a number that is neither xvd's nor sd's.
    """
    if number & _EXTENDED:
        index, partition = divmod(number ^ _EXTENDED, 256)
        return None if partition else letters_of(index)
    major, minor = divmod(number, 256)
    first = _FIRST_DISK.get(major)
    index, partition = divmod(minor, 16)
    return None if first is None or partition else letters_of(first + index)


__all__ = ["PREFIXES", "disk_named", "disk_numbered", "letters_of"]

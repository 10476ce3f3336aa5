# -*- test-case-name: tests._support.test_sizes -*-
"""
Sizes in the notation of people.
"""

from __future__ import absolute_import, division, print_function

import re
from fractions import Fraction

MYPY = False
if MYPY:
    from typing import Text  # noqa: F401

_SIZE = re.compile(u"([0-9]+(?:[.][0-9]+)?)\\s*(?:([KMGTPE])(I?))?B?\\Z", re.IGNORECASE)
_PREFIXES = u"KMGTPE"

#: Bytes of the largest volume that Block Storage can describe: it counts GiB in 32 bits.
LARGEST = (2**31 - 1) * 2**30


def parse_size(text):
    # type: (Text) -> int
    """
    Read a size as ``numfmt --from=auto`` does: ``100G`` is a power of 1000, ``100Gi`` of 1024.  A
    ``B`` may follow, and case does not matter.

    :return: bytes.
    :raises ValueError: when it is not a whole, positive number of bytes.
    """
    size = fraction_of(text)
    if size <= 0 or size.denominator != 1:
        raise ValueError(text)
    return int(size)


def fraction_of(text):
    # type: (Text) -> Fraction
    """
    :param text: a size, which need not be a whole number of bytes.
    :return: bytes.
    :raises ValueError: it is not a size.
    """
    match = _SIZE.match(text.strip())
    if match is None:
        raise ValueError(text)
    number, prefix, binary = match.groups(u"")
    power = _PREFIXES.index(prefix.upper()) + 1 if prefix else 0
    factor = (1024 if binary else 1000) ** power  # type: int
    return Fraction(number) * factor


def format_size(size):
    # type: (int) -> Text
    """
    :param size: bytes.
    :return: the size in the largest binary unit that gives a number of at least one.
    """
    amount, unit = float(size), u"B"
    for prefix in _PREFIXES:
        if amount < 1024:
            break
        amount, unit = amount / 1024, prefix + u"iB"
    return u"{:.4g} {}".format(amount, unit)


__all__ = ["LARGEST", "format_size", "fraction_of", "parse_size"]

# -*- test-case-name: tests.cli.test_sizes -*-
"""Sizes in the notation of the command line."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import click

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KMGTPE])(I?))?B?", re.IGNORECASE | re.ASCII)
_PREFIXES = "KMGTPE"

#: Bytes of the largest volume that Block Storage can describe: it counts GiB in 32 bits.
LARGEST = (2**31 - 1) * 2**30


def parse_size(text: str) -> int:
    """
    Read a size as ``numfmt --from=auto`` does: ``100G`` is a power of 1000, ``100Gi`` of 1024.  A
    ``B`` may follow, and case does not matter.

    :return: bytes.
    :raises ValueError: when it is not a whole, positive number of bytes.
    """
    size = _fraction(text)
    if size <= 0 or size.denominator != 1:
        raise ValueError(text)
    return int(size)


def _fraction(text: str) -> Fraction:
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    number, prefix, binary = match.groups("")
    power = _PREFIXES.index(prefix.upper()) + 1 if prefix else 0
    factor: int = (1024 if binary else 1000) ** power
    return Fraction(number) * factor


def format_size(size: int) -> str:
    """
    :param size: bytes.
    :return: the size in the largest binary unit that gives a number of at least one.
    """
    amount, unit = float(size), "B"
    for prefix in _PREFIXES:
        if amount < 1024:
            break
        amount, unit = amount / 1024, prefix + "iB"
    return f"{amount:.4g} {unit}"


def exact_size(size: int) -> str:
    """
    :param size: bytes.
    :return: the size as :func:`format_size` shows it, or in bytes if that would be rounded.
    """
    shown = format_size(size)
    return shown if _fraction(shown) == size else f"{size} bytes"


def rounding(asked: int, made: int) -> str:
    """
    :param asked: the requested bytes.
    :param made: the volume's bytes.
    :return: a sentence about the difference; empty if there is none.
    """
    if asked == made:
        return ""
    return (
        f"{exact_size(asked)} is rounded up to {exact_size(made)}, a multiple of the cloud's unit"
    )


class Size(click.ParamType):  # type: ignore[type-arg]
    """A command line argument: bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """See ``click.ParamType``."""
        try:
            size = parse_size(value)
        except ValueError:
            self.fail(f"{value!r} is not a size such as 1GiB, 20G or 1073741824")
        if size > LARGEST:
            self.fail(f"{value!r} is more than a volume can have, {format_size(LARGEST)}")
        return size

# -*- test-case-name: tests.cli.test_sizes -*-
"""Sizes in the notation of the command line."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import click

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGTP]?)(I?B)?", re.IGNORECASE | re.ASCII)
_PREFIXES = "KMGTP"


def parse_size(text: str) -> int:
    """
    Bytes from ``1GiB``, ``20G`` (the same unit), ``500MB`` (powers of 1000), or a plain number of
    bytes.

    :raises ValueError: when it is not a whole, positive number of bytes.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    number, prefix, unit = match.groups("")
    base = 1000 if prefix and unit.upper() == "B" else 1024
    size = Fraction(number) * base ** (_PREFIXES.index(prefix.upper()) + 1 if prefix else 0)
    if size <= 0 or size.denominator != 1:
        raise ValueError(text)
    return int(size)


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


class Size(click.ParamType):  # type: ignore[type-arg]
    """A command line argument: bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """See ``click.ParamType``."""
        try:
            return parse_size(value)
        except ValueError:
            self.fail(f"{value!r} is not a size such as 1GiB, 20G or 1073741824")

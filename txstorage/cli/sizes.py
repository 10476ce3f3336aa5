# -*- test-case-name: tests.cli.test_sizes -*-
"""Sizes in the notation of the command line."""

from __future__ import annotations

from typing import Any

import click

from .._support.notations.sizes import LARGEST, format_size, fraction_of, parse_size


def exact_size(size: int) -> str:
    """
    :param size: bytes.
    :return: the size as :func:`format_size` shows it, or in bytes if that would be rounded.
    """
    shown = format_size(size)
    return shown if fraction_of(shown) == size else f"{size} bytes"


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


__all__ = ["LARGEST", "Size", "exact_size", "format_size", "parse_size", "rounding"]

# -*- test-case-name: tests.cli.volumes.test_listing -*-
"""
The options that several commands have.

The help needs this module, which therefore imports nothing that takes long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

import click

Command = Callable[..., Any]


class Columns(click.ParamType):  # type: ignore[type-arg]
    """
    A command line argument: names between commas.

    :param names: all that there are.
    """

    name = "columns"

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """See ``click.ParamType``."""
        if isinstance(value, tuple):
            return value
        names = tuple(each.strip() for each in value.split(","))
        for each in names:
            if each not in self._names:
                self.fail(f"{each!r} is not one of {', '.join(self._names)}", param, ctx)
        return names


def watching(function: Command) -> Command:
    """Add the options of a command that can look again and again."""
    function = click.option(
        "--interval",
        type=click.FloatRange(0.1),
        default=2.0,
        show_default=True,
        metavar="SECONDS",
        help="The time between two looks of --watch.",
    )(function)
    return click.option(
        "--watch",
        is_flag=True,
        help="Print the result again when it changes, until Ctrl-C; with --json, one line each.",
    )(function)


def listing(kind: str, columns: Mapping[str, str]) -> Callable[[Command], Command]:
    """
    Return a decorator that adds the options of every list, except its filters.

    :param kind: such as ``volume``.
    :param columns: names to titles.
    """
    options = (
        click.option(
            "--sort", type=click.Choice(list(columns)), metavar="COLUMN", help="The order."
        ),
        click.option("--reverse", is_flag=True, help="Reverse the order."),
        click.option(
            "--columns",
            type=Columns(columns),
            default=(),
            metavar="COLUMN,...",
            help=f"The columns to show, without --json: {', '.join(columns)}.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="Print ids only."),
        click.option("--all-clusters", is_flag=True, help=f"List the {kind}s of all clusters."),
        watching,
    )

    def add(function: Command) -> Command:
        for option in reversed(options):
            function = option(function)
        return function

    return add


__all__ = ["Columns", "listing", "watching"]

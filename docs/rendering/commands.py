"""
The descriptions of the commands: the options of ``txstorage`` itself are described once, and an
option that a text mentions is literal, because Sphinx makes a dash of two hyphens.
"""

from __future__ import annotations

import re
from typing import Any

import click

from txstorage.cli.shell.options import GlobalOption

_OPTION = ".. option:: "
_MENTIONED = re.compile(r"(?<![\w`-])--[a-z][\w=-]*")


def literal_options(app: Any, context: click.Context, lines: list[str]) -> None:
    """
    Mark the options that the texts of a command mention as literal.

    :param lines: the texts, which are changed.
    """
    lines[:] = [
        line if line.startswith(_OPTION) else _MENTIONED.sub(r"``\g<0>``", line) for line in lines
    ]


def without_global_options(app: Any, context: click.Context, lines: list[str]) -> None:
    """
    Remove the global options from the description of a command.

    :param lines: the description, which is changed.
    """
    if context.parent is None:
        return
    common = {
        name
        for each in context.command.params
        if isinstance(each, GlobalOption)
        for name in each.opts
    }
    kept, keep = [], True
    for line in lines:
        if line.startswith(_OPTION):
            keep = line[len(_OPTION) :].split()[0].rstrip(",") not in common
        if keep:
            kept.append(line)
    lines[:] = kept

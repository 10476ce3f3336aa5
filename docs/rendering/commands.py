"""
The options of the commands: those of ``txstorage`` itself are described once.
"""

from __future__ import annotations

from typing import Any

import click

from txstorage.cli.shell.options import GlobalOption

_OPTION = ".. option:: "


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

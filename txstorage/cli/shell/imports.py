# -*- test-case-name: tests.cli.shell.test_start -*-
"""Imports of many modules, without collections of garbage on the way."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def many_imports(context: click.Context) -> Iterator[None]:
    """
    Import modules without collections of garbage, when the command is this process's program.

    An import creates objects that last as long as the process.  Collections among these objects
    take about an eighth of the time of a command's start, and find next to nothing.
    """
    if not getattr(context.find_root().command, "is_program", False) or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        # Later collections leave out the objects of the modules.
        gc.freeze()
        gc.enable()


__all__ = ["many_imports"]

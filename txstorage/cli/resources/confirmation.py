# -*- test-case-name: tests.cli.resources.test_several -*-
"""The question before volumes or snapshots are destroyed."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from ..terminal import one_line


def is_interactive() -> bool:
    """Check that standard input is a terminal."""
    return sys.stdin.isatty()


def check_interactive(kind: str) -> None:
    """
    :param kind: such as ``volume``.
    :raises click.UsageError: standard input is not a terminal.
    """
    if not is_interactive():
        raise click.UsageError(f"without a terminal, destroying a {kind} requires --yes")


@contextmanager
def default_signals() -> Iterator[None]:
    """
    Let signals interrupt a question.  The reactor, which handles them otherwise, does not run
    meanwhile.
    """
    handlers: dict[signal.Signals, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
    }
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def confirm(kind: str, ids: Sequence[str]) -> None:
    """
    :param kind: such as ``volume``.
    :param ids: whole ids.
    :raises click.Abort: the user declined.
    """
    if len(ids) == 1:
        question = f"Destroy {kind} {one_line(ids[0])} and all data on it?"
    else:
        listed = "".join(f"  {one_line(each)}\n" for each in ids)
        question = f"Destroy {kind}s\n{listed}and all data on them?"
    with default_signals():
        click.confirm(question, abort=True, err=True)


__all__ = ["check_interactive", "confirm"]

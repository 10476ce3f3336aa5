# -*- test-case-name: tests.cli.volumes.test_several -*-
"""The question before volumes are destroyed."""

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


def check_interactive() -> None:
    """
    :raises click.UsageError: standard input is no terminal.
    """
    if not is_interactive():
        raise click.UsageError("without a terminal, destroying a volume requires --yes")


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


def confirm(volume_ids: Sequence[str]) -> None:
    """
    :param volume_ids: whole ids.
    :raises click.Abort: the user declined.
    """
    if len(volume_ids) == 1:
        question = f"Destroy volume {one_line(volume_ids[0])} and all data on it?"
    else:
        listed = "".join(f"  {one_line(each)}\n" for each in volume_ids)
        question = f"Destroy volumes\n{listed}and all data on them?"
    with default_signals():
        click.confirm(question, abort=True, err=True)


__all__ = ["check_interactive", "confirm"]

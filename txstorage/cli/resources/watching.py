# -*- test-case-name: tests.cli.resources.test_watching -*-
"""``--watch``: the result of a command again each time that it changes, until Ctrl-C."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Callable

import click
from rich.console import Console
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from ..app import App, CommandResult
from ..running import IReactor

if TYPE_CHECKING:
    from rich.live import Live

Look = Callable[[], Coroutine[Any, Any, CommandResult]]


async def watch(app: App, reactor: IReactor, interval: float, look: Look) -> CommandResult:
    """
    Print the results of a command that only looks.

    A terminal shows the last one.  Elsewhere each change is printed; with ``--json`` as one line.

    :param interval: seconds between two looks.
    :raises CancelledError: the user has seen enough, or the system ends the command.
    """
    console = app.console()
    if app.json or not console.is_terminal:
        return await _each_change(reactor, interval, look, lambda result: _print(app, result))
    with _live(console) as live:
        return await _each_change(
            reactor, interval, look, lambda result: live.update(result.shown, refresh=True)
        )


async def _each_change(
    reactor: IReactor, interval: float, look: Look, show: Callable[[CommandResult], object]
) -> CommandResult:
    last: Any = None
    while True:
        result = await look()
        if result.document != last:
            show(result)
            last = result.document
        pause: Deferred[None] = deferLater(reactor, interval, lambda: None)
        await pause


def _print(app: App, result: CommandResult) -> None:
    if app.json:
        click.echo(json.dumps(result.document).replace("\x7f", "\\u007f"))
    else:
        app.say(result)


def _live(console: Console) -> Live:
    from rich.live import Live

    return Live(console=console, auto_refresh=False, vertical_overflow="visible")


__all__ = ["watch"]

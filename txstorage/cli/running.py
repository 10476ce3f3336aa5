# -*- test-case-name: tests.cli.test_running -*-
"""The bridge from a command, which is synchronous, to a coroutine under the reactor and back."""

from __future__ import annotations

import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Callable, TypeVar

from twisted.internet import reactor as _reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.process import ProcessReader
from twisted.python.failure import Failure

T = TypeVar("T")


class CommandInterrupted(Exception):
    """The user, or the system, interrupted the command, and it has stopped."""


def run(operation: Callable[[Any], Coroutine[Any, Any, T]], reactor: Any = _reactor) -> T:
    """
    Run the reactor until a coroutine is done.

    SIGINT, SIGTERM and SIGHUP cancel it; the reactor runs on until the coroutine has cleaned up
    after itself.  Only the first signal counts.

    :param operation: called with the reactor.
    :return: what the coroutine returns.
    :raises CommandInterrupted: when it was cancelled.
    :raises Exception: what the coroutine raises.
    """
    outcome: list[Any] = []
    calls: list[Deferred[Any]] = []

    def start() -> None:
        _stop_on_hang_up(reactor)
        call = Deferred.fromCoroutine(operation(reactor))
        calls.append(call)
        call.addBoth(outcome.append)
        call.addBoth(lambda _: stopping or reactor.stop())

    stopping: list[bool] = []

    def shut_down() -> Any:
        stopping.append(True)
        for call in calls:
            call.cancel()
        return calls[0] if calls else None

    reactor.addSystemEventTrigger("before", "shutdown", shut_down)
    reactor.callWhenRunning(start)
    reactor.run()
    result: T = _result(outcome)
    return result


def _stop_on_hang_up(reactor: Any) -> None:
    # Twisted takes care of the other signals; under nohup this one is ignored.
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(reactor.stop))


class _Input:
    """Ends a reactor when a pipe ends."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def childDataReceived(self, name: int, data: bytes) -> None:  # noqa: N802
        """Nothing is expected."""

    def childConnectionLost(self, name: int, reason: Any) -> None:  # noqa: N802
        """See ``ProcessReader``."""
        # A reactor that stops closes it as well.
        with suppress(ReactorNotRunning):
            self._reactor.stop()


def end_with_input(reactor: Any, descriptor: int = 0) -> None:
    """
    Stop a reactor when its standard input, a pipe, ends: when the process at the other end is gone,
    however it ended.

    :param reactor: provides ``IReactorFDSet``.
    """
    ProcessReader(reactor, _Input(reactor), descriptor, descriptor)


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """
    Complete a piece of work even when the caller is cancelled meanwhile.

    :return: the result of ``work``.
    :raises CancelledError: afterwards, when the caller was cancelled.
    """
    outcome: list[Any] = []
    waiter: Deferred[None] = Deferred()

    def done(result: Any) -> None:
        outcome.append(result)
        if not waiter.called:
            waiter.callback(None)

    Deferred.fromCoroutine(work).addBoth(done)
    cancelled = False
    while not outcome:
        try:
            await waiter
        except CancelledError:
            cancelled, waiter = True, Deferred()
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    if cancelled:
        raise CancelledError()
    result: T = outcome[0]
    return result


def _result(outcome: list[Any]) -> Any:
    if not outcome:
        raise CommandInterrupted()
    if isinstance(outcome[0], Failure):
        if outcome[0].check(CancelledError):
            raise CommandInterrupted()
        outcome[0].raiseException()
    return outcome[0]

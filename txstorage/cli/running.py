# -*- test-case-name: tests.cli.test_running -*-
"""The bridge from a command, which is synchronous, to a coroutine under the reactor and back."""

from __future__ import annotations

import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Callable, Generic, TypeVar, cast

from twisted.internet import reactor as _reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import (
    IReactorCore,
    IReactorFDSet,
    IReactorProcess,
    IReactorTCP,
    IReactorThreads,
    IReactorTime,
)
from twisted.internet.process import ProcessReader
from twisted.python.failure import Failure

from .._support.monotonic import use_monotonic_time

T = TypeVar("T")


class IReactor(
    IReactorCore, IReactorFDSet, IReactorThreads, IReactorProcess, IReactorTCP, IReactorTime
):
    """The parts of Twisted's reactor that the command line uses."""


_REACTOR = cast(IReactor, _reactor)


class CommandInterrupted(Exception):
    """
    The user, or the system, interrupted the command, and it has stopped.

    :ivar number: of the signal.
    """

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """The exit code that shells use for the signal."""
        return 128 + self.number


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """
    The signals that stop a reactor.  The first one counts; the others are ignored, so that the
    reactor can shut down in order.

    :ivar number: of the first signal; ``None`` until there is one.
    """

    def __init__(self) -> None:
        self._reactor: IReactor | None = None
        self._former = {number: signal.getsignal(number) for number in _SIGNALS}
        self.number: int | None = None

    def install(self, reactor: IReactor) -> None:
        """Handle the signals, in place of a running reactor; nohup and shells ignore some."""
        self._reactor = reactor
        for number, former in self._former.items():
            if former is not signal.SIG_IGN:
                signal.signal(number, self._received)

    def remove(self) -> None:
        """Restore the handlers that there were before the reactor ran."""
        for number, former in self._former.items():
            signal.signal(number, former or signal.SIG_DFL)

    def _received(self, number: int, frame: object) -> None:
        if self.number is None and self._reactor is not None:
            self.number = number
            self._reactor.callFromThread(_stop, self._reactor)


def _stop(reactor: IReactor) -> None:
    # It may have stopped meanwhile.
    with suppress(ReactorNotRunning):
        reactor.stop()


class _Outcome(Generic[T]):
    """The outcome of a coroutine: a result or a failure, once it is known."""

    def __init__(self) -> None:
        self.known = False
        self._value: Any = None

    def set(self, value: T | Failure) -> None:
        self.known, self._value = True, value

    def is_cancelled(self) -> bool:
        """Check for the failure of a cancelled coroutine."""
        return isinstance(self._value, Failure) and bool(self._value.check(CancelledError))

    def result(self) -> T:
        """
        :return: the coroutine's result.
        :raises Exception: the coroutine raised it.
        """
        if isinstance(self._value, Failure):
            self._value.raiseException()
        result: T = self._value
        return result


class _Command(Generic[T]):
    """A coroutine that the reactor runs for, and that the reactor's end cancels."""

    def __init__(
        self, operation: Callable[[IReactor], Coroutine[Any, Any, T]], reactor: IReactor
    ) -> None:
        self.outcome: _Outcome[T] = _Outcome()
        self._operation = operation
        self._reactor = reactor
        self._call: Deferred[Any] | None = None
        self._stopping = False
        self.interrupts = Interrupts()

    def start(self) -> None:
        self.interrupts.install(self._reactor)
        self._call = Deferred.fromCoroutine(self._operation(self._reactor))
        self._call.addBoth(self._ended)

    def _ended(self, value: T | Failure) -> None:
        self.outcome.set(value)
        if not self._stopping:
            self._reactor.stop()

    def shut_down(self) -> Deferred[Any] | None:
        """Cancel the coroutine; the reactor waits for its end."""
        self._stopping = True
        if self._call is not None:
            self._call.cancel()
        return self._call


def run(operation: Callable[[IReactor], Coroutine[Any, Any, T]], reactor: IReactor = _REACTOR) -> T:
    """
    Run the reactor until a coroutine is done.

    SIGINT, SIGTERM and SIGHUP cancel it; the reactor runs on until the coroutine has cleaned up
    after itself.  Further signals are ignored.

    :param operation: called with the reactor.
    :return: what the coroutine returns.
    :raises CommandInterrupted: when it was cancelled.
    :raises Exception: what the coroutine raises.
    """
    use_monotonic_time(reactor)
    command = _Command(operation, reactor)
    reactor.addSystemEventTrigger("before", "shutdown", command.shut_down)
    reactor.callWhenRunning(command.start)
    try:
        reactor.run()
    finally:
        command.interrupts.remove()
    if not command.outcome.known or command.outcome.is_cancelled():
        raise CommandInterrupted(command.interrupts.number or signal.SIGINT)
    return command.outcome.result()


class _Input:
    """Ends a reactor when a pipe ends."""

    def __init__(self, reactor: IReactor) -> None:
        self._reactor = reactor

    def childDataReceived(self, name: int, data: bytes) -> None:  # noqa: N802
        """Ignore the data; none is expected."""

    def childConnectionLost(self, name: int, reason: Failure) -> None:  # noqa: N802
        """See ``ProcessReader``."""
        # A stopping reactor closes the pipe, too.
        _stop(self._reactor)


def end_with_input(reactor: IReactor, descriptor: int = 0) -> None:
    """
    Stop a reactor when its standard input, a pipe, ends: when the process at
    the other end has ended for any reason.

    :param reactor: provides ``IReactorFDSet``.
    """
    ProcessReader(reactor, _Input(reactor), descriptor, descriptor)


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """
    Complete a piece of work even when the caller is cancelled meanwhile.

    :return: the result of ``work``.
    :raises CancelledError: afterwards, when the caller was cancelled.
    """
    outcome: _Outcome[T] = _Outcome()
    ended = Deferred.fromCoroutine(work).addBoth(outcome.set)
    cancelled = False
    while not outcome.known:
        waiter: Deferred[None] = Deferred()
        ended.addBoth(_wake, waiter)
        try:
            await waiter
        except CancelledError:
            cancelled = True
    result = outcome.result()
    if cancelled:
        raise CancelledError()
    return result


def _wake(_: object, waiter: Deferred[None]) -> None:
    if not waiter.called:
        waiter.callback(None)

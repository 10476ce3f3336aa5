# -*- test-case-name: tests.embedded.control.test_clock -*-
"""
A clock that runs as its reactor's does, and that a test can advance.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

#: The number of due times at each of which an advance stops; it skips the rest.
_STOPS = 10_000


@implementer(IReactorTime)
class AdvancingClock:
    """
    The time of a reactor, and more.

    :ivar advanced: the seconds by which it is ahead of the reactor.
    :param reactor: a reactor, or a ``Clock``.
    """

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self.advanced = 0.0
        self._calls: list[DelayedCall] = []
        self._timer: IDelayedCall | None = None

    def seconds(self) -> float:
        """See ``IReactorTime``."""
        return self._reactor.seconds() + self.advanced

    def callLater(  # noqa: N802  (Twisted's name)
        self, delay: float, callable: Callable[..., Any], *args: object, **kw: object
    ) -> DelayedCall:
        """See ``IReactorTime``."""
        at = self.seconds() + delay
        call = DelayedCall(at, callable, args, kw, self._cancelled, self._moved, self.seconds)
        self._calls.append(call)
        self._set_timer()
        return call

    def getDelayedCalls(self) -> list[DelayedCall]:  # noqa: N802  (Twisted's name)
        """See ``IReactorTime``."""
        return list(self._calls)

    def _cancelled(self, call: DelayedCall) -> None:
        self._calls.remove(call)
        self._set_timer()

    def _moved(self, call: DelayedCall) -> None:
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        due = self.next_due()
        if due is not None:
            self._timer = self._reactor.callLater(max(0.0, due - self.seconds()), self._run_due)

    def next_due(self) -> float | None:
        """:return: the time of the next delayed call; ``None`` when there is none."""
        return min((call.getTime() for call in self._calls), default=None)

    def _run_due(self) -> None:
        """Make the delayed calls that are due, the earliest first."""
        now = self.seconds()
        try:
            while True:
                due = [call for call in self._calls if call.getTime() <= now]
                if not due:
                    return
                call = min(due, key=DelayedCall.getTime)
                self._calls.remove(call)
                call.called = 1
                call.func(*call.args, **call.kw)
        finally:
            self._set_timer()

    async def advance(self, seconds: float, catch_up: Callable[[], Awaitable[object]]) -> None:
        """
        Advance the time, and stop at each due time on the way, so that what begins there is in time
        for the next one.

        :param seconds: not negative.
        :param catch_up: waits until what is due has happened.
        """
        end = self.advanced + seconds
        for _ in range(_STOPS):
            self._run_due()
            await catch_up()
            due = self.next_due()
            step = None if due is None else max(0.0, due - self.seconds())
            if step is None or step > end - self.advanced:
                break
            self.advanced += step
        self.advanced = end
        self._run_due()
        await catch_up()

    def reset(self) -> None:
        """Return to the reactor's time; what is delayed stays delayed for as long."""
        for call in self.getDelayedCalls():
            call.delay(-self.advanced)
        self.advanced = 0.0
        self._set_timer()

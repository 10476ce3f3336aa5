# -*- test-case-name: tests.embedded.test_turns -*-
"""
Turns of the reactor: the time that one takes is bounded, so that no event waits long.

A hundred requests that arrive together would otherwise be answered in one iteration of the reactor,
and everything else would wait for the last of them: timers, connections, the results of threads.
"""

from __future__ import annotations

from collections import deque
from typing import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

_log = Logger()

Work = Callable[[], object]


class Turns:
    """
    Does work at once while there is time, and the rest in later iterations of the reactor.

    :param bound: seconds of work from which on the rest waits for the next iteration.
    """

    def __init__(self, reactor: IReactorTime, bound: float = 0.01) -> None:
        self._reactor = reactor
        self._bound = bound
        self._spent = 0.0
        self._first: deque[Work] = deque()
        self._second: deque[Work] = deque()
        self._next: IDelayedCall | None = None

    def first(self, work: Work) -> None:
        """Do work that others wait for: a change, or its end."""
        self._do(self._first, work)

    def second(self, work: Work) -> None:
        """Do work that may wait: it is done after :meth:`first`'s, but a part in each turn."""
        self._do(self._second, work)

    def _do(self, queue: deque[Work], work: Work) -> None:
        if self._spent < self._bound and not (self._first or self._second):
            self._work(work)
            return
        queue.append(work)
        if self._next is None:
            self._next = self._reactor.callLater(0, self._turn)

    def _turn(self) -> None:
        self._spent = 0.0
        if self._second:
            self._work(self._second.popleft())
        while self._spent < self._bound and (self._first or self._second):
            self._work((self._first or self._second).popleft())
        waits = self._first or self._second
        self._next = self._reactor.callLater(0, self._turn) if waits else None

    def _work(self, work: Work) -> None:
        begun = self._reactor.seconds()
        try:
            work()
        except Exception:
            _log.failure("Work of a turn failed")
        self._spent += self._reactor.seconds() - begun

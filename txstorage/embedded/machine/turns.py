# -*- test-case-name: tests.embedded.machine.test_turns -*-
"""
ReactorTurns of the reactor: the time that one takes is bounded, so that no event waits long.

A hundred requests that arrive together would otherwise be answered in one iteration of the reactor,
and everything else would wait for the last of them: timers, connections, the results of threads.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

_log = Logger()

Work = Callable[[], object]


class ReactorTurns:
    """
    Does work at once while there is time, and the rest in later iterations of the reactor.

    :param bound: seconds of work from which on the rest waits for the next iteration.
    """

    def __init__(self, reactor: IReactorTime, bound: float = 0.01) -> None:
        self._reactor = reactor
        self._bound = bound
        self._spent = 0.0
        #: The beginning of the work in progress.
        self._since: float | None = None
        self._first: deque[Work] = deque()
        self._second: deque[Work] = deque()
        self._next: IDelayedCall | None = None

    def first(self, work: Work) -> None:
        """Do work that others wait for: a change, or its end."""
        self._do(self._first, work)

    def second(self, work: Work) -> None:
        """Do work that may wait: it is done after :meth:`first`'s, but a part in each turn."""
        self._do(self._second, work)

    def pause(self) -> Deferred[None]:
        """
        Let others have their turn, if the time of this one is spent.

        :return: fires with ``None`` when the work, which may wait, can continue.
        """
        turn: Deferred[None] = Deferred()
        self.second(partial(turn.callback, None))
        return turn

    def _has_time(self) -> bool:
        running = 0.0 if self._since is None else self._reactor.seconds() - self._since
        return self._spent + running < self._bound

    def _do(self, queue: deque[Work], work: Work) -> None:
        if self._has_time() and not (self._first or self._second):
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
        # The time of work within other work is counted there.
        since = self._since
        if since is None:
            self._since = begun = self._reactor.seconds()
        try:
            work()
        except Exception:
            _log.failure("Work of a turn failed")
        if since is None:
            self._spent += self._reactor.seconds() - begun
            self._since = None

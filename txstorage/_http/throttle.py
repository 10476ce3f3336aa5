# -*- test-case-name: tests._http.test_throttle -*-
"""
The limits of what a client sends: its rate, and the number of its requests in progress.

Thousands of requests at once would need as many connections, and would time out together in a
service that answers a few dozen a second.
"""

from __future__ import absolute_import, division, print_function

from collections import deque

import attr
from twisted.internet.defer import Deferred, DeferredSemaphore, succeed

MYPY = False
if MYPY:
    from typing import Any, Callable, Deque, Dict, Optional, Text, Tuple, TypeVar  # noqa: F401

    from twisted.internet.interfaces import IDelayedCall, IReactorTime  # noqa: F401

    T = TypeVar("T")

# Tokens are added up from floats, so a whole one may come out a hair short.
_WHOLE = 1.0 - 1e-6


class TokenBucket(object):
    """
    A token bucket: it lets a short burst through and holds the average.

    Waiters are served in the order of their arrival.

    :param reactor: provides ``IReactorTime``.
    :param float rate: tokens per second, more than 0.
    :param float burst: tokens that an idle bucket holds; by default one second's worth, and at
        least one.
    """

    def __init__(self, reactor, rate, burst=None):
        # type: (IReactorTime, float, Optional[float]) -> None
        self._reactor = reactor
        self._rate = float(rate)
        self._burst = max(1.0, self._rate if burst is None else float(burst))
        self._tokens = self._burst
        self._filled = reactor.seconds()
        self._waiting = deque()  # type: Deque[Deferred[None]]
        self._timer = None  # type: Optional[IDelayedCall]

    def acquire(self):
        # type: () -> Deferred[None]
        """
        Take one token.

        :return: a ``Deferred`` that fires with ``None`` once a token is there; cancelling it gives
            up the place in the queue.
        """
        self._fill()
        if not self._waiting and self._tokens >= _WHOLE:
            self._tokens -= 1.0
            return succeed(None)
        waiter = Deferred(self._leave)  # type: Deferred[None]
        self._waiting.append(waiter)
        self._schedule()
        return waiter

    def _fill(self):
        # type: () -> None
        now = self._reactor.seconds()
        # A wall clock that is set back must not take tokens away.
        elapsed = max(0.0, now - self._filled)
        self._filled = now
        self._tokens = min(self._burst, self._tokens + elapsed * self._rate)

    def _schedule(self):
        # type: () -> None
        if self._waiting and self._timer is None:
            delay = max(0.0, 1.0 - self._tokens) / self._rate
            self._timer = self._reactor.callLater(delay, self._serve)

    def _serve(self):
        # type: () -> None
        self._timer = None
        self._fill()
        while self._waiting and self._tokens >= _WHOLE:
            self._tokens -= 1.0
            self._waiting.popleft().callback(None)
        self._schedule()

    def _leave(self, waiter):
        # type: (Deferred[None]) -> None
        self._waiting.remove(waiter)
        if not self._waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None


@attr.s(frozen=True)
class Limits(object):
    """
    The numbers of requests that are in progress at once, for each service.

    :ivar int readers: requests that only read.
    :ivar int writers: all others.  They have a queue of their own, so that lists, which take long,
        do not delay them.
    :ivar int fewest: requests of either kind to a service that answers quickly, which serves a few
        connections as fast as many; each connection costs the service a handshake.
    :ivar float quick: seconds of a quick answer.  Each request that takes longer while others wait
        adds one to the number at once, up to ``readers`` or ``writers``.
    """

    readers = attr.ib(default=20)  # type: int
    writers = attr.ib(default=20)  # type: int
    fewest = attr.ib(default=6)  # type: int
    quick = attr.ib(default=0.1)  # type: float

    def at_once(self, reads):
        # type: (bool) -> int
        """
        :param bool reads: whether requests only read.
        :return: ``int``: the number of them that are in progress at once.
        """
        return self.readers if reads else self.writers


LIMITS = Limits()


class _GrowingQueue(DeferredSemaphore):
    """
    The requests of one kind to one service.

    :param reactor: provides ``IReactorTime``.
    :param Limits limits: the numbers of requests in progress.
    :param bool reads: whether the requests only read.
    """

    def __init__(self, reactor, limits, reads):
        # type: (IReactorTime, Limits, bool) -> None
        self._most = limits.at_once(reads)
        DeferredSemaphore.__init__(self, min(limits.fewest, self._most))
        self._reactor = reactor
        self._quick = limits.quick

    def send(self, send):
        # type: (Callable[[], Deferred[T]]) -> Deferred[T]
        """:return: a ``Deferred`` that fires or fails as the one that ``send`` returns."""
        return send().addBoth(self._answered, self._reactor.seconds())

    def _answered(self, result, began):
        # type: (Any, float) -> Any
        slow = self._reactor.seconds() - began > self._quick
        if slow and self.waiting and self.limit < self._most:
            self.limit += 1
            self.release()
        return result


class RequestQueues(object):
    """
    The queues of requests.  Requests leave each queue in the order of their arrival.

    :param reactor: provides ``IReactorTime``.
    :param Limits limits: the numbers of requests in progress.
    """

    def __init__(self, reactor, limits=LIMITS):
        # type: (IReactorTime, Limits) -> None
        self._reactor = reactor
        self._limits = limits
        self._queues = {}  # type: Dict[Tuple[Text, bool], _GrowingQueue]

    def run(self, service, reads, send):
        # type: (Text, bool, Callable[[], Deferred[T]]) -> Deferred[T]
        """
        Send a request when its turn has come.

        :param text service: a name of the request's service.
        :param bool reads: whether the request only reads.
        :param send: called without arguments; returns a ``Deferred``.
        :return: a ``Deferred`` that fires or fails as that one does; cancelling it gives up the
            place in the queue.
        """
        if (service, reads) not in self._queues:
            self._queues[service, reads] = _GrowingQueue(self._reactor, self._limits, reads)
        queue = self._queues[service, reads]
        return queue.run(queue.send, send)


__all__ = ["LIMITS", "Limits", "RequestQueues", "TokenBucket"]

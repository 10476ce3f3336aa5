# -*- test-case-name: tests._support.test_token_bucket -*-
"""
A token bucket: the limit of a rate.
"""

from __future__ import absolute_import, division, print_function

from collections import deque

from twisted.internet.defer import Deferred, succeed

MYPY = False
if MYPY:
    from typing import Deque, Optional  # noqa: F401

    from twisted.internet.interfaces import IDelayedCall, IReactorTime  # noqa: F401

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

    def drain(self):
        # type: () -> None
        """
        Take all tokens that are there, because the service has fewer than the bucket counts.
        """
        self._fill()
        self._tokens = min(0.0, self._tokens)

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


__all__ = ["TokenBucket"]

# -*- test-case-name: tests._http.test_throttle -*-
"""
The limits on the number of a client's requests in progress.

Thousands of requests at once would need as many connections, and would time out together in a
service that answers a few dozen a second.
"""

from __future__ import absolute_import, division, print_function

import attr
from twisted.internet.defer import DeferredSemaphore

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Text, Tuple, TypeVar  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401

    T = TypeVar("T")

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


__all__ = ["LIMITS", "Limits", "RequestQueues"]

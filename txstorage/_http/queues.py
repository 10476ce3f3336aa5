# -*- test-case-name: tests._http.test_queues -*-
"""
The requests in progress, of which each service gets a bounded number at once.

Thousands of requests at once would need as many connections, and would time out together in a
service that answers a few dozen a second.
"""

from __future__ import absolute_import, division, print_function

import attr
from twisted.internet.defer import DeferredSemaphore

from .._support.compat import as_text, urlsplit

MYPY = False
if MYPY:
    from typing import Callable, Dict, Text, Tuple, TypeVar  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    T = TypeVar("T")


@attr.s(frozen=True)
class Limits(object):
    """
    The numbers of requests that are in progress at once, for each service.

    :ivar int readers: requests that only read.
    :ivar int writers: all others.  They have a queue of their own, so that lists, which take long,
        do not delay them.
    """

    readers = attr.ib(default=20)  # type: int
    writers = attr.ib(default=20)  # type: int


LIMITS = Limits()


class RequestQueues(object):
    """
    The queues of requests.  Requests leave each queue in the order of their arrival.

    :param Limits limits: the numbers of requests in progress.
    """

    def __init__(self, limits=LIMITS):
        # type: (Limits) -> None
        self._limits = limits
        self._queues = {}  # type: Dict[Tuple[Text, bool], DeferredSemaphore]

    def run(self, url, reads, send):
        # type: (Text, bool, Callable[[], Deferred[T]]) -> Deferred[T]
        """
        Send a request when its turn has come.

        :param text url: the request's URL; its host and port stand for the service.
        :param bool reads: whether the request only reads.
        :param send: called without arguments; returns a ``Deferred``.
        :return: a ``Deferred`` that fires or fails as that one does; cancelling it gives up the
            place in the queue.
        """
        service = urlsplit(as_text(url))[1]
        size = self._limits.readers if reads else self._limits.writers
        queue = self._queues.setdefault((service, reads), DeferredSemaphore(size))
        return queue.run(send)


__all__ = ["LIMITS", "Limits", "RequestQueues"]

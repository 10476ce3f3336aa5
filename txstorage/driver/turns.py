# -*- test-case-name: tests.driver.test_detach -*-
"""
The order in which operations on the same server began.

Compute detaches one volume at a time from each server, so the deadline of a detach begins when the
detaches before it have ended.
"""

from __future__ import absolute_import, division, print_function

from weakref import WeakValueDictionary

MYPY = False
if MYPY:
    from typing import Iterable, List, Optional, Text, TypeVar  # noqa: F401

    from twisted.internet.interfaces import IReactorTime  # noqa: F401

    T = TypeVar("T")


class Turns(object):
    """
    The operations in progress, by server.

    :param reactor: provides ``IReactorTime``.
    """

    def __init__(self, reactor):
        # type: (IReactorTime) -> None
        self._reactor = reactor
        self._last = WeakValueDictionary()  # type: WeakValueDictionary[Text, Turn]

    def turn(self):
        # type: () -> Turn
        """:return: a :class:`Turn` for an operation whose servers are not known yet."""
        return Turn(self._reactor, self._last)


class Turn(object):
    """
    An operation's place behind others.

    :param reactor: provides ``IReactorTime``.
    :param last: a mapping of server ids to the last :class:`Turn` of each.
    """

    def __init__(self, reactor, last):
        # type: (IReactorTime, WeakValueDictionary[Text, Turn]) -> None
        self._seconds = reactor.seconds
        self._last = last
        self._ahead = []  # type: List[Turn]
        self._began = self._seconds()
        self._ended = None  # type: Optional[float]

    def join(self, servers):
        # type: (Iterable[Text]) -> None
        """
        Take a place behind the operations on some servers that began before.

        :param servers: instance ids.
        """
        for server_id in servers:
            ahead = self._last.get(server_id)
            if ahead is not None and ahead is not self:
                self._ahead.append(ahead)
            self._last[server_id] = self

    def end(self, result):
        # type: (T) -> T
        """
        Make way for the operations behind.

        :param result: the operation's result.
        :return: the result.
        """
        self._ended = self._seconds()
        # A chain of ended turns would hold the first one for as long as others follow.
        self._ahead = []
        return result

    def time_left(self, seconds):
        # type: (float) -> float
        """
        Calculate the time until the operation's deadline.

        :param float seconds: the time that the operation may take once those ahead have ended.
        :return: seconds; 0 or less when the deadline is over.
        """
        head = self._began
        for turn in self._ahead:
            if turn._ended is None:
                return seconds
            head = max(head, turn._ended)
        return head + seconds - self._seconds()

# -*- test-case-name: tests.driver.test_attach_queue -*-
"""
The queue of attaches of each server.

Nova carries out one attach at a time for each server, and an attach that it has accepted but not
begun may time out in it.  So few are requested at once: two, so that the server never idles between
the end of one attach and the poll that sees it; more, once the times of attaches show that the
cloud does not carry them out one by one.
"""

from __future__ import absolute_import, division, print_function

from collections import deque

from twisted.internet.defer import Deferred, succeed

MYPY = False
if MYPY:
    from typing import Deque, Dict, Optional, Text, TypeVar  # noqa: F401

    from twisted.internet.interfaces import IReactorTime  # noqa: F401

    T = TypeVar("T")

#: The minimum and the maximum number of attaches that are requested at once for a server.
DEPTHS = (2, 10)


def next_depth(depth, ahead, seconds, alone):
    # type: (int, int, float, Optional[float]) -> int
    """
    Decide how many attaches are requested at once for a server.

    A cloud that carries out one attach at a time takes ``ahead + 1`` times as long as for a lone
    one; a cloud that carries them out together takes as long.  The decision is in the middle.

    :param int depth: the number until now.
    :param int ahead: the number of attaches in progress when an attach was requested.
    :param float seconds: the time that the attach took.
    :param alone: seconds that a lone attach takes, or ``None`` when unknown.
    :return: ``int``: the number from now on.
    """
    if not ahead or alone is None:
        return depth
    together = seconds < alone * (1 + ahead / 2.0)
    if together and ahead + 1 < depth:
        return depth
    least, most = DEPTHS
    return max(least, min(most, depth + 1 if together else depth - 1))


class _Queue(object):
    """
    One server's queue.

    :ivar int depth: the number of attaches that may be in progress.
    :ivar int active: the number that is.
    :ivar alone: seconds that the last lone attach took, or ``None``.
    """

    def __init__(self):
        # type: () -> None
        self.depth = DEPTHS[0]
        self.active = 0
        self.alone = None  # type: Optional[float]
        self.waiting = deque()  # type: Deque[Place]

    def serve(self):
        # type: () -> None
        while self.waiting and self.active < self.depth:
            self.waiting.popleft().begin()


class AttachQueues(object):
    """
    The queues of all servers.

    :param reactor: provides ``IReactorTime``.
    """

    def __init__(self, reactor):
        # type: (IReactorTime) -> None
        self._reactor = reactor
        self._queues = {}  # type: Dict[Text, _Queue]

    def place(self, server_id):
        # type: (Text) -> Place
        """
        :param text server_id: the instance id of a server.
        :return: a :class:`Place` for one attach.
        """
        return Place(self._reactor, self._queues.setdefault(server_id, _Queue()))


class Place(object):
    """
    One attach's place in a server's queue.

    :param reactor: provides ``IReactorTime``.
    :param queue: the server's queue.
    """

    def __init__(self, reactor, queue):
        # type: (IReactorTime, _Queue) -> None
        self._seconds = reactor.seconds
        self._queue = queue
        self._turn = None  # type: Optional[Deferred[None]]
        self._ahead = 0
        self._holds = False
        # The moment at which the deadline begins.
        self._began = self._seconds()

    def wait(self):
        # type: () -> Deferred[None]
        """
        Wait for the attach's turn.

        :return: a ``Deferred`` that fires with ``None`` when the attach may be requested, and at
            once when it is the attach's turn already; cancelling it gives up the place.
        """
        if self._holds:
            return succeed(None)
        self._turn = Deferred(self._leave)
        self._queue.waiting.append(self)
        turn = self._turn
        self._queue.serve()
        return turn

    def begin(self):
        # type: () -> None
        """Take the turn; for the queue."""
        turn, self._turn = self._turn, None
        self._ahead = self._queue.active
        self._queue.active += 1
        self._holds = True
        self._began = self._seconds()
        if turn is not None:
            turn.callback(None)

    def _leave(self, turn):
        # type: (Deferred[None]) -> None
        self._turn = None
        self._queue.waiting.remove(self)

    def end(self, result):
        # type: (T) -> T
        """
        Make way for the next attach.

        :param result: the attach's result.
        :return: the result.
        """
        if self._holds:
            self._holds = False
            self._queue.active -= 1
            self._queue.serve()
        return result

    def learn(self):
        # type: () -> None
        """Take account of the time that the attach took, which has just succeeded."""
        if not self._holds:
            return
        queue, seconds = self._queue, self._seconds() - self._began
        queue.depth = next_depth(queue.depth, self._ahead, seconds, queue.alone)
        if not self._ahead:
            queue.alone = seconds

    def time_left(self, seconds):
        # type: (float) -> float
        """
        Calculate the time until the attach's deadline, which begins at the head of the queue, so
        that waiting for others does not count.

        :param float seconds: the time that an attach may take.
        :return: seconds; 0 or less when the deadline is over.
        """
        if self._turn is not None:
            return seconds
        return self._began + seconds - self._seconds()


__all__ = ["AttachQueues", "DEPTHS", "Place", "next_depth"]

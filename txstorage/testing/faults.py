# -*- test-case-name: tests.testing.test_faults -*-
"""
Faults to inject between a driver and a service that it reaches over HTTP.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from twisted.web.client import ResponseNeverReceived
from twisted.web.iweb import IAgent
from zope.interface import implementer

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, List, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.interfaces import IReactorTime  # noqa: F401

    Moment = Optional[Callable[[], object]]
    Fault = Callable[[Callable[[], Deferred[Any]]], Deferred[Any]]


def _dropped():
    # type: () -> Failure
    return Failure(ResponseNeverReceived([Failure(ConnectionLost())]))


def lose_request(send):
    # type: (Callable[[], Deferred[Any]]) -> Deferred[Any]
    """
    The connection drops before the service gets the request.

    :param send: sends the request; returns a ``Deferred``.
    :return: a ``Deferred`` of the response.
    """
    return fail(_dropped())


def lose_response(send):
    # type: (Callable[[], Deferred[Any]]) -> Deferred[Any]
    """The connection drops after the service got the request; as :func:`lose_request`."""
    return send().addBoth(lambda _: _dropped())


def hang(send):
    # type: (Callable[[], Deferred[Any]]) -> Deferred[Any]
    """The service never answers; as :func:`lose_request`."""
    return Deferred()


@implementer(IAgent)
class FaultyAgent(object):
    """
    An ``IAgent`` whose requests fail on demand.

    Each request has three moments at which its caller waits: before the request is sent, while it
    is under way, and before its response is delivered.

    :param reactor: provides ``IReactorTime``.
    :param agent: the ``IAgent`` that sends the requests.
    :ivar list requests: ``(method, path)``, text, of each request so far.
    :ivar int moments: the number of moments so far.
    """

    def __init__(self, reactor, agent):
        # type: (IReactorTime, IAgent) -> None
        self._reactor = reactor
        self._agent = agent
        self._faults = {}  # type: Dict[int, Fault]
        self._at_moment = {}  # type: Dict[int, Moment]
        self.requests = []  # type: List[Tuple[Text, Text]]
        self.moments = 0

    def break_request(self, number, fault):
        # type: (int, Fault) -> None
        """
        Make one request fail.

        :param int number: the request, counted from the next one, 0.
        :param fault: :func:`lose_request`, :func:`lose_response`, :func:`hang` or the like.
        """
        self._faults[len(self.requests) + number] = fault

    def at_moment(self, number, function):
        # type: (int, Optional[Callable[[], object]]) -> None
        """
        Call a function at one moment.

        :param int number: the moment, counted from the next one, 0.
        :param function: called without arguments.
        """
        self._at_moment[self.moments + number] = function

    def calm(self):
        # type: () -> None
        """Forget all faults and functions."""
        self._faults.clear()
        self._at_moment.clear()

    def request(self, method, uri, headers=None, bodyProducer=None):
        # type: (bytes, bytes, Any, Any) -> Deferred[Any]
        """See ``IAgent``."""
        fault = self._faults.pop(len(self.requests), None)
        path = uri.split(b"?")[0].split(b"/", 3)[-1]
        self.requests.append((method.decode("ascii"), path.decode("ascii")))
        functions = [self._at_moment.pop(self.moments + n, None) for n in range(3)]
        self.moments += 3
        exchange = _Exchange(
            self._reactor,
            lambda: self._agent.request(method, uri, headers, bodyProducer),
            fault,
            *functions
        )
        exchange.begin()
        return exchange.answered


class _Exchange(object):
    """
    One request, whose caller waits for :attr:`answered`.

    The functions of its moments are called from the reactor, because the caller does not wait
    before it has the Deferred.
    """

    def __init__(self, reactor, send, fault, about_to_be_sent, under_way, answered):
        # type: (IReactorTime, Callable[[], Deferred[Any]], Optional[Fault], Moment, Moment, Moment) -> None
        self._reactor = reactor
        self._send = send if fault is None else lambda: fault(send)
        self._about_to_be_sent = about_to_be_sent
        self._under_way = under_way
        self._before_answer = answered
        self._sent = None  # type: Optional[Deferred[Any]]
        self.answered = Deferred(self._cancel)  # type: Deferred[Any]

    def begin(self):
        # type: () -> None
        self._after(self._about_to_be_sent, self._go)
        if self._under_way is not None:
            self._reactor.callLater(0, self._under_way)

    def _go(self):
        # type: () -> None
        sent = self._sent = self._send()
        sent.addBoth(lambda result: self._after(self._before_answer, self._deliver, result))

    def _deliver(self, result):
        # type: (Any) -> None
        self.answered.callback(result)

    def _after(self, function, proceed, *arguments):
        # type: (Optional[Callable[[], object]], Callable[..., object], *Any) -> None
        if function is None:
            self._unless_cancelled(proceed, *arguments)
        else:
            self._reactor.callLater(0, self._at, function, proceed, *arguments)

    def _at(self, function, proceed, *arguments):
        # type: (Callable[[], object], Callable[..., object], *Any) -> None
        function()
        self._unless_cancelled(proceed, *arguments)

    def _unless_cancelled(self, proceed, *arguments):
        # type: (Callable[..., object], *Any) -> None
        if not self.answered.called:
            proceed(*arguments)

    def _cancel(self, _):
        # type: (Any) -> None
        if self._sent is not None:
            self._sent.cancel()

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


def _dropped():
    return Failure(ResponseNeverReceived([Failure(ConnectionLost())]))


def lose_request(send):
    """
    The connection drops before the service gets the request.

    :param send: sends the request; returns a ``Deferred``.
    :return: a ``Deferred`` for the answer.
    """
    return fail(_dropped())


def lose_response(send):
    """The connection drops after the service got the request; as :func:`lose_request`."""
    return send().addBoth(lambda _: _dropped())


def hang(send):
    """The service never answers; as :func:`lose_request`."""
    return Deferred()


@implementer(IAgent)
class FaultyAgent(object):
    """
    An ``IAgent`` that goes wrong when it is told to.

    Each request has three moments at which whoever made it waits: it is about
    to be sent, it is under way, and its answer is about to be delivered.

    :param reactor: provides ``IReactorTime``.
    :param agent: the ``IAgent`` that does the work.
    :ivar list requests: ``(method, path)``, text, of each request so far.
    :ivar int moments: how many moments there were so far.
    """

    def __init__(self, reactor, agent):
        self._reactor = reactor
        self._agent = agent
        self._faults = {}
        self._at_moment = {}
        self.requests = []
        self.moments = 0

    def break_request(self, number, fault):
        """
        :param int number: which request goes wrong, counted from the next, 0.
        :param fault: :func:`lose_request` or one of its kind.
        """
        self._faults[len(self.requests) + number] = fault

    def at_moment(self, number, function):
        """
        Call a function at one moment.

        :param int number: which, counted from the next, 0.
        :param function: called without arguments.
        """
        self._at_moment[self.moments + number] = function

    def calm(self):
        """Forget all that was to go wrong."""
        self._faults.clear()
        self._at_moment.clear()

    def request(self, method, uri, headers=None, bodyProducer=None):
        """As ``IAgent.request``."""
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
    One request, whose maker waits for :attr:`answered`.

    What is to be called at a moment is called from the reactor, since whoever
    asked does not wait before it has got its Deferred.
    """

    def __init__(self, reactor, send, fault, about_to_be_sent, under_way, answered):
        self._reactor = reactor
        self._send = send if fault is None else lambda: fault(send)
        self._about_to_be_sent = about_to_be_sent
        self._under_way = under_way
        self._before_answer = answered
        self._sent = None
        self.answered = Deferred(self._cancel)

    def begin(self):
        self._after(self._about_to_be_sent, self._go)
        if self._under_way is not None:
            self._reactor.callLater(0, self._under_way)

    def _go(self):
        self._sent = self._send()
        self._sent.addBoth(lambda result: self._after(self._before_answer, self._deliver, result))

    def _deliver(self, result):
        self.answered.callback(result)

    def _after(self, function, go_on, *arguments):
        if function is None:
            self._unless_cancelled(go_on, *arguments)
        else:
            self._reactor.callLater(
                0, lambda: (function(), self._unless_cancelled(go_on, *arguments))
            )

    def _unless_cancelled(self, go_on, *arguments):
        if not self.answered.called:
            go_on(*arguments)

    def _cancel(self, _):
        if self._sent is not None:
            self._sent.cancel()

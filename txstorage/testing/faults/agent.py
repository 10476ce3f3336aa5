# -*- test-case-name: tests.testing.test_faults -*-
"""
An HTTP agent that injects faults in the client's own process.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import ConnectionLost, ConnectionRefusedError
from twisted.python.failure import Failure
from twisted.web.client import ResponseNeverReceived
from twisted.web.iweb import IAgent
from zope.interface import implementer

from ..._support.compat import as_text
from .exchanges import Answer, Ending, Memory, Outcome, Question
from .kinds import fault_kind
from .responses import CannedResponse, read_answer

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, List, Optional, Text, Tuple, Union  # noqa: F401

    from twisted.internet.interfaces import IReactorTime  # noqa: F401

    from .clock import ClockSteps  # noqa: F401
    from .kinds import FaultKind  # noqa: F401

    Moment = Optional[Callable[[], object]]


def _dropped():
    # type: () -> Failure
    return Failure(ResponseNeverReceived([Failure(ConnectionLost())]))


def break_exchange(kind, question, send, memory):
    # type: (FaultKind, Question, Callable[[], Deferred[Any]], Memory) -> Deferred[Any]
    """
    Carry out a fault on one exchange of an agent.

    :param FaultKind kind: the fault.
    :param Question question: the request.
    :param send: sends the request; returns a ``Deferred`` of the response.
    :param Memory memory: the earlier answers.
    :return: a ``Deferred`` of the response.
    """
    if not kind.forwards:
        return maybeDeferred(_response, kind.effect(question, None, memory))
    d = send()
    if kind.effect(question, _NOTHING, memory) == _RESET:
        # The response is lost, even when it is a failure or never read.
        return d.addBoth(lambda _: _dropped())
    d.addCallback(read_answer)

    def judge(answer):
        # type: (Answer) -> Any
        outcome = kind.effect(question, answer, memory)
        memory.keep(question, answer)
        return _response(outcome or Outcome(Ending.COMPLETE, answer))

    return d.addCallback(judge)


_NOTHING = Answer(204)
_RESET = Outcome(Ending.RESET)


def _response(outcome):
    # type: (Any) -> Any
    """:return: the response, a ``Failure``, or a ``Deferred`` of nothing."""
    if outcome.ending is Ending.REFUSED:
        return Failure(ConnectionRefusedError())
    if outcome.ending is Ending.RESET:
        return _dropped()
    if outcome.ending is Ending.SILENT:
        return Deferred()
    return CannedResponse(outcome)


@implementer(IAgent)
class FaultyAgent(object):
    """
    An ``IAgent`` whose requests fail on demand.

    Each request has three moments at which its caller waits: before the request is sent, while it
    is under way, and before its response is delivered.

    :param reactor: provides ``IReactorTime``.
    :param agent: the ``IAgent`` that sends the requests.
    :param clock: a :class:`~txstorage.testing.ClockSteps`; without one, steps of the clock have no
        effect.
    :ivar list requests: ``(method, path)``, text, of each request so far.
    :ivar int moments: the number of moments so far.
    """

    def __init__(self, reactor, agent, clock=None):
        # type: (IReactorTime, IAgent, Optional[ClockSteps]) -> None
        self._reactor = reactor
        self._agent = agent
        self._clock = clock
        self._memory = Memory()
        self._faults = {}  # type: Dict[int, FaultKind]
        self._at_moment = {}  # type: Dict[int, Moment]
        self.requests = []  # type: List[Tuple[Text, Text]]
        self.moments = 0

    def break_request(self, number, fault):
        # type: (int, Union[FaultKind, Text]) -> None
        """
        Make one request fail.

        :param int number: the request, counted from the next one, 0.
        :param fault: a :class:`~txstorage.testing.FaultKind`, or its name in ``FAULTS``.
        :raises KeyError: no kind has that name.
        """
        self._faults[len(self.requests) + number] = fault_kind(fault)

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
        send = partial(self._agent.request, method, uri, headers, bodyProducer)
        if fault is not None:
            if fault.step and self._clock is not None:
                self._clock.step(fault.step)
            question = Question(as_text(method), as_text(uri))
            send = partial(break_exchange, fault, question, send, self._memory)
        exchange = _Exchange(self._reactor, send, *functions)
        exchange.begin()
        return exchange.answered


class _Exchange(object):
    """
    One request, whose caller waits for :attr:`answered`.

    The functions of its moments are called from the reactor, because the caller does not wait
    before it has the Deferred.
    """

    def __init__(self, reactor, send, about_to_be_sent, under_way, answered):
        # type: (IReactorTime, Callable[[], Deferred[Any]], Moment, Moment, Moment) -> None
        self._reactor = reactor
        self._send = send
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

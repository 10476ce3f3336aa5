# -*- test-case-name: tests.testing.test_proxy -*-
"""
An HTTP proxy that injects faults between any client and any HTTP service.
"""

from __future__ import absolute_import, division, print_function

from collections import deque
from io import BytesIO

import attr
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred, succeed
from twisted.web.client import Agent, FileBodyProducer
from twisted.web.http_headers import Headers

from ..._support.compat import as_text
from .doors import Door
from .exchanges import Ending, Memory, Outcome, Question
from .origins import endpoints_in, origin_of, rewritten_answer
from .plans import NO_FAULTS
from .responses import OF_CONNECTION, read_answer

MYPY = False
if MYPY:
    from typing import Any, Callable, Deque, Dict, List, Optional, Set, Text  # noqa: F401

    from twisted.web.iweb import IAgent  # noqa: F401

    from .clock import ClockSteps  # noqa: F401
    from .exchanges import Answer  # noqa: F401
    from .kinds import FaultKind  # noqa: F401
    from .plans import Plan  # noqa: F401

_NO_SERVICE = Outcome(Ending.RESET)


@attr.s(frozen=True)
class Record(object):
    """
    One request that crossed the proxy.

    :ivar text method: ``u"GET"`` etc.
    :ivar text path: the path, without the query.
    :ivar status: the HTTP status that the client was sent, or ``None``.
    :ivar fault: the name of the injected fault, text, or ``None``.
    """

    method = attr.ib()  # type: Text
    path = attr.ib()  # type: Text
    status = attr.ib()  # type: Optional[int]
    fault = attr.ib()  # type: Optional[Text]


class FaultProxy(object):
    """
    An HTTP proxy in front of an HTTP service, which injects faults.

    The proxy listens on a port of its own for each origin (scheme, host and port) of the service.
    It finds the origins in the catalog that answers a token request, and replaces them in every
    JSON answer, so that a client that starts at the proxy never leaves it.

    :param reactor: provides ``IReactorTCP`` and ``IReactorTime``.
    :param faults: the plan: called with each ``Question``,
        returns a :class:`~txstorage.testing.FaultKind` or ``None``.  See ``ScriptedFaults`` and
        ``SeededFaults``.  The attribute can be set at any time.
    :param agent: the ``IAgent`` that reaches the service; by default one that verifies
        certificates by the system's authorities.
    :param text host: the address to listen on.
    :param int limit: the number of records and of answers to keep.
    :param float pause: seconds for which the fault ``refused`` refuses connections.
    :param clock: a :class:`~txstorage.testing.ClockSteps`, when the client runs in this process;
        without one, steps of the clock have no effect.
    :param observe: called with the ``Question`` of each request that is forwarded.

    :ivar records: the most recent :class:`Record` values, oldest first.
    :ivar dict injected: the number of injected faults, by their name.
    :ivar int requests: the number of requests so far.
    """

    def __init__(
        self,
        reactor,
        faults=NO_FAULTS,
        agent=None,
        host=u"127.0.0.1",
        limit=1000,
        pause=0.2,
        clock=None,
        observe=None,
    ):
        # type: (Any, Plan, Optional[IAgent], Text, int, float, Optional[ClockSteps], Optional[Callable[[Question], object]]) -> None
        self._reactor = reactor
        self._agent = Agent(reactor) if agent is None else agent  # type: IAgent
        self._host = host
        self._pause = pause
        self._clock = clock
        self._observe = observe
        self._doors = {}  # type: Dict[Text, Door]
        self._pending = set()  # type: Set[Any]
        self._reopening = None  # type: Any
        self._memory = Memory(min(limit, 64))
        self.faults = faults  # type: Plan
        self.records = deque(maxlen=limit)  # type: Deque[Record]
        self.injected = {}  # type: Dict[Text, int]
        self.requests = 0

    def listen(self, url):
        # type: (Text) -> Text
        """
        Listen for the requests to an origin.

        :param text url: an absolute URL of the service.
        :return: text: the same URL, through the proxy.
        """
        origin = origin_of(url)
        if origin not in self._doors:
            self._doors[origin] = Door(origin, self._handle)
            if self._reopening is None:
                self._doors[origin].open(self._reactor, self._host)
        return self._origins()[origin] + url[len(origin) :]

    def disconnect(self):
        # type: () -> Deferred[Any]
        """
        End the clients' connections, also those on which an answer never comes.

        :return: a ``Deferred`` that fires with ``None`` when none is left.
        """
        waits = [door.disconnect() for door in self._doors.values()]
        return DeferredList(waits).addCallback(lambda _: None)

    def stop(self):
        # type: () -> Deferred[Any]
        """
        Close everything.

        :return: a ``Deferred`` that fires with ``None`` when no port, connection or request is
            left.
        """
        reopening, self._reopening = self._reopening, None
        if reopening is not None:
            reopening.cancel()
        pending = list(self._pending)
        waits = [maybeDeferred(door.close) for door in self._doors.values()]
        for exchange in pending:
            exchange.cancel()
        self._doors.clear()
        return DeferredList(waits).addCallback(lambda _: None)

    def _origins(self):
        # type: () -> Dict[Text, Text]
        return {origin: door.url(self._host) for origin, door in self._doors.items()}

    # -- one exchange --------------------------------------------------------------------

    def _handle(self, origin, request):
        # type: (Text, Any) -> None
        """
        Handle a request to one of the origins.

        :param text origin: the origin that the request is for.
        :param request: an ``IRequest``.
        """
        question = Question(
            as_text(request.method), as_text(request.uri), request.content.read()
        )
        fault = self.faults(question)
        self.requests += 1
        if fault is not None and fault.step and self._clock is not None:
            self._clock.step(fault.step)
        if fault is None or fault.forwards:
            d = self._forward(origin, question, request.requestHeaders)  # type: Deferred[Any]
        else:
            d = succeed(None)
        gone = []  # type: List[bool]
        request.notifyFinish().addErrback(lambda _: gone.append(True))
        self._pending.add(d)
        d.addCallback(self._judge, question, fault)
        d.addErrback(lambda _: (_NO_SERVICE, None))
        d.addCallback(self._deliver, request, question, gone)
        d.addBoth(lambda _: self._pending.discard(d))

    def _forward(self, origin, question, headers):
        # type: (Text, Question, Headers) -> Deferred[Answer]
        if self._observe is not None:
            self._observe(question)
        sent = Headers(
            {
                name: values
                for name, values in headers.getAllRawHeaders()
                if name.lower() not in OF_CONNECTION
            }
        )
        body = FileBodyProducer(BytesIO(question.body)) if question.body else None
        url = (origin + question.target).encode("ascii")
        d = self._agent.request(
            question.method.encode("ascii"), url, sent, body
        )  # type: Deferred[Any]
        d.addCallback(read_answer)
        return d.addCallback(self._lead_back)

    def _lead_back(self, answer):
        # type: (Answer) -> Answer
        for url in endpoints_in(answer.document()):
            self.listen(url)
        return rewritten_answer(answer, self._origins())

    def _judge(self, answer, question, fault):
        # type: (Any, Question, Optional[FaultKind]) -> Any
        """:return: the outcome, and the kind of fault that brought it about."""
        outcome = None
        if fault is not None and (not fault.step or self._clock is not None):
            outcome = fault.effect(question, answer, self._memory)
        if answer is not None:
            self._memory.keep(question, answer)
        if outcome is None:
            return Outcome(Ending.COMPLETE, answer), None
        return outcome, fault

    def _deliver(self, judged, request, question, gone):
        # type: (Any, Any, Question, List[bool]) -> Any
        outcome, fault = judged
        answer = outcome.answer
        name = None if fault is None else fault.name
        status = None if answer is None else answer.status
        self.records.append(Record(question.method, question.path, status, name))
        if name is not None:
            self.injected[name] = self.injected.get(name, 0) + 1
        if fault is not None and fault.delay:
            d = Deferred()  # type: Deferred[Any]
            late = self._reactor.callLater(fault.delay, d.callback, None)
            request.notifyFinish().addErrback(lambda _: late.active() and late.cancel())
            return d.addCallback(lambda _: self._end(outcome, request, gone))
        return self._end(outcome, request, gone)

    def _end(self, outcome, request, gone):
        # type: (Outcome, Any, List[bool]) -> None
        if gone:
            return
        if outcome.ending is Ending.REFUSED:
            self._refuse()
        if outcome.ending in (Ending.RESET, Ending.REFUSED):
            request.channel.transport.abortConnection()
        elif outcome.answer is not None:
            _write(outcome, request)

    def _refuse(self):
        # type: () -> None
        """Refuse connections for a moment."""
        if self._reopening is None:
            for door in self._doors.values():
                door.shut()
            self._reopening = self._reactor.callLater(self._pause, self._reopen)

    def _reopen(self):
        # type: () -> None
        self._reopening = None
        for door in self._doors.values():
            door.open(self._reactor, self._host)


def _write(outcome, request):
    # type: (Outcome, Any) -> None
    """Write an answer, or the first half of its body."""
    answer = outcome.answer  # type: Any
    request.setResponseCode(answer.status)
    request.responseHeaders = Headers()
    for name, value in answer.headers:
        request.responseHeaders.addRawHeader(name, value)
    request.setHeader(b"Content-Length", str(len(answer.body)).encode("ascii"))
    if outcome.ending is Ending.CUT:
        request.write(answer.body[: len(answer.body) // 2])
        request.channel.transport.loseConnection()
        return
    if request.method != b"HEAD":
        request.write(answer.body)
    request.finish()


__all__ = ["FaultProxy", "Record"]

"""
Tests of the kinds of fault, of the plans, and of the agent: exactly the chosen exchange breaks, in
the chosen way.
"""

from __future__ import absolute_import, division, print_function

import time
from uuid import uuid4

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseFailed, ResponseNeverReceived, readBody
from twisted.web.iweb import IAgent
from zope.interface import implementer
from zope.interface.verify import verifyObject

from txstorage.testing import (
    FAULTS,
    NO_FAULTS,
    ClockSteps,
    FaultyAgent,
    ScriptedFaults,
    SeededFaults,
)
from txstorage.testing.faults.exchanges import Answer, Ending, Memory, Outcome, Question
from txstorage.testing.faults.responses import CannedResponse

GET = Question(u"GET", u"/v3/volumes/detail?limit=2")
JSON = (b"Content-Type", b"application/json")
PAGE = Answer(200, (JSON,), b'{"volumes": [{"id": 1}, {"id": 2}]}')
URI = b"http://cloud.example:80/v3/volumes/detail?limit=2"


@implementer(IAgent)
class Recorder(object):
    """
    An agent whose responses the test releases.

    :ivar list sent: the arguments of each request.
    :ivar list answers: the ``Deferred`` of each request.
    :ivar list cancelled: the numbers of the cancelled requests.
    """

    def __init__(self):
        self.sent = []
        self.answers = []
        self.cancelled = []

    def request(self, method, uri, headers=None, bodyProducer=None):
        number = len(self.sent)
        self.sent.append((method, uri, headers, bodyProducer))
        self.answers.append(Deferred(lambda _: self.cancelled.append(number)))
        return self.answers[-1]


def ends(kind, answer=None, question=GET, memory=None):
    """:return: the outcome of an exchange with one kind of fault."""
    return FAULTS[kind].effect(question, answer, memory or Memory())


class KindsTests(SynchronousTestCase):
    """The table: each kind's effect on an exchange."""

    def test_names(self):
        """Each kind is found by its name, and has a sentence for the documentation."""
        for name, kind in FAULTS.items():
            self.assertEqual(name, kind.name)
            self.assertTrue(kind.purpose.endswith(u"."), name)
        self.assertGreaterEqual(len(FAULTS), 31)

    def test_transport(self):
        """The faults of the connection."""
        for name, ending, forwards in [
            (u"refused", Ending.REFUSED, False),
            (u"reset-before", Ending.RESET, False),
            (u"reset-after", Ending.RESET, True),
            (u"no-answer", Ending.SILENT, False),
            (u"no-answer-after", Ending.SILENT, True),
        ]:
            self.assertEqual(Outcome(ending), ends(name, PAGE), name)
            self.assertEqual(forwards, FAULTS[name].forwards, name)
        self.assertEqual(Outcome(Ending.CUT, PAGE), ends(u"cut-body", PAGE))

    def test_statuses(self):
        """The faults that are statuses, with Retry-After where the name says so."""
        for name, kind in FAULTS.items():
            status = name[:3]
            if not status.isdigit():
                continue
            outcome = ends(name)
            self.assertEqual(Ending.COMPLETE, outcome.ending)
            self.assertEqual(int(status), outcome.answer.status)
            self.assertEqual(name.endswith(u"-after") and u"retry" not in name, kind.forwards)
            after = dict(outcome.answer.headers).get(b"Retry-After")
            self.assertEqual(b"1" if u"retry-after" in name else None, after, name)

    def test_bodies(self):
        """The faults of the body keep status and headers."""
        half = PAGE.body[: len(PAGE.body) // 2]
        for name, body in [
            (u"truncated-json", half),
            (u"empty-json", b"{}"),
            (u"empty-body", b""),
            (u"no-object", b"[]"),
            (u"wrong-json", b'{"unexpected": [1, null]}'),
        ]:
            self.assertEqual(Outcome(Ending.COMPLETE, PAGE.with_body(body)), ends(name, PAGE))
            self.assertIsNone(ends(name, Answer(204)), name)

    def items(self, outcome):
        return [each["id"] for each in outcome.answer.document()["volumes"]]

    def test_pages(self):
        """An item is repeated, or skipped at the border of two pages; only in lists."""
        second = u"/v3/volumes/detail?limit=2&marker=0"
        question = Question(u"GET", second)
        self.assertEqual([1, 1, 2], self.items(ends(u"repeated-item", PAGE, question)))
        self.assertEqual([2], self.items(ends(u"skipped-item", PAGE, question)))
        for body in [b'{"volume": {"tags": []}}', b"[]", b'{"volumes": []}']:
            self.assertIsNone(ends(u"skipped-item", Answer(200, (), body), question))
        self.assertIsNone(ends(u"skipped-item", PAGE))
        self.assertIsNone(ends(u"repeated-item", PAGE, Question(u"POST", second)))

    def test_stale(self):
        """A stale list is the oldest remembered answer to the same question."""
        memory = Memory()
        old = PAGE.with_body(b'{"volumes": [{"id": 1}]}')
        memory.keep(Question(u"GET", u"/other"), PAGE.with_body(b'{"volumes": [3]}'))
        self.assertIsNone(ends(u"stale-list", PAGE, memory=memory))
        memory.keep(GET, old)
        memory.keep(GET, PAGE)
        empty = PAGE.with_body(b'{"volumes": []}')
        self.assertEqual(old, ends(u"stale-list", empty, memory=memory).answer)
        self.assertEqual(Outcome(Ending.COMPLETE, old), ends(u"stale-list", PAGE, memory=memory))

    def test_crossed(self):
        """A crossed answer is another question's, of the same form if there is one."""
        memory = Memory()
        one, two = [Question(u"GET", u"/v3/volumes/{}".format(uuid4())) for _ in range(2)]
        memory.keep(one, PAGE.with_body(b"1"))
        memory.keep(GET, PAGE)
        crossed = ends(u"crossed-answer", PAGE, two, memory)
        self.assertEqual(b"1", crossed.answer.body)
        self.assertEqual(PAGE, ends(u"crossed-answer", PAGE, one, memory).answer)
        self.assertIsNone(ends(u"crossed-answer", PAGE, Question(u"PUT", one.target), memory))

    def test_memory(self):
        """Only successful answers to readers are remembered, and only so many."""
        memory = Memory(2)
        memory.keep(GET, Answer(404, (), b"404"))
        memory.keep(Question(u"POST", GET.target), PAGE)
        memory.keep(GET, PAGE.with_body(b" " * 2**20))
        self.assertIsNone(memory.stale(GET))
        for number in range(5):
            memory.keep(GET, PAGE.with_body(str(number).encode("ascii")))
        self.assertEqual(b"3", memory.stale(GET).body)


class PlansTests(SynchronousTestCase):
    """Plans: the choice of the faults."""

    def test_none(self):
        """The plan of no faults."""
        self.assertIsNone(NO_FAULTS(GET))

    def test_script(self):
        """A script has faults, or their names, at numbered requests."""
        plan = ScriptedFaults({1: u"401", 3: FAULTS[u"slow"]})
        chosen = [plan(GET) for _ in range(5)]
        self.assertEqual([None, FAULTS[u"401"], None, FAULTS[u"slow"], None], chosen)
        self.assertRaises(KeyError, ScriptedFaults, {0: u"no such fault"})

    def test_seed(self):
        """A seed repeats its faults; another seed has others."""

        def chosen(seed, **options):
            plan = SeededFaults(seed, **options)
            return [plan(GET) for _ in range(200)]

        first = chosen(1, rate=0.5)
        self.assertEqual(first, chosen(1, rate=0.5))
        self.assertNotEqual(first, chosen(2, rate=0.5))
        self.assertTrue(60 < first.count(None) < 140, first.count(None))
        self.assertEqual(200, chosen(1, rate=0.0).count(None))
        only = chosen(1, rate=1.0, kinds=[u"401", u"slow"])
        self.assertEqual({FAULTS[u"401"], FAULTS[u"slow"]}, set(only))

    def test_all_kinds(self):
        """By default a seed chooses from all kinds but the steps of the clock."""
        plan = SeededFaults(0, rate=1.0)
        names = {plan(GET).name for _ in range(2000)}
        self.assertEqual({name for name, kind in FAULTS.items() if not kind.step}, names)


class Wall(object):
    """A reactor whose time is the wall clock, or another one."""

    def __init__(self, seconds=None):
        if seconds is not None:
            self.seconds = seconds

    seconds = staticmethod(time.time)


class ClockStepsTests(SynchronousTestCase):
    """Steps of the wall clock."""

    def steps(self, reactor):
        steps = ClockSteps(reactor)
        self.addCleanup(steps.restore)
        return steps

    def test_step(self):
        """The process's time and its reactor's step by the sum of the steps, and back."""
        reactor, real = Wall(), time.time
        steps = self.steps(reactor)
        before = real()
        steps.step(-3600.0)
        steps.step(1800.0)
        for seconds in (time.time, reactor.seconds):
            self.assertTrue(abs(before - 1800.0 - seconds()) < 60)
        steps.restore()
        self.assertIs(real, time.time)
        self.assertIs(real, reactor.seconds)
        self.assertEqual({}, vars(reactor))

    def test_monotonic(self):
        """A reactor with another clock keeps its time."""
        reactor = Wall(lambda: 5.0)
        self.steps(reactor).step(3600.0)
        self.assertEqual(5.0, reactor.seconds())


class FaultyAgentTests(SynchronousTestCase):
    """When what goes wrong."""

    def setUp(self):
        self.clock = Clock()
        self.recorder = Recorder()
        self.agent = FaultyAgent(self.clock, self.recorder)
        self.happened = []

    def ask(self):
        return self.agent.request(b"GET", URI)

    def event(self, name):
        return lambda: self.happened.append(name)

    def test_interface(self):
        """A faulty agent provides IAgent."""
        self.assertTrue(verifyObject(IAgent, self.agent))

    def test_harmless(self):
        """As long as nothing is to go wrong, it is as if it were not there."""
        d = self.agent.request(b"POST", URI, u"headers", u"body")
        self.assertEqual([(b"POST", URI, u"headers", u"body")], self.recorder.sent)
        self.assertNoResult(d)
        self.recorder.answers[0].callback(u"answer")
        self.assertEqual(u"answer", self.successResultOf(d))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_failure(self):
        """An exchange that fails by itself fails so."""
        d = self.ask()
        self.recorder.answers[0].errback(ValueError())
        self.failureResultOf(d, ValueError)

    def broken(self, fault):
        """Ask with a fault, while the service answers."""
        self.agent.break_request(0, fault)
        d = self.ask()
        if FAULTS[fault].forwards:
            self.recorder.answers[-1].callback(CannedResponse(Outcome(Ending.COMPLETE, PAGE)))
        return d

    def test_every_kind(self):
        """Every kind of the table can be injected, and reaches the service as the table says."""
        for name, kind in FAULTS.items():
            sent = len(self.recorder.sent)
            d = self.broken(name)
            self.assertEqual(sent + kind.forwards, len(self.recorder.sent), name)
            d.addErrback(lambda _: None)
            d.cancel()
            self.assertEqual([], self.clock.getDelayedCalls())

    def test_reset_after(self):
        """The request is sent, and the connection drops instead of the response, of any form."""
        for outcome in [u"answer", ValueError()]:
            self.agent.break_request(0, u"reset-after")
            d = self.ask()
            self.assertNoResult(d)
            answer = self.recorder.answers[-1]
            (answer.errback if isinstance(outcome, Exception) else answer.callback)(outcome)
            self.failureResultOf(d, ResponseNeverReceived)

    def test_refused(self):
        """The connection is refused."""
        self.failureResultOf(self.broken(u"refused"), ConnectionRefusedError)

    def test_no_answer(self):
        """No response arrives until the request is cancelled."""
        for name in (u"no-answer", u"no-answer-after"):
            d = self.broken(name)
            self.assertNoResult(d)
            d.cancel()
            self.failureResultOf(d, CancelledError)

    def test_body(self):
        """A body is changed, or cut."""
        response = self.successResultOf(self.broken(u"empty-json"))
        self.assertEqual((200, 2), (response.code, response.length))
        self.assertEqual(b"{}", self.successResultOf(readBody(response)))
        cut = readBody(self.successResultOf(self.broken(u"cut-body")))
        self.failureResultOf(cut, ResponseFailed)

    def test_status(self):
        """A status comes without the service's knowledge."""
        response = self.successResultOf(self.broken(u"429-retry-after"))
        self.assertEqual(429, response.code)
        self.assertEqual([b"1"], response.headers.getRawHeaders(b"Retry-After"))
        self.assertEqual([], self.recorder.sent)

    def test_requests(self):
        """The requests are known by method and path, as text."""
        self.ask()
        self.assertEqual([(u"GET", u"v3/volumes/detail")], self.agent.requests)
        self.assertIsInstance(self.agent.requests[0][1], type(u""))
        self.assertEqual(3, self.agent.moments)

    def test_break_request(self):
        """The request of that number goes wrong, counted from the next; others do not."""
        self.ask()
        self.agent.break_request(1, u"reset-before")
        answers = [self.ask() for _ in range(3)]
        self.assertEqual(3, len(self.recorder.sent))
        self.assertNoResult(answers[0])
        self.failureResultOf(answers[1], ResponseNeverReceived)
        self.assertNoResult(answers[2])
        self.assertEqual(4, len(self.agent.requests))

    def test_calm(self):
        """Pending faults can be called off."""
        self.agent.break_request(0, u"reset-before")
        self.agent.at_moment(0, self.event("called"))
        self.agent.calm()
        self.assertNoResult(self.ask())
        self.assertEqual(1, len(self.recorder.sent))
        self.clock.pump([0.0] * 5)
        self.assertEqual([], self.happened)

    def test_before_it_is_sent(self):
        """At the first moment, the request is made and not yet sent."""
        self.agent.at_moment(0, lambda: self.happened.append(len(self.recorder.sent)))
        d = self.ask()
        self.assertEqual([], self.happened, "called before its caller could know of it")
        self.clock.advance(0)
        self.assertEqual([0], self.happened)
        self.assertEqual(1, len(self.recorder.sent))
        self.assertNoResult(d)

    def test_under_way(self):
        """At the second moment, the request is sent and not yet answered."""
        self.agent.at_moment(1, lambda: self.happened.append(len(self.recorder.sent)))
        d = self.ask()
        self.clock.advance(0)
        self.assertEqual([1], self.happened)
        self.assertNoResult(d)

    def test_before_the_answer(self):
        """At the third moment, the response has arrived and has not been delivered."""
        self.agent.at_moment(2, self.event("called"))
        d = self.ask()
        self.clock.advance(0)
        self.assertEqual([], self.happened)
        self.recorder.answers[0].callback(u"answer")
        self.assertNoResult(d)
        self.clock.advance(0)
        self.assertEqual(["called"], self.happened)
        self.assertEqual(u"answer", self.successResultOf(d))

    def test_all_moments(self):
        """The moments of one request after the other are counted on."""
        for number in range(6):
            self.agent.at_moment(number, self.event(number))
        for number in range(2):
            d = self.ask()
            self.clock.pump([0.0] * 3)
            self.recorder.answers[number].callback(u"answer")
            self.clock.advance(0)
            self.assertEqual(u"answer", self.successResultOf(d))
        self.assertEqual([0, 1, 2, 3, 4, 5], self.happened)

    def test_moment_counts_from_the_next(self):
        """A moment's number is counted from the next, not from the first of all."""
        self.ask()
        self.agent.at_moment(1, self.event("called"))
        self.clock.pump([0.0] * 3)
        self.assertEqual([], self.happened)
        self.ask()
        self.clock.pump([0.0] * 3)
        self.assertEqual(["called"], self.happened)

    def test_cancelled_before_it_is_sent(self):
        """A request that is cancelled at its first moment is never sent."""
        self.agent.at_moment(0, lambda: d.cancel())
        d = self.ask()
        self.clock.pump([0.0] * 3)
        self.failureResultOf(d, CancelledError)
        self.assertEqual([], self.recorder.sent)

    def test_cancelled_under_way(self):
        """A request that is cancelled at its second moment is cancelled on the wire."""
        self.agent.at_moment(1, lambda: d.cancel())
        d = self.ask()
        self.clock.pump([0.0] * 3)
        self.failureResultOf(d, CancelledError)
        self.assertEqual([0], self.recorder.cancelled)

    def test_cancelled_before_the_answer(self):
        """A request that is cancelled at its third moment is done, and not answered."""
        self.agent.at_moment(2, lambda: d.cancel())
        d = self.ask()
        self.recorder.answers[0].callback(u"answer")
        self.clock.pump([0.0] * 3)
        self.failureResultOf(d, CancelledError)

    def test_cancelled_hang(self):
        """A request that hangs can be cancelled."""
        self.agent.break_request(0, u"no-answer")
        d = self.ask()
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertEqual([], self.recorder.sent)

    def test_fault_at_a_moment(self):
        """The moments of a request that goes wrong are there, too."""
        for number in range(3):
            self.agent.at_moment(number, self.event(number))
        self.agent.break_request(0, u"reset-before")
        d = self.ask()
        self.clock.pump([0.0] * 5)
        self.assertEqual([0, 1, 2], sorted(self.happened))
        self.failureResultOf(d, ResponseNeverReceived)

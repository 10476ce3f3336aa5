"""
Tests of the faults to inject: what is broken is broken, when it was to be, and
nothing else is.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseNeverReceived
from twisted.web.iweb import IAgent
from zope.interface import implementer
from zope.interface.verify import verifyObject

from txstorage.testing import FaultyAgent, hang, lose_request, lose_response

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


class FaultsTests(SynchronousTestCase):
    """Each kind of fault, by itself."""

    def setUp(self):
        self.sent = []

    def send(self, answer=None):
        self.sent.append(True)
        return answer or succeed(u"answer")

    def assert_dropped(self, d):
        reason = self.failureResultOf(d, ResponseNeverReceived).value
        [why] = reason.reasons
        self.assertTrue(why.check(ConnectionLost))

    def test_lose_request(self):
        """The request is not sent, and the connection drops."""
        self.assert_dropped(lose_request(self.send))
        self.assertEqual([], self.sent)

    def test_lose_response(self):
        """The request is sent, and the connection drops instead of the response."""
        self.assert_dropped(lose_response(self.send))
        self.assertEqual([True], self.sent)

    def test_lose_response_after_it_came(self):
        """The connection does not drop before the service has answered."""
        answer = Deferred()
        d = lose_response(lambda: self.send(answer))
        self.assertNoResult(d)
        answer.callback(u"answer")
        self.assert_dropped(d)

    def test_lose_failure(self):
        """A failed exchange is lost like any other."""
        self.assert_dropped(lose_response(lambda: fail(ValueError())))

    def test_hang(self):
        """The request is not sent, and no response arrives until the request is cancelled."""
        d = hang(self.send)
        self.assertNoResult(d)
        self.assertEqual([], self.sent)
        d.cancel()
        self.failureResultOf(d, CancelledError)


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

    def test_requests(self):
        """The requests are known by method and path, as text."""
        self.ask()
        self.assertEqual([(u"GET", u"v3/volumes/detail")], self.agent.requests)
        self.assertIsInstance(self.agent.requests[0][1], type(u""))
        self.assertEqual(3, self.agent.moments)

    def test_break_request(self):
        """The request of that number goes wrong, counted from the next; others do not."""
        self.ask()
        self.agent.break_request(1, lose_request)
        answers = [self.ask() for _ in range(3)]
        self.assertEqual(3, len(self.recorder.sent))
        self.assertNoResult(answers[0])
        self.failureResultOf(answers[1], ResponseNeverReceived)
        self.assertNoResult(answers[2])
        self.assertEqual(4, len(self.agent.requests))

    def test_calm(self):
        """Pending faults can be called off."""
        self.agent.break_request(0, lose_request)
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
        self.assertEqual([], self.happened, "called before whoever asked could know of it")
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
        self.agent.break_request(0, hang)
        d = self.ask()
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertEqual([], self.recorder.sent)

    def test_fault_at_a_moment(self):
        """The moments of a request that goes wrong are there, too."""
        for number in range(3):
            self.agent.at_moment(number, self.event(number))
        self.agent.break_request(0, lose_request)
        d = self.ask()
        self.clock.pump([0.0] * 5)
        self.assertEqual([0, 1, 2], sorted(self.happened))
        self.failureResultOf(d, ResponseNeverReceived)

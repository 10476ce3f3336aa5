"""
Tests for :mod:`txstorage._http.throttle`.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage._http.client import HTTPClient
from txstorage._http.throttle import Limits, RequestQueues

from .support import AgentStub

URL = u"http://cloud.example:8776/v3/volumes"


class RequestQueuesTests(SynchronousTestCase):
    """The requests in progress."""

    def setUp(self):
        self.clock = Clock()
        self.queues = RequestQueues(self.clock, Limits(readers=2, writers=1))
        self.sent = []

    def send(self, service=u"cloud.example:8776", reads=True):
        answer = Deferred()

        def begin():
            self.sent.append(answer)
            return answer

        return answer, self.queues.run(service, reads, begin)

    def test_bounded(self):
        """No more requests are in progress at once than the limit; the others wait in order."""
        requests = [self.send() for _ in range(4)]
        self.assertEqual([answer for answer, _ in requests[:2]], self.sent)
        requests[1][0].callback(u"b")
        self.assertEqual(u"b", self.successResultOf(requests[1][1]))
        self.assertEqual([answer for answer, _ in requests[:3]], self.sent)

    def test_slow(self):
        """Slow answers, unlike quick ones, let more requests through at once, up to the limit."""
        limits = Limits(readers=4, fewest=2, quick=0.1)
        self.queues = RequestQueues(self.clock, limits)
        for _ in range(20):
            self.send()
        for seconds, expected in ((0.1, 2), (0.2, 3), (0.2, 4), (0.2, 4)):
            self.clock.advance(seconds)
            answered = self.sent[:1] if expected < 4 else self.sent[:]
            for answer in answered:
                self.sent.remove(answer)
                answer.callback(None)
            self.assertEqual(expected, len(self.sent), seconds)

    def test_slow_alone(self):
        """Slow answers to requests for which none waits do not change the number at once."""
        self.queues = RequestQueues(self.clock, Limits(readers=4, fewest=2, quick=0.1))
        for _ in range(3):
            answer, _ = self.send()
            self.clock.advance(1)
            answer.callback(None)
            self.sent.remove(answer)
        for _ in range(4):
            self.send()
        self.assertEqual(2, len(self.sent))

    def test_failure(self):
        """A request that fails makes way for the next."""
        (first, failed), (second, _) = [self.send(reads=False) for _ in range(2)]
        first.errback(ValueError("no"))
        self.failureResultOf(failed, ValueError)
        self.assertEqual([first, second], self.sent)

    def test_cancelled(self):
        """A cancelled request leaves the queue, and one in progress makes way for the next."""
        (first, d), (_, left), (third, _) = [self.send(reads=False) for _ in range(3)]
        left.cancel()
        self.failureResultOf(left, CancelledError)
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertEqual([first, third], self.sent)

    def test_apart(self):
        """Readers, writers, and the requests to each service have queues of their own."""
        for service in (u"cloud.example:8776", u"cloud.example:8774", u"other.example:8776"):
            for reads, size in ((True, 2), (False, 1)):
                del self.sent[:]
                for _ in range(3):
                    self.send(service, reads)
                self.assertEqual(size, len(self.sent), (service, reads))


class ClientTests(SynchronousTestCase):
    """The queues of an HTTP client."""

    def test_timeout_begins_with_the_request(self):
        """The time in the queue does not count towards the timeout of an exchange."""
        clock = Clock()
        agent = AgentStub(*[Deferred] * 3)
        http = HTTPClient(clock, agent, timeout=10, limits=Limits(readers=1, writers=1))
        requests = [self.begin(http, u"POST") for _ in range(3)]
        for sent, d in enumerate(requests, 1):
            self.assertEqual(sent, len(agent.seen))
            clock.pump([5, 4.9])
            self.assertNoResult(d)
            clock.advance(0.2)
            self.failureResultOf(d, errors.ResponseLost)

    def test_reads_pass_by(self):
        """Reading requests do not wait for mutations."""
        agent = AgentStub(*[Deferred] * 3)
        http = HTTPClient(Clock(), agent, limits=Limits(readers=1, writers=1))
        for method in (u"POST", u"DELETE", u"GET"):
            self.begin(http, method)
        self.assertEqual([b"POST", b"GET"], agent.seen)

    def begin(self, http, method):
        """Send a request in its turn."""
        return http.in_turn(u"cloud.example", method, lambda: http.request(method, URL, json={}))

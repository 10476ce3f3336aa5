"""
Tests for :mod:`txstorage.clouds.ec2.volumes.batches`.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds.ec2.volumes.batches import SIZE, Descriptions


class DescriptionsTests(SynchronousTestCase):
    """Descriptions that share requests."""

    def setUp(self):
        """A service whose answers the test gives."""
        self.clock = Clock()
        self.asked, self.cancelled = [], []
        self.descriptions = Descriptions(self.clock, self.describe)

    def describe(self, ids):
        """Take a request."""
        self.asked.append((ids, Deferred(lambda _: self.cancelled.append(ids))))
        return self.asked[-1][1]

    def answer(self, index, *found):
        """Answer a request."""
        self.asked[index][1].callback({each: each.upper() for each in found})

    def ids(self):
        """The ids of each request."""
        return [ids for ids, _ in self.asked]

    def test_alone(self):
        """A lone caller does not wait for others."""
        d = self.descriptions.get(u"a")
        self.answer(0, u"a")
        self.assertEqual(u"A", self.successResultOf(d))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_together(self):
        """While two requests are in progress, the ids collect, and travel together."""
        callers = [self.descriptions.get(each) for each in u"abcdec"]
        self.assertEqual([[u"a"], [u"b"]], self.ids())
        self.answer(0, u"a")
        self.assertEqual([u"c", u"d", u"e"], self.ids()[2])
        self.answer(1, u"b")
        self.answer(2, u"c", u"d", u"e")
        self.assertEqual(
            [u"A", u"B", u"C", u"D", u"E", u"C"], [self.successResultOf(each) for each in callers]
        )

    def test_absent(self):
        """An id that a shared request does not find is asked for alone, which proves it."""
        callers = [self.descriptions.get(each) for each in u"abcd"]
        self.answer(0, u"a")
        self.answer(2, u"d")
        self.assertEqual([u"c"], self.ids()[3])
        self.assertEqual(u"D", self.successResultOf(callers[3]))
        self.assertNoResult(callers[2])
        self.answer(3)
        self.assertIs(None, self.successResultOf(callers[2]))

    def test_bounded(self):
        """A request has at most 100 ids."""
        for number in range(250):
            self.descriptions.get(u"{}".format(number))
        self.answer(0, u"0")
        self.assertEqual(SIZE, len(self.ids()[2]))

    def test_failure(self):
        """All callers of a request that fails fail; the next request is sent."""
        callers = [self.descriptions.get(each) for each in u"abcde"]
        self.answer(0, u"a")
        self.asked[2][1].errback(ValueError())
        for each in callers[2:]:
            self.failureResultOf(each, ValueError)
        self.answer(1, u"b")
        d = self.descriptions.get(u"x")
        self.answer(3, u"x")
        self.assertEqual(u"X", self.successResultOf(d))

    def test_cancel(self):
        """The id of a caller that has left is not asked for."""
        callers = [self.descriptions.get(each) for each in u"abcc"]
        for index in (2, 3):
            callers[index].cancel()
            self.failureResultOf(callers[index], CancelledError)
        self.answer(0, u"a")
        self.assertEqual(u"A", self.successResultOf(callers[0]))
        self.assertEqual([[u"a"], [u"b"]], self.ids())
        self.answer(1, u"b")
        self.assertEqual(u"B", self.successResultOf(callers[1]))

    def test_cancel_alone(self):
        """A request that its only caller has left is cancelled, and leaves no timer."""
        d = self.descriptions.get(u"a")
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertEqual([[u"a"]], self.cancelled)
        self.assertEqual([], self.clock.getDelayedCalls())
        again = self.descriptions.get(u"a")
        self.answer(1, u"a")
        self.assertEqual(u"A", self.successResultOf(again))

    def test_cancel_together(self):
        """A shared request is cancelled when the last of its callers has left, and not before."""
        callers = [self.descriptions.get(each) for each in u"abcdcd"]
        self.answer(0, u"a")
        self.assertEqual([u"c", u"d"], self.ids()[2])
        for index in (2, 3, 4):
            callers[index].cancel()
            self.failureResultOf(callers[index], CancelledError)
        self.assertEqual([], self.cancelled)
        callers[5].cancel()
        self.failureResultOf(callers[5], CancelledError)
        self.assertEqual([[u"c", u"d"]], self.cancelled)
        self.answer(1, u"b")
        self.assertEqual(u"B", self.successResultOf(callers[1]))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_cancel_sends_next(self):
        """A cancelled request makes room for the ids that wait."""
        callers = [self.descriptions.get(each) for each in u"abc"]
        callers[0].cancel()
        self.failureResultOf(callers[0], CancelledError)
        self.assertEqual([[u"a"], [u"b"], [u"c"]], self.ids())
        self.answer(2, u"c")
        self.assertEqual(u"C", self.successResultOf(callers[2]))

    def test_cancelled_by_another(self):
        """No request is made for a caller whom the result of another caller has cancelled."""
        callers = [self.descriptions.get(each) for each in u"abcd"]
        callers[2].addCallback(lambda _: callers[3].cancel())
        self.answer(0, u"a")
        self.answer(2, u"c")
        self.failureResultOf(callers[3], CancelledError)
        self.assertEqual([[u"a"], [u"b"], [u"c", u"d"]], self.ids())
        self.answer(1, u"b")
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_slow(self):
        """Requests that hang do not keep others waiting for long."""
        callers = [self.descriptions.get(each) for each in u"abc"]
        self.clock.advance(2)
        self.assertEqual([u"c"], self.ids()[2])
        self.answer(2, u"c")
        self.assertEqual(u"C", self.successResultOf(callers[2]))
        self.answer(0, u"a")
        self.answer(1, u"b")
        self.assertEqual([], self.clock.getDelayedCalls())
        more = [self.descriptions.get(each) for each in u"xyz"]
        self.assertEqual(5, len(self.asked))
        self.assertEqual(3, len(more))

"""
Tests for :mod:`txstorage.driver.polling.shared`.
"""

from __future__ import absolute_import, division, print_function

import gc

from eliot import start_action
from eliot.testing import capture_logging
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from txstorage._log import HTTP_RETRY
from txstorage.driver.polling import SharedPoll, is_passing, until
from txstorage.driver.polling.shared import Poll, Waiter
from txstorage.errors import (
    AuthenticationFailed,
    CertificateRejected,
    RateLimited,
    ResponseLost,
    ServiceBroken,
    Unreachable,
)

from ...helpers.memory import STEADY
from ..support import logged


def lost():
    return ResponseLost(u"GET", u"http://cloud.example/", u"dropped")


class IsPassingTests(SynchronousTestCase):
    """The failures of a poll that are transient."""

    def test_table(self):
        """Failures of the connection and of the service are transient; refusals are not."""
        where = (u"GET", u"http://cloud.example/")
        for error, expected in [
            (ResponseLost(*where + (u"x",)), True),
            (Unreachable(*where + (u"x",)), True),
            (ServiceBroken(*where + (503, u"x")), True),
            (RateLimited(*where + (429, u"x")), True),
            (CertificateRejected(*where + (u"x",)), False),
            (AuthenticationFailed(*where + (401, u"x")), False),
            (ValueError("a defect"), False),
        ]:
            self.assertIs(expected, is_passing(Failure(error)), error)


class SharedPollTests(SynchronousTestCase):
    """One poll for all callers that wait for a subject."""

    def setUp(self):
        self.clock = Clock()
        self.polled = []
        self.poll = SharedPoll(self.clock, self.look_up, STEADY)

    def look_up(self, subject):
        self.polled.append(subject)
        return succeed((subject, self.clock.seconds()))

    def next_poll(self, subject, at_once=False):
        return self.poll.next_poll(subject, self.poll.pace(at_once))

    def test_first_polls_are_one(self):
        """All callers of one moment share a poll, which takes place at once."""
        polls = [self.next_poll(subject, at_once=True) for subject in (u"a", u"a", u"b", u"a")]
        self.assertEqual([], self.polled)
        self.clock.advance(0)
        self.assertEqual([u"a", u"b"], self.polled)
        self.assertEqual(
            [(u"a", 0.0), (u"a", 0.0), (u"b", 0.0), (u"a", 0.0)],
            [self.successResultOf(d) for d in polls],
        )
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_early(self):
        """A poll also serves callers whose interval is not over."""
        early = self.next_poll(u"a")
        self.clock.advance(0.5)
        late, other = self.next_poll(u"a"), self.next_poll(u"b")
        self.clock.advance(0.5)
        self.assertEqual([(u"a", 1.0)] * 2, [self.successResultOf(d) for d in (early, late)])
        self.assertNoResult(other)
        self.assertEqual([u"a"], self.polled)
        self.clock.advance(0.5)
        self.successResultOf(other)

    def test_not_for_others(self):
        """A caller without an interval does not cause early polls of other subjects."""
        patient, hasty = self.next_poll(u"a"), self.next_poll(u"b", at_once=True)
        self.clock.advance(0)
        self.successResultOf(hasty)
        self.assertNoResult(patient)
        self.assertEqual([u"b"], self.polled)
        self.clock.advance(1)
        self.successResultOf(patient)

    def test_first_poll_fails(self):
        """A first poll that fails for a transient reason is repeated after the first interval."""
        failures = [Failure(lost())]
        real = self.look_up
        self.poll = SharedPoll(
            self.clock,
            lambda subject: real(subject).addCallback(
                lambda result: failures.pop() if failures else result
            ),
            STEADY,
        )
        d = self.next_poll(u"a", at_once=True)
        self.clock.advance(0)
        self.assertNoResult(d)
        self.clock.advance(1)
        self.assertEqual((u"a", 1.0), self.successResultOf(d))


class EndsTests(SynchronousTestCase):
    """Waits of several polls."""

    def setUp(self):
        self.clock = Clock()
        self.polled = []
        self.poll = SharedPoll(self.clock, self.look_up, STEADY)

    def look_up(self, subject):
        self.polled.append(self.clock.seconds())
        return succeed(len(self.polled))

    def wait(self, ends):
        return self.poll.next_poll(u"a", self.poll.pace(), ends=ends)

    def test_ends(self):
        """Polls are repeated at the pace until one ends the wait, whose result is the answer."""
        d, other = self.wait(lambda result: result == 3), self.wait(lambda result: result > 1)
        self.clock.pump([1] * 2)
        self.assertNoResult(d)
        self.assertEqual(2, self.successResultOf(other))
        self.clock.pump([1] * 3)
        self.assertEqual(3, self.successResultOf(d))
        self.assertEqual([1, 2, 3], self.polled)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_fails(self):
        """An error in the decision fails the wait."""
        d = self.wait(lambda result: result / 0)
        self.clock.advance(1)
        self.failureResultOf(d, ZeroDivisionError)
        self.assertEqual([], self.clock.getDelayedCalls())

    def count(self):
        """:return: the number of objects of waits."""
        kinds = (Deferred, Poll, Waiter)
        return sum(type(each) in kinds for each in gc.get_objects())

    def test_nothing_left_behind(self):
        """A wait has as many objects after many polls as after one, and no cycle at its end."""
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        before = self.count()
        d = self.wait(lambda result: result > 20)
        counts = []
        for _ in range(20):
            self.clock.advance(1)
            counts.append(self.count())
        self.assertEqual(counts[:1] * 20, counts)
        self.clock.advance(1)
        self.successResultOf(d)
        del d
        self.assertEqual(before, self.count())

    def test_answered_early(self):
        """A wait that another's poll answers early goes by the time of that poll."""
        self.wait(lambda result: False)
        self.clock.advance(0.5)
        self.wait(lambda result: False)
        self.clock.pump([0.5] * 5)
        self.assertEqual([1, 2, 3], self.polled)

    def test_on_time(self):
        """A poll that is repeated at once does not delay another subject's."""
        self.wait(lambda result: False)
        self.clock.advance(0.5)
        self.poll.next_poll(u"b", self.poll.pace())
        self.clock.pump([0.5] * 3)
        self.assertEqual([1, 1.5, 2], self.polled)

    def test_many_times(self):
        """The times of callers that wait no longer are passed over."""
        waits = [self.wait(lambda result: False) for _ in range(3)]
        self.clock.advance(0.5)
        late = self.poll.next_poll(u"b", self.poll.pace())
        for d in waits:
            d.addErrback(lambda failure: failure.trap(CancelledError)).cancel()
        self.clock.advance(0.5)
        self.assertEqual([], self.polled)
        self.clock.advance(0.5)
        self.successResultOf(late)
        self.assertEqual([1.5], self.polled)


class ActionTests(SynchronousTestCase):
    """The Eliot action in which a poll is logged."""

    def check(self, logger, count, begin, expected):
        clock = Clock()

        def poll(subject):
            HTTP_RETRY(service=None, reason=u"a poll", delay=0.0).write()
            return succeed(None)

        shared = SharedPoll(clock, poll, STEADY)
        for _ in range(count):
            with start_action(action_type=u"operation"):
                begin(shared)
        clock.advance(1)
        [message] = logged(logger, HTTP_RETRY)
        tasks = {m[u"task_uuid"] for m in logger.messages if u"action_type" in m}
        self.assertEqual(count, len(tasks))
        self.assertIs(expected, message[u"task_uuid"] in tasks)

    @capture_logging(None)
    def test_lone_look(self, logger):
        """The look of a lone caller belongs to the caller's action."""
        self.check(logger, 1, lambda shared: shared.look(u"a"), True)

    @capture_logging(None)
    def test_shared_look(self, logger):
        """A look that callers share is a task of its own."""
        self.check(logger, 2, lambda shared: shared.look(u"a"), False)

    @capture_logging(None)
    def test_wait(self, logger):
        """The poll of a caller that waits is a task of its own."""
        self.check(logger, 1, lambda shared: shared.next_poll(u"a", shared.pace()), False)


class UntilTests(SynchronousTestCase):
    """:func:`until`."""

    def setUp(self):
        self.clock = Clock()
        self.answers = []

    def until(self, answers):
        self.answers = list(answers)

        def poll():
            answer = self.answers.pop(0)
            return Deferred() if answer is None else succeed(answer).addCallback(self.unless_error)

        return until(self.clock, STEADY, poll, lambda result: result == 3)

    def unless_error(self, answer):
        if isinstance(answer, Exception):
            raise answer
        return answer

    def test_at_once(self):
        """The first poll takes place at once."""
        self.assertEqual(3, self.successResultOf(self.until([3])))

    def test_later(self):
        """Polls are repeated at intervals, also after transient failures."""
        d = self.until([1, lost(), 3])
        self.clock.advance(1)
        self.assertNoResult(d)
        self.clock.advance(1)
        self.assertEqual(3, self.successResultOf(d))

    def test_permanent_failure(self):
        """A permanent failure ends the polls."""
        self.failureResultOf(self.until([ValueError("x")]), ValueError)

    def test_cancel(self):
        """The wait can be cancelled between polls and during a poll."""
        for answers in ([1], [None]):
            d = self.until(answers)
            d.cancel()
            self.failureResultOf(d, CancelledError)
            self.assertEqual([], self.clock.getDelayedCalls())

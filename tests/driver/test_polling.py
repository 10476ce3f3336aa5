"""
Tests for :mod:`txstorage.driver.polling`.
"""

from __future__ import absolute_import, division, print_function

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from txstorage.driver.polling import Intervals, SharedPoll, Watcher, is_passing, make_timer, until
from txstorage.errors import (
    AuthenticationFailed,
    CertificateRejected,
    RateLimited,
    ResponseLost,
    ServiceBroken,
    Unreachable,
)

from ..helpers.memory import STEADY, Fault, MemoryCloud
from ..helpers.properties import RELAXED


def lost():
    return ResponseLost(u"GET", u"http://cloud.example/", u"dropped")


class IntervalsTests(SynchronousTestCase):
    """The intervals before each poll."""

    def test_grow_to_the_longest(self):
        """Intervals grow by the factor, up to the longest."""
        intervals = Intervals(first=1.0, factor=2.0, longest=5.0, jitter=0.0)
        self.assertEqual([1.0, 2.0, 4.0, 5.0, 5.0], [intervals.seconds(n) for n in range(5)])

    @settings(**RELAXED)
    @given(st.integers(0, 10**6), st.floats(0, 1))
    def test_jitter_is_bounded(self, polls, chance):
        """Intervals vary by the jitter at most, for any number of polls."""
        intervals = Intervals(1.0, 1.5, 4.0, 0.25, random=lambda: chance)
        self.assertTrue(0.75 <= intervals.seconds(polls) <= 5.0)

    def test_jitter_spreads(self):
        """The jitter makes intervals shorter or longer."""
        low, high = [Intervals(1.0, jitter=0.5, random=lambda: n).seconds(0) for n in (0.0, 1.0)]
        self.assertEqual((0.5, 1.5), (low, high))


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


class TimerTests(SynchronousTestCase):
    """The timer that batches deadlines."""

    def setUp(self):
        self.clock = Clock()
        self.clock.advance(1000.7)
        self.fired = []
        self.call_later = make_timer(self.clock)

    def test_never_early(self):
        """A deadline is never early, and late by at most one second."""
        self.call_later(5, lambda: self.fired.append(self.clock.seconds()))
        self.clock.pump([0.1] * 50)
        self.assertEqual([], self.fired)
        self.clock.pump([0.1] * 11)
        self.assertEqual(1, len(self.fired))

    def test_batched(self):
        """Many deadlines in one second share one timer of the reactor."""
        for _ in range(100):
            self.call_later(5, lambda: self.fired.append(1))
        self.assertEqual(1, len(self.clock.getDelayedCalls()))
        self.clock.advance(7)
        self.assertEqual(100, len(self.fired))

    def test_cancelled(self):
        """A cancelled deadline does not fire, and leaves no timer."""
        self.call_later(5, lambda: self.fired.append(1)).cancel()
        self.assertEqual([], self.clock.getDelayedCalls())


class WatcherTests(SynchronousTestCase):
    """The shared poll of volumes."""

    def setUp(self):
        self.clock = Clock()
        self.cloud = MemoryCloud(self.clock)
        self.watcher = Watcher(self.clock, self.cloud, {}, STEADY)

    def add(self, count):
        return [self.cloud.add() for _ in range(count)]

    def wait(self, volume_ids):
        return [self.watcher.next_poll(volume_id, 0) for volume_id in volume_ids]

    def test_poll(self):
        """``poll`` sends a single GET, and fires with the volume."""
        [volume_id] = self.add(1)
        d = self.watcher.poll(volume_id)
        self.assertEqual(self.cloud.volumes[volume_id], self.successResultOf(d))
        self.assertEqual(["get"], self.cloud.requests)

    def test_poll_of_nothing(self):
        """A poll of a volume that does not exist fires with ``None``."""
        self.assertIs(None, self.successResultOf(self.watcher.poll(u"none")))

    def test_poll_fails(self):
        """A failed ``poll`` is not repeated."""
        self.cloud.break_next("get", Fault(lost()))
        self.failureResultOf(self.watcher.poll(u"v"), ResponseLost)

    def test_waits(self):
        """The next poll takes place after the interval, and not before."""
        [d] = self.wait(self.add(1))
        self.clock.advance(0.9)
        self.assertNoResult(d)
        self.assertEqual([], self.cloud.requests)
        self.clock.advance(0.1)
        self.successResultOf(d)

    def test_one_is_a_get(self):
        """Waiting for one volume costs one GET, regardless of the number of callers."""
        [volume_id] = self.add(1)
        waits = self.wait([volume_id] * 3)
        self.clock.advance(1)
        for d in waits:
            self.assertEqual(volume_id, self.successResultOf(d).volume_id)
        self.assertEqual(["get"], self.cloud.requests)

    def test_many_are_one_list(self):
        """Waiting for many volumes costs one list, not one GET each."""
        volume_ids = self.add(50)
        waits = self.wait(volume_ids)
        self.clock.advance(1)
        self.assertEqual(volume_ids, [self.successResultOf(d).volume_id for d in waits])
        self.assertEqual(["list"], self.cloud.requests)

    def test_picks_the_cheaper(self):
        """Single GETs replace a list that is known to cost more requests."""
        self.cloud.pages = 3
        volume_ids = self.add(3)
        for expected in (["list"], ["get"] * 3):
            del self.cloud.requests[:]
            waits = self.wait(volume_ids)
            self.clock.advance(1)
            for d in waits:
                self.successResultOf(d)
            self.assertEqual(expected, self.cloud.requests)

    def test_absence_from_a_list(self):
        """A volume that is missing from a list is polled with a GET."""
        listed, unlisted = self.add(2)
        self.watcher = Watcher(self.clock, self.cloud, {u"a": u"b"}, STEADY)
        self.cloud.change(listed, labels={u"a": u"b"})
        waits = self.wait([listed, unlisted, u"gone"])
        self.clock.advance(1)
        self.assertEqual(
            [listed, unlisted], [self.successResultOf(d).volume_id for d in waits[:2]]
        )
        self.assertIs(None, self.successResultOf(waits[2]))
        self.assertEqual(["list", "get", "get"], self.cloud.requests)

    def test_never_stale(self):
        """A poll in progress does not serve callers that begin to wait later."""
        [volume_id] = self.add(1)
        self.cloud.break_next("get", Fault(None))
        early = self.watcher.next_poll(volume_id, 0)
        self.clock.advance(1)
        late = self.watcher.next_poll(volume_id, 0)
        self.assertEqual(["get"], self.cloud.requests)
        self.clock.advance(1)
        self.successResultOf(late)
        self.assertNoResult(early)
        self.assertEqual(["get", "get"], self.cloud.requests)

    def test_failed_poll_is_no_answer(self):
        """A poll that fails for a transient reason is repeated, list or GET."""
        for volume_ids, request in [(self.add(1), "get"), (self.add(2), "list")]:
            self.cloud.break_next(request, Fault(lost()), Fault(lost()))
            waits = self.wait(volume_ids)
            self.clock.advance(1)
            self.clock.advance(1)
            for d in waits:
                self.assertNoResult(d)
            self.clock.advance(1)
            for d in waits:
                self.successResultOf(d)

    def test_permanent_failure(self):
        """A poll that fails permanently fails for all its callers."""
        error = AuthenticationFailed(u"GET", u"http://cloud.example/", 401, u"no")
        self.cloud.break_next("list", Fault(error))
        waits = self.wait(self.add(2))
        self.clock.advance(1)
        for d in waits:
            self.failureResultOf(d, AuthenticationFailed)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_cancel_while_waiting(self):
        """A cancelled caller is removed; without callers, no poll is scheduled."""
        volume_ids = self.add(2)
        stays, leaves = self.wait(volume_ids)
        leaves.cancel()
        self.failureResultOf(leaves, CancelledError)
        self.clock.advance(1)
        self.successResultOf(stays)
        self.assertEqual(["get"], self.cloud.requests)
        [last] = self.wait(volume_ids[:1])
        last.cancel()
        self.failureResultOf(last, CancelledError)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_cancel_during_a_poll(self):
        """Only the last caller's cancellation cancels the request in progress."""
        self.cloud.break_next("list", Fault(None))
        waits = self.wait(self.add(2))
        self.clock.advance(1)
        for d, cancelled in zip(waits, ([], ["list"])):
            d.cancel()
            self.failureResultOf(d, CancelledError)
            self.assertEqual(cancelled, self.cloud.cancelled)

    def test_failure_after_cancelling(self):
        """A failed poll is repeated only for callers that were not cancelled."""
        pending = Deferred()
        self.cloud.list_volumes = lambda labels: pending
        stays, leaves = self.wait(self.add(2))
        self.clock.advance(1)
        leaves.cancel()
        self.failureResultOf(leaves, CancelledError)
        pending.errback(lost())
        self.clock.advance(1)
        self.successResultOf(stays)
        self.assertEqual(["get"], self.cloud.requests)

    def test_list_after_cancelling(self):
        """A list serves only callers that were not cancelled."""
        pending = Deferred()
        page = self.successResultOf(self.cloud.list_volumes({}))
        self.cloud.list_volumes = lambda labels: pending
        stays, leaves = self.wait(self.add(2))
        self.clock.advance(1)
        leaves.cancel()
        self.failureResultOf(leaves, CancelledError)
        pending.callback(page)
        self.successResultOf(stays)

    def test_answered_caller_cancels_another(self):
        """A caller's callbacks can cancel another caller of the same poll."""
        [volume_id] = self.add(1)
        first, second = self.wait([volume_id] * 2)
        first.addCallback(lambda _: second.cancel())
        self.clock.advance(1)
        self.successResultOf(first)
        self.failureResultOf(second, CancelledError)

    def test_answered_caller_cancels_another_poll(self):
        """A caller's callbacks can cancel the poll that is next, which is then not sent."""
        self.cloud.pages = 9
        volume_ids = sorted(self.add(2))
        self.wait(volume_ids)
        self.clock.advance(1)  # the list turns out to cost more than two GETs
        del self.cloud.requests[:]
        first, second = self.wait(volume_ids)
        first.addCallback(lambda _: second.cancel())
        self.clock.advance(1)
        self.successResultOf(first)
        self.failureResultOf(second, CancelledError)
        self.assertEqual(["get"], self.cloud.requests)
        self.assertEqual([], self.clock.getDelayedCalls())


class SharedPollTests(SynchronousTestCase):
    """One poll for all callers that wait for a subject."""

    def setUp(self):
        self.clock = Clock()
        self.polled = []
        self.poll = SharedPoll(self.clock, self.look_up, STEADY)

    def look_up(self, subject):
        self.polled.append(subject)
        return succeed((subject, self.clock.seconds()))

    def test_first_polls_are_one(self):
        """All callers of one moment share a poll, which takes place at once."""
        polls = [self.poll.first_poll(subject) for subject in (u"a", u"a", u"b", u"a")]
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
        early = self.poll.next_poll(u"a", 0)
        self.clock.advance(0.5)
        late, other = self.poll.next_poll(u"a", 0), self.poll.next_poll(u"b", 0)
        self.clock.advance(0.5)
        self.assertEqual([(u"a", 1.0)] * 2, [self.successResultOf(d) for d in (early, late)])
        self.assertNoResult(other)
        self.assertEqual([u"a"], self.polled)
        self.clock.advance(0.5)
        self.successResultOf(other)

    def test_not_for_others(self):
        """A caller without an interval does not cause early polls of other subjects."""
        patient, hasty = self.poll.next_poll(u"a", 0), self.poll.first_poll(u"b")
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
        d = self.poll.first_poll(u"a")
        self.clock.advance(0)
        self.assertNoResult(d)
        self.clock.advance(1)
        self.assertEqual((u"a", 1.0), self.successResultOf(d))


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

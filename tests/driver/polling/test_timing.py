"""
Tests for :mod:`txstorage.driver.polling.timing`.
"""

from __future__ import absolute_import, division, print_function

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.driver.polling import Intervals, Pace, make_timer
from txstorage.driver.polling.timing import TransitionTimes

from ...helpers.properties import RELAXED


class IntervalsTests(SynchronousTestCase):
    """The intervals before each poll."""

    def test_grow_to_the_longest(self):
        """Intervals grow by the factor, up to the longest."""
        intervals = Intervals(first=1.0, factor=2.0, longest=5.0, jitter=0.0)
        ages = [0.0, 1.0, 3.0, 7.0, 12.0]
        self.assertEqual([1.0, 2.0, 4.0, 5.0, 5.0], [intervals.seconds(age) for age in ages])

    @settings(**RELAXED)
    @given(st.floats(0, 10**9), st.floats(0, 1))
    def test_jitter_is_bounded(self, age, chance):
        """Intervals vary by the jitter at most, at any age."""
        intervals = Intervals(1.0, 1.5, 4.0, 0.25, random=lambda: chance)
        self.assertTrue(0.75 <= intervals.seconds(age) <= 5.0)

    def test_jitter_spreads(self):
        """The jitter makes intervals shorter or longer."""
        low, high = [Intervals(1.0, jitter=0.5, random=lambda: n).seconds(0) for n in (0.0, 1.0)]
        self.assertEqual((0.5, 1.5), (low, high))


    def test_expected_time(self):
        """The first poll waits for the expected time, and later ones follow at once but rarely."""
        intervals = Intervals(first=0.05, factor=1.5, longest=5.0, jitter=0.0)
        for age, seconds in [(0.0, 4.0), (3.0, 1.0), (4.0, 0.5), (5.0, 1.0), (99.0, 5.0)]:
            self.assertEqual(seconds, intervals.seconds(age, expected=4.0))

    @settings(**RELAXED)
    @given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 1))
    def test_expected_time_is_bounded(self, age, expected, chance):
        """No interval is longer than the longest, and no poll comes before the expected time."""
        intervals = Intervals(longest=2.0, jitter=0.2, random=lambda: chance)
        seconds = intervals.seconds(age, expected)
        self.assertTrue(0 <= seconds <= 2.4)
        if age < expected:
            self.assertTrue(seconds == 2.0 or seconds >= expected - age)


class PaceTests(SynchronousTestCase):
    """The times of one caller's polls."""

    def setUp(self):
        self.clock = Clock()

    def test_delays(self):
        """The delays grow with the age, regardless of the number of polls."""
        pace = Pace(self.clock, Intervals(first=1.0, factor=2.0, longest=9.0, jitter=0.0))
        self.assertEqual([1.0, 1.0], [pace.delay(), pace.delay()])
        self.clock.advance(3)
        self.assertEqual((4.0, 3.0), (pace.delay(), pace.age))

    def test_at_once(self):
        """Only the first poll takes place at once."""
        pace = Pace(self.clock, Intervals(first=1.0, jitter=0.0), at_once=True)
        self.assertTrue(pace.at_once)
        self.assertEqual([0.0, 1.0], [pace.delay(), pace.delay()])
        self.assertFalse(pace.at_once)


class TransitionTimesTests(SynchronousTestCase):
    """The estimates of the time that the cloud takes."""

    def setUp(self):
        self.intervals = Intervals(first=0.05, jitter=0.0)
        self.times = TransitionTimes(Clock(), self.intervals)

    def delay(self, operation=u"attach"):
        return self.times.pace(operation).delay()

    def test_unknown(self):
        """The first wait for each operation polls at once; others begin with the interval."""
        self.assertEqual([0.0, 0.05, 0.05], [self.delay() for _ in range(3)])
        self.assertEqual(0.0, self.delay(u"detach"))
        self.assertEqual(0.05, self.times.resolution)

    def test_learns(self):
        """A wait polls first after the time that the last ones took, each operation for itself."""
        self.delay()
        self.times.learn(u"attach", 1.5, 2.5)
        self.assertEqual(2.0, self.delay())
        self.times.learn(u"attach", 0.5, 1.5)
        self.assertEqual(1.5, self.delay())
        self.assertEqual(0.0, self.delay(u"detach"))
        self.assertEqual(1.5 / 8, self.times.resolution)

    def polled(self, seconds, expected):
        """:return: the times of the last two polls of a transition that takes some seconds."""
        after = until = self.intervals.seconds(0.0, expected)
        if until >= seconds:
            return 0.0, until
        while until < seconds:
            after, until = until, until + self.intervals.seconds(until, expected)
        return after, until

    def test_converges(self):
        """The expected time approaches the real one, from above and from below."""
        for seconds in (0.01, 0.2, 1.0, 2.0, 15.0):
            for start in (0.01, 20.0):
                times = TransitionTimes(Clock(), self.intervals)
                times.learn(u"attach", start, start)
                for _ in range(30):
                    after, until = self.polled(seconds, times.expected(u"attach"))
                    times.learn(u"attach", after, until)
                late = until - seconds
                self.assertTrue(late <= max(0.3 * seconds, 2.0 * (seconds > 2.0)), (start, seconds))

    def test_not_learning(self):
        """Without learning, every wait begins with the interval."""
        times = TransitionTimes(Clock(), Intervals(first=1.0, jitter=0.0, learning=False))
        self.assertEqual(1.0, times.pace(u"attach").delay())
        times.learn(u"attach", 5.0, 6.0)
        self.assertEqual(1.0, times.pace(u"attach").delay())


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

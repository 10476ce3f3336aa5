"""
Tests for :mod:`txstorage.driver.polling.timing`.
"""

from __future__ import absolute_import, division, print_function

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.driver.polling import Intervals, Pace, make_timer
from txstorage.driver.polling.timing import TransitionTimes


class IntervalsTests(SynchronousTestCase):
    """The intervals before each poll."""

    def test_grow_to_the_longest(self):
        """Intervals grow by the factor, up to the longest."""
        intervals = Intervals(first=1.0, factor=2.0, longest=5.0, jitter=0.0)
        ages = [0.0, 1.0, 3.0, 7.0, 12.0]
        self.assertEqual([1.0, 2.0, 4.0, 5.0, 5.0], [intervals.seconds(age) for age in ages])

    @given(st.floats(0, 10**9), st.floats(0, 1))
    def test_jitter_is_bounded(self, age, chance):
        """Intervals vary by the jitter at most, at any age."""
        intervals = Intervals(1.0, 1.5, 4.0, 0.25, random=lambda: chance)
        self.assertTrue(0.75 <= intervals.seconds(age) <= 5.0)

    def test_jitter_spreads(self):
        """The jitter makes intervals shorter or longer."""
        low, high = [Intervals(1.0, jitter=0.5, random=lambda: n).seconds(0) for n in (0.0, 1.0)]
        self.assertEqual((0.5, 1.5), (low, high))


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

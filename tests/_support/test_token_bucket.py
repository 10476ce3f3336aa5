"""
Tests for :mod:`txstorage._support.token_bucket`.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.token_bucket import TokenBucket


class TokenBucketTests(SynchronousTestCase):
    """The rate limit."""

    def setUp(self):
        """A bucket of two tokens, and two more each second."""
        self.clock = Clock()
        self.bucket = TokenBucket(self.clock, 2)
        self.served = []

    def acquire(self, name):
        """Take a token and keep the name once it is there."""
        return self.bucket.acquire().addCallback(lambda ignored: self.served.append(name))

    def test_burst_then_rate(self):
        """An idle bucket serves a second's worth at once, then one in 1/rate seconds."""
        for name in "abcde":
            self.acquire(name)
        self.assertEqual(self.served, ["a", "b"])
        self.clock.advance(0.5)
        self.assertEqual(self.served, ["a", "b", "c"])
        self.clock.pump([0.25, 0.25])
        self.assertEqual(self.served, ["a", "b", "c", "d"])
        self.clock.advance(10)
        self.assertEqual(self.served, ["a", "b", "c", "d", "e"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_rate_is_held(self):
        """Under load exactly burst + rate x time are served, in order."""
        for name in range(50):
            self.acquire(name)
        for step in (0.1, 0.3, 0.2, 0.01, 0.49, 0.15, 0.05) * 5:
            self.clock.advance(step)
            allowed = 2 + 2 * self.clock.seconds()
            self.assertTrue(allowed - 1 < len(self.served) <= allowed + 1e-6)
        self.assertEqual(self.served, sorted(self.served))

    def test_idle_time_is_not_saved_up(self):
        """The burst does not grow while no request is sent."""
        self.clock.advance(1000)
        for name in "abc":
            self.acquire(name)
        self.assertEqual(self.served, ["a", "b"])

    def test_slow_rate(self):
        """A rate below one still lets the first one through, and then waits 1/rate."""
        self.bucket = TokenBucket(self.clock, 0.1)
        self.acquire("a")
        self.acquire("b")
        self.clock.advance(9.9)
        self.assertEqual(self.served, ["a"])
        self.clock.advance(0.2)
        self.assertEqual(self.served, ["a", "b"])

    def test_burst_can_be_set(self):
        """The burst may differ from a second's worth."""
        self.bucket = TokenBucket(self.clock, 100, burst=1)
        self.acquire("a")
        self.acquire("b")
        self.assertEqual(self.served, ["a"])

    def test_nobody_overtakes(self):
        """A caller that arrives when a token is free again waits behind those that wait."""
        for name in "abc":
            self.acquire(name)
        # The timer for c has not fired yet when d comes.
        self.clock.rightNow += 0.6
        self.acquire("d")
        self.clock.advance(0)
        self.assertEqual(self.served, ["a", "b", "c"])

    def test_cancel_gives_up_the_place(self):
        """A waiter that is cancelled fails so, and the next one moves up."""
        waiting = [self.acquire(name) for name in "abcd"]
        waiting[2].cancel()
        self.failureResultOf(waiting[2], CancelledError)
        self.clock.advance(0.5)
        self.assertEqual(self.served, ["a", "b", "d"])

    def test_cancelling_the_last_stops_the_timer(self):
        """Without waiting requests nothing is scheduled."""
        waiting = [self.acquire(name) for name in "abc"]
        waiting[2].cancel()
        self.failureResultOf(waiting[2], CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_clock_set_back(self):
        """A clock that jumps back neither takes tokens away nor gives any."""
        for name in "abc":
            self.acquire(name)
        self.clock.rightNow -= 100
        self.acquire("d")
        self.clock.advance(100.5)
        self.assertEqual(self.served[:3], ["a", "b", "c"])

    def test_drain(self):
        """A drained bucket fills again at its rate; a caller keeps its place."""
        self.bucket.drain()
        self.acquire("a")
        self.assertEqual(self.served, [])
        self.clock.advance(0.5)
        self.assertEqual(self.served, ["a"])

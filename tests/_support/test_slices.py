"""
Tests for :mod:`txstorage._support.slices`.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock

from txstorage._support.slices import Slices

from .test_eliot_context import ACTION, MESSAGE, ContextTestCase

#: Seconds that the reactor may be held.
TURN = 0.01


class SlicesTests(ContextTestCase):
    """Computations of which each step takes a millisecond of a clock."""

    def setUp(self):
        ContextTestCase.setUp(self)
        self.clock = Clock()
        self.slices = Slices(self.clock)
        self.done = []

    def steps(self, number, name=None):
        """Steps that record a name."""
        for _ in range(number):
            self.clock.rightNow += 0.001
            self.done.append(name)
            yield

    def turn(self):
        """One turn of the reactor: the number of steps that were run in it."""
        before = len(self.done)
        # Clock.advance would also run the calls that a call makes.
        calls, self.clock.calls[:] = self.clock.calls[:], []
        for call in calls:
            call.called = 1
            call.func()
        return len(self.done) - before

    def test_short(self):
        """A short computation ends at once, and needs no turn of the reactor."""
        for number in (0, 1):
            self.assertIs(None, self.successResultOf(self.slices.run(self.steps(number))))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_long(self):
        """A long computation is run to its end, and no turn of the reactor takes long."""
        began = self.clock.seconds()
        running = self.slices.run(self.steps(100))
        self.assertLess(self.clock.seconds() - began, TURN)
        while len(self.done) < 100:
            self.assertNoResult(running)
            self.assertTrue(0 < self.turn() * 0.001 < TURN)
        self.turn()
        self.assertIs(None, self.successResultOf(running))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_several(self):
        """Computations at the same time share the time of a turn, and each makes progress."""
        running = [self.slices.run(self.steps(50, name)) for name in range(3)]
        del self.done[:]
        while len(self.done) < 120:
            self.assertLess(self.turn() * 0.001, TURN)
        counts = [self.done.count(name) for name in range(3)]
        self.assertLess(max(counts) - min(counts), 9)
        while self.turn():
            pass
        self.assertEqual([None] * 3, [self.successResultOf(each) for each in running])

    def test_failure(self):
        """A step's error is the Deferred's, in the first slice and in a later one."""
        for number in (0, 50):

            def failing(number=number):
                for step in self.steps(number):
                    yield step
                raise ValueError("x")

            running = self.slices.run(failing())
            while self.turn():
                pass
            self.failureResultOf(running, ValueError)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_cancelled(self):
        """A cancelled computation stops, and others continue."""
        stopped = self.slices.run(self.steps(100, u"stopped"))
        other = self.slices.run(self.steps(100, u"other"))
        self.turn()
        stopped.cancel()
        self.failureResultOf(stopped, CancelledError)
        del self.done[:]
        while self.turn():
            pass
        self.assertEqual({u"other"}, set(self.done))
        self.successResultOf(other)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_context(self):
        """The result of a long computation arrives in the Eliot action that waits for it."""
        action = ACTION()
        with action.context():
            running = self.slices.run(self.steps(50))
            running.addCallback(lambda _: MESSAGE().write())
        while self.turn():
            pass
        self.assertEqual([self.place(action)], self.messages())

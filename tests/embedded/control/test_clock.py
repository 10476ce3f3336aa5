"""Tests of the clock that can be advanced."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from txstorage.embedded.control.clock import AdvancingClock


async def nothing() -> None:
    """Catch up with nothing."""


class AdvancingClockTests(SynchronousTestCase):
    """Tests of :class:`AdvancingClock`."""

    def setUp(self) -> None:
        self.reactor = Clock()
        self.reactor.advance(100)
        self.clock = AdvancingClock(self.reactor)
        self.calls: list[tuple[object, float]] = []

    def called(self, name: object = None) -> None:
        """Record a delayed call."""
        self.calls.append((name, self.clock.seconds()))

    def advance(self, seconds: float) -> None:
        """Advance the clock, when there is nothing to catch up with."""
        self.successResultOf(Deferred.fromCoroutine(self.clock.advance(seconds, nothing)))

    def test_interface(self) -> None:
        """The clock has the interface of a reactor's time."""
        self.assertTrue(verifyObject(IReactorTime, self.clock))

    def test_runs(self) -> None:
        """The clock runs as the reactor's does, and makes calls when they are due."""
        self.clock.callLater(5, self.called, "later")
        self.clock.callLater(2, self.called, name="sooner")
        self.reactor.advance(1.5)
        self.assertEqual((self.clock.seconds(), self.calls), (101.5, []))
        self.reactor.pump([0.5, 3])
        self.assertEqual(self.calls, [("sooner", 102.0), ("later", 105.0)])
        self.assertEqual((self.clock.getDelayedCalls(), self.reactor.getDelayedCalls()), ([], []))

    def test_advance(self) -> None:
        """An advance makes the calls that are due at their times, and leaves the others."""
        self.clock.callLater(5, self.called, "later")
        self.clock.callLater(2, self.called, "sooner")
        self.clock.callLater(10.5, self.called, "last")
        self.advance(10)
        self.assertEqual(self.calls, [("sooner", 102.0), ("later", 105.0)])
        self.assertEqual((self.clock.seconds(), self.clock.advanced), (110.0, 10.0))
        self.reactor.advance(0.5)
        self.assertEqual(self.calls[2:], [("last", 110.5)])

    def test_chain(self) -> None:
        """A call that the catching up delays is made in the same advance, if it is due."""

        async def catch_up() -> None:
            if len(self.calls) in (1, 2) and not self.clock.getDelayedCalls():
                self.clock.callLater(4, self.called, len(self.calls))

        self.clock.callLater(4, self.called, 0)
        self.successResultOf(Deferred.fromCoroutine(self.clock.advance(9, catch_up)))
        self.assertEqual(self.calls, [(0, 104.0), (1, 108.0)])
        self.assertEqual([call.getTime() for call in self.clock.getDelayedCalls()], [112.0])

    def test_waits(self) -> None:
        """An advance does not end before the clock has caught up."""
        waiting: Deferred[None] = Deferred()

        async def catch_up() -> None:
            await waiting

        advanced = Deferred.fromCoroutine(self.clock.advance(9, catch_up))
        self.assertNoResult(advanced)
        waiting.callback(None)
        self.successResultOf(advanced)
        self.assertEqual(self.clock.seconds(), 109.0)

    def test_many_stops(self) -> None:
        """An advance over very many due times skips some of them, and ends."""

        def again() -> None:
            self.calls.append((None, 0.0))
            self.clock.callLater(0.001, again)

        again()
        self.advance(3600)
        self.assertEqual(self.clock.advanced, 3600.0)
        self.assertLess(len(self.calls), 4_000_000)

    def test_cancelled(self) -> None:
        """A cancelled call is not made, and leaves no timer."""
        self.clock.callLater(5, self.called).cancel()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.advance(10)
        self.assertEqual(self.calls, [])

    def test_moved(self) -> None:
        """A call that is moved to an earlier time is made then."""
        self.clock.callLater(5, self.called).reset(1)
        self.reactor.advance(1)
        self.assertEqual(self.calls, [(None, 101.0)])

    def test_failing_call(self) -> None:
        """A call that fails keeps no later one from being made."""
        self.clock.callLater(1, lambda: 1 / 0)
        self.clock.callLater(1, self.called)
        self.assertRaises(ZeroDivisionError, self.reactor.advance, 1)
        self.reactor.advance(0)
        self.assertEqual(self.calls, [(None, 101.0)])

    def test_reset(self) -> None:
        """A reset returns to the reactor's time; what is delayed stays so for as long."""
        self.advance(50)
        self.clock.callLater(5, self.called)
        self.clock.reset()
        self.assertEqual((self.clock.seconds(), self.clock.advanced), (100.0, 0.0))
        self.reactor.advance(4)
        self.assertEqual(self.calls, [])
        self.reactor.advance(1)
        self.assertEqual(self.calls, [(None, 105.0)])

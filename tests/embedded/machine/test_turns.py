"""Tests of the turns of the reactor."""

from __future__ import annotations

from typing import Any, Callable

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.machine.turns import ReactorTurns


class Iterations:
    """A reactor whose iterations the test carries out."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[Any] = []

    def seconds(self) -> float:
        """See ``IReactorTime``."""
        return self.now

    def callLater(self, delay: float, function: Any) -> object:  # noqa: N802 (Twisted's name)
        """See ``IReactorTime``."""
        assert delay == 0
        self.calls.append(function)
        return function

    def iterate(self) -> None:
        """Make the calls that wait, and not those that they make."""
        calls, self.calls = self.calls, []
        for call in calls:
            call()


class TurnsTests(SynchronousTestCase):
    """Tests of :class:`ReactorTurns` with work that takes time."""

    def setUp(self) -> None:
        self.reactor: Any = Iterations()
        self.turns = ReactorTurns(self.reactor, bound=10.0)
        self.done: list[Any] = []

    def work(self, name: Any, seconds: float = 4.0) -> Callable[[], None]:
        """Return work that takes some seconds."""

        def work() -> None:
            self.done.append(name)
            self.reactor.now += seconds

        return work

    def turn(self) -> list[Any]:
        """Let one iteration of the reactor pass; :return: what was done in it."""
        before = len(self.done)
        self.reactor.iterate()
        return self.done[before:]

    def test_at_once(self) -> None:
        """Work is done at once while there is time, and leaves no call."""
        for number in range(100):
            self.turns.first(self.work(number, 0.0))
            self.turns.second(self.work(number, 0.0))
        self.assertEqual(len(self.done), 200)
        self.assertEqual(self.reactor.calls, [])

    def test_bound(self) -> None:
        """In each iteration, work begins until the bound; all of it is done in its order."""
        for number in range(8):
            self.turns.first(self.work(number))
        self.assertEqual(self.done, [0, 1, 2])
        self.assertEqual([self.turn(), self.turn(), self.turn()], [[3, 4, 5], [6, 7], []])
        self.assertEqual(self.reactor.calls, [])

    def test_waiting_first(self) -> None:
        """Work that comes while other work waits is not done before it."""
        for number in range(5):
            self.turns.second(self.work(number))
        self.turn()
        self.turns.second(self.work(5))
        for number in range(6, 9):
            self.turns.second(self.work(number))
        self.turn()
        self.turn()
        self.assertEqual(self.done, list(range(9)))

    def test_precedence(self) -> None:
        """Work that others wait for precedes the rest, of which each iteration does a part."""
        self.turns.first(self.work("fills the turn", 10.0))
        for number in range(4):
            self.turns.second(self.work(f"read {number}"))
            self.turns.first(self.work(f"change {number}"))
        self.assertEqual(
            [self.turn(), self.turn(), self.turn(), self.turn()],
            [
                ["read 0", "change 0", "change 1"],
                ["read 1", "change 2", "change 3"],
                ["read 2", "read 3"],
                [],
            ],
        )

    def test_failure(self) -> None:
        """Work that fails is logged, and the rest is done."""

        def fails() -> None:
            raise KeyError("reason")

        self.turns.first(fails)
        self.turns.first(self.work("fills the turn", 10.0))
        self.turns.first(fails)
        self.turns.first(self.work("last"))
        self.assertEqual(self.turn(), ["last"])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 2)

    def test_pause(self) -> None:
        """A pause in long work lasts until others had their turn; in short work it is none."""
        for seconds, pauses in ((4.0, False), (10.0, True)):
            self.turns = ReactorTurns(self.reactor, bound=10.0)
            self.done.clear()

            async def long(seconds: float = seconds) -> None:
                self.work("begin", seconds)()
                await self.turns.pause()
                self.work("end")()

            self.turns.first(lambda: Deferred.fromCoroutine(long()))  # noqa: B023
            self.turns.first(self.work("other", 6.0))
            self.assertEqual(self.done, ["begin"] if pauses else ["begin", "end", "other"])
            while self.reactor.calls:
                self.reactor.iterate()
            self.assertEqual(sorted(self.done), ["begin", "end", "other"])

    def test_nested(self) -> None:
        """Work that does other work counts once."""
        self.turns.first(lambda: self.turns.first(self.work("inner", 6.0)))
        self.turns.first(self.work("next"))
        self.assertEqual(self.done, ["inner", "next"])

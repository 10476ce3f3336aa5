"""Tests of the mishaps of transitions."""

from __future__ import annotations

from typing import Any, Callable

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.machine.mishaps import Mishap, StuckTransitions


class Volume:
    """A volume with a status."""

    def __init__(self, status: str) -> None:
        self.status = status


class Script:
    """Mishaps in the order of a script."""

    def __init__(self, *mishaps: Mishap | None) -> None:
        self._mishaps = list(mishaps)
        self.struck: list[tuple[str, str, str]] = []
        self.releases: list[Callable[[], None]] = []

    def strike(self, noun: str, key: str, status: str, release: Callable[[], None]) -> Any:
        """See :class:`~txstorage.embedded.machine.mishaps.Mishaps`."""
        self.struck.append((noun, key, status))
        self.releases.append(release)
        return self._mishaps.pop(0)


class StuckTransitionsTests(SynchronousTestCase):
    """Tests of :class:`StuckTransitions`."""

    def use(self, *mishaps: Mishap | None) -> None:
        """Use a script, for one volume."""
        self.script = Script(*mishaps)
        self.released: list[str] = []
        self.stuck = StuckTransitions("volume", self.script, self.released.append)
        self.volume = Volume("creating")

    def strike(self) -> Mishap:
        """The mishap of the volume's transition."""
        return self.stuck.strike("v", lambda: self.volume)

    def test_none(self) -> None:
        """Without mishaps, no volume is looked at."""
        stuck = StuckTransitions("volume", None, lambda key: None)
        self.assertEqual(stuck.strike("v", lambda: self.fail("looked")), Mishap())

    def test_struck(self) -> None:
        """A transition's mishap is that of the script."""
        self.use(Mishap(seconds=3.0), None)
        self.assertEqual([self.strike(), self.strike()], [Mishap(seconds=3.0), Mishap()])
        self.assertEqual(self.script.struck, [("volume", "v", "creating")] * 2)
        self.assertEqual(self.stuck.keys, {})

    def test_stuck(self) -> None:
        """A stuck transition stays so, and counts once, until it is released, once."""
        self.use(Mishap(stuck=True))
        self.assertEqual([self.strike(), self.strike()], [Mishap(stuck=True)] * 2)
        self.assertEqual((len(self.script.struck), self.stuck.keys), (1, {"v": "creating"}))
        for _ in range(2):
            self.script.releases[0]()
        self.assertEqual((self.released, self.stuck.keys), (["v"], {}))

    def test_other_status(self) -> None:
        """Another status ends it, and an old release no longer counts."""
        self.use(Mishap(stuck=True), None)
        self.strike()
        self.volume.status = "deleting"
        self.assertEqual(self.strike(), Mishap())
        self.script.releases[0]()
        self.assertEqual((self.released, self.stuck.keys), ([], {}))

    def test_clear(self) -> None:
        """A cleared one releases nothing."""
        self.use(Mishap(stuck=True))
        self.strike()
        self.stuck.clear()
        self.script.releases[0]()
        self.assertEqual(self.released, [])

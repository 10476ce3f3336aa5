"""Tests for :mod:`txstorage.docker.decisions`."""

from __future__ import annotations

from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from txstorage.docker.decisions import (
    REFUSALS,
    STEPS,
    MountStep,
    Use,
    VolumePlace,
    is_over,
    place_of,
)


class PlaceTests(SynchronousTestCase):
    """The place of a volume."""

    def test_each(self) -> None:
        """Each place follows from the attachment, the cloud's word, and the label."""
        for expected, facts in (
            (VolumePlace.FREE, (None, "a", True, None)),
            (VolumePlace.FREE, (None, "a", False, "b")),
            (VolumePlace.HERE, ("a", "a", True, None)),
            (VolumePlace.HERE, ("a", "a", False, "a")),
            (VolumePlace.LIVE, ("b", "a", True, None)),
            (VolumePlace.LIVE, ("b", "a", True, "c")),
            (VolumePlace.LIVE, ("b", "a", True, "a")),
            (VolumePlace.IDLE, ("b", "a", True, "b")),
            (VolumePlace.DEAD, ("b", "a", False, None)),
            (VolumePlace.DEAD, ("b", "a", False, "b")),
        ):
            self.assertEqual(expected, place_of(*facts), facts)


class StepTests(SynchronousTestCase):
    """The steps of a mount."""

    def test_complete(self) -> None:
        """Every situation has a step, and every refusal a reason."""
        self.assertEqual(set(product(VolumePlace, ("dead", "never"))), set(STEPS))
        for (place, _), step in STEPS.items():
            if step in (MountStep.REFUSE, MountStep.WAIT):
                self.assertIn(place, REFUSALS)

    def test_never_stolen(self) -> None:
        """A volume is taken only from a dead node, and only where that is allowed."""
        taken = [situation for situation, step in STEPS.items() if step is MountStep.TAKE]
        self.assertEqual([(VolumePlace.DEAD, "dead")], taken)
        attached = [situation for situation, step in STEPS.items() if step is MountStep.ATTACH]
        self.assertEqual({VolumePlace.FREE}, {place for place, _ in attached})


class IsOverTests(SynchronousTestCase):
    """The end of a mount."""

    def test_held(self) -> None:
        """A user in the kernel keeps the mount, whatever the engine has said."""
        for claims, quiet in product((0, 1), (0.0, 1e9)):
            self.assertFalse(is_over(Use(True, claims, quiet), 120))

    def test_claimed(self) -> None:
        """A claim keeps the mount for a time: engines lose claims."""
        self.assertFalse(is_over(Use(False, 1, 119.0), 120))
        self.assertTrue(is_over(Use(False, 1, 120.0), 120))

    def test_free(self) -> None:
        """Without a claim and a user, the mount ends at once."""
        self.assertTrue(is_over(Use(False, 0, 0.0), 120))

"""
Tests for :mod:`txstorage.embedded.wire.times`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.wire.times import compute_time, identity_time, volume_time

SECONDS = 1700000000.25


class TimesTests(SynchronousTestCase):
    """One time in each service's format."""

    def test_formats(self) -> None:
        """The formats differ in the fraction and in the zone's letter."""
        self.assertEqual(identity_time(SECONDS), "2023-11-14T22:13:20.250000Z")
        self.assertEqual(volume_time(SECONDS), "2023-11-14T22:13:20.250000")
        self.assertEqual(compute_time(SECONDS), "2023-11-14T22:13:20Z")

    def test_never(self) -> None:
        """Cinder's times may be absent."""
        self.assertIsNone(volume_time(None))

"""
Tests for :mod:`txstorage.embedded.wire.times`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.wire.times import (
    compute_time,
    identity_time,
    microseconds,
    volume_time,
)

SECONDS = 1700000000.25


class TimesTests(SynchronousTestCase):
    """One time in each service's format."""

    def test_formats(self) -> None:
        """The formats differ in the fraction and in the zone's letter."""
        self.assertEqual(identity_time(SECONDS), "2023-11-14T22:13:20.250000Z")
        self.assertEqual(volume_time(SECONDS), "2023-11-14T22:13:20.250000")
        self.assertEqual(compute_time(SECONDS), "2023-11-14T22:13:20Z")

    def test_microseconds(self) -> None:
        """ISO 8601 is read from the year alone to the fraction of a second with an offset."""
        day = 24 * 3600 * 10**6
        for text, expected in (
            ("1970", 0),
            ("1970-02", 31 * day),
            ("1970-1-2", day),
            ("1970-01-02T00", day),
            ("1970-01-02 00:01", day + 60 * 10**6),
            ("1970-01-02T00:01:02.5", day + 62500000),
            ("1970-01-02T00:00:00.0000019Z", day + 1),
            ("1970-01-02T02:30:00+02:30", day),
            ("1970-01-01T23:00:00-01", day),
            ("1970-01-02T020000+0200", day),
            ("1969-12-31T23:59:59.999999", -1),
            (identity_time(SECONDS), int(SECONDS * 10**6)),
        ):
            self.assertEqual(microseconds(text), expected, text)
        for text in (
            "",
            "x",
            "70",
            "1970-13",
            "1970-01-01T25",
            "1970-01-01Z\n",
            "1970-01-01T",
            "19700",
        ):
            self.assertIs(microseconds(text), None, text)

    def test_never(self) -> None:
        """Cinder's times may be absent."""
        self.assertIsNone(volume_time(None))

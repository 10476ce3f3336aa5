"""
Tests for :mod:`txstorage._support.notations.timestamps`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.notations.timestamps import seconds_since_epoch


class TimestampTests(SynchronousTestCase):
    """The clouds' times."""

    def test_read(self):
        """A zone is taken into account, parts of seconds are not."""
        for timestamp, expected in [
            (u"1970-01-01T00:00:10Z", 10.0),
            (u"1970-01-01T00:00:10", 10.0),
            (u"1970-01-01T00:00:10.999Z", 10.0),
            (u"1970-01-01T01:00:10+01:00", 10.0),
            (u"1970-01-01T01:00:10-0130", 9010.0),
            (u"2026-11-22T16:27:04.000000Z", 1795364824.0),
        ]:
            self.assertEqual((timestamp, expected), (timestamp, seconds_since_epoch(timestamp)))

    def test_others(self):
        """Anything else is not a time."""
        for value in (None, 7, u"", u"soon", u"1970-13-01T00:00:10Z", u"1970-01-01T00:00:10ZZ"):
            self.assertIs(None, seconds_since_epoch(value))

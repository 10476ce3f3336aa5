"""
Tests for :mod:`txstorage.clouds.ec2.volumes.recent`.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds import Volume
from txstorage.clouds.ec2.volumes.recent import CREATION, LAG, UNSEEN, RecentChanges

from .support import OTHER, VOLUME


def described(status, volume_id=VOLUME):
    """A volume."""
    return Volume(volume_id, status, 1)


class RecentChangesTests(SynchronousTestCase):
    """Descriptions that are older than a request."""

    def setUp(self):
        """No requests yet."""
        self.clock = Clock()
        self.recent = RecentChanges(self.clock)

    def seen(self, status, volume_id=VOLUME):
        """The status that is to be expected of a description with another one."""
        return self.recent.seen(volume_id, described(status, volume_id)).status

    def test_each(self):
        """For a while, a description from before the request is taken for its result."""
        for kind, statuses in UNSEEN.items():
            for old, expected in statuses.items():
                self.recent.requested(kind, VOLUME)
                self.assertEqual(expected, self.seen(old))
                self.clock.advance(LAG)
                self.assertEqual(old, self.seen(old))

    def test_others(self):
        """Any other status, and any other volume, is as it is described."""
        self.recent.requested(u"attach", VOLUME)
        for status in (u"attaching", u"in-use", u"error", u"deleting"):
            self.assertEqual(status, self.seen(status))
        self.assertEqual(u"available", self.seen(u"available", OTHER))

    def test_latest(self):
        """Only the latest request of a volume counts."""
        self.recent.requested(u"attach", VOLUME)
        self.recent.requested(u"detach", VOLUME)
        self.assertEqual(u"available", self.seen(u"available"))

    def test_created(self):
        """A new volume is given time to show up."""
        self.recent.created(VOLUME, described(u"creating"))
        self.assertEqual(described(u"creating"), self.recent.missing(VOLUME))
        self.assertIs(None, self.recent.missing(OTHER))
        self.clock.advance(CREATION)
        self.assertIs(None, self.recent.missing(VOLUME))

    def test_deleted(self):
        """A volume that was deleted is not expected to show up."""
        self.recent.created(VOLUME, described(u"creating"))
        self.recent.requested(u"delete", VOLUME)
        self.assertIs(None, self.recent.missing(VOLUME))

    def test_forgotten(self):
        """Requests of long ago are forgotten."""
        for number in range(100):
            self.recent.requested(u"attach", u"vol-{}".format(number))
            self.clock.advance(1)
        self.assertLessEqual(len(self.recent._accepted), LAG + 1)

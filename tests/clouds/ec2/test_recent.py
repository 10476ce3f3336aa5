"""
Tests for :mod:`txstorage.clouds.ec2.volumes.recent`.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
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

    def test_gone(self):
        """Once a deletion shows, a list that is older does not bring the volume back."""
        self.recent.requested(u"delete", VOLUME)
        self.assertEqual([u"deleting"], [each.status for each in self.listed(u"available")])
        self.assertIs(None, self.recent.missing(VOLUME))
        self.assertEqual([], self.listed(u"available"))
        self.clock.advance(LAG)
        self.assertEqual(1, len(self.listed(u"available")))

    def test_listed(self):
        """A list that is older than a creation has the new volume, if it has the labels."""
        new = Volume(OTHER, u"creating", 1, labels={u"a": u"b"})
        self.recent.created(OTHER, new)
        for labels, expected in [({}, True), ({u"a": u"b"}, True), ({u"a": u"c"}, False)]:
            found = self.listed(u"available", labels)
            self.assertEqual(expected, OTHER in [each.volume_id for each in found])
            self.assertTrue(all(each.listed for each in found if each.volume_id == OTHER))
        self.recent.requested(u"delete", OTHER)
        self.assertEqual(1, len(self.listed(u"available")))

    def test_listed_as_described(self):
        """A new volume that a list lacks is as the latest description shows it."""
        self.recent.created(VOLUME, described(u"creating"))
        self.recent.seen(VOLUME, described(u"available"))
        [found] = self.recent.all_seen([], {}, lambda each: each.volume_id)
        self.assertEqual((u"available", True), (found.status, found.listed))

    def listed(self, status, labels=()):
        """A list of one volume, as it is to be expected."""
        return self.recent.all_seen(
            [described(status)], dict(labels), lambda each: each.volume_id
        )

    def test_labels(self):
        """Labels that were set or removed show at once."""
        old = Volume(VOLUME, u"available", 1, labels={u"a": u"1", u"b": u"1"})
        self.recent.relabelled(VOLUME, {u"a": u"2", u"c": u"3"})
        self.recent.relabelled(VOLUME, {u"b": None})
        self.assertEqual({u"a": u"2", u"c": u"3"}, self.recent.seen(VOLUME, old).labels)
        for labels, count in [({u"a": u"1"}, 0), ({u"a": u"2"}, 1), ({u"b": u"1"}, 0)]:
            found = self.recent.all_seen([old], labels, lambda each: each.volume_id)
            self.assertEqual((labels, count), (labels, len(found)))
        self.clock.advance(LAG)
        self.assertEqual(old, self.recent.seen(VOLUME, old))

    def test_failed(self):
        """A request that may have been processed counts; one that certainly was not does not."""
        for error, expected in [
            (errors.ResponseLost(u"POST", u"u", u"r"), u"deleting"),
            (errors.ServiceBroken(u"POST", u"u", 500, u"d"), u"deleting"),
            (CancelledError(), u"deleting"),
            (errors.Unreachable(u"POST", u"u", u"r"), u"available"),
            (errors.Conflict(u"POST", u"u", 400, u"d"), u"available"),
            (ValueError(), u"available"),
        ]:
            self.setUp()
            failure = Failure(error)
            self.assertIs(failure, self.recent.failed(failure, u"delete", VOLUME))
            self.assertEqual(expected, self.seen(u"available"))

    def test_forgotten(self):
        """Requests of long ago are forgotten."""
        for number in range(100):
            self.recent.requested(u"attach", u"vol-{}".format(number))
            self.clock.advance(1)
        self.assertLessEqual(len(self.recent._accepted), LAG + 1)

"""
Tests for :mod:`txstorage.errors.snapshots`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage.driver.lifecycle import Decision
from txstorage.driver.lifecycle.snapshots import TABLES


class SnapshotErrorsTests(SynchronousTestCase):
    """Messages and remedies."""

    def test_remedy_of_the_reason(self):
        """The cloud's reason decides the remedy, where it reveals the cause."""
        full = u"no space left on device"
        for error in (
            errors.UnusableSnapshot(u"copy", u"s", u"error", full),
            errors.SnapshotFailed(u"create", u"s", full),
        ):
            self.assertIn(u"make room", error.remedy)
            self.assertIn(full, error.message)
        plain = errors.UnusableSnapshot(u"copy", u"s", u"error")
        self.assertEqual(u"Can't copy snapshot s: its status is error", plain.message)
        self.assertIn(u"make another", plain.remedy)
        self.assertIn(u"logs", errors.SnapshotFailed(u"create", u"s", u"odd").remedy)

    def test_remedy_of_the_status(self):
        """
        Each status in which an operation ends has its remedy: only a snapshot in ``error`` can be
        destroyed.
        """
        ends = {
            (operation, status)
            for operation, table in TABLES.items()
            for status, row in table.items()
            if Decision.UNUSABLE in row
        }
        words = {
            u"error": u"destroy the snapshot and make another",
            u"error_deleting": u"have an administrator reset",
            u"deleting": u"is deleting this one",
            u"unmanaging": u"is removing this one",
        }
        self.assertEqual(set(words), {status for _, status in ends})
        for operation, status in ends:
            error = errors.UnusableSnapshot(operation, u"s", status)
            self.assertIn(words[status], error.remedy)
            self.assertEqual(status == u"error", error.remedy.startswith(u"destroy"))
        odd = errors.UnusableSnapshot(u"copy", u"s", u"odd")
        self.assertIn(u"txstorage snapshots show", odd.remedy)

    def test_kinds(self):
        """Errors of sizes are those of a size, and of arguments ``ValueError``."""
        for error in (
            errors.SmallerThanSource(u"snapshot s", 2, 1),
            errors.VolumesNeverShrink(u"v", 2, 1),
            errors.InvalidSnapshot(u"no"),
        ):
            self.assertIsInstance(error, ValueError)
            self.assertIsInstance(error, errors.StorageError)
        self.assertIsInstance(errors.VolumesNeverShrink(u"v", 2, 1), errors.InvalidSize)

    def test_ids(self):
        """The objects of the errors can be read from them."""
        self.assertEqual(u"s", errors.UnknownSnapshot(u"s").snapshot_id)
        error = errors.HasSnapshots(u"v", iter([u"a", u"b"]))
        self.assertEqual((u"v", (u"a", u"b")), (error.volume_id, error.snapshots))
        self.assertIn(u"a, b", error.message)
        self.assertEqual(u"v", errors.VolumesNeverShrink(u"v", 2, 1).volume_id)

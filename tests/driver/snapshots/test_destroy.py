"""
Tests of listing and destroying snapshots, and of volumes that have some.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from eliot.testing import capture_logging

from txstorage._log import SNAPSHOT_SKIPPED
from txstorage._support.compat import text_type
from txstorage.errors import (
    HasSnapshots,
    RequestRefused,
    SnapshotFailed,
    UnknownSnapshot,
    UnusableSnapshot,
)

from ...helpers.memory import HERE, Fault, refusal
from ..support import DriverTestCase, broken, logged, lost, unreachable


class DestroySnapshotTests(DriverTestCase):
    """``destroy_snapshot``"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.volume_id = self.cloud.add()
        self.snapshot_id = self.cloud.add_snapshot(self.volume_id)

    def destroy(self):
        return self.driver.destroy_snapshot(self.snapshot_id)

    def test_destroyed(self):
        """The Deferred fires with ``None`` once the snapshot no longer exists."""
        d = self.destroy()
        self.clock.advance(1)
        self.assertNoResult(d)
        self.assertIsNone(self.success(d))
        self.assertEqual({}, self.cloud.snapshots)
        self.failure(self.destroy(), UnknownSnapshot)

    def test_in_error(self):
        """A snapshot in error can be destroyed."""
        self.cloud.change_snapshot(self.snapshot_id, status=u"error")
        self.success(self.destroy())

    def test_unknown(self):
        """A snapshot of another cluster, or without labels, is unknown and stays."""
        for labels in ({}, {u"flocker-cluster-id": text_type(uuid4())}):
            self.cloud.change_snapshot(self.snapshot_id, labels=labels)
            error = self.failure(self.destroy(), UnknownSnapshot)
            self.assertEqual(self.snapshot_id, error.snapshot_id)
        self.assertEqual(0, self.cloud.count("delete snapshot"))

    def test_joined(self):
        """A second destroy waits for the first one's result."""
        first, second = self.destroy(), self.destroy()
        self.success(first)
        self.assertIsNone(self.successResultOf(second))

    def test_busy(self):
        """A snapshot that is being backed up is destroyed afterwards."""
        self.cloud.change_snapshot(self.snapshot_id, status=u"backing-up")
        d = self.destroy()
        self.pass_time(5)
        self.assertNoResult(d)
        self.assertEqual(0, self.cloud.count("delete snapshot"))
        self.cloud.change_snapshot(self.snapshot_id, status=u"available")
        self.success(d)

    def test_needed(self):
        """
        A snapshot whose data is needed becomes available again; after three requests, the error
        has the cloud's reason.
        """
        self.cloud._later = lambda *changes: self.cloud.clock.callLater(
            1, self.cloud.change_snapshot, self.snapshot_id, status=u"available"
        )
        self.cloud.reasons[self.snapshot_id] = u"Snapshot is busy."
        error = self.failure(self.destroy(), SnapshotFailed)
        self.assertIn(u"Snapshot is busy.", error.message)
        self.assertIn(u"3 requests", error.message)
        self.assertEqual(3, self.cloud.count("delete snapshot"))

    def test_never_deleted(self):
        """A snapshot whose deletion failed in the cloud is an error, with the reason."""
        d = self.destroy()
        self.cloud.reasons[self.snapshot_id] = u"Snapshot failed to delete."
        self.cloud.change_snapshot(self.snapshot_id, status=u"error_deleting")
        error = self.failure(d, UnusableSnapshot)
        self.assertEqual((u"destroy", u"error_deleting"), (error.operation, error.status))
        self.assertIn(u"Snapshot failed to delete.", error.message)

    def test_faults(self):
        """Lost requests, lost responses and failed looks do not change the result."""
        for fault in (
            Fault(lost()),
            Fault(lost(), processed=True),
            Fault(broken()),
            Fault(unreachable()),
        ):
            self.snapshot_id = self.cloud.add_snapshot(self.volume_id)
            self.cloud.break_next("delete snapshot", fault)
            self.success(self.destroy())
            self.assertNotIn(self.snapshot_id, self.cloud.snapshots)

    def test_cut_short(self):
        """However often it is cancelled, in the end the snapshot is gone."""
        for seconds in (0, 1, 2, 3, 4):
            self.snapshot_id = self.cloud.add_snapshot(self.volume_id)
            d = self.destroy()
            self.pass_time(seconds)
            ended = []
            d.addBoth(ended.append)
            d.cancel()
            self.assertEqual(1, len(ended))
            again = self.destroy()
            again.addErrback(lambda failure: failure.trap(UnknownSnapshot))
            self.success(again)
            self.assertNotIn(self.snapshot_id, self.cloud.snapshots)


class ListSnapshotsTests(DriverTestCase):
    """``list_snapshots``"""

    def test_own(self):
        """Only the cluster's snapshots are listed, of any status."""
        volume_id = self.cloud.add()
        own = [
            self.cloud.add_snapshot(volume_id, status) for status in (u"available", u"error")
        ]
        self.cloud.add_snapshot(volume_id, labels={})
        self.cloud.add_snapshot(volume_id, labels={u"flocker-cluster-id": text_type(uuid4())})
        listed = self.success(self.driver.list_snapshots())
        self.assertEqual(set(own), {each.snapshot_id for each in listed})
        self.assertEqual({u"available", u"error"}, {each.status for each in listed})

    def test_no_dataset(self):
        """A snapshot whose label of the dataset is malformed has no dataset."""
        volume_id = self.cloud.add()
        labels = dict(self.cloud.volumes[volume_id].labels, **{u"flocker-dataset-id": u"?"})
        self.cloud.add_snapshot(volume_id, labels=labels)
        [snapshot] = self.success(self.driver.list_snapshots())
        self.assertIsNone(snapshot.dataset_id)

    @capture_logging(None)
    def test_malformed(self, logger):
        """A malformed entry is left out and reported, once until that changes."""
        self.cloud.malformed = ((u"s1", u"its size is not a number of GiB"),)
        for _ in range(2):
            self.assertEqual([], self.success(self.driver.list_snapshots()))
        [message] = logged(logger, SNAPSHOT_SKIPPED)
        self.assertEqual(u"s1", message[u"snapshot_id"])


class DestroyVolumeTests(DriverTestCase):
    """``destroy_volume`` of a volume that has snapshots."""

    def test_named(self):
        """The error names all snapshots, also those of others, and nothing is destroyed."""
        volume_id = self.cloud.add()
        snapshots = {
            self.cloud.add_snapshot(volume_id), self.cloud.add_snapshot(volume_id, labels={})
        }
        error = self.failure(self.driver.destroy_volume(volume_id), HasSnapshots)
        self.assertEqual(snapshots, set(error.snapshots))
        for snapshot_id in snapshots:
            self.assertIn(snapshot_id, error.message)
        self.assertIn(u"txstorage snapshots destroy", error.remedy)
        self.assertEqual(1, self.cloud.count("delete"))

    def test_other_refusals(self):
        """A refusal with another reason is tried again, and stays the error."""
        volume_id = self.cloud.add()
        self.cloud.break_next("delete", Fault(refusal()))
        self.success(self.driver.destroy_volume(volume_id))
        volume_id = self.cloud.add()
        self.cloud.break_next("delete", *[Fault(refusal(detail=u"odd"))] * 3)
        error = self.failure(self.driver.destroy_volume(volume_id), RequestRefused)
        self.assertEqual(u"odd", error.detail)

    def test_unlisted(self):
        """If the snapshots can't be listed, the refusal is the error."""
        volume_id = self.cloud.add()
        self.cloud.add_snapshot(volume_id)
        self.cloud.break_next("list snapshots", *[Fault(broken())] * 3)
        self.failure(self.driver.destroy_volume(volume_id), RequestRefused)

    def test_attached(self):
        """An attached volume is reported as attached."""
        volume_id = self.cloud.add(u"in-use", HERE)
        self.cloud.add_snapshot(volume_id)
        self.failure(self.driver.destroy_volume(volume_id))
        self.assertEqual(0, self.cloud.count("list snapshots"))

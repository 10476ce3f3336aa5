"""
Tests of making snapshots.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from eliot.testing import capture_logging

from txstorage._log import DUPLICATE_SNAPSHOT, SNAPSHOT_RESUMED
from txstorage._support.compat import text_type
from txstorage.errors import (
    InvalidSnapshot,
    MalformedLabels,
    OperationTimedOut,
    QuotaExceeded,
    SnapshotConflict,
    SnapshotFailed,
    Unreachable,
    UnusableSnapshot,
    UnusableStatus,
)
from txstorage.interfaces import UnknownVolume

from ...helpers.memory import CLUSTER, HERE, Fault
from ..support import WHERE, DriverTestCase, broken, logged, lost, unreachable


class CreateSnapshotTests(DriverTestCase):
    """``create_snapshot``"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.dataset_id = uuid4()
        self.volume_id = self.cloud.add(dataset_id=self.dataset_id)

    def create(self, name=u"nightly", driver=None, **labels):
        labels = {text_type(label): value for label, value in labels.items()}
        return (driver or self.driver).create_snapshot(self.volume_id, name, labels)

    def test_created(self):
        """The Deferred fires once the snapshot is usable, with the one that is listed next."""
        d = self.create(why=u"upgrade")
        self.clock.advance(1)
        self.assertNoResult(d)
        snapshot = self.success(d)
        self.assertEqual(
            (self.volume_id, self.dataset_id, u"nightly", u"available", {u"why": u"upgrade"}),
            (
                snapshot.blockdevice_id,
                snapshot.dataset_id,
                snapshot.name,
                snapshot.status,
                snapshot.labels,
            ),
        )
        self.assertEqual([snapshot], self.success(self.driver.list_snapshots()))
        [made] = self.cloud.snapshots.values()
        self.assertEqual(
            {
                u"why": u"upgrade",
                u"flocker-cluster-id": text_type(CLUSTER),
                u"flocker-dataset-id": text_type(self.dataset_id),
            },
            made.labels,
        )

    def test_attached(self):
        """A snapshot of an attached volume is made as well."""
        self.volume_id = self.cloud.add(u"in-use", HERE)
        self.assertEqual(u"available", self.success(self.create()).status)

    def test_invalid(self):
        """A name or a label that the cloud would change or refuse is refused without a request."""
        for name in (u"", u" a", u"a ", u"a\nb", u"a\n", u"\x7f", u"x" * 256, None, 7):
            self.failure(self.create(name), InvalidSnapshot)
        for label, value in [
            (u"flocker-cluster-id", u"c"),
            (u"", u"v"),
            (u"a*", u"v"),
            (u"a\n", u"v"),
            (u"x" * 256, u"v"),
            (u"a", u"v" * 256),
            (u"a", 7),
            (7, u"a"),
        ]:
            d = self.driver.create_snapshot(self.volume_id, u"n", {label: value})
            self.failure(d, InvalidSnapshot)
        self.assertEqual([], self.cloud.requests)
        for name in (u"x" * 255, u"\u00fc \u4e2d", u"a b"):
            self.assertEqual(name, self.success(self.create(name)).name)

    def test_unknown_volume(self):
        """There is no snapshot of a volume that does not exist, or that is another cluster's."""
        self.volume_id = u"missing"
        self.assertEqual(u"missing", self.failure(self.create(), UnknownVolume).blockdevice_id)
        self.volume_id = self.cloud.add(labels={u"flocker-cluster-id": text_type(uuid4())})
        self.failure(self.create(), UnknownVolume)
        self.volume_id = self.cloud.add(labels={u"flocker-cluster-id": text_type(CLUSTER)})
        self.failure(self.create(), MalformedLabels)
        self.assertEqual({}, self.cloud.snapshots)

    def test_busy_volume(self):
        """A volume that is being attached is waited for; one in error is refused."""
        self.cloud.change(self.volume_id, status=u"attaching")
        d = self.create()
        self.pass_time(5)
        self.assertNoResult(d)
        self.assertEqual(0, self.cloud.count("snapshot"))
        self.cloud.change(self.volume_id, status=u"in-use")
        self.success(d)
        self.cloud.change(self.volume_id, status=u"error")
        error = self.failure(self.create(u"second"), UnusableStatus)
        self.assertEqual((u"copy", self.volume_id), (error.operation, error.volume_id))

    def test_again(self):
        """The same name is the same snapshot; another name is another one."""
        first = self.success(self.create())
        self.assertEqual(first, self.success(self.create()))
        second = self.success(self.create(u"other"))
        self.assertNotEqual(first.snapshot_id, second.snapshot_id)
        self.assertEqual(2, self.cloud.count("snapshot"))

    def test_names_are_of_volumes(self):
        """Two volumes may each have a snapshot of the same name."""
        first = self.success(self.create())
        self.volume_id = self.cloud.add()
        self.assertNotEqual(first.snapshot_id, self.success(self.create()).snapshot_id)

    def test_conflict(self):
        """A snapshot of the name with other labels is not taken for the requested one."""
        made = self.success(self.create(why=u"upgrade"))
        error = self.failure(self.create(why=u"test"), SnapshotConflict)
        self.assertEqual(made.snapshot_id, error.snapshot_id)
        self.assertIn(made.created_at, error.message)

    def test_joined(self):
        """Two callers at the same time get the same snapshot, from one request."""
        first, second = self.create(), self.create()
        self.assertEqual(self.success(first), self.success(second))
        self.assertEqual(1, self.cloud.count("snapshot"))

    @capture_logging(None)
    def test_response_lost(self, logger):
        """After a lost response, the snapshot that was made is found by its name."""
        self.cloud.break_next("snapshot", Fault(lost(), processed=True))
        snapshot = self.success(self.create())
        self.assertEqual([snapshot.snapshot_id], list(self.cloud.snapshots))
        [message] = logged(logger, SNAPSHOT_RESUMED)
        self.assertEqual(
            (self.volume_id, snapshot.snapshot_id),
            (message[u"volume_id"], message[u"snapshot_id"]),
        )

    def test_request_lost(self):
        """A request that was lost is sent again, and a broken service is asked again."""
        for error in (lost(), broken(), unreachable()):
            self.cloud.break_next("snapshot", Fault(error))
            self.success(self.create(text_type(uuid4())))
        self.assertEqual(3, len(self.cloud.snapshots))

    def test_no_answer(self):
        """The last of too many lost responses is the error."""
        self.cloud.break_next("snapshot", *[Fault(broken())] * 3)
        self.failure(self.create(), type(broken()))
        self.assertEqual(3, self.cloud.count("snapshot"))

    def test_first_request_fails(self):
        """Nothing was requested when the first list fails."""
        self.cloud.break_next("list snapshots", Fault(unreachable()))
        self.failure(self.create(), Unreachable)
        self.assertEqual(0, self.cloud.count("snapshot"))

    def test_quota(self):
        """An exceeded quota is the error."""
        self.cloud.break_next("snapshot", Fault(QuotaExceeded(*WHERE + (413, u"SnapshotLimit"))))
        self.failure(self.create(), QuotaExceeded)

    def test_fails_in_the_cloud(self):
        """A snapshot that never became usable is deleted, and the error has the cloud's reason."""
        d = self.create()
        [snapshot_id] = self.cloud.snapshots
        self.cloud.reasons[snapshot_id] = u"Snapshot failed to create."
        self.cloud.change_snapshot(snapshot_id, status=u"error")
        error = self.failure(d, SnapshotFailed)
        self.assertIn(u"Snapshot failed to create.", error.message)
        self.assertEqual({}, self.cloud.snapshots)

    def test_others_failure(self):
        """A snapshot of the name that another caller made in vain is not deleted."""
        snapshot_id = self.cloud.add_snapshot(self.volume_id, u"error", name=u"nightly")
        error = self.failure(self.create(), UnusableSnapshot)
        self.assertEqual((snapshot_id, u"create"), (error.snapshot_id, error.operation))
        self.assertEqual([snapshot_id], list(self.cloud.snapshots))

    @capture_logging(None)
    def test_two_nodes(self, logger):
        """When two nodes make the snapshot at once, both use the older one and report the other."""
        d = self.create()
        [mine] = self.cloud.snapshots
        theirs = self.cloud.add_snapshot(
            self.volume_id, name=u"nightly", created_at=u"2025-01-01T00:00:00"
        )
        self.assertEqual(theirs, self.success(d).snapshot_id)
        [message] = logged(logger, DUPLICATE_SNAPSHOT)
        self.assertEqual((mine, theirs), (message[u"snapshot_id"], message[u"used"]))

    def test_doomed_namesake(self):
        """A snapshot of the name that is being deleted is not used."""
        self.cloud.add_snapshot(self.volume_id, u"deleting", name=u"nightly")
        self.success(self.create())
        self.assertEqual(2, len(self.cloud.snapshots))

    def test_anothers_namesake(self):
        """A snapshot of the name without the cluster's label is not used."""
        self.cloud.add_snapshot(self.volume_id, name=u"nightly", labels={})
        self.success(self.create())
        self.assertEqual(2, len(self.cloud.snapshots))

    def test_timeout(self):
        """A snapshot may take as long as a copy does; the error names it, and what was awaited."""
        self.driver = self.new_driver(timeout=5.0, copy_timeout=30.0)
        self.cloud.delay = 20.0
        self.success(self.create(), 30)
        self.cloud.delay = 1000.0
        d = self.create(u"slow")
        self.pass_time(40)
        error = self.failureResultOf(d, OperationTimedOut).value
        self.assertIn(u"Can't create snapshot ", error.message)
        self.assertIn(u"30.0 seconds, waiting for the snapshot to be created", error.message)
        self.assertIn(u"last seen: creating", error.message)
        self.assertIn(u"raise 'copy_timeout'", error.remedy)
        self.assertIn(u"reset the snapshot's status", error.remedy)

    def test_timeout_of_the_volume(self):
        """The error of a wait for the volume says so, with the name of the snapshot."""
        self.driver = self.new_driver(copy_timeout=5.0)
        self.cloud.change(self.volume_id, status=u"attaching")
        error = self.failure(self.create(), OperationTimedOut)
        self.assertIn(u"snapshot 'nightly' of volume " + self.volume_id, error.message)
        self.assertIn(u"waiting for the volume to be ready for copying", error.message)

    def test_cut_short(self):
        """However often it is cancelled, in the end there is one snapshot."""
        self.assertGreater(self.cut_short(self.create), 3)
        self.assertEqual(1, len(self.cloud.snapshots))

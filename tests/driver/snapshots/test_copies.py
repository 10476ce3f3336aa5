"""
Tests of volumes made from snapshots, and of clones.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from txstorage._support.compat import text_type
from txstorage.errors import (
    DatasetConflict,
    InvalidDatasetID,
    InvalidSize,
    OperationFailed,
    OperationTimedOut,
    SmallerThanSource,
    UnknownSnapshot,
    UnusableSnapshot,
    UnusableStatus,
)
from txstorage.interfaces import UnknownVolume

from ...helpers.memory import GIB, HERE, Fault
from ..support import DriverTestCase, broken, lost, unreachable


class CopiesTests(object):
    """The properties that volumes from snapshots and clones have in common."""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.volume_id = self.cloud.add()
        self.cloud.change(self.volume_id, size=2 * GIB)
        self.dataset_id = uuid4()
        self.prepare()

    def made(self):
        """The volumes besides the first one."""
        return [each for key, each in self.cloud.volumes.items() if key != self.volume_id]

    def test_made(self):
        """The volume has the dataset, the source's size and its data, and is listed next."""
        d = self.copy()
        self.clock.advance(1)
        self.assertNoResult(d)
        volume = self.success(d)
        self.assertEqual((self.dataset_id, 2 * GIB), (volume.dataset_id, volume.size))
        self.assertIn(volume, self.success(self.driver.list_volumes()))
        [made] = self.made()
        self.assertEqual(self.origin, (made.snapshot_id, made.source_volume_id))

    def test_sizes(self):
        """The size is rounded up, and may be larger than the source, but not smaller."""
        self.assertEqual(3 * GIB, self.success(self.copy(2 * GIB + 1)).size)
        self.dataset_id = uuid4()
        error = self.failure(self.copy(GIB), SmallerThanSource)
        for part in (text_type(GIB), text_type(2 * GIB), self.source_name):
            self.assertIn(part, error.message)
        self.assertEqual(1, self.cloud.count("create"))

    def test_bad_arguments(self):
        """Bad arguments are refused without a request."""
        for size in (0, -1, 1.5, True, u"1"):
            self.failure(self.copy(size), InvalidSize)
        self.dataset_id = text_type(self.dataset_id)
        self.failure(self.copy(), InvalidDatasetID)
        self.assertEqual([], self.cloud.requests)

    def test_again(self):
        """A retry returns the volume, also when the source no longer exists."""
        first = self.success(self.copy())
        self.remove_source()
        self.assertEqual(first, self.success(self.copy()))
        self.assertEqual(1, self.cloud.count("create"))

    def test_again_when_grown(self):
        """A retry without a size returns the volume, also when it has grown meanwhile."""
        made = self.success(self.copy())
        self.cloud.change(made.blockdevice_id, size=5 * GIB)
        self.assertEqual(5 * GIB, self.success(self.copy()).size)
        self.failure(self.copy(2 * GIB), DatasetConflict)

    def test_dataset_with_other_data(self):
        """A volume of the dataset with other data is not taken for the copy."""
        other = self.cloud.add(dataset_id=self.dataset_id)
        error = self.failure(self.copy(), DatasetConflict)
        self.assertEqual(other, error.volume_id)
        self.assertIn(self.source_name, error.message)
        self.assertIn(u"another dataset", error.remedy)
        for unwanted in (u"destroy", u"size"):
            self.assertNotIn(unwanted, error.remedy)
        self.assertEqual(0, self.cloud.count("create"))

    def test_empty_and_copy_at_once(self):
        """Of an empty volume and a copy for one dataset at once, one caller gets an error."""
        empty = self.driver.create_volume(self.dataset_id, 2 * GIB)
        copy = self.copy()
        self.success(empty)
        self.failureResultOf(copy, DatasetConflict)
        self.assertEqual(1, self.cloud.count("create"))

    def test_responses_lost(self):
        """There is one volume, whatever is lost."""
        for fault in (Fault(lost()), Fault(lost(), processed=True), Fault(broken())):
            self.dataset_id = uuid4()
            self.cloud.break_next("create", fault)
            self.success(self.copy())
        self.assertEqual(3, len(self.made()))

    def test_fails_in_the_cloud(self):
        """A copy that never became usable is deleted, and the error has the cloud's reason."""
        d = self.copy()
        [made] = self.made()
        self.cloud.reasons[made.volume_id] = u"no room"
        self.cloud.change(made.volume_id, status=u"error")
        self.assertIn(u"no room", self.failure(d, OperationFailed).message)
        self.assertEqual([], self.made())

    def test_timeout(self):
        """A copy has the time of copies."""
        self.driver = self.new_driver(timeout=5.0, copy_timeout=30.0)
        self.cloud.delay = 20.0
        self.success(self.copy(), 30)

    def test_cut_short(self):
        """However often it is cancelled, in the end there is one volume."""
        self.assertGreater(self.cut_short(self.copy), 3)
        self.assertEqual(1, len(self.made()))


class FromSnapshotTests(CopiesTests, DriverTestCase):
    """``create_volume_from_snapshot``"""

    def prepare(self):
        self.snapshot_id = self.cloud.add_snapshot(self.volume_id)
        self.origin = (self.snapshot_id, None)
        self.source_name = u"snapshot " + self.snapshot_id

    def copy(self, size=None):
        return self.driver.create_volume_from_snapshot(self.dataset_id, self.snapshot_id, size)

    def remove_source(self):
        del self.cloud.snapshots[self.snapshot_id]

    def test_unknown(self):
        """Another cluster's snapshot is unknown; one without labels can be used."""
        labels = {u"flocker-cluster-id": text_type(uuid4())}
        self.cloud.change_snapshot(self.snapshot_id, labels=labels)
        self.failure(self.copy(), UnknownSnapshot)
        self.cloud.change_snapshot(self.snapshot_id, labels={})
        self.success(self.copy())
        self.dataset_id, self.snapshot_id = uuid4(), u"missing"
        error = self.failure(self.copy(), UnknownSnapshot)
        self.assertEqual(u"missing", error.snapshot_id)

    def test_not_ready(self):
        """A snapshot that is being made is waited for; one in error is refused."""
        self.cloud.change_snapshot(self.snapshot_id, status=u"creating")
        d = self.copy()
        self.pass_time(5)
        self.assertNoResult(d)
        self.assertEqual(0, self.cloud.count("create"))
        self.cloud.change_snapshot(self.snapshot_id, status=u"available")
        self.success(d)
        self.dataset_id = uuid4()
        self.cloud.change_snapshot(self.snapshot_id, status=u"error")
        error = self.failure(self.copy(), UnusableSnapshot)
        self.assertEqual(u"copy", error.operation)

    def test_never_ready(self):
        """The error of a wait for the snapshot says what was awaited."""
        self.driver = self.new_driver(copy_timeout=5.0)
        self.cloud.change_snapshot(self.snapshot_id, status=u"creating")
        error = self.failure(self.copy(), OperationTimedOut)
        self.assertIn(u"waiting for the snapshot to be ready for copying", error.message)


class CloneTests(CopiesTests, DriverTestCase):
    """``clone_volume``"""

    def prepare(self):
        self.source_id = self.volume_id
        self.origin = (None, self.volume_id)
        self.source_name = u"volume " + self.volume_id

    def copy(self, size=None):
        return self.driver.clone_volume(self.dataset_id, self.source_id, size)

    def remove_source(self):
        del self.cloud.volumes[self.source_id]

    def test_attached(self):
        """An attached volume can be cloned."""
        self.source_id = self.cloud.add(u"in-use", HERE)
        self.assertIsNone(self.success(self.copy()).attached_to)

    def test_unknown(self):
        """Another cluster's volume, and one that does not exist, are unknown."""
        self.source_id = self.cloud.add(labels={u"flocker-cluster-id": text_type(uuid4())})
        self.failure(self.copy(), UnknownVolume)
        self.source_id = u"missing"
        self.assertEqual(u"missing", self.failure(self.copy(), UnknownVolume).blockdevice_id)
        self.assertEqual(0, self.cloud.count("create"))

    def test_not_ready(self):
        """A volume that is being detached is waited for; one in error is refused."""
        self.cloud.change(self.source_id, status=u"detaching")
        d = self.copy()
        self.pass_time(5)
        self.assertNoResult(d)
        self.assertEqual(0, self.cloud.count("create"))
        self.cloud.change(self.source_id, status=u"available")
        self.success(d)
        self.dataset_id = uuid4()
        self.cloud.change(self.source_id, status=u"error")
        error = self.failure(self.copy(), UnusableStatus)
        self.assertEqual((u"copy", self.source_id), (error.operation, error.volume_id))

    def test_source_out_of_reach(self):
        """A look at the source that fails is repeated, and nothing is created before."""
        self.cloud.break_next("get", Fault(unreachable()))
        d = self.copy()
        self.assertEqual((1, 0), (self.cloud.count("get"), self.cloud.count("create")))
        self.success(d)
        self.assertEqual(1, self.cloud.count("create"))

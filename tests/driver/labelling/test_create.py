"""
Tests of creating and listing volumes with labels.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from txstorage._support.compat import text_type
from txstorage.errors import (
    DatasetConflict,
    InvalidDatasetID,
    InvalidLabel,
    InvalidSize,
    InvalidSource,
    UnknownProfile,
    UnknownSnapshot,
)
from txstorage.interfaces import BlockDeviceVolume, LabelledVolume, UnknownVolume

from ...helpers.memory import CLUSTER, GIB, HERE, Fault
from ..support import DriverTestCase, lost

LABELS = {u"docker.name": u"db"}


class CreateTests(DriverTestCase):
    """``create_labelled_volume``"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.dataset_id = uuid4()

    def create(self, labels=LABELS, size=GIB, **arguments):
        return self.driver.create_labelled_volume(self.dataset_id, size, labels, **arguments)

    def test_created(self):
        """The request for the volume has the labels, and the usable volume is returned."""
        d = self.create(size=2 * GIB)
        [volume] = self.cloud.volumes.values()
        self.assertEqual(u"creating", volume.status)
        self.assertEqual(
            {
                u"docker.name": u"db",
                u"flocker-cluster-id": text_type(CLUSTER),
                u"flocker-dataset-id": text_type(self.dataset_id),
            },
            volume.labels,
        )
        self.assertNoResult(d)
        found = self.success(d)
        self.assertEqual(
            LabelledVolume(
                volume=BlockDeviceVolume(
                    blockdevice_id=volume.volume_id,
                    size=2 * GIB,
                    attached_to=None,
                    dataset_id=self.dataset_id,
                ),
                labels=LABELS,
                status=u"available",
                created_at=volume.created_at,
            ),
            found,
        )
        self.assertEqual(0, self.cloud.count("set labels"))
        self.assertEqual([found], self.success(self.driver.list_labelled_volumes()))

    def test_existing(self):
        """A volume that the dataset has is returned with its own labels, which are unchanged."""
        first = self.success(self.create())
        self.assertEqual(first, self.success(self.create({u"docker.name": u"other"})))
        self.assertEqual(1, self.cloud.count("create"))
        self.assertEqual(0, self.cloud.count("set labels"))
        error = self.failure(self.create(size=2 * GIB), DatasetConflict)
        self.assertEqual(first.volume.blockdevice_id, error.volume_id)

    def test_without_labels(self):
        """Volumes that ``create_volume`` makes have no labels of a consumer."""
        volume = self.success(self.driver.create_volume(self.dataset_id, GIB))
        found = self.success(self.create())
        self.assertEqual((volume, {}), (found.volume, found.labels))

    def test_at_once(self):
        """Calls at once share one volume, with the labels of the first."""
        both = [self.create(), self.create({})]
        self.pass_time()
        first, second = [self.successResultOf(d) for d in both]
        self.assertEqual((LABELS, first), (first.labels, second))
        self.assertEqual(1, self.cloud.count("create"))

    def test_response_lost(self):
        """After a lost response there is one volume, with the labels."""
        self.cloud.break_next("create", Fault(lost(), processed=True))
        self.assertEqual(LABELS, self.success(self.create()).labels)
        self.assertEqual(1, len(self.cloud.volumes))

    def test_cancelled(self):
        """A creation can be cancelled at any time, and repeated."""
        self.assertGreater(self.cut_short(self.create), 2)
        [found] = self.success(self.driver.list_labelled_volumes())
        self.assertEqual(LABELS, found.labels)
        self.assertEqual(1, len(self.cloud.volumes))

    def test_profile(self):
        """A profile's volume type is requested."""
        self.driver = self.new_driver(profiles={u"gold": u"ssd"})
        self.success(self.create(profile_name=u"gold"))
        [volume] = self.cloud.volumes.values()
        self.assertEqual(u"ssd", volume.volume_type)
        self.failure(self.create(profile_name=u"platinum"), UnknownProfile)

    def test_from_snapshot(self):
        """A volume can have a snapshot's data, and its size."""
        snapshot_id = self.cloud.add_snapshot(self.cloud.add())
        found = self.success(self.create(size=None, snapshot_id=snapshot_id))
        volume = self.cloud.volumes[found.volume.blockdevice_id]
        self.assertEqual((snapshot_id, None), (volume.snapshot_id, volume.source_volume_id))
        self.assertEqual((LABELS, GIB), (found.labels, found.volume.size))
        self.failure(self.create(snapshot_id=u"no-such"), DatasetConflict)
        self.dataset_id = uuid4()
        self.failure(self.create(snapshot_id=u"no-such"), UnknownSnapshot)

    def test_clone(self):
        """A volume can have another volume's data."""
        volume_id = self.cloud.add(u"in-use", HERE)
        found = self.success(self.create(size=2 * GIB, blockdevice_id=volume_id))
        volume = self.cloud.volumes[found.volume.blockdevice_id]
        self.assertEqual((None, volume_id), (volume.snapshot_id, volume.source_volume_id))
        self.assertEqual((LABELS, 2 * GIB), (found.labels, found.volume.size))
        self.dataset_id = uuid4()
        self.failure(self.create(blockdevice_id=u"no-such"), UnknownVolume)

    def test_refused(self):
        """Invalid arguments are refused without a request."""
        self.failure(self.create(snapshot_id=u"s", blockdevice_id=u"v"), InvalidSource)
        self.failure(self.create(size=None), InvalidSize)
        self.failure(self.create({u"flocker-cluster-id": u"c"}), InvalidLabel)
        self.dataset_id = u"no UUID"
        self.failure(self.create(), InvalidDatasetID)
        self.assertEqual([], self.cloud.requests)

    def test_callers_labels(self):
        """A caller may change its own dict afterwards."""
        labels = dict(LABELS)
        d = self.create(labels)
        labels.clear()
        self.assertEqual(LABELS, self.success(d).labels)


class ListTests(DriverTestCase):
    """``list_labelled_volumes``"""

    def test_same_volumes(self):
        """The list has the volumes that ``list_volumes`` has, in any status, with their labels."""
        dataset_id = uuid4()
        ids = [
            self.cloud.add(status, attached_to, dataset_id=each)
            for status, attached_to, each in [
                (u"available", None, dataset_id),
                (u"in-use", HERE, uuid4()),
                (u"creating", None, uuid4()),
                (u"error", None, uuid4()),
            ]
        ]
        for volume_id in ids:
            labels = dict(self.cloud.volumes[volume_id].labels, own=volume_id)
            self.cloud.change(volume_id, labels=labels)
        self.cloud.add(dataset_id=dataset_id)
        self.cloud.add(labels={u"own": u"nobody's"})
        self.cloud.add(labels={u"flocker-cluster-id": text_type(uuid4())})
        self.cloud.add(labels={u"flocker-cluster-id": text_type(CLUSTER)})
        plain = self.success(self.driver.list_volumes())
        found = self.success(self.driver.list_labelled_volumes())
        self.assertEqual(plain, [each.volume for each in found])
        self.assertEqual(sorted(ids), sorted(each.volume.blockdevice_id for each in found))
        for each in found:
            volume_id = each.volume.blockdevice_id
            self.assertEqual({u"own": volume_id}, each.labels)
            self.assertEqual(self.cloud.volumes[volume_id].status, each.status)

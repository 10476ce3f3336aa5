"""
Tests for :mod:`txstorage.driver.labels`.
"""

from __future__ import absolute_import, division, print_function

from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from txstorage._log import DUPLICATE_VOLUME, VOLUME_SKIPPED
from txstorage.clouds import Attachment, Volume, VolumePage
from txstorage.driver.labels import (
    UsableVolumes,
    belongs_to,
    block_device_volume,
    cluster_labels,
    dataset_labels,
    dataset_of,
    volume_name,
)
from txstorage.errors import MalformedLabels
from txstorage.interfaces import BlockDeviceVolume

CLUSTER = UUID("c0ffee00-0000-4000-8000-000000000001")
DATASET = UUID("da7a5e70-0000-4000-8000-000000000001")


def volume(volume_id=u"v", labels=None, attachments=(), **fields):
    labels = dataset_labels(CLUSTER, DATASET) if labels is None else labels
    return Volume(
        volume_id=volume_id,
        status=u"in-use",
        size=5,
        labels=labels,
        attachments=attachments,
        **fields
    )


class LabelsTests(SynchronousTestCase):
    """The labels of a cluster and a dataset."""

    def test_the_same_as_flocker_writes(self):
        """The labels and the name equal those of Flocker's own OpenStack driver."""
        self.assertEqual(
            {u"flocker-cluster-id": u"c0ffee00-0000-4000-8000-000000000001"},
            cluster_labels(CLUSTER),
        )
        self.assertEqual(
            dict(
                cluster_labels(CLUSTER),
                **{"flocker-dataset-id": u"da7a5e70-0000-4000-8000-000000000001"}
            ),
            dataset_labels(CLUSTER, DATASET),
        )
        self.assertEqual(
            u"flocker-da7a5e70-0000-4000-8000-000000000001", volume_name(DATASET)
        )

    def test_belongs_to(self):
        """A volume belongs to the cluster of its label, in any spelling of the UUID."""
        self.assertTrue(belongs_to(volume(), CLUSTER))
        upper_case = {u"flocker-cluster-id": u"C0FFEE00-0000-4000-8000-000000000001"}
        self.assertTrue(belongs_to(volume(labels=upper_case), CLUSTER))
        for labels in ({}, {u"flocker-cluster-id": u"x"}, cluster_labels(DATASET)):
            self.assertFalse(belongs_to(volume(labels=labels), CLUSTER), labels)

    def test_dataset_of(self):
        """
        The dataset id comes from the label; the error for a malformed label gives the problem.
        """
        self.assertEqual(DATASET, dataset_of(volume()))
        for labels, problem in [({}, "missing"), ({u"flocker-dataset-id": u"x"}, "not a UUID")]:
            error = self.assertRaises(MalformedLabels, dataset_of, volume(labels=labels))
            self.assertIn(problem, str(error))
            self.assertEqual(u"v", error.volume_id)
        for label in (5, None, [u"x"]):
            labels = {u"flocker-dataset-id": label}
            self.assertRaises(MalformedLabels, dataset_of, volume(labels=labels))

    def test_block_device_volume(self):
        """The ``BlockDeviceVolume`` has the id, the size, the dataset and the server."""
        self.assertEqual(
            BlockDeviceVolume(
                blockdevice_id=u"v", size=5, dataset_id=DATASET, attached_to=u"s"
            ),
            block_device_volume(volume(attachments=(Attachment(u"v", u"s"),))),
        )
        self.assertIs(None, block_device_volume(volume()).attached_to)


class UsableVolumesTests(SynchronousTestCase):
    """:class:`UsableVolumes`."""

    def selected(self, *volumes):
        """:return: a complete selection, and the number of its steps."""
        selection = UsableVolumes(VolumePage(volumes, ((u"m", u"odd"),)), CLUSTER)
        return selection, len(list(selection.steps()))

    def test_sorted_out(self):
        """The oldest volume of each dataset is used; the others are reported with the reason."""
        young = volume(u"a", created_at=u"2026-01-02")
        old = volume(u"b", created_at=u"2026-01-01")
        other = volume(u"c", labels=dataset_labels(CLUSTER, CLUSTER))
        nonsense = volume(u"d", labels=cluster_labels(CLUSTER))
        foreign = volume(u"e", labels=dataset_labels(DATASET, DATASET))
        selection, _ = self.selected(young, nonsense, old, foreign, other)
        self.assertEqual([block_device_volume(each) for each in (old, other)], selection.volumes)
        (first, odd), (second, missing), (third, duplicate) = selection.problems
        self.assertEqual([VOLUME_SKIPPED, VOLUME_SKIPPED, DUPLICATE_VOLUME], [first, second, third])
        self.assertEqual(dict(volume_id=u"m", reason=u"odd"), odd)
        self.assertEqual(u"d", missing["volume_id"])
        self.assertIn(u"missing", missing["reason"])
        self.assertEqual(dict(dataset_id=DATASET, volume_id=u"a", used=u"b"), duplicate)

    def test_in_steps(self):
        """The work is cut into steps, and rivals are found wherever they stand in the list."""
        datasets = [UUID(int=number) for number in range(200)]
        volumes = [volume(u"%d" % d.int, dataset_labels(CLUSTER, d)) for d in datasets]
        rivals = [volume(u"z%d" % d.int, dataset_labels(CLUSTER, d)) for d in datasets]
        selection, steps = self.selected(*(rivals + volumes))
        self.assertEqual(datasets, [each.dataset_id for each in selection.volumes])
        self.assertEqual(
            [each.volume_id for each in volumes], [v.blockdevice_id for v in selection.volumes]
        )
        self.assertEqual(1 + 200, len(selection.problems))
        self.assertGreater(steps, 400 // 64)

"""
Drivers that are wrong about labels.
"""

from __future__ import absolute_import, division, print_function

import attr

from txstorage.interfaces import LabelledVolume

from ..reference import AsynchronousReference, BlockingReference
from .table import caught_by


def changed(found, **fields):
    """Change a volume with labels."""
    return LabelledVolume(**dict(attr.asdict(found, recurse=False), **fields))


@caught_by("LabelTests.test_interface")
class NoAdoption(AsynchronousReference):
    """There is no way to adopt."""

    @property
    def adopt_volume(self):
        raise AttributeError("adopt_volume")


@caught_by("LabelTests.test_created")
class CreatedWithoutLabels(BlockingReference):
    """A new volume has no labels."""

    def create_labelled_volume(self, dataset_id, size, labels, *source):
        return BlockingReference.create_labelled_volume(self, dataset_id, size, {}, *source)


@caught_by("LabelTests.test_created: list of labels")
class ListedWithoutLabels(BlockingReference):
    """The list has no labels."""

    def list_labelled_volumes(self):
        found = BlockingReference.list_labelled_volumes(self)
        return [changed(each, labels={}) for each in found]


@caught_by("LabelTests.test_created: no status")
class NoStatus(BlockingReference):
    """A volume has no status."""

    def _labelled(self, volume):
        return changed(BlockingReference._labelled(self, volume), status=u"")


@caught_by("LabelTests.test_without_labels")
class ShowsItsOwnLabels(BlockingReference):
    """The driver's own labels are shown."""

    def _labelled(self, volume):
        found = BlockingReference._labelled(self, volume)
        return changed(found, labels=dict(found.labels, **{u"flocker-cluster-id": u"c"}))


@caught_by("LabelTests.test_without_labels", "LabelTests.test_one_for_a_dataset")
class ListsLabelledOnly(BlockingReference):
    """Volumes without labels are not in the list, and get the labels of a second creation."""

    def create_labelled_volume(self, dataset_id, size, labels, *source):
        found = BlockingReference.create_labelled_volume(self, dataset_id, size, labels, *source)
        return BlockingReference.set_labels(self, found.volume.blockdevice_id, labels)

    def list_labelled_volumes(self):
        found = BlockingReference.list_labelled_volumes(self)
        return [each for each in found if each.labels]


@caught_by("LabelTests.test_attached")
class LabelsShowNoAttachment(BlockingReference):
    """A volume whose labels are changed is shown unattached."""

    def set_labels(self, blockdevice_id, labels):
        found = BlockingReference.set_labels(self, blockdevice_id, labels)
        return changed(found, volume=found.volume.set(attached_to=None))


@caught_by("LabelTests.test_set")
class SetReplacesAll(BlockingReference):
    """New labels replace all."""

    def _label(self, volume, labels):
        self.storage.labels[volume.blockdevice_id] = dict(labels)


@caught_by("LabelTests.test_set: yield self.assert_labelled")
class SetChangesNothing(BlockingReference):
    """New labels are returned, and forgotten."""

    def set_labels(self, blockdevice_id, labels):
        found = BlockingReference.get_labelled_volume(self, blockdevice_id)
        self._check_labels(labels)
        return changed(found, labels=dict(found.labels, **labels))


@caught_by("LabelTests.test_removed: KeyError")
class RemovesOnce(BlockingReference):
    """A label that is absent can't be removed."""

    def remove_label(self, blockdevice_id, label):
        self._check_labels({label: u""})
        self._known(blockdevice_id)
        del self.storage.labels[blockdevice_id][label]


@caught_by("LabelTests.test_removed: left.labels")
class RemovesAll(BlockingReference):
    """The other labels are removed, too."""

    def remove_label(self, blockdevice_id, label):
        BlockingReference.remove_label(self, blockdevice_id, label)
        self.storage.labels[blockdevice_id] = {}


@caught_by("LabelTests.test_invalid")
class AnyLabel(BlockingReference):
    """Every label is accepted."""

    def _check_labels(self, labels):
        pass


@caught_by("LabelTests.test_invalid: yield self.assert_labelled")
class RefusesAfterSetting(BlockingReference):
    """Valid labels beside an invalid one are set."""

    def set_labels(self, blockdevice_id, labels):
        good = {u"good": labels[u"good"]} if u"good" in labels else labels
        found = BlockingReference.set_labels(self, blockdevice_id, good)
        self._check_labels(labels)
        return found


@caught_by("LabelTests.test_invalid: remove")
class RemovesReserved(BlockingReference):
    """The driver's own labels can be removed."""

    def remove_label(self, blockdevice_id, label):
        self._known(blockdevice_id)
        self.storage.labels.get(blockdevice_id, {}).pop(label, None)


@caught_by("LabelTests.test_unknown_volume")
class LabelsOfNothing(BlockingReference):
    """A label of a volume that does not exist can be removed."""

    def remove_label(self, blockdevice_id, label):
        self._check_labels({label: u""})
        self.storage.labels.get(blockdevice_id, {}).pop(label, None)


@caught_by("LabelTests.test_unowned")
class KnowsUnowned(BlockingReference):
    """The volumes of no cluster have labels."""

    def get_labelled_volume(self, blockdevice_id):
        volume = self.storage.volumes.get((None, blockdevice_id))
        return self._labelled(volume or self._known(blockdevice_id))


@caught_by("LabelTests.test_adopted")
class AdoptsOnce(BlockingReference):
    """An adopted volume can't be adopted again."""

    def adopt_volume(self, blockdevice_id, dataset_id, labels):
        if (self.cluster_id, blockdevice_id) in self.storage.volumes:
            raise ValueError("it was adopted")
        return BlockingReference.adopt_volume(self, blockdevice_id, dataset_id, labels)


@caught_by("LabelTests.test_adopted")
class AdoptsWithoutLabels(BlockingReference):
    """An adopted volume does not get the labels."""

    def adopt_volume(self, blockdevice_id, dataset_id, labels):
        self._check_labels(labels)
        return BlockingReference.adopt_volume(self, blockdevice_id, dataset_id, {})


@caught_by("LabelTests.test_adopted: self.assertEqual(found, again)")
class AdoptsAgain(BlockingReference):
    """A volume that is adopted again gets other labels."""

    def adopt_volume(self, blockdevice_id, dataset_id, labels):
        BlockingReference.adopt_volume(self, blockdevice_id, dataset_id, labels)
        return BlockingReference.set_labels(self, blockdevice_id, labels)


@caught_by("LabelTests.test_adopted_by_another")
class Steals(BlockingReference):
    """The volume of another dataset is adopted."""

    def adopt_volume(self, blockdevice_id, dataset_id, labels):
        volume = self.storage.volumes.pop((self.cluster_id, blockdevice_id), None)
        if volume is not None:
            self.storage.volumes[None, blockdevice_id] = volume
        return BlockingReference.adopt_volume(self, blockdevice_id, dataset_id, labels)


@caught_by("LabelTests.test_second_volume")
class TwoVolumes(BlockingReference):
    """A dataset that has a volume adopts another."""

    def adopt_volume(self, blockdevice_id, dataset_id, labels):
        volume = self.storage.volumes.get((None, blockdevice_id))
        if volume is None:
            return BlockingReference.adopt_volume(self, blockdevice_id, dataset_id, labels)
        self._check_labels(labels)
        return self._labelled(self._put(volume.set(dataset_id=dataset_id)))


@caught_by("LabelTests.test_others_unknown")
class LabelsOfOthers(BlockingReference):
    """The labels of other clusters' volumes can be changed."""

    def set_labels(self, blockdevice_id, labels):
        for (_, volume_id), volume in self.storage.volumes.items():
            if volume_id == blockdevice_id:
                self._check_labels(labels)
                self._label(volume, labels)
        return BlockingReference.set_labels(self, blockdevice_id, labels)

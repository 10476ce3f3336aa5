"""
Drivers that are wrong about snapshots, clones and growing volumes.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

import attr

from txstorage._support.compat import text_type

from ..reference import AsynchronousReference, BlockingReference, link
from .table import caught_by


@caught_by("SnapshotTests.test_interface")
class NoClones(AsynchronousReference):
    """There is no way to clone."""

    @property
    def clone_volume(self):
        raise AttributeError("clone_volume")


@caught_by("GrowTests.test_interface")
class NoGrowth(AsynchronousReference):
    """There is no way to grow."""

    @property
    def grow_volume(self):
        raise AttributeError("grow_volume")


@caught_by("test_snapshot_is_listed")
class SnapshotUnlisted(BlockingReference):
    """Snapshots are not listed."""

    def list_snapshots(self):
        return []


@caught_by(
    "test_snapshot_is_listed: self.assertEqual([], listed)", "SnapshotTests.test_unknown_snapshot"
)
class SnapshotStays(BlockingReference):
    """A destroyed snapshot stays."""

    def destroy_snapshot(self, snapshot_id):
        self._known_snapshot(snapshot_id)


@caught_by("test_snapshot_is_listed")
class SnapshotWithoutDataset(BlockingReference):
    """A snapshot does not name the dataset."""

    def _snapshot(self, volume, name, labels):
        snapshot = BlockingReference._snapshot(self, volume, name, labels)
        changed = type(snapshot)(**dict(attr.asdict(snapshot, recurse=False), dataset_id=None))
        self.storage.snapshots[self.cluster_id, snapshot.snapshot_id] = changed
        return changed


@caught_by("test_one_for_a_name")
class SnapshotsOfOneName(BlockingReference):
    """A second snapshot of the same name is another one."""

    def create_snapshot(self, blockdevice_id, name, labels):
        return self._snapshot(self._known(blockdevice_id), name, labels)


@caught_by("test_one_for_a_name")
class OneSnapshotForAll(BlockingReference):
    """Each volume has one snapshot, whatever its name."""

    def create_snapshot(self, blockdevice_id, name, labels):
        return BlockingReference.create_snapshot(self, blockdevice_id, u"first", labels)


@caught_by("test_snapshot_keeps_data")
class LinkedSnapshot(BlockingReference):
    """A snapshot is the volume's own file, and changes with it."""

    def _snapshot(self, volume, name, labels):
        snapshot = BlockingReference._snapshot(self, volume, name, labels)
        path = self.storage.files.child(snapshot.snapshot_id)
        path.remove()
        link(self.storage.files.child(volume.blockdevice_id), path)
        return snapshot


@caught_by(
    "test_snapshot_keeps_data", "test_clone_has_data", "test_copies_outlive_the_snapshot"
)
class EmptyCopies(BlockingReference):
    """A copy is empty."""

    def _fill(self, volume, source_id):
        pass


@caught_by("test_clone_has_data")
class LinkedClone(BlockingReference):
    """A clone is the other volume's file."""

    def _fill(self, volume, source_id):
        path = self.storage.files.child(volume.blockdevice_id)
        path.remove()
        link(self.storage.files.child(source_id), path)


@caught_by("test_copies_may_be_larger")
class SmallerCopies(BlockingReference):
    """A copy may be smaller than its source."""

    def _copy(self, dataset_id, source_id, least, size):
        return BlockingReference._copy(self, dataset_id, source_id, 0, size)


@caught_by("test_copies_may_be_larger: self.assertEqual(2 * larger")
class CopiesOfOneSize(BlockingReference):
    """A copy always has its source's size."""

    def _copy(self, dataset_id, source_id, least, size):
        if size is not None and size < least:
            return BlockingReference._copy(self, dataset_id, source_id, least, size)
        return BlockingReference._copy(self, dataset_id, source_id, least, None)


@caught_by("test_one_copy_for_a_dataset")
class TwoCopies(BlockingReference):
    """Each call makes another copy."""

    def _copy(self, dataset_id, source_id, least, size):
        before = self.list_volumes()
        for volume in before:
            if self.storage.origins.get(volume.blockdevice_id) == source_id:
                self._forget(volume)
        made = BlockingReference._copy(self, dataset_id, source_id, least, size)
        for volume in before:
            self._put(volume)
        return made


@caught_by("test_other_data")
class AnyData(BlockingReference):
    """A volume of the dataset is taken for the copy, whatever its data."""

    def _copy(self, dataset_id, source_id, least, size):
        for volume in self.list_volumes():
            if volume.dataset_id == dataset_id:
                return volume
        return BlockingReference._copy(self, dataset_id, source_id, least, size)


@caught_by("test_snapshots_keep_the_volume")
class SnapshotsDoNotMatter(BlockingReference):
    """A volume with snapshots is destroyed."""

    def _snapshots_of(self, volume):
        return []


@caught_by("test_copies_outlive_the_snapshot")
class CopiesGoWithTheSnapshot(BlockingReference):
    """The copies of a destroyed snapshot lose their data."""

    def destroy_snapshot(self, snapshot_id):
        BlockingReference.destroy_snapshot(self, snapshot_id)
        for volume_id, source_id in self.storage.origins.items():
            if source_id == snapshot_id:
                self.storage.files.child(volume_id).setContent(b"", b".new")


@caught_by("SnapshotTests.test_unknown_volume")
class SnapshotOfNothing(BlockingReference):
    """A snapshot of a volume that does not exist can be made."""

    def create_snapshot(self, blockdevice_id, name, labels):
        try:
            return BlockingReference.create_snapshot(self, blockdevice_id, name, labels)
        except Exception:
            return self._snapshot(self._make(uuid4(), 1), name, labels)


@caught_by("test_unknown_snapshot")
class UnknownSnapshotIsAValueError(BlockingReference):
    """An unknown snapshot is another error."""

    def _known_snapshot(self, snapshot_id):
        snapshot = self.storage.snapshots.get((self.cluster_id, snapshot_id))
        if snapshot is None:
            raise ValueError(text_type(snapshot_id))
        return snapshot


@caught_by("GrowTests.test_detached", "GrowTests.test_attached")
class GrowsInTheListOnly(BlockingReference):
    """The device does not grow."""

    def grow_volume(self, blockdevice_id, size):
        volume = self._known(blockdevice_id)
        if volume.size > size:
            return BlockingReference.grow_volume(self, blockdevice_id, size)
        return self._put(volume.set(size=size))


@caught_by("GrowTests.test_attached: has_mark")
class GrowsEmpty(BlockingReference):
    """A volume that grows loses its data."""

    def grow_volume(self, blockdevice_id, size):
        volume = BlockingReference.grow_volume(self, blockdevice_id, size)
        with self.storage.files.child(blockdevice_id).open("r+") as device:
            device.truncate(0)
            device.truncate(size)
        return volume


@caught_by("GrowTests.test_detached: yield self.assert_listed")
class GrowsUnlisted(BlockingReference):
    """The list has the old size."""

    def grow_volume(self, blockdevice_id, size):
        before = self._known(blockdevice_id)
        after = BlockingReference.grow_volume(self, blockdevice_id, size)
        self._put(before)
        return after


@caught_by("GrowTests.test_same_size")
class GrowsAlways(BlockingReference):
    """Growing to the same size makes the volume larger."""

    def grow_volume(self, blockdevice_id, size):
        volume = self._known(blockdevice_id)
        if volume.size == size:
            size *= 2
        return BlockingReference.grow_volume(self, blockdevice_id, size)


@caught_by("test_never_shrinks")
class Shrinks(BlockingReference):
    """A volume shrinks."""

    def grow_volume(self, blockdevice_id, size):
        return self._put(self._known(blockdevice_id).set(size=size))


@caught_by("GrowTests.test_unknown_volume")
class GrowsUnknown(BlockingReference):
    """The growth of an unknown volume succeeds."""

    def grow_volume(self, blockdevice_id, size):
        try:
            return BlockingReference.grow_volume(self, blockdevice_id, size)
        except Exception:
            return None

# -*- test-case-name: tests.testing.test_mutants -*-
"""
Tests for drivers with snapshots, clones and growing volumes.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import inlineCallbacks, returnValue
from zope.interface.verify import verifyObject

from ..errors import DatasetConflict, InvalidSize, StorageError, UnknownSnapshot
from ..interfaces import (
    IResizableBlockDeviceAsyncAPI,
    ISnapshottingBlockDeviceAsyncAPI,
    UnknownVolume,
)
from .base_suite import Suite
from .volumes import has_mark, mark, remove_snapshots

MYPY = False
if MYPY:
    from typing import Any, Generator  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from ..interfaces import BlockDeviceVolume  # noqa: F401


class Marked(Suite):
    """A base class of tests that write to volumes, and read copies of them."""

    @inlineCallbacks
    def written(self):
        # type: () -> Generator[Any, Any, Any]
        """:return: a ``Deferred`` that fires with an attached volume, its path and its mark."""
        volume = yield self.create()
        volume = yield self.attach(volume)
        path = yield self.path(volume)
        returnValue((volume, path, mark(path)))

    @inlineCallbacks
    def assert_marked(self, volume, expected):
        # type: (BlockDeviceVolume, bytes) -> Generator[Any, Any, None]
        """Attach a volume, and assert that it begins with a mark."""
        attached = yield self.attach(volume)
        path = yield self.path(attached)
        self.assertTrue(has_mark(path, expected), "the volume has other data")


class Snapshotting(Marked):
    """
    Tests of ``ISnapshottingBlockDeviceAsyncAPI``.

    :cvar bool snapshots_keep_volumes: whether a volume with snapshots can't be destroyed.
    """

    snapshots_keep_volumes = True

    def clean_up(self):
        # type: () -> Any
        """See ``Suite.clean_up``; the snapshots keep the volumes."""
        d = self.settle(remove_snapshots(self.api))
        return d.addBoth(lambda result: Suite.clean_up(self).addCallback(lambda _: result))

    def snapshot(self, volume, name=u"first", **labels):
        # type: (BlockDeviceVolume, Any, **Any) -> Any
        return self.settle(self.api.create_snapshot(volume.blockdevice_id, name, labels))

    def restored(self, snapshot, size=None, dataset_id=None):
        # type: (Any, Any, Any) -> Any
        return self.settle(
            self.api.create_volume_from_snapshot(
                dataset_id or uuid4(), snapshot.snapshot_id, size
            )
        )

    def cloned(self, volume, size=None, dataset_id=None):
        # type: (BlockDeviceVolume, Any, Any) -> Any
        return self.settle(
            self.api.clone_volume(dataset_id or uuid4(), volume.blockdevice_id, size)
        )

    def test_interface(self):
        # type: () -> None
        """The driver provides ``ISnapshottingBlockDeviceAsyncAPI``."""
        self.assertTrue(verifyObject(ISnapshottingBlockDeviceAsyncAPI, self.driver))

    @inlineCallbacks
    def test_snapshot_is_listed(self):
        # type: () -> Generator[Any, Any, None]
        """A snapshot has the volume, the name and the size, and is listed; destroyed, it is not."""
        volume = yield self.create()
        snapshot = yield self.snapshot(volume)
        self.assertEqual(
            (volume.blockdevice_id, volume.dataset_id, u"first", volume.size, {}),
            (
                snapshot.blockdevice_id,
                snapshot.dataset_id,
                snapshot.name,
                snapshot.size,
                snapshot.labels,
            ),
        )
        listed = yield self.settle(self.api.list_snapshots())
        self.assertEqual([snapshot], listed)
        yield self.settle(self.api.destroy_snapshot(snapshot.snapshot_id))
        listed = yield self.settle(self.api.list_snapshots())
        self.assertEqual([], listed)

    @inlineCallbacks
    def test_one_for_a_name(self):
        # type: () -> Generator[Any, Any, None]
        """A second snapshot of the same name is the first one, and another name is another."""
        volume = yield self.create()
        first = yield self.snapshot(volume)
        again, at_once, other = yield self.all(
            self.api.create_snapshot(volume.blockdevice_id, name, {})
            for name in (u"first", u"first", u"other")
        )
        self.assertEqual((first, first), (again, at_once))
        self.assertNotEqual(first.snapshot_id, other.snapshot_id)
        listed = yield self.settle(self.api.list_snapshots())
        self.assertEqual(
            {first.snapshot_id, other.snapshot_id}, {each.snapshot_id for each in listed}
        )

    @inlineCallbacks
    def test_snapshot_keeps_data(self):
        # type: () -> Generator[Any, Any, None]
        """
        A snapshot of an attached volume has the data that was on the device then, and a volume made
        from it is independent of the first one.
        """
        volume, path, before = yield self.written()
        snapshot = yield self.snapshot(volume)
        after = mark(path)
        restored = yield self.restored(snapshot)
        self.assertEqual((volume.size, None), (restored.size, restored.attached_to))
        yield self.assert_marked(restored, before)
        self.assertTrue(has_mark(path, after), "the volume itself was changed")

    @inlineCallbacks
    def test_clone_has_data(self):
        # type: () -> Generator[Any, Any, None]
        """A clone of an attached volume has its data, and is independent of it."""
        volume, path, before = yield self.written()
        clone = yield self.cloned(volume)
        mark(path)
        yield self.assert_marked(clone, before)
        yield self.settle(self.api.detach_volume(volume.blockdevice_id))
        yield self.settle(self.api.destroy_volume(volume.blockdevice_id))
        clone = clone.set(attached_to=self.this_node)
        yield self.assert_listed(clone)
        path = yield self.path(clone)
        self.assertTrue(has_mark(path, before), "the clone has other data")

    @inlineCallbacks
    def test_copies_may_be_larger(self):
        # type: () -> Generator[Any, Any, None]
        """A copy may be larger than its source, but not smaller."""
        larger = 2 * self.size
        volume = yield self.settle(self.api.create_volume(uuid4(), larger))
        snapshot = yield self.snapshot(volume)
        for copy, source in [(self.restored, snapshot), (self.cloned, volume)]:
            yield self.assertFailure(copy(source, self.size), InvalidSize)
            made = yield copy(source, 2 * larger)
            self.assertEqual(2 * larger, made.size)

    @inlineCallbacks
    def test_one_copy_for_a_dataset(self):
        # type: () -> Generator[Any, Any, None]
        """A dataset has one copy, however often it is made."""
        volume = yield self.create()
        snapshot = yield self.snapshot(volume)
        for copy, source in [(self.restored, snapshot), (self.cloned, volume)]:
            dataset_id = uuid4()
            first = yield copy(source, dataset_id=dataset_id)
            again = yield copy(source, dataset_id=dataset_id)
            self.assertEqual(first, again)

    @inlineCallbacks
    def test_other_data(self):
        # type: () -> Generator[Any, Any, None]
        """A volume of the dataset that has other data is never taken for the copy."""
        volume = yield self.create()
        other = yield self.create()
        snapshot = yield self.snapshot(volume)
        for copy, source in [(self.restored, snapshot), (self.cloned, volume)]:
            copying = copy(source, dataset_id=other.dataset_id)
            yield self.assertFailure(copying, DatasetConflict)
        yield self.assert_listed(volume, other)

    @inlineCallbacks
    def test_snapshots_keep_the_volume(self):
        # type: () -> Generator[Any, Any, None]
        """
        A volume with a snapshot is not destroyed before the snapshot is, or its snapshot stays.
        """
        volume = yield self.create()
        snapshot = yield self.snapshot(volume)
        if not self.snapshots_keep_volumes:
            yield self.destroy(volume)
            listed = yield self.settle(self.api.list_snapshots())
            self.assertEqual([snapshot.snapshot_id], [each.snapshot_id for each in listed])
            return
        yield self.assertFailure(self.destroy(volume), StorageError)
        yield self.assert_listed(volume)
        yield self.settle(self.api.destroy_snapshot(snapshot.snapshot_id))
        yield self.destroy(volume)
        yield self.assert_listed()

    @inlineCallbacks
    def test_copies_outlive_the_snapshot(self):
        # type: () -> Generator[Any, Any, None]
        """A volume made from a snapshot keeps its data when the snapshot is destroyed."""
        volume, _, before = yield self.written()
        snapshot = yield self.snapshot(volume)
        restored = yield self.restored(snapshot)
        yield self.settle(self.api.destroy_snapshot(snapshot.snapshot_id))
        yield self.assert_marked(restored, before)

    @inlineCallbacks
    def test_unknown_snapshot(self):
        # type: () -> Generator[Any, Any, None]
        """A snapshot that was destroyed can't be copied, and not be destroyed again."""
        volume = yield self.create()
        snapshot = yield self.snapshot(volume)
        yield self.settle(self.api.destroy_snapshot(snapshot.snapshot_id))
        for d in (
            self.restored(snapshot),
            self.settle(self.api.destroy_snapshot(snapshot.snapshot_id)),
        ):
            error = yield self.assertFailure(d, UnknownSnapshot)
            self.assertEqual(snapshot.snapshot_id, error.snapshot_id)
        yield self.assert_listed(volume)

    @inlineCallbacks
    def test_unknown_volume(self):
        # type: () -> Generator[Any, Any, None]
        """There is neither a snapshot nor a clone of a volume that was destroyed."""
        volume = yield self.create()
        yield self.destroy(volume)
        volume_id = volume.blockdevice_id
        yield self.assert_fails(
            UnknownVolume, volume_id, self.api.create_snapshot(volume_id, u"n", {})
        )
        yield self.assert_fails(
            UnknownVolume, volume_id, self.api.clone_volume(uuid4(), volume_id)
        )
        yield self.assert_listed()


class Resizable(Marked):
    """Tests of ``IResizableBlockDeviceAsyncAPI``."""

    def grow(self, volume, size):
        # type: (BlockDeviceVolume, int) -> Any
        return self.settle(self.api.grow_volume(volume.blockdevice_id, size))

    def test_interface(self):
        # type: () -> None
        """The driver provides ``IResizableBlockDeviceAsyncAPI``."""
        self.assertTrue(verifyObject(IResizableBlockDeviceAsyncAPI, self.driver))

    @inlineCallbacks
    def test_detached(self):
        # type: () -> Generator[Any, Any, None]
        """A volume grows, and its device has the size later."""
        volume = yield self.create()
        grown = yield self.grow(volume, 2 * self.size)
        self.assertEqual(volume.set(size=2 * self.size), grown)
        yield self.assert_listed(grown)
        attached = yield self.attach(grown)
        path = yield self.path(attached)
        self.assertEqual(2 * self.size, self.device_size(path))

    @inlineCallbacks
    def test_attached(self):
        # type: () -> Generator[Any, Any, None]
        """The device of an attached volume has the size at once, and keeps its data."""
        volume, path, before = yield self.written()
        grown = yield self.grow(volume, 2 * self.size)
        self.assertEqual(volume.set(size=2 * self.size), grown)
        self.assertEqual(2 * self.size, self.device_size(path))
        self.assertTrue(has_mark(path, before), "the volume has other data")

    @inlineCallbacks
    def test_same_size(self):
        # type: () -> Generator[Any, Any, None]
        """Growing to the size that a volume has changes nothing."""
        volume = yield self.create()
        same = yield self.grow(volume, self.size)
        self.assertEqual(volume, same)
        yield self.assert_listed(volume)

    @inlineCallbacks
    def test_never_shrinks(self):
        # type: () -> Generator[Any, Any, None]
        """A volume never shrinks."""
        volume = yield self.settle(self.api.create_volume(uuid4(), 2 * self.size))
        yield self.assertFailure(self.grow(volume, self.size), InvalidSize)
        yield self.assert_listed(volume)

    @inlineCallbacks
    def test_unknown_volume(self):
        # type: () -> Generator[Any, Any, None]
        """A volume that was destroyed does not grow."""
        volume = yield self.create()
        yield self.destroy(volume)
        volume_id = volume.blockdevice_id
        yield self.assert_fails(
            UnknownVolume, volume_id, self.api.grow_volume(volume_id, 2 * self.size)
        )

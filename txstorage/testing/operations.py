# -*- test-case-name: tests.testing.test_suites -*-
"""
The preparation, the start and the check of each operation, for suites that interrupt one.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import inlineCallbacks, maybeDeferred, returnValue

from ..errors import UnknownSnapshot
from ..interfaces import AlreadyAttachedVolume, UnattachedVolume, UnknownVolume
from .volumes import has_mark, mark, size_of

MYPY = False
if MYPY:
    from typing import Any, Callable, Generator, Tuple  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from ..interfaces import BlockDeviceVolume  # noqa: F401

    # the factory of a suite adds the TestCase and the attributes of the driver's author
    _Mixin = Any
else:
    _Mixin = object


class Operations(_Mixin):  # type: ignore[misc]
    """The operations; a suite provides ``api``, ``size``, ``this_node`` and ``settle``."""

    def prepare_create(self):
        # type: () -> Any
        return maybeDeferred(uuid4)

    def begin_create(self, dataset_id):
        # type: (UUID) -> Any
        return self.api.create_volume(dataset_id, self.size)

    @inlineCallbacks
    def check_create(self, dataset_id):
        # type: (UUID) -> Generator[Any, Any, None]
        listed = yield self.settle(self.api.list_volumes())
        self.assertEqual([dataset_id], [v.dataset_id for v in listed if v.dataset_id == dataset_id])

    def prepare_attach(self):
        # type: () -> Any
        return self.settle(self.begin_create(uuid4()))

    def begin_attach(self, volume):
        # type: (BlockDeviceVolume) -> Any
        return self.api.attach_volume(volume.blockdevice_id, self.this_node)

    @inlineCallbacks
    def check_attach(self, volume):
        # type: (BlockDeviceVolume) -> Generator[Any, Any, None]
        listed = yield self.settle(self.api.list_volumes())
        self.assertIn(volume.set(attached_to=self.this_node), listed)
        path = yield self.settle(self.api.get_device_path(volume.blockdevice_id))
        self.assertTrue(path.exists())

    def prepare_detach(self):
        # type: () -> Any
        return self.prepare_attach().addCallback(lambda v: self.settle(self.begin_attach(v)))

    def begin_detach(self, volume):
        # type: (BlockDeviceVolume) -> Any
        return self.api.detach_volume(volume.blockdevice_id)

    @inlineCallbacks
    def check_detach(self, volume):
        # type: (BlockDeviceVolume) -> Generator[Any, Any, None]
        listed = yield self.settle(self.api.list_volumes())
        self.assertIn(volume.set(attached_to=None), listed)

    prepare_destroy = prepare_attach

    def begin_destroy(self, volume):
        # type: (BlockDeviceVolume) -> Any
        return self.api.destroy_volume(volume.blockdevice_id)

    @inlineCallbacks
    def check_destroy(self, volume):
        # type: (BlockDeviceVolume) -> Generator[Any, Any, None]
        listed = yield self.settle(self.api.list_volumes())
        self.assertNotIn(volume.blockdevice_id, [v.blockdevice_id for v in listed])

    # -- the operations of drivers with snapshots, and with volumes that grow --------------

    def _snapshot(self, volume):
        # type: (BlockDeviceVolume) -> Any
        return self.api.create_snapshot(volume.blockdevice_id, u"snapshot", {})

    def prepare_snapshot(self):
        # type: () -> Any
        """See :meth:`prepare_clone`."""
        return self.prepare_clone()

    def begin_snapshot(self, subject):
        # type: (Any) -> Any
        return self._snapshot(subject[0])

    @inlineCallbacks
    def check_snapshot(self, subject):
        # type: (Any) -> Generator[Any, Any, None]
        volume, content, dataset_id = subject
        [snapshot] = yield self._snapshots_of(volume.blockdevice_id)
        self.assertEqual((u"snapshot", volume.size), (snapshot.name, snapshot.size))
        restored = snapshot, content, dataset_id
        yield self.settle(self.begin_restore(restored))
        yield self.check_restore(restored)

    @inlineCallbacks
    def _snapshots_of(self, volume_id):
        # type: (Any) -> Generator[Any, Any, Any]
        listed = yield self.settle(self.api.list_snapshots())
        returnValue([each for each in listed if each.blockdevice_id == volume_id])

    def prepare_discard(self):
        # type: () -> Any
        return self.prepare_attach().addCallback(
            lambda volume: self.settle(self._snapshot(volume))
        )

    def begin_discard(self, snapshot):
        # type: (Any) -> Any
        return self.api.destroy_snapshot(snapshot.snapshot_id)

    @inlineCallbacks
    def check_discard(self, snapshot):
        # type: (Any) -> Generator[Any, Any, None]
        left = yield self._snapshots_of(snapshot.blockdevice_id)
        self.assertEqual([], left)

    @inlineCallbacks
    def prepare_clone(self):
        # type: () -> Generator[Any, Any, Any]
        """:return: a ``Deferred`` that fires with a volume, its mark, and a new dataset's id."""
        volume = yield self.prepare_attach()
        yield self.settle(self.begin_attach(volume))
        path = yield self.settle(self.api.get_device_path(volume.blockdevice_id))
        returnValue((volume, mark(path), uuid4()))

    @inlineCallbacks
    def prepare_restore(self):
        # type: () -> Generator[Any, Any, Any]
        """:return: a ``Deferred`` that fires with a snapshot, its mark, and a new dataset's id."""
        volume, content, dataset_id = yield self.prepare_clone()
        snapshot = yield self.settle(self._snapshot(volume))
        returnValue((snapshot, content, dataset_id))

    def begin_restore(self, subject):
        # type: (Any) -> Any
        snapshot, _, dataset_id = subject
        return self.api.create_volume_from_snapshot(dataset_id, snapshot.snapshot_id)

    @inlineCallbacks
    def check_restore(self, subject):
        # type: (Any) -> Generator[Any, Any, None]
        source, content, dataset_id = subject
        listed = yield self.settle(self.api.list_volumes())
        [volume] = [each for each in listed if each.dataset_id == dataset_id]
        self.assertEqual(source.size, volume.size)
        yield self.settle(self.begin_attach(volume))
        path = yield self.settle(self.api.get_device_path(volume.blockdevice_id))
        self.assertTrue(has_mark(path, content), "the copy has other data")

    def begin_clone(self, subject):
        # type: (Any) -> Any
        volume, _, dataset_id = subject
        return self.api.clone_volume(dataset_id, volume.blockdevice_id)

    check_clone = check_restore

    def prepare_grow(self):
        # type: () -> Any
        """See :meth:`prepare_clone`."""
        return self.prepare_clone()

    def begin_grow(self, subject):
        # type: (Any) -> Any
        return self.api.grow_volume(subject[0].blockdevice_id, 2 * self.size)

    @inlineCallbacks
    def check_grow(self, subject):
        # type: (Any) -> Generator[Any, Any, None]
        volume, content, _ = subject
        listed = yield self.settle(self.api.list_volumes())
        self.assertIn(volume.set(size=2 * self.size, attached_to=self.this_node), listed)
        path = yield self.settle(self.api.get_device_path(volume.blockdevice_id))
        self.assertEqual(2 * self.size, size_of(path))
        self.assertTrue(has_mark(path, content), "the volume has other data")

    #: The operations that a volume can go through again and again, by the one that undoes them.
    opposite = {"attach": "detach", "detach": "attach"}

    #: The errors that an operation may raise when it is repeated after it has succeeded.
    done = {
        "create": (),
        "attach": (AlreadyAttachedVolume,),
        "detach": (UnattachedVolume,),
        "destroy": (UnknownVolume,),
        "snapshot": (),
        "discard": (UnknownSnapshot,),
        "restore": (),
        "clone": (),
        "grow": (),
    }

    def parts(self, operation):
        # type: (str) -> Tuple[Callable[..., Any], ...]
        return tuple(
            getattr(self, prefix + operation) for prefix in ("prepare_", "begin_", "check_")
        )

    def repeat(self, operation, subject):
        # type: (str, Any) -> Any
        """
        Repeat an operation.

        :return: a ``Deferred`` that fires when the operation has succeeded, now or before.
        """
        _, begin, _ = self.parts(operation)
        return self.settle(begin(subject).addErrback(lambda f: f.trap(*self.done[operation])))

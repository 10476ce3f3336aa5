# -*- test-case-name: tests.whole.test_contract -*-
"""
Tests of several operations at once, for drivers whose calls can overlap.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import DeferredList, inlineCallbacks

from ..interfaces import (
    AlreadyAttachedVolume,
    UnattachedVolume,
    UnknownVolume,
    VolumeException,
)
from .conformance import Conformance

MYPY = False
if MYPY:
    from typing import Any, Callable, Generator, Iterable, List, Tuple, Type  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from ..interfaces import BlockDeviceVolume  # noqa: F401


class Concurrency(Conformance):
    """The tests, with those of conformance, as a base class beside ``TestCase``."""

    @inlineCallbacks
    def test_many_volumes(self):
        # type: () -> Generator[Any, Any, None]
        """Operations on many volumes run side by side without mixing the volumes up."""
        dataset_ids = [uuid4() for _ in range(5)]
        volumes = yield self.all(self.api.create_volume(d, self.size) for d in dataset_ids)
        self.assertEqual(dataset_ids, [volume.dataset_id for volume in volumes])
        attached = yield self.all(
            self.api.attach_volume(v.blockdevice_id, self.this_node) for v in volumes
        )
        self.assertEqual([v.set(attached_to=self.this_node) for v in volumes], attached)
        paths = yield self.all(self.api.get_device_path(v.blockdevice_id) for v in volumes)
        self.assertEqual(len(volumes), len({path.path for path in paths}))
        yield self.all(self.api.detach_volume(v.blockdevice_id) for v in volumes)
        yield self.assert_listed(*volumes)
        yield self.all(self.api.destroy_volume(v.blockdevice_id) for v in volumes)
        yield self.assert_listed()

    @inlineCallbacks
    def test_one_dataset(self):
        # type: () -> Generator[Any, Any, None]
        """Creating one dataset's volume several times at once makes one volume."""
        dataset_id = uuid4()
        volumes = yield self.all(
            [self.api.create_volume(dataset_id, self.size) for _ in range(3)]
        )
        self.assertEqual([volumes[0]] * 3, volumes)
        yield self.assert_listed(volumes[0])

    @inlineCallbacks
    def test_attach_twice_at_once(self):
        # type: () -> Generator[Any, Any, None]
        """Of several attaches at once at least one succeeds; the others may find it attached."""
        volume = yield self.create()
        outcomes = yield self._at_once(
            [self.api.attach_volume] * 3, volume.blockdevice_id, self.this_node
        )
        self._assert_success_or(AlreadyAttachedVolume, outcomes)
        yield self.assert_listed(volume.set(attached_to=self.this_node))

    @inlineCallbacks
    def test_detach_twice_at_once(self):
        # type: () -> Generator[Any, Any, None]
        """Of several detaches at once at least one succeeds; the others may find it detached."""
        attached = []  # type: List[BlockDeviceVolume]
        yield self.created_and_attached(attached)
        outcomes = yield self._at_once(
            [self.api.detach_volume] * 3, attached[0].blockdevice_id
        )
        self._assert_success_or(UnattachedVolume, outcomes)
        yield self.assert_listed(attached[0].set(attached_to=None))

    @inlineCallbacks
    def test_destroy_twice_at_once(self):
        # type: () -> Generator[Any, Any, None]
        """Of several destroys at once at least one succeeds; the others may find it gone."""
        volume = yield self.create()
        outcomes = yield self._at_once([self.api.destroy_volume] * 3, volume.blockdevice_id)
        self._assert_success_or(UnknownVolume, outcomes)
        yield self.assert_listed()

    def _at_once(self, operations, *arguments):
        # type: (Iterable[Callable[..., Deferred[Any]]], *Any) -> Any
        return self.settle(
            DeferredList([f(*arguments) for f in operations], consumeErrors=True)
        )

    def _assert_success_or(self, error, outcomes):
        # type: (Type[VolumeException], Iterable[Tuple[bool, Any]]) -> None
        for success, result in outcomes:
            if not success:
                result.trap(error)
        self.assertIn(True, [success for success, _ in outcomes])

    @inlineCallbacks
    def test_everything_at_once(self):
        # type: () -> Generator[Any, Any, None]
        """Of several operations on one volume, each succeeds or raises VolumeException."""
        volume = yield self.create()
        volume_id = volume.blockdevice_id
        outcomes = yield self.settle(
            DeferredList(
                [
                    self.api.attach_volume(volume_id, self.this_node),
                    self.api.detach_volume(volume_id),
                    self.api.get_device_path(volume_id),
                    self.api.list_volumes(),
                ],
                consumeErrors=True,
            )
        )
        for success, result in outcomes[:-1]:
            if not success:
                result.trap(VolumeException)
        [listed] = yield self.settle(self.api.list_volumes())
        self.assertIn(listed, [volume, volume.set(attached_to=self.this_node)])

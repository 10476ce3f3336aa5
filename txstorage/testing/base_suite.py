# -*- test-case-name: tests.testing.test_suites -*-
"""
The base of all suites: a driver for each test, and shortcuts for the operations.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import gatherResults, inlineCallbacks, maybeDeferred

from .calls import directly
from .volumes import remove_volumes

MYPY = False
if MYPY:
    from typing import Any, Generator, Iterable, List, Optional, Text, Type  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from ..interfaces import (
        BlockDeviceVolume,  # noqa: F401
        VolumeException,  # noqa: F401
    )

    # the factory of a suite adds the TestCase and the attributes of the driver's author
    _Mixin = Any
else:
    _Mixin = object


class Suite(_Mixin):  # type: ignore[misc]
    """
    A base class beside ``TestCase``.

    :ivar driver: the driver that the factory made.
    :ivar api: the same driver, with methods that return Deferreds.
    :ivar text this_node: the id of the node the tests run on.
    :ivar int size: bytes; the size of each volume.
    """

    #: The way to call the driver: one of :mod:`txstorage.testing.calls`.
    calls = staticmethod(directly)

    @inlineCallbacks
    def setUp(self):
        # type: () -> Generator[Any, Any, None]
        self.driver = yield maybeDeferred(self.api_factory)
        self.api = self.calls(self.driver)
        self.addCleanup(self.clean_up)
        self.this_node = yield self.settle(self.api.compute_instance_id())

    def settle(self, d):
        # type: (Deferred[Any]) -> Any
        """
        :return: a ``Deferred`` that fires as ``d`` does.  A suite on a ``Clock`` overrides this
            method to advance the clock.
        """
        return d

    def clean_up(self):
        # type: () -> Any
        """:return: a ``Deferred`` that fires when the volumes that the test left are gone."""
        return self.settle(remove_volumes(self.api))

    def create(self, dataset_id=None):
        # type: (Optional[UUID]) -> Any
        return self.settle(self.api.create_volume(dataset_id or uuid4(), self.size))

    def attach(self, volume, attach_to=None):
        # type: (BlockDeviceVolume, Optional[Text]) -> Any
        return self.settle(
            self.api.attach_volume(volume.blockdevice_id, attach_to or self.this_node)
        )

    @inlineCallbacks
    def created_and_attached(self, attached):
        # type: (List[BlockDeviceVolume]) -> Generator[Any, Any, None]
        """Create a volume, attach it, and append it to a list."""
        volume = yield self.create()
        volume = yield self.attach(volume)
        attached.append(volume)

    def detach(self, volume):
        # type: (BlockDeviceVolume) -> Any
        return self.settle(self.api.detach_volume(volume.blockdevice_id))

    def destroy(self, volume):
        # type: (BlockDeviceVolume) -> Any
        return self.settle(self.api.destroy_volume(volume.blockdevice_id))

    def path(self, volume):
        # type: (BlockDeviceVolume) -> Any
        return self.settle(self.api.get_device_path(volume.blockdevice_id))

    @inlineCallbacks
    def assert_listed(self, *volumes):
        # type: (*BlockDeviceVolume) -> Generator[Any, Any, None]
        listed = yield self.settle(self.api.list_volumes())
        self.assertEqual(
            sorted(volumes, key=_id), sorted(listed, key=_id), "the list of volumes differs"
        )

    @inlineCallbacks
    def assert_fails(self, error, blockdevice_id, d):
        # type: (Type[VolumeException], Text, Deferred[Any]) -> Generator[Any, Any, None]
        raised = yield self.assertFailure(self.settle(d), error)
        self.assertEqual((blockdevice_id,), raised.args)
        self.assertEqual(blockdevice_id, raised.blockdevice_id)

    def all(self, deferreds):
        # type: (Iterable[Deferred[Any]]) -> Any
        return self.settle(gatherResults(list(deferreds)))


def _id(volume):
    # type: (BlockDeviceVolume) -> Any
    return volume.blockdevice_id

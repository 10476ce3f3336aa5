# -*- test-case-name: tests.whole.test_contract -*-
"""
Tests of the contract of every driver, asynchronous or blocking.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import inlineCallbacks
from twisted.python.filepath import FilePath
from zope.interface.verify import verifyObject

from .._support.compat import integer_types, text_type
from ..interfaces import (
    AlreadyAttachedVolume,
    IBlockDeviceAsyncAPI,
    UnattachedVolume,
    UnknownVolume,
)
from .base_suite import Suite
from .volumes import has_mark, mark

MYPY = False
if MYPY:
    from typing import Any, Generator, List  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from ..interfaces import BlockDeviceVolume  # noqa: F401


class Conformance(Suite):
    """The tests, as a base class beside ``TestCase``."""

    interface = IBlockDeviceAsyncAPI

    # -- identity --------------------------------------------------------------

    def test_interface(self):
        # type: () -> None
        """The driver provides its whole interface."""
        self.assertTrue(verifyObject(self.interface, self.driver))

    @inlineCallbacks
    def test_allocation_unit(self):
        # type: () -> Generator[Any, Any, None]
        """The allocation unit is a whole number, and the tested size is a multiple of it."""
        unit = yield self.settle(self.api.allocation_unit())
        self.assertIsInstance(unit, integer_types)
        self.assertGreater(unit, 0)
        self.assertEqual(0, self.size % unit, "the size to test with is not allocatable")

    def test_instance_id(self):
        # type: () -> Any
        """The instance id is text, is not empty, and does not change."""
        self.assertIsInstance(self.this_node, text_type)
        self.assertNotEqual(u"", self.this_node)
        d = self.settle(self.api.compute_instance_id())
        return d.addCallback(self.assertEqual, self.this_node)

    # -- create and list ---------------------------------------------------------

    def test_list_empty(self):
        # type: () -> Any
        """A cluster without volumes has an empty list."""
        d = self.settle(self.api.list_volumes())
        return d.addCallback(self.assertEqual, [])

    @inlineCallbacks
    def test_created_is_listed(self):
        # type: () -> Generator[Any, Any, None]
        """The volume that create fires with is listed next."""
        volume = yield self.create()
        yield self.assert_listed(volume)

    @inlineCallbacks
    def test_created_attributes(self):
        # type: () -> Generator[Any, Any, None]
        """A created volume has the requested dataset and size, and is unattached."""
        dataset_id = uuid4()
        volume = yield self.create(dataset_id)
        self.assertEqual(
            (dataset_id, self.size, None), (volume.dataset_id, volume.size, volume.attached_to)
        )

    @inlineCallbacks
    def test_listed_attributes(self):
        # type: () -> Generator[Any, Any, None]
        """A listed volume has the requested dataset and size."""
        dataset_id = uuid4()
        yield self.create(dataset_id)
        [listed] = yield self.settle(self.api.list_volumes())
        self.assertEqual((dataset_id, self.size), (listed.dataset_id, listed.size))

    @inlineCallbacks
    def test_list_attached_and_unattached(self):
        # type: () -> Generator[Any, Any, None]
        """Attached and unattached volumes are listed together."""
        loose = yield self.create()
        volume = yield self.create()
        attached = yield self.attach(volume)
        yield self.assert_listed(loose, attached)

    # -- attach --------------------------------------------------------------------

    @inlineCallbacks
    def test_attach_unattached(self):
        # type: () -> Generator[Any, Any, None]
        """Attaching fires with the volume, attached to the requested node."""
        volume = yield self.create()
        attached = yield self.attach(volume)
        self.assertEqual(volume.set(attached_to=self.this_node), attached)

    @inlineCallbacks
    def test_attached_is_listed(self):
        # type: () -> Generator[Any, Any, None]
        """The volume that attach fires with is listed next."""
        volume = yield self.create()
        attached = yield self.attach(volume)
        yield self.assert_listed(attached)

    def test_attach_unknown(self):
        # type: () -> Any
        """A volume that never existed can't be attached."""
        return self.assert_fails(
            UnknownVolume, self.unknown, self.api.attach_volume(self.unknown, self.this_node)
        )

    @inlineCallbacks
    def test_attach_attached(self):
        # type: () -> Generator[Any, Any, None]
        """A volume that is attached to this node can't be attached to it."""
        volume = yield self.create()
        yield self.attach(volume)
        yield self.assert_fails(
            AlreadyAttachedVolume, volume.blockdevice_id, self.attach(volume)
        )

    @inlineCallbacks
    def test_attach_elsewhere_attached(self):
        # type: () -> Generator[Any, Any, None]
        """An attached volume is refused as attached before its target is checked."""
        volume = yield self.create()
        attached = yield self.attach(volume)
        yield self.assert_fails(
            AlreadyAttachedVolume,
            volume.blockdevice_id,
            self.attach(volume, self.this_node + u"-different"),
        )
        yield self.assert_listed(attached)

    @inlineCallbacks
    def test_attach_destroyed(self):
        # type: () -> Generator[Any, Any, None]
        """A volume that was destroyed can't be attached."""
        volume = yield self.create()
        yield self.destroy(volume)
        yield self.assert_fails(UnknownVolume, volume.blockdevice_id, self.attach(volume))

    @inlineCallbacks
    def test_several_on_one_node(self):
        # type: () -> Generator[Any, Any, None]
        """Several volumes can be attached to one node, each with its own device."""
        attached = []  # type: List[BlockDeviceVolume]
        for _ in range(2):
            yield self.created_and_attached(attached)
        yield self.assert_listed(*attached)
        paths = []
        for volume in attached:
            path = yield self.path(volume)
            paths.append(path)
        self.assertNotEqual(paths[0], paths[1])

    # -- devices ---------------------------------------------------------------------

    @inlineCallbacks
    def test_device_size(self):
        # type: () -> Generator[Any, Any, None]
        """The device of a volume has the volume's size."""
        attached = []  # type: List[BlockDeviceVolume]
        yield self.created_and_attached(attached)
        path = yield self.path(attached[0])
        unit = self.device_allocation_unit
        expected = -(-self.size // unit) * unit
        self.assertEqual(expected, self.device_size(path))

    def test_path_unknown(self):
        # type: () -> Any
        """A volume that never existed has no path."""
        return self.assert_fails(
            UnknownVolume, self.unknown, self.api.get_device_path(self.unknown)
        )

    @inlineCallbacks
    def test_path_unattached(self):
        # type: () -> Generator[Any, Any, None]
        """A volume that is not attached has no path."""
        volume = yield self.create()
        yield self.assert_fails(UnattachedVolume, volume.blockdevice_id, self.path(volume))

    @inlineCallbacks
    def test_path_attached(self):
        # type: () -> Generator[Any, Any, None]
        """A volume's device exists as soon as it is attached."""
        attached = []  # type: List[BlockDeviceVolume]
        yield self.created_and_attached(attached)
        path = yield self.path(attached[0])
        self.assertIsInstance(path, FilePath)
        self.assertTrue(path.exists())

    @inlineCallbacks
    def test_path_detached(self):
        # type: () -> Generator[Any, Any, None]
        """A volume that was detached has no path."""
        attached = []  # type: List[BlockDeviceVolume]
        yield self.created_and_attached(attached)
        yield self.path(attached[0])
        yield self.detach(attached[0])
        yield self.assert_fails(
            UnattachedVolume, attached[0].blockdevice_id, self.path(attached[0])
        )

    @inlineCallbacks
    def test_path_destroyed(self):
        # type: () -> Generator[Any, Any, None]
        """A volume that was destroyed has no path."""
        volume = yield self.create()
        yield self.destroy(volume)
        yield self.assert_fails(UnknownVolume, volume.blockdevice_id, self.path(volume))

    @inlineCallbacks
    def test_path_repeatable(self):
        # type: () -> Generator[Any, Any, None]
        """The path is the same each time."""
        attached = []  # type: List[BlockDeviceVolume]
        yield self.created_and_attached(attached)
        first = yield self.path(attached[0])
        second = yield self.path(attached[0])
        self.assertEqual(first, second)

    # -- detach ------------------------------------------------------------------------

    def test_detach_unknown(self):
        # type: () -> Any
        """A volume that never existed can't be detached."""
        return self.assert_fails(
            UnknownVolume, self.unknown, self.api.detach_volume(self.unknown)
        )

    @inlineCallbacks
    def test_detach_detached(self):
        # type: () -> Generator[Any, Any, None]
        """A volume that is not attached can't be detached."""
        volume = yield self.create()
        yield self.assert_fails(UnattachedVolume, volume.blockdevice_id, self.detach(volume))

    @inlineCallbacks
    def test_detach_destroyed(self):
        # type: () -> Generator[Any, Any, None]
        """A volume that was destroyed can't be detached."""
        volume = yield self.create()
        yield self.destroy(volume)
        yield self.assert_fails(UnknownVolume, volume.blockdevice_id, self.detach(volume))

    @inlineCallbacks
    def test_detach(self):
        # type: () -> Generator[Any, Any, None]
        """A detached volume is listed as unattached, and its device is gone; others stay."""
        attached = []  # type: List[BlockDeviceVolume]
        for _ in range(2):
            yield self.created_and_attached(attached)
        unrelated, volume = attached
        paths = yield self.all(self.api.get_device_path(v.blockdevice_id) for v in attached)
        marks = [mark(path) for path in paths]
        answer = yield self.detach(volume)
        self.assertIs(None, answer)
        yield self.assert_listed(unrelated, volume.set(attached_to=None))
        # by its content: another volume may have the same device name by now
        self.assertEqual([True, False], [has_mark(path, m) for path, m in zip(paths, marks)])

    @inlineCallbacks
    def test_reattach(self):
        # type: () -> Generator[Any, Any, None]
        """A detached volume can be attached again."""
        attached = []  # type: List[BlockDeviceVolume]
        yield self.created_and_attached(attached)
        yield self.detach(attached[0])
        again = yield self.attach(attached[0])
        self.assertEqual(attached, [again])
        yield self.assert_listed(again)

    @inlineCallbacks
    def test_data_survives(self):
        # type: () -> Generator[Any, Any, None]
        """Data written to a volume is there when the volume is attached again."""
        attached = []  # type: List[BlockDeviceVolume]
        for _ in range(2):
            yield self.created_and_attached(attached)
        paths = yield self.all(self.api.get_device_path(v.blockdevice_id) for v in attached)
        marks = [mark(path) for path in paths]
        yield self.all(self.api.detach_volume(v.blockdevice_id) for v in attached)
        for volume, content in reversed(list(zip(attached, marks))):
            yield self.attach(volume)
            path = yield self.path(volume)
            self.assertTrue(has_mark(path, content), "the data is lost")

    # -- destroy -------------------------------------------------------------------------

    @inlineCallbacks
    def test_destroy(self):
        # type: () -> Generator[Any, Any, None]
        """A destroyed volume is not listed; an unrelated one is unchanged."""
        unrelated = yield self.create()
        volume = yield self.create()
        answer = yield self.destroy(volume)
        self.assertIs(None, answer)
        yield self.assert_listed(unrelated)

    def test_destroy_unknown(self):
        # type: () -> Any
        """A volume that never existed can't be destroyed."""
        return self.assert_fails(
            UnknownVolume, self.unknown, self.api.destroy_volume(self.unknown)
        )

    @inlineCallbacks
    def test_destroy_destroyed(self):
        # type: () -> Generator[Any, Any, None]
        """A volume can be destroyed only once."""
        volume = yield self.create()
        yield self.destroy(volume)
        yield self.assert_fails(UnknownVolume, volume.blockdevice_id, self.destroy(volume))


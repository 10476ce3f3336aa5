# -*- test-case-name: tests.whole.test_contract -*-
"""
What every driver promises, asynchronous or blocking, as tests.
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
from ._suite import Suite
from ._volumes import has_mark, mark


class Conformance(Suite):
    """The tests, for a ``TestCase`` to take in."""

    interface = IBlockDeviceAsyncAPI

    # -- what it is ------------------------------------------------------------

    def test_interface(self):
        """The driver provides its interface, whole."""
        self.assertTrue(verifyObject(self.interface, self.driver))

    @inlineCallbacks
    def test_allocation_unit(self):
        """The allocation unit is a whole number, and what is tested with is a multiple."""
        unit = yield self.settle(self.api.allocation_unit())
        self.assertIsInstance(unit, integer_types)
        self.assertGreater(unit, 0)
        self.assertEqual(0, self.size % unit, "the size to test with is not allocatable")

    def test_instance_id(self):
        """The instance id is text, is not empty, and stays."""
        self.assertIsInstance(self.this_node, text_type)
        self.assertNotEqual(u"", self.this_node)
        d = self.settle(self.api.compute_instance_id())
        return d.addCallback(self.assertEqual, self.this_node)

    # -- create and list ---------------------------------------------------------

    def test_list_empty(self):
        """A cluster without volumes has an empty list."""
        d = self.settle(self.api.list_volumes())
        return d.addCallback(self.assertEqual, [])

    @inlineCallbacks
    def test_created_is_listed(self):
        """What create fires with is what the list then has."""
        volume = yield self.create()
        yield self.assert_listed(volume)

    @inlineCallbacks
    def test_created_attributes(self):
        """A created volume has the dataset and the size asked for, and is loose."""
        dataset_id = uuid4()
        volume = yield self.create(dataset_id)
        self.assertEqual(
            (dataset_id, self.size, None), (volume.dataset_id, volume.size, volume.attached_to)
        )

    @inlineCallbacks
    def test_listed_attributes(self):
        """A listed volume has the dataset and the size that were asked for."""
        dataset_id = uuid4()
        yield self.create(dataset_id)
        [listed] = yield self.settle(self.api.list_volumes())
        self.assertEqual((dataset_id, self.size), (listed.dataset_id, listed.size))

    @inlineCallbacks
    def test_list_attached_and_unattached(self):
        """Attached and unattached volumes are listed together."""
        loose = yield self.create()
        volume = yield self.create()
        attached = yield self.attach(volume)
        yield self.assert_listed(loose, attached)

    # -- attach --------------------------------------------------------------------

    @inlineCallbacks
    def test_attach_unattached(self):
        """Attaching fires with the volume, attached to the node asked for."""
        volume = yield self.create()
        attached = yield self.attach(volume)
        self.assertEqual(volume.set(attached_to=self.this_node), attached)

    @inlineCallbacks
    def test_attached_is_listed(self):
        """What attach fires with is what the list then has."""
        volume = yield self.create()
        attached = yield self.attach(volume)
        yield self.assert_listed(attached)

    def test_attach_unknown(self):
        """A volume that never was can't be attached."""
        return self.assert_fails(
            UnknownVolume, self.unknown, self.api.attach_volume(self.unknown, self.this_node)
        )

    @inlineCallbacks
    def test_attach_attached(self):
        """A volume that is attached to this node can't be attached to it."""
        volume = yield self.create()
        yield self.attach(volume)
        yield self.assert_fails(
            AlreadyAttachedVolume, volume.blockdevice_id, self.attach(volume)
        )

    @inlineCallbacks
    def test_attach_elsewhere_attached(self):
        """A volume that is attached is so before it is asked whether the target exists."""
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
        """A volume that was destroyed can't be attached."""
        volume = yield self.create()
        yield self.destroy(volume)
        yield self.assert_fails(UnknownVolume, volume.blockdevice_id, self.attach(volume))

    @inlineCallbacks
    def test_several_on_one_node(self):
        """Several volumes can be attached to one node, and have devices of their own."""
        attached = []
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
        """The device of a volume has the volume's size, as the system sees it."""
        attached = []
        yield self.created_and_attached(attached)
        path = yield self.path(attached[0])
        unit = self.device_allocation_unit
        expected = -(-self.size // unit) * unit
        self.assertEqual(expected, self.device_size(path))

    def test_path_unknown(self):
        """A volume that never was has no path."""
        return self.assert_fails(
            UnknownVolume, self.unknown, self.api.get_device_path(self.unknown)
        )

    @inlineCallbacks
    def test_path_unattached(self):
        """A volume that is not attached has no path."""
        volume = yield self.create()
        yield self.assert_fails(UnattachedVolume, volume.blockdevice_id, self.path(volume))

    @inlineCallbacks
    def test_path_attached(self):
        """A volume's device exists as soon as it is attached."""
        attached = []
        yield self.created_and_attached(attached)
        path = yield self.path(attached[0])
        self.assertIsInstance(path, FilePath)
        self.assertTrue(path.exists())

    @inlineCallbacks
    def test_path_detached(self):
        """A volume that was detached has no path, whatever it had before."""
        attached = []
        yield self.created_and_attached(attached)
        yield self.path(attached[0])
        yield self.detach(attached[0])
        yield self.assert_fails(
            UnattachedVolume, attached[0].blockdevice_id, self.path(attached[0])
        )

    @inlineCallbacks
    def test_path_destroyed(self):
        """A volume that was destroyed has no path."""
        volume = yield self.create()
        yield self.destroy(volume)
        yield self.assert_fails(UnknownVolume, volume.blockdevice_id, self.path(volume))

    @inlineCallbacks
    def test_path_repeatable(self):
        """The path is the same each time."""
        attached = []
        yield self.created_and_attached(attached)
        first = yield self.path(attached[0])
        second = yield self.path(attached[0])
        self.assertEqual(first, second)

    # -- detach ------------------------------------------------------------------------

    def test_detach_unknown(self):
        """A volume that never was can't be detached."""
        return self.assert_fails(
            UnknownVolume, self.unknown, self.api.detach_volume(self.unknown)
        )

    @inlineCallbacks
    def test_detach_detached(self):
        """A volume that is not attached can't be detached."""
        volume = yield self.create()
        yield self.assert_fails(UnattachedVolume, volume.blockdevice_id, self.detach(volume))

    @inlineCallbacks
    def test_detach_destroyed(self):
        """A volume that was destroyed can't be detached."""
        volume = yield self.create()
        yield self.destroy(volume)
        yield self.assert_fails(UnknownVolume, volume.blockdevice_id, self.detach(volume))

    @inlineCallbacks
    def test_detach(self):
        """A detached volume is listed as loose, and its device is gone; others stay."""
        attached = []
        for _ in range(2):
            yield self.created_and_attached(attached)
        unrelated, volume = attached
        paths = yield self.all(self.api.get_device_path(v.blockdevice_id) for v in attached)
        marks = [mark(path) for path in paths]
        answer = yield self.detach(volume)
        self.assertIs(None, answer)
        yield self.assert_listed(unrelated, volume.set(attached_to=None))
        # by what it holds, since somebody else may use the same name by now
        self.assertEqual([True, False], [has_mark(path, m) for path, m in zip(paths, marks)])

    @inlineCallbacks
    def test_reattach(self):
        """A detached volume can be attached again."""
        attached = []
        yield self.created_and_attached(attached)
        yield self.detach(attached[0])
        again = yield self.attach(attached[0])
        self.assertEqual(attached, [again])
        yield self.assert_listed(again)

    @inlineCallbacks
    def test_data_survives(self):
        """What was written to a volume is there again when it is attached again."""
        attached = []
        for _ in range(2):
            yield self.created_and_attached(attached)
        paths = yield self.all(self.api.get_device_path(v.blockdevice_id) for v in attached)
        marks = [mark(path) for path in paths]
        yield self.all(self.api.detach_volume(v.blockdevice_id) for v in attached)
        for volume, content in reversed(list(zip(attached, marks))):
            yield self.attach(volume)
            path = yield self.path(volume)
            self.assertTrue(has_mark(path, content), "the data is not there")

    # -- destroy -------------------------------------------------------------------------

    @inlineCallbacks
    def test_destroy(self):
        """A destroyed volume is not listed; an unrelated one is left alone."""
        unrelated = yield self.create()
        volume = yield self.create()
        answer = yield self.destroy(volume)
        self.assertIs(None, answer)
        yield self.assert_listed(unrelated)

    def test_destroy_unknown(self):
        """A volume that never was can't be destroyed."""
        return self.assert_fails(
            UnknownVolume, self.unknown, self.api.destroy_volume(self.unknown)
        )

    @inlineCallbacks
    def test_destroy_destroyed(self):
        """A volume can be destroyed once."""
        volume = yield self.create()
        yield self.destroy(volume)
        yield self.assert_fails(UnknownVolume, volume.blockdevice_id, self.destroy(volume))


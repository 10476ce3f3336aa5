"""
Tests for :mod:`txstorage.interfaces.extensions`.
"""

from __future__ import absolute_import, division, print_function

from uuid import UUID

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from txstorage.interfaces import (
    BlockDeviceSnapshot,
    BlockDeviceVolume,
    ILabelledBlockDeviceAsyncAPI,
    IResizableBlockDeviceAsyncAPI,
    ISnapshottingBlockDeviceAsyncAPI,
    LabelledVolume,
    extensions,
)

from ..helpers.memory import MemoryCloud, memory_driver

DATASET = UUID("9e5f4a3e-9b9f-4f5b-8c8e-000000000001")
FIELDS = dict(
    snapshot_id=u"s",
    blockdevice_id=u"v",
    dataset_id=DATASET,
    name=u"nightly",
    size=1,
    created_at=u"2026-11-27T05:00:00",
    status=u"available",
    labels={u"why": u"upgrade"},
)


class ExtensionsTests(SynchronousTestCase):
    """The interfaces beyond Flocker's."""

    def test_driver(self):
        """The driver provides all."""
        clock = Clock()
        driver = memory_driver(clock, MemoryCloud(clock))
        for interface in (
            ILabelledBlockDeviceAsyncAPI,
            ISnapshottingBlockDeviceAsyncAPI,
            IResizableBlockDeviceAsyncAPI,
        ):
            verifyObject(interface, driver)

    def test_exports(self):
        """``__all__`` is sorted."""
        self.assertEqual(sorted(extensions.__all__), extensions.__all__)

    def test_value(self):
        """Snapshots are equal by value, and any difference counts."""
        self.assertEqual(BlockDeviceSnapshot(**FIELDS), BlockDeviceSnapshot(**FIELDS))
        for field in FIELDS:
            other = dict(FIELDS, **{field: {"dataset_id": None, "size": 2, "labels": {}}.get(
                field, u"other")})
            self.assertNotEqual(BlockDeviceSnapshot(**FIELDS), BlockDeviceSnapshot(**other), field)

    def test_labelled(self):
        """Volumes with labels are equal by value, and any difference counts."""
        fields = dict(
            volume=BlockDeviceVolume(
                blockdevice_id=u"v", size=1, attached_to=None, dataset_id=DATASET
            ),
            labels={u"why": u"upgrade"},
            status=u"available",
            created_at=u"2026-11-27T05:00:00",
        )
        self.assertEqual(LabelledVolume(**fields), LabelledVolume(**fields))
        other = dict(
            volume=fields["volume"].set(size=2), labels={}, status=u"error", created_at=u""
        )
        for field in fields:
            changed = dict(fields, **{field: other[field]})
            self.assertNotEqual(LabelledVolume(**fields), LabelledVolume(**changed), field)
            if field != "volume":
                wrong = dict(fields, **{field: [u"wrong"]})
                self.assertRaises(TypeError, LabelledVolume, **wrong)

    def test_types(self):
        """A value of the wrong type is refused."""
        for field in FIELDS:
            self.assertRaises(
                TypeError, BlockDeviceSnapshot, **dict(FIELDS, **{field: [u"wrong"]})
            )

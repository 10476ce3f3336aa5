"""
Tests of datasets with a second volume, which was made through the cloud's API.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from eliot.testing import capture_logging

from txstorage._log import (
    DUPLICATE_VOLUME,
    ORPHANED_VOLUME,
    SECOND_VOLUME_MARKED,
    SECOND_VOLUME_NOT_MARKED,
)
from txstorage._support.compat import text_type
from txstorage.clouds import Attachment
from txstorage.driver.labelling.second_volumes import AT_ONCE, is_markable
from txstorage.errors import DatasetConflict

from ...helpers.memory import GIB, HERE, THERE, Fault, refusal
from ..support import DriverTestCase, logged

MARK = u"flocker-superseded-by"


class SecondVolumeTestCase(DriverTestCase):
    """Base: a dataset with a volume that the driver made, and another one."""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.dataset_id = uuid4()
        self.used = self.success(self.driver.create_volume(self.dataset_id, GIB)).blockdevice_id
        self.second = self.add()
        del self.cloud.requests[:]

    def add(self, **fields):
        """Make another volume of the dataset through the cloud's API; :return: its id."""
        fields.setdefault("created_at", u"2027-01-01T00:00:00")
        return self.cloud.add(dataset_id=self.dataset_id, **fields)

    def listed(self):
        return [each.blockdevice_id for each in self.success(self.driver.list_volumes())]

    def mark(self, volume_id=None):
        return self.cloud.volumes[volume_id or self.second].labels.get(MARK)

    def destroy_used(self):
        self.success(self.driver.destroy_volume(self.used))
        self.assertNotIn(self.used, self.cloud.volumes)


class NeverUsedTests(SecondVolumeTestCase):
    """A second volume is never used, as Flocker's ``test_extra_volume`` demands."""

    @capture_logging(None)
    def test_life(self, logger):
        """
        The second volume is neither listed, created, nor destroyed while the dataset lives, moves
        and is deleted; it is reported, first as a second volume, then as an orphan.
        """
        self.assertEqual([self.used], self.listed())
        again = self.success(self.driver.create_volume(self.dataset_id, GIB))
        self.assertEqual(self.used, again.blockdevice_id)
        for node in (THERE, HERE):
            self.success(self.driver.attach_volume(self.used, node))
            self.assertEqual([self.used], self.listed())
            self.success(self.driver.detach_volume(self.used))
        [duplicate] = logged(logger, DUPLICATE_VOLUME)
        self.assertEqual(
            (self.second, self.used), (duplicate[u"volume_id"], duplicate[u"used"])
        )
        self.destroy_used()
        self.assertEqual([], self.listed())
        [orphan] = logged(logger, ORPHANED_VOLUME)
        self.assertEqual(
            (self.dataset_id, self.second, self.used),
            (orphan[u"dataset_id"], orphan[u"volume_id"], orphan[u"used"]),
        )
        self.assertEqual(u"available", self.cloud.volumes[self.second].status)

    def test_dataset_made_again(self):
        """A dataset that is created again gets a new volume, without the second one's data."""
        self.listed()
        self.destroy_used()
        made = self.success(self.driver.create_volume(self.dataset_id, GIB)).blockdevice_id
        self.assertNotIn(made, (self.used, self.second))
        self.assertEqual([made], self.listed())
        self.assertEqual(self.used, self.mark())

    def test_unmarked_by_hand(self):
        """A volume whose label was removed is the dataset's volume again."""
        self.listed()
        self.destroy_used()
        self.cloud._remove_label(self.second, MARK)
        self.assertEqual([self.second], self.listed())
        found = self.success(self.driver.create_volume(self.dataset_id, GIB))
        self.assertEqual(self.second, found.blockdevice_id)

    def test_adopted_by_hand(self):
        """A dataset with nothing but an orphan adopts another volume, but not the orphan."""
        self.listed()
        self.destroy_used()
        error = self.failure(
            self.driver.adopt_volume(self.second, self.dataset_id, {}), DatasetConflict
        )
        self.assertIn(MARK, error.message)
        other = self.cloud.add(labels={})
        self.success(self.driver.adopt_volume(other, self.dataset_id, {}))
        self.assertEqual([other], self.listed())

    def test_at_hand(self):
        """The label is not the consumer's; the volume can still be attached and destroyed."""
        self.listed()
        self.assertEqual({}, self.success(self.driver.get_labelled_volume(self.second)).labels)
        self.success(self.driver.attach_volume(self.second, THERE))
        self.success(self.driver.detach_volume(self.second))
        self.success(self.driver.destroy_volume(self.second))
        self.assertNotIn(self.second, self.cloud.volumes)


class MarkTests(SecondVolumeTestCase):
    """The label that a second volume gets."""

    @capture_logging(None)
    def test_marked_once(self, logger):
        """One request sets the label, after a look at both volumes; later lists send no other."""
        self.listed()
        self.assertEqual(["list", "get", "get", "set labels"], self.cloud.requests)
        self.assertEqual((self.used, None), (self.mark(), self.mark(self.used)))
        del self.cloud.requests[:]
        self.listed()
        self.assertEqual(["list"], self.cloud.requests)
        [message] = logged(logger, SECOND_VOLUME_MARKED)
        self.assertEqual((self.second, self.used), (message[u"volume_id"], message[u"used"]))

    def test_without_marking(self):
        """A driver that must change nothing leaves the second volume out, and does not mark it."""
        self.driver = self.new_driver(marking=False)
        self.assertEqual([self.used], self.listed())
        self.assertEqual(["list"], self.cloud.requests)

    def stale(self):
        """Let the cloud's list show the state of now, whatever happens."""
        page = self.cloud._list({})
        self.patch(self.cloud, "_list", lambda labels: page)

    def test_stale_list(self):
        """A list that still shows the volume that was used marks no volume that replaced it."""
        self.stale()
        del self.cloud.volumes[self.used]
        self.listed()
        self.assertEqual(0, self.cloud.count("set labels"))
        self.assertIs(None, self.mark())

    def test_changed_since_the_list(self):
        """A volume that was attached, or changed its dataset, since the list is not marked."""
        changes = (
            (self.second, {"status": u"in-use"}),
            (self.second, {"labels": {}}),
            (self.used, {"status": u"deleting"}),
            (self.used, {"labels": {}}),
        )
        self.stale()
        for volume_id, change in changes:
            before = dict(self.cloud.volumes)
            self.cloud.change(volume_id, **change)
            self.listed()
            self.cloud.volumes = before
        self.assertEqual(0, self.cloud.count("set labels"))

    def test_attached(self):
        """An attached volume is not marked, as it may be in use; a detached one is."""
        self.success(self.driver.attach_volume(self.second, THERE))
        self.listed()
        self.assertIs(None, self.mark())
        self.success(self.driver.detach_volume(self.second))
        self.listed()
        self.assertEqual(self.used, self.mark())

    def test_older_volume(self):
        """
        A volume in use whose dataset gets an older one is not marked: it is used again when the
        other is removed.
        """
        self.success(self.driver.destroy_volume(self.second))
        self.success(self.driver.attach_volume(self.used, THERE))
        older = self.add(created_at=u"2025-01-01T00:00:00")
        self.assertEqual([older], self.listed())
        del self.cloud.volumes[older]
        self.assertEqual([self.used], self.listed())

    @capture_logging(None)
    def test_refused(self, logger):
        """A cloud that refuses the label does not fail the list, and is asked once."""
        self.cloud.break_next("set labels", Fault(refusal(403, u"not allowed")))
        self.assertEqual([self.used], self.listed())
        self.assertEqual([self.used], self.listed())
        self.assertEqual(1, self.cloud.count("set labels"))
        [message] = logged(logger, SECOND_VOLUME_NOT_MARKED)
        self.assertEqual(self.second, message[u"volume_id"])
        self.assertIn(u"not allowed", message[u"reason"])

    def test_asked_again(self):
        """A volume that in between was not a second one is tried again."""
        self.cloud.break_next("set labels", Fault(refusal(403, u"not allowed")))
        self.listed()
        labels = self.cloud.volumes[self.second].labels
        self.cloud.change(self.second, labels={})
        self.listed()
        self.cloud.change(self.second, labels=labels)
        self.listed()
        self.assertEqual(self.used, self.mark())

    def test_many(self):
        """One list marks a few, so that it stays quick; the next ones mark the others."""
        for _ in range(AT_ONCE):
            self.add()
        self.listed()
        self.assertEqual(AT_ONCE, self.cloud.count("set labels"))
        self.listed()
        self.assertEqual(AT_ONCE + 1, self.cloud.count("set labels"))

    def test_statuses(self):
        """Only an available volume beside a settled one is marked."""
        used, second = self.cloud.volumes[self.used], self.cloud.volumes[self.second]
        self.assertTrue(is_markable(second, used))
        self.cloud.change(self.second, attachments=(Attachment(self.second, None, u"a-host"),))
        self.assertFalse(is_markable(self.cloud.volumes[self.second], used))
        self.cloud.change(self.second, attachments=())
        for status in (u"creating", u"error", u"in-use", u"attaching", u"deleting"):
            self.cloud.change(self.second, status=status)
            self.assertFalse(is_markable(self.cloud.volumes[self.second], used), status)
        for status in (u"creating", u"error", u"attaching", u"detaching", u"deleting"):
            self.cloud.change(self.used, status=status)
            self.assertFalse(is_markable(second, self.cloud.volumes[self.used]), status)
        self.cloud.change(self.used, status=u"in-use")
        self.assertTrue(is_markable(second, self.cloud.volumes[self.used]))

    def test_value(self):
        """The label has the id of the volume that is used, as text."""
        self.listed()
        self.assertIsInstance(self.mark(), text_type)
        self.assertEqual(self.used, self.mark())

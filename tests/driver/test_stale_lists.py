"""
Tests of lists that are out of date: nothing is decided by a list alone.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

import attr
from eliot.testing import capture_logging

from txstorage._log import DUPLICATE_VOLUME
from txstorage.clouds import Volume, VolumePage
from txstorage.errors import OperationFailed

from ..helpers.memory import GIB, THERE, Fault
from .support import DriverTestCase, broken, logged, lost


class StaleListTests(DriverTestCase):
    """A cloud whose lists are those of an earlier moment."""

    def freeze_lists(self):
        """
        Let every list, from now on, be what it is now.

        :return: that list.
        """
        now = self.cloud._list({})
        self.cloud._list = lambda labels: now
        return now

    def create(self, dataset_id):
        return self.driver.create_volume(dataset_id, GIB)

    def test_create_of_a_deleted_volume(self):
        """A create does not return a volume that only an old list still has."""
        dataset_id = uuid4()
        gone = self.cloud.add(dataset_id=dataset_id)
        old = self.freeze_lists()
        del self.cloud.volumes[gone]
        self.cloud._list = lambda labels: VolumePage(
            tuple(old.volumes)
            + tuple(v for v in self.cloud.volumes.values() if v.status == u"available")
        )
        created = self.success(self.create(dataset_id)).blockdevice_id
        self.assertEqual([created], list(self.cloud.volumes))
        self.assertEqual(1, self.cloud.count("create"))

    def test_create_of_a_deleted_rival(self):
        """The oldest volume of an old list is not chosen when it is gone."""
        dataset_id = uuid4()
        gone = self.cloud.add(dataset_id=dataset_id)
        old = self.freeze_lists()
        del self.cloud.volumes[gone]
        self.cloud._list = lambda labels: VolumePage(())
        d = self.create(dataset_id)
        self.cloud._list = lambda labels: old
        created = self.success(d).blockdevice_id
        self.assertEqual([created], list(self.cloud.volumes))

    def test_rival_hidden_by_an_old_list(self):
        """A list without the volume that was just created is out of date, and is read again."""
        dataset_id = uuid4()
        self.cloud._list = lambda labels: VolumePage(())
        d = self.create(dataset_id)
        older = self.cloud.add(dataset_id=dataset_id, created_at=u"2025-01-01T00:00:00")
        lists = [VolumePage(())] * 2
        self.cloud._list = lambda labels: (
            lists.pop() if lists else VolumePage(tuple(self.cloud.volumes.values()))
        )
        self.assertEqual(older, self.success(d).blockdevice_id)
        self.assertEqual([], lists)

    def test_never_listed(self):
        """A volume that the cloud never lists is used after a bounded number of lists."""
        self.cloud._list = lambda labels: VolumePage(())
        created = self.success(self.create(uuid4())).blockdevice_id
        self.assertEqual([created], list(self.cloud.volumes))
        self.assertEqual(1 + 5, self.cloud.count("list"))

    @capture_logging(None)
    def test_unlisted_duplicate(self, logger):
        """A volume that lost to an older one is reported also when the list lacks it."""
        dataset_id = uuid4()
        self.cloud._list = lambda labels: VolumePage(())
        d = self.create(dataset_id)
        [mine] = self.cloud.volumes
        older = self.cloud.add(dataset_id=dataset_id, created_at=u"2025-01-01T00:00:00")
        old = VolumePage((self.cloud.volumes[older],))
        self.cloud._list = lambda labels: old
        self.assertEqual(older, self.success(d).blockdevice_id)
        [message] = logged(logger, DUPLICATE_VOLUME)
        self.assertEqual((mine, older), (message[u"volume_id"], message[u"used"]))

    def test_create_of_a_volume_that_is_being_deleted(self):
        """A create does not adopt a volume whose deletion an old list does not show."""
        dataset_id = uuid4()
        volume_id = self.cloud.add(dataset_id=dataset_id)
        self.freeze_lists()
        self.cloud.change(volume_id, status=u"deleting")
        created = self.success(self.create(dataset_id)).blockdevice_id
        self.assertNotEqual(volume_id, created)

    def test_the_look_is_retried(self):
        """A look at a listed volume that fails for a transient reason is retried."""
        dataset_id = uuid4()
        volume_id = self.cloud.add(dataset_id=dataset_id)
        self.cloud.break_next("get", Fault(broken()), Fault(lost()))
        self.assertEqual(volume_id, self.success(self.create(dataset_id)).blockdevice_id)
        self.assertEqual(0, self.cloud.count("create"))

    def detach_many(self, **shown):
        """
        Begin to detach several volumes, so that one list polls them all.

        :param shown: what every list shows of the volumes from now on.
        """
        ids = [self.cloud.add(u"in-use", attached_to=THERE) for _ in range(4)]
        old = [self.changed(self.cloud.volumes[each], **shown) for each in ids]
        detaching = [self.driver.detach_volume(each) for each in ids]
        self.clock.advance(0)
        self.cloud._list = lambda labels: VolumePage(tuple(old))
        return ids, detaching

    def finish(self, detaching):
        """Let every operation end, and check that each ended as it should."""
        self.pass_time(60)
        for d in detaching:
            self.assertIs(None, self.successResultOf(d))
        self.assertEqual(
            {u"available"}, {volume.status for volume in self.cloud.volumes.values()}
        )
        self.assertEqual(4, self.cloud.count("detach"))
        self.assertTrue(self.cloud.count("list"))

    def test_no_result_from_a_list(self):
        """A list that shows the target state does not end an operation."""
        self.cloud.delay = 30.0
        ids, detaching = self.detach_many(status=u"available", attachments=())
        self.cloud.compute.clear()
        self.pass_time(10)
        for d in detaching:
            self.assertNoResult(d)
        self.finish(detaching)

    def test_no_error_from_a_list(self):
        """A list that shows an error does not end an operation, nor does a failed look."""
        ids, detaching = self.detach_many(status=u"error")
        self.cloud.break_next("get", Fault(broken()), Fault(lost()))
        self.finish(detaching)

    def test_no_request_from_a_list(self):
        """A list of the time before a request does not cause a second one."""
        ids, detaching = self.detach_many()
        self.finish(detaching)

    def test_vanished(self):
        """The volume that a create requested fails the create when it is gone from the cloud."""
        d = self.create(uuid4())
        self.freeze_lists()
        self.cloud.volumes.clear()
        self.failure(d, OperationFailed)

    def changed(self, volume, **changes):
        """:return: a volume as an old list may describe it."""
        fields = attr.asdict(volume, recurse=False)
        return Volume(**dict(dict(fields, listed=True), **changes))

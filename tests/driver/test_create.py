"""
Tests of creating volumes.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from eliot.testing import capture_logging

from txstorage._log import (
    CREATE_RESUMED,
    DUPLICATE_VOLUME,
    PROFILE_NOT_MAPPED,
)
from txstorage._support.compat import text_type
from txstorage.clouds import VolumePage
from txstorage.errors import (
    DatasetConflict,
    InvalidDatasetID,
    InvalidSize,
    OperationFailed,
    OperationTimedOut,
    QuotaExceeded,
    ResponseLost,
    UnknownProfile,
    Unreachable,
    UnusableStatus,
)

from ..helpers.memory import (
    GIB,
    Fault,
)
from .support import WHERE, DriverTestCase, broken, logged, lost, unreachable


class CreateTests(DriverTestCase):
    """``create_volume``"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.dataset_id = uuid4()

    def create(self, size=GIB, driver=None):
        return (driver or self.driver).create_volume(self.dataset_id, size)

    def test_created(self):
        """The Deferred fires once the volume is usable, with the volume that is listed next."""
        d = self.create()
        self.clock.advance(1)
        self.assertNoResult(d)
        volume = self.success(d)
        self.assertEqual((self.dataset_id, GIB, None), (
            volume.dataset_id, volume.size, volume.attached_to))
        self.assertEqual([volume], self.success(self.driver.list_volumes()))
        [created] = self.cloud.volumes.values()
        self.assertEqual(
            (u"available", u"flocker-{}".format(self.dataset_id)), (created.status, created.name)
        )

    def test_rounded_up(self):
        """The size is rounded up to the allocation unit."""
        self.assertEqual(2 * GIB, self.success(self.create(GIB + 1)).size)
        self.dataset_id = uuid4()
        self.assertEqual(GIB, self.success(self.create(1)).size)

    def test_bad_size(self):
        """A size that is not a positive whole number is refused without a request."""
        for size in (0, -1, 1.5, True, None, u"1"):
            self.failure(self.create(size), InvalidSize)
        self.assertEqual([], self.cloud.requests)

    def test_bad_dataset_id(self):
        """A dataset id that is not a ``UUID`` is refused without a request."""
        for dataset_id in (text_type(self.dataset_id), None):
            self.failure(self.driver.create_volume(dataset_id, GIB), InvalidDatasetID)
        self.assertEqual([], self.cloud.requests)

    def test_quota(self):
        """A create that exceeds the quota fails, and is not retried."""
        self.cloud.break_next("create", Fault(QuotaExceeded(*WHERE + (413, u"VolumeLimit"))))
        self.failure(self.create(), QuotaExceeded)
        self.assertEqual(1, self.cloud.count("create"))

    def test_cloud_down(self):
        """A create fails at once when the cloud is unreachable at the first lookup."""
        self.cloud.break_next("list", Fault(unreachable()))
        self.failureResultOf(self.create(), Unreachable)

    def test_lost_after_processing(self):
        """A request that was processed is not repeated when its response is lost."""
        for error in (lost(), broken()):
            self.dataset_id = uuid4()
            del self.cloud.requests[:]
            self.cloud.break_next("create", Fault(error, processed=True))
            self.assertEqual(self.dataset_id, self.success(self.create()).dataset_id)
            self.assertEqual(1, self.cloud.count("create"))

    def test_lost_before_processing(self):
        """A request that was lost before it was processed is repeated."""
        self.cloud.break_next("create", Fault(lost()), Fault(lost()))
        self.success(self.create())
        self.assertEqual((3, 1), (self.cloud.count("create"), len(self.cloud.volumes)))

    def test_lost_always(self):
        """Requests that may have been processed are repeated up to the maximum only."""
        self.cloud.break_next("create", *[Fault(lost()) for _ in range(9)])
        self.failure(self.create(), ResponseLost)
        self.assertEqual(3, self.cloud.count("create"))

    def test_not_reached(self):
        """Requests that certainly were not processed are repeated until one succeeds."""
        self.cloud.break_next("create", *[Fault(unreachable()) for _ in range(9)])
        self.success(self.create())
        self.assertEqual(1, len(self.cloud.volumes))

    def test_label_lookup_fails_after_loss(self):
        """A label lookup that fails after a lost response is repeated, not skipped."""
        self.cloud.break_next("create", Fault(lost(), processed=True))
        d = self.create()
        self.cloud.break_next("list", Fault(broken()), Fault(lost()))
        self.success(d)
        self.assertEqual(1, self.cloud.count("create"))

    @capture_logging(None)
    def test_resumed(self, logger):
        """A dataset's existing volume is adopted, and the log reports the adoption."""
        volume_id = self.cloud.add(u"creating", dataset_id=self.dataset_id)
        d = self.create()
        self.clock.advance(1)
        self.assertNoResult(d)
        self.cloud.change(volume_id, status=u"available")
        self.assertEqual(volume_id, self.success(d).blockdevice_id)
        self.assertEqual(0, self.cloud.count("create"))
        self.assertEqual([volume_id], [m[u"volume_id"] for m in logged(logger, CREATE_RESUMED)])

    def test_being_deleted_is_not_resumed(self):
        """A volume that is being deleted is not adopted."""
        self.cloud.add(u"deleting", dataset_id=self.dataset_id)
        self.success(self.create())
        self.assertEqual(1, self.cloud.count("create"))

    def test_conflicting_size(self):
        """A create for a dataset with a volume of another size fails without a request."""
        volume_id = self.cloud.add(dataset_id=self.dataset_id)
        error = self.failure(self.create(2 * GIB), DatasetConflict)
        self.assertIn(volume_id, str(error))
        self.assertEqual(0, self.cloud.count("create"))

    def test_concurrent(self):
        """Concurrent callers get the same volume; one volume is created."""
        first, second = self.create(), self.create()
        self.pass_time()
        self.assertEqual(self.successResultOf(first), self.successResultOf(second))
        self.assertEqual(1, self.cloud.count("create"))

    def test_concurrent_of_different_sizes(self):
        """A caller that joins with another size fails with ``DatasetConflict``."""
        first, second = self.create(), self.create(2 * GIB)
        self.pass_time()
        self.successResultOf(first)
        self.failureResultOf(second, DatasetConflict)

    @capture_logging(None)
    def test_two_nodes_at_once(self, logger):
        """Two drivers that send requests at the same moment both return the older volume."""
        other = self.new_driver()
        # Neither driver sees the other's volume in its first lookup of the label.
        self.cloud._list = lambda labels: VolumePage(())
        first, second = self.create(), self.create(driver=other)
        del self.cloud._list
        self.pass_time()
        volume_ids = [self.successResultOf(d).blockdevice_id for d in (first, second)]
        self.assertEqual(2, len(self.cloud.volumes))
        oldest = min(self.cloud.volumes.values(), key=lambda v: v.created_at)
        self.assertEqual([oldest.volume_id] * 2, volume_ids)
        duplicates = logged(logger, DUPLICATE_VOLUME)
        self.assertEqual({oldest.volume_id}, {m[u"used"] for m in duplicates})

    def test_failed(self):
        """A requested volume that ends in error is deleted; the error gives the cloud's reason."""
        d = self.create()
        [volume_id] = self.cloud.volumes
        self.cloud.reasons[volume_id] = u"no weighed back ends"
        self.cloud.change(volume_id, status=u"error")
        self.clock.advance(1)
        error = self.failureResultOf(d, OperationFailed).value
        self.assertIn("no weighed back ends", str(error))
        self.assertEqual(u"deleting", self.cloud.volumes[volume_id].status)

    def test_failed_earlier(self):
        """A volume in error that this create did not request is not deleted."""
        volume_id = self.cloud.add(u"error", dataset_id=self.dataset_id)
        self.failure(self.create(), UnusableStatus)
        self.assertEqual(u"error", self.cloud.volumes[volume_id].status)
        self.assertEqual(0, self.cloud.count("delete"))

    def test_vanished(self):
        """A volume that disappears while it is created fails the create."""
        d = self.create()
        self.cloud.volumes.clear()
        self.assertIn("create", str(self.failure(d, OperationFailed)))

    def test_timeout(self):
        """The error of a timeout gives the last status; another create resumes."""
        self.cloud.delay = 1000
        d = self.create()
        self.clock.advance(111)
        error = self.failureResultOf(d, OperationTimedOut).value
        [volume_id] = self.cloud.volumes
        for part in (volume_id, "create", "110.0 seconds", "creating"):
            self.assertIn(part, str(error))
        self.cloud.change(volume_id, status=u"available")
        d = self.create()
        self.clock.advance(1)
        self.assertEqual(volume_id, self.successResultOf(d).blockdevice_id)

    def test_cancelled(self):
        """A create that is cancelled at any moment and retried creates one volume."""
        self.cut_short(self.create)
        self.success(self.create())
        self.assertEqual(1, len(self.cloud.volumes))


class ProfileTests(DriverTestCase):
    """``create_volume_with_profile``"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.driver = self.new_driver(profiles={u"gold": u"ssd", u"own": u"tape"})

    def create(self, profile):
        return self.driver.create_volume_with_profile(uuid4(), GIB, profile)

    def type_of(self, volume):
        return self.cloud.volumes[volume.blockdevice_id].volume_type

    def test_configured(self):
        """A configured profile, mandatory or not, gets the configured volume type."""
        self.assertEqual(u"ssd", self.type_of(self.success(self.create(u"gold"))))
        self.assertEqual(u"tape", self.type_of(self.success(self.create(u"own"))))

    @capture_logging(None)
    def test_mandatory(self, logger):
        """A mandatory profile that is not configured gets the default type, and a log message."""
        self.assertIs(None, self.type_of(self.success(self.create(u"silver"))))
        [message] = logged(logger, PROFILE_NOT_MAPPED)
        self.assertEqual(u"silver", message[u"profile"])

    def test_unknown(self):
        """The error for any other profile names the configured profiles."""
        error = self.failure(self.create(u"platinum"), UnknownProfile)
        self.assertIn("gold, own", str(error))
        self.assertEqual([], self.cloud.requests)

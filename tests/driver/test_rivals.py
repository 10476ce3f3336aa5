"""
Tests of creating volumes while other nodes, clusters and datasets have volumes of their own.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from eliot.testing import capture_logging
from twisted.internet.defer import gatherResults

from txstorage._log import DUPLICATE_VOLUME
from txstorage._support.compat import text_type
from txstorage.errors import QuotaExceeded, UnusableStatus

from ..helpers.memory import CLUSTER, GIB, Fault
from .support import WHERE, DriverTestCase, logged, lost


class RivalTests(DriverTestCase):
    """A create beside volumes that it must not use, or must wait for."""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.dataset_id = uuid4()

    def create(self, size=GIB):
        return self.driver.create_volume(self.dataset_id, size)

    def foreign(self, cluster_id, dataset_id, **fields):
        """Add a volume with these labels; :return: the volume's id."""
        return self.cloud.add(
            labels={
                u"flocker-cluster-id": text_type(cluster_id),
                u"flocker-dataset-id": text_type(dataset_id),
            },
            **fields
        )

    def test_costs(self):
        """A create without rivals sends two lists, the request, and one GET for each poll."""
        self.success(self.create())
        sent = [request for request in self.cloud.requests if request != "settle"]
        self.assertEqual(["list", "create", "get", "get", "get", "list"], sent)

    def test_costs_of_many(self):
        """The list that shows volumes usable has their rivals, too; no other is read."""
        creates = [self.driver.driver.create_volume(uuid4(), GIB) for _ in range(9)]
        self.success(gatherResults(creates))
        # before the requests, and for each of three polls
        self.assertEqual(["list"] + ["create"] * 9 + ["list"] * 3, self.cloud.requests)

    @capture_logging(None)
    def test_rival_of_one_among_many(self, logger):
        """A rival in the list that shows volumes usable is used when it is the older one."""
        datasets = [self.dataset_id, uuid4(), uuid4()]
        creates = [self.driver.driver.create_volume(each, GIB) for each in datasets]
        self.clock.advance(0)
        rival = self.foreign(CLUSTER, self.dataset_id, created_at=u"2025-01-01T00:00:00")
        volumes = self.success(gatherResults(creates))
        self.assertEqual(rival, volumes[0].blockdevice_id)
        [message] = logged(logger, DUPLICATE_VOLUME)
        self.assertEqual(rival, message[u"used"])

    @capture_logging(None)
    def test_unfiltered_list(self, logger):
        """
        A volume of another cluster or dataset is neither adopted nor reported when the cloud does
        not filter its list, neither at first nor after a lost response.
        """
        others = {self.foreign(uuid4(), self.dataset_id), self.foreign(CLUSTER, uuid4())}
        for created_at in (u"2025-01-01T00:00:00", u"2027-01-01T00:00:00"):
            others.add(self.foreign(CLUSTER, uuid4(), created_at=created_at))
        real = self.cloud.list_volumes
        self.cloud.list_volumes = lambda labels: real({})
        self.cloud.break_next("create", Fault(lost()))
        volume = self.success(self.create())
        self.assertNotIn(volume.blockdevice_id, others)
        self.assertEqual(self.dataset_id, volume.dataset_id)
        self.assertEqual(2, self.cloud.count("create"))
        self.assertEqual(5, len(self.cloud.volumes))
        self.assertEqual([], logged(logger, DUPLICATE_VOLUME))

    @capture_logging(None)
    def test_unfiltered_list_later(self, logger):
        """Another dataset's volume that appears during the create is not reported as a rival."""
        real = self.cloud.list_volumes
        self.cloud.list_volumes = lambda labels: real({})
        d = self.create()
        self.foreign(CLUSTER, uuid4(), created_at=u"2027-01-01T00:00:00")
        self.success(d)
        self.assertEqual([], logged(logger, DUPLICATE_VOLUME))

    def test_failed_create_is_forgotten(self):
        """The next create after a failed one requests its own size and volume type."""
        self.driver = self.new_driver(profiles={u"gold": u"ssd"})
        self.cloud.break_next("create", Fault(QuotaExceeded(*WHERE + (413, u"VolumeLimit"))))
        self.failure(self.create(5 * GIB), QuotaExceeded)
        d = self.driver.create_volume_with_profile(self.dataset_id, 2 * GIB, u"gold")
        self.assertEqual(2 * GIB, self.success(d).size)
        [created] = self.cloud.volumes.values()
        self.assertEqual((2 * GIB, u"ssd"), (created.size, created.volume_type))

    @capture_logging(None)
    def test_waits_for_the_winner(self, logger):
        """The create that loses to another node waits until the winner's volume is usable."""
        d = self.create()
        [loser] = self.cloud.volumes
        winner = self.cloud.add(
            u"creating", dataset_id=self.dataset_id, created_at=u"2025-01-01T00:00:00"
        )
        self.pass_time()
        self.assertEqual(u"available", self.cloud.volumes[loser].status)
        self.assertNoResult(d)
        self.cloud.change(winner, status=u"available")
        self.assertEqual(winner, self.success(d).blockdevice_id)
        [message] = logged(logger, DUPLICATE_VOLUME)
        self.assertEqual(
            (self.dataset_id, loser, winner),
            (message[u"dataset_id"], message[u"volume_id"], message[u"used"]),
        )

    def test_winner_fails(self):
        """A create fails, and deletes nothing, when the winner's volume ends in error."""
        d = self.create()
        winner = self.cloud.add(
            u"creating", dataset_id=self.dataset_id, created_at=u"2025-01-01T00:00:00"
        )
        self.pass_time(5)
        self.cloud.change(winner, status=u"error")
        error = self.failure(d, UnusableStatus)
        self.assertEqual((winner, u"error"), (error.volume_id, error.status))
        self.assertEqual(0, self.cloud.count("delete"))

    @capture_logging(None)
    def test_rival_is_named(self, logger):
        """The winner reports the other node's volume, which is never used, by its id."""
        d = self.create()
        [used] = self.cloud.volumes
        rival = self.cloud.add(dataset_id=self.dataset_id, created_at=u"2027-01-01T00:00:00")
        self.assertEqual(used, self.success(d).blockdevice_id)
        [message] = logged(logger, DUPLICATE_VOLUME)
        self.assertEqual((rival, used), (message[u"volume_id"], message[u"used"]))

    def test_only_failed_volumes_are_deleted(self):
        """A create does not delete its own volume that is in maintenance, or being deleted."""
        for status in (u"maintenance", u"awaiting-transfer", u"deleting"):
            self.dataset_id = uuid4()
            before = set(self.cloud.volumes)
            d = self.create()
            [volume_id] = set(self.cloud.volumes) - before
            self.cloud.change(volume_id, status=status)
            self.clock.advance(1)
            error = self.failureResultOf(d, UnusableStatus).value
            self.assertEqual(
                (u"create", volume_id, status), (error.operation, error.volume_id, error.status)
            )
        self.assertEqual(0, self.cloud.count("delete"))

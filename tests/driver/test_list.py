"""
Tests of lists of volumes, device paths and nodes.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from eliot.testing import capture_logging
from twisted.internet.defer import fail

from txstorage._log import (
    DUPLICATE_VOLUME,
    VOLUME_SKIPPED,
)
from txstorage._support.compat import text_type
from txstorage.errors import (
    DeviceNotFound,
    OperationTimedOut,
    RequestRefused,
    UnknownServer,
)
from txstorage.interfaces import (
    UnattachedVolume,
    UnknownVolume,
)

from ..helpers.memory import (
    CLUSTER,
    HERE,
    THERE,
    Fault,
    refusal,
)
from .support import DriverTestCase, logged


class ListTests(DriverTestCase):
    """``list_volumes``"""

    def listed(self):
        return self.success(self.driver.list_volumes())

    def test_empty(self):
        """A cluster without volumes has an empty list."""
        self.assertEqual([], self.listed())

    def test_only_this_cluster(self):
        """Volumes of another cluster are not listed, even if the cloud does not filter its list."""
        self.cloud.add(labels={u"flocker-cluster-id": text_type(uuid4())})
        volume_id = self.cloud.add()
        real = self.cloud.list_volumes
        self.cloud.list_volumes = lambda labels: real({})
        self.assertEqual([volume_id], [v.blockdevice_id for v in self.listed()])

    def test_attached_to(self):
        """An attached volume has its server; a volume in the middle of attaching has none."""
        attached = self.cloud.add(u"in-use", attached_to=THERE)
        attaching = self.cloud.add(u"attaching", attached_to=THERE)
        self.assertEqual(
            {attached: THERE, attaching: None},
            {v.blockdevice_id: v.attached_to for v in self.listed()},
        )

    @capture_logging(None)
    def test_bad_ones_break_nothing(self, logger):
        """A malformed volume is left out and reported; the others are listed."""
        good = self.cloud.add()
        bad = self.cloud.add(
            labels={
                u"flocker-cluster-id": text_type(CLUSTER),
                u"flocker-dataset-id": u"nonsense",
            }
        )
        self.cloud.malformed = ((u"worse", u"has no size"),)
        self.assertEqual([good], [v.blockdevice_id for v in self.listed()])
        skipped = {
            m[u"volume_id"]
            for m in logged(logger, VOLUME_SKIPPED)
        }
        self.assertEqual({bad, u"worse"}, skipped)

    @capture_logging(None)
    def test_duplicates(self, logger):
        """The oldest volume of a dataset is listed; the others are reported."""
        dataset_id = uuid4()
        old, young = [self.cloud.add(dataset_id=dataset_id) for _ in range(2)]
        self.assertEqual([old], [v.blockdevice_id for v in self.listed()])
        [message] = logged(logger, DUPLICATE_VOLUME)
        self.assertEqual((young, old), (message[u"volume_id"], message[u"used"]))

    def duplicates_and_skipped(self, logger):
        """List; :return: the ids of the duplicates and of the skipped volumes in the log."""
        self.listed()
        written = [
            {m[u"volume_id"] for m in logged(logger, kind)}
            for kind in (DUPLICATE_VOLUME, VOLUME_SKIPPED)
        ]
        del logger.messages[:]
        return written

    @capture_logging(None)
    def test_reported_once(self, logger):
        """A volume that is left out is reported again only when the reason changes."""
        dataset_id = uuid4()
        [old, young] = [self.cloud.add(dataset_id=dataset_id) for _ in range(2)]
        self.cloud.malformed = ((u"worse", u"has no size"),)
        first = [{young}, {u"worse"}]
        nothing = [set(), set()]
        self.assertEqual(first, self.duplicates_and_skipped(logger))
        self.assertEqual(nothing, self.duplicates_and_skipped(logger))
        self.cloud.malformed = ((u"worse", u"has no status"), (u"worst", u"has no size"))
        self.assertEqual([set(), {u"worse", u"worst"}], self.duplicates_and_skipped(logger))
        self.assertEqual(nothing, self.duplicates_and_skipped(logger))
        youngest = self.cloud.add(dataset_id=dataset_id)
        self.assertEqual([{youngest}, set()], self.duplicates_and_skipped(logger))
        self.assertEqual(nothing, self.duplicates_and_skipped(logger))
        del self.cloud.volumes[young]
        self.assertEqual(nothing, self.duplicates_and_skipped(logger))

    @capture_logging(None)
    def test_reported_again(self, logger):
        """A problem that was solved and recurs is reported again; solved problems are forgotten."""
        self.cloud.malformed = ((u"worse", u"has no size"),)
        self.assertEqual([set(), {u"worse"}], self.duplicates_and_skipped(logger))
        self.cloud.malformed = ()
        self.listed()
        self.assertEqual(0, len(self.driver._lists._problems._known))
        self.cloud.malformed = ((u"worse", u"has no size"),)
        self.assertEqual([set(), {u"worse"}], self.duplicates_and_skipped(logger))

    def test_deadline(self):
        """A list that gets no response ends at the deadline, and the request is cancelled."""
        self.cloud.break_next("list", Fault(None))
        d = self.driver.list_volumes()
        self.clock.advance(112)
        self.assertIn("list volumes", str(self.failureResultOf(d, OperationTimedOut).value))
        self.assertEqual(["list"], self.cloud.cancelled)


class DevicePathTests(DriverTestCase):
    """``get_device_path``"""

    def path(self, volume_id):
        return self.driver.get_device_path(volume_id)

    def test_attached(self):
        """An attached volume's path is searched for on each call."""
        volume_id = self.cloud.add(u"in-use", attached_to=HERE)
        self.devices.present.add(volume_id)
        paths = [self.success(self.path(volume_id)) for _ in range(2)]
        self.assertEqual([volume_id] * 2, [path.basename() for path in paths])

    def test_unknown(self):
        """The path of a volume that does not exist fails with ``UnknownVolume``."""
        self.assertEqual((u"none",), self.failure(self.path(u"none"), UnknownVolume).args)

    def test_unattached(self):
        """A volume that is not attached to this node has no path."""
        for fields in ({}, {"attached_to": THERE}):
            volume_id = self.cloud.add(u"in-use", **fields)
            error = self.failure(self.path(volume_id), UnattachedVolume)
            self.assertEqual((volume_id,), error.args)
        self.failure(self.path(self.cloud.add(u"attaching")), UnattachedVolume)

    def test_no_device(self):
        """An attached volume without a device fails with ``DeviceNotFound``."""
        self.failure(
            self.path(self.cloud.add(u"in-use", attached_to=HERE)), DeviceNotFound
        )


class CloudTests(DriverTestCase):
    """``list_live_nodes`` and ``start_node``"""

    def test_live_nodes(self):
        """All nodes are live except nodes that the cloud reports as off."""
        self.cloud.servers.update({u"off": u"SHUTOFF", u"moving": u"MIGRATING"})
        live = self.success(self.driver.list_live_nodes())
        self.assertEqual({HERE, THERE, u"moving"}, set(live))
        self.assertTrue(all(isinstance(node, text_type) for node in live))

    def test_one_node(self):
        """One node is looked at directly: it is dead when it is off, or does not exist."""
        self.cloud.servers.update({u"off": u"SHUTOFF", u"moving": u"MIGRATING"})
        for node, live in ((HERE, True), (u"moving", True), (u"off", False), (u"none", False)):
            self.assertIs(live, self.success(self.driver.is_node_live(node)), node)
        self.patch(self.cloud, "get_server", lambda _: fail(refusal()))
        self.failure(self.driver.is_node_live(HERE), RequestRefused)

    def test_start(self):
        """A node that is off can be started."""
        self.cloud.servers[THERE] = u"SHUTOFF"
        self.assertIs(None, self.success(self.driver.start_node(THERE)))
        self.assertEqual(u"ACTIVE", self.cloud.servers[THERE])

    def test_start_unknown(self):
        """A node that does not exist can't be started."""
        self.failure(self.driver.start_node(u"none"), UnknownServer)

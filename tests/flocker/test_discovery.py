"""
Tests for :mod:`txstorage.flocker.discovery`.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from eliot.testing import assertHasMessage, capture_logging
from twisted.internet.defer import Deferred, fail, gatherResults, inlineCallbacks, succeed
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from txstorage._log import DEVICE_UNUSABLE
from txstorage.errors import DeviceNotFound, ServiceBroken
from txstorage.flocker.discovery import Discovery
from txstorage.interfaces import BlockDeviceVolume, ICloudAPI, UnattachedVolume

from ..helpers.child import shared_service

GIB = 2**30
HERE = u"11111111-1111-4111-8111-111111111111"
THERE = u"22222222-2222-4222-8222-222222222222"


class Path(FilePath):
    """A path that a test can make invalid."""

    valid = True

    def isBlockDevice(self):
        return self.valid


class Driver(object):
    """A driver that records the searches for devices."""

    def __init__(self):
        self.attached = {}
        self.paths = {}
        self.asked = []

    def compute_instance_id(self):
        return succeed(HERE)

    def list_volumes(self):
        return succeed(
            [
                BlockDeviceVolume(
                    blockdevice_id=name, size=GIB, attached_to=node, dataset_id=uuid4()
                )
                for name, node in self.attached.items()
            ]
        )

    def list_live_nodes(self):
        return succeed([HERE, THERE])

    def get_device_path(self, blockdevice_id):
        self.asked.append(blockdevice_id)
        answer = self.paths[blockdevice_id]
        return fail(answer) if isinstance(answer, Exception) else succeed(answer)


class LookTests(SynchronousTestCase):
    """The results and the requests of a discovery."""

    def setUp(self):
        self.driver = Driver()
        self.discovery = Discovery(self.driver)

    def look(self):
        return self.successResultOf(self.discovery.look())

    def attach(self, name, node=HERE):
        self.driver.attached[name] = node
        self.driver.paths[name] = Path("/dev/" + str(name))

    def test_found(self):
        """The blocking methods return the results of one discovery."""
        self.attach(u"a")
        self.attach(u"b", THERE)
        snapshot = self.look()
        self.assertEqual(HERE, snapshot.compute_instance_id())
        self.assertEqual({u"a", u"b"}, {v.blockdevice_id for v in snapshot.list_volumes()})
        self.assertEqual(self.driver.paths[u"a"], snapshot.get_device_path(u"a"))
        self.assertIsNone(snapshot.get_device_path(u"b"))
        self.assertEqual([HERE, THERE], snapshot.list_live_nodes())

    def test_provides(self):
        """The snapshot provides ``ICloudAPI`` for Flocker's deployer, but starts no node."""
        snapshot = self.look()
        self.assertTrue(verifyObject(ICloudAPI, snapshot))
        self.assertRaises(TypeError, snapshot.start_node, THERE)

    def test_asked_once(self):
        """A device that still exists is not searched again."""
        self.attach(u"a")
        self.look()
        self.assertEqual(self.driver.paths[u"a"], self.look().get_device_path(u"a"))
        self.assertEqual([u"a"], self.driver.asked)

    def test_detached_behind_its_back(self):
        """A path is forgotten with its attachment, even if it was ended elsewhere."""
        self.attach(u"a")
        self.look()
        del self.driver.attached[u"a"]
        self.look()
        self.attach(u"a")
        self.driver.paths[u"a"] = Path("/dev/other")
        self.assertEqual(Path("/dev/other"), self.look().get_device_path(u"a"))

    def test_stale(self):
        """An invalid path is replaced by a new search."""
        self.attach(u"a")
        self.look()
        self.driver.paths[u"a"].valid = False
        self.driver.paths[u"a"] = Path("/dev/other")
        self.assertEqual(Path("/dev/other"), self.look().get_device_path(u"a"))

    def test_snapshot_stays(self):
        """A later discovery does not change an earlier snapshot."""
        self.attach(u"a")
        before = self.look()
        self.driver.attached.clear()
        self.look()
        self.assertEqual(self.driver.paths[u"a"], before.get_device_path(u"a"))

    @capture_logging(assertHasMessage, DEVICE_UNUSABLE, {u"volume_id": u"b"})
    def test_one_without_device(self, logger):
        """A volume without a verified device is logged, and does not affect other volumes."""
        self.attach(u"a")
        self.attach(u"b")
        for problem in (DeviceNotFound(u"b", u"not there"), UnattachedVolume(u"b")):
            self.driver.paths[u"b"] = problem
            snapshot = self.look()
            self.assertIsNone(snapshot.get_device_path(u"b"))
            self.assertEqual(self.driver.paths[u"a"], snapshot.get_device_path(u"a"))

    def test_cloud_down(self):
        """An error of the cloud fails the discovery; the next discovery can succeed."""
        self.attach(u"a")
        broken = ServiceBroken(u"GET", u"http://cloud.example/", 500, u"no")
        self.driver.paths[u"a"] = broken
        self.assertIs(broken, self.failureResultOf(self.discovery.look(), ServiceBroken).value)
        self.driver.paths[u"a"] = Path("/dev/a")
        self.assertEqual(Path("/dev/a"), self.look().get_device_path(u"a"))

    def test_cancelled(self):
        """Cancelling a discovery cancels its requests."""
        cancelled = []
        self.driver.list_volumes = lambda: Deferred(lambda _: cancelled.append(True))
        d = self.discovery.look()
        d.cancel()
        self.failureResultOf(d)
        self.assertEqual([True], cancelled)


class EmbeddedServiceTests(TestCase):
    """The discovery of a real node."""

    timeout = 60

    @inlineCallbacks
    def test_moved_by_others(self):
        """Paths are correct after other agents moved volumes; a repetition sends two lists."""
        cluster = uuid4()
        mine, agent = shared_service().driver(self, cluster)
        others, _ = shared_service().driver(self, cluster)
        here = yield mine.compute_instance_id()
        volumes = yield gatherResults([mine.create_volume(uuid4(), GIB) for _ in range(2)])
        first, second = [volume.blockdevice_id for volume in volumes]

        def clean_up():
            return gatherResults([others.destroy_volume(first), others.destroy_volume(second)])

        self.addCleanup(clean_up)
        discovery = Discovery(mine)
        yield others.attach_volume(first, here)
        yield discovery.look()
        yield others.detach_volume(first)
        for volume_id in (second, first):
            yield others.attach_volume(volume_id, here)
        snapshot = yield discovery.look()
        for volume_id in (first, second):
            path = yield others.get_device_path(volume_id)
            self.assertEqual(path, snapshot.get_device_path(volume_id))
        before = len(agent.requests)
        yield discovery.look()
        asked = sorted(path.rpartition(u"/")[2] for _, path in agent.requests[before:])
        self.assertEqual(2 if shared_service().loop_devices else 4, len(asked), asked)
        for volume_id in (first, second):
            yield others.detach_volume(volume_id)

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
    """A path that a test makes stop being a volume's."""

    valid = True

    def isBlockDevice(self):
        return self.valid


class Driver(object):
    """A driver with some volumes, named by their ids, that counts what it is asked."""

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
    """The result of discovery, and its cost."""

    def setUp(self):
        self.driver = Driver()
        self.discovery = Discovery(self.driver)

    def look(self):
        return self.successResultOf(self.discovery.look())

    def attach(self, name, node=HERE):
        self.driver.attached[name] = node
        self.driver.paths[name] = Path("/dev/" + str(name))

    def test_found(self):
        """The names of the blocking interfaces, answered from one look."""
        self.attach(u"a")
        self.attach(u"b", THERE)
        snapshot = self.look()
        self.assertEqual(HERE, snapshot.compute_instance_id())
        self.assertEqual({u"a", u"b"}, {v.blockdevice_id for v in snapshot.list_volumes()})
        self.assertEqual(self.driver.paths[u"a"], snapshot.get_device_path(u"a"))
        self.assertIsNone(snapshot.get_device_path(u"b"))
        self.assertEqual([HERE, THERE], snapshot.list_live_nodes())

    def test_provides(self):
        """Flocker's deployer recognises a cloud; nothing can be started in the past."""
        snapshot = self.look()
        self.assertTrue(verifyObject(ICloudAPI, snapshot))
        self.assertRaises(TypeError, snapshot.start_node, THERE)

    def test_asked_once(self):
        """A device that is there still is not asked for again."""
        self.attach(u"a")
        self.look()
        self.assertEqual(self.driver.paths[u"a"], self.look().get_device_path(u"a"))
        self.assertEqual([u"a"], self.driver.asked)

    def test_detached_behind_its_back(self):
        """A path is forgotten with the attachment, whoever ended it."""
        self.attach(u"a")
        self.look()
        del self.driver.attached[u"a"]
        self.look()
        self.attach(u"a")
        self.driver.paths[u"a"] = Path("/dev/other")
        self.assertEqual(Path("/dev/other"), self.look().get_device_path(u"a"))

    def test_stale(self):
        """A path that is not the volume's any more is asked for again."""
        self.attach(u"a")
        self.look()
        self.driver.paths[u"a"].valid = False
        self.driver.paths[u"a"] = Path("/dev/other")
        self.assertEqual(Path("/dev/other"), self.look().get_device_path(u"a"))

    def test_snapshot_stays(self):
        """A later look changes nothing in what an earlier one found."""
        self.attach(u"a")
        before = self.look()
        self.driver.attached.clear()
        self.look()
        self.assertEqual(self.driver.paths[u"a"], before.get_device_path(u"a"))

    @capture_logging(assertHasMessage, DEVICE_UNUSABLE, {u"volume_id": u"b"})
    def test_one_without_device(self, logger):
        """A volume without a certain device is reported, and keeps no other from being found."""
        self.attach(u"a")
        self.attach(u"b")
        for problem in (DeviceNotFound(u"b", u"not there"), UnattachedVolume(u"b")):
            self.driver.paths[u"b"] = problem
            snapshot = self.look()
            self.assertIsNone(snapshot.get_device_path(u"b"))
            self.assertEqual(self.driver.paths[u"a"], snapshot.get_device_path(u"a"))

    def test_cloud_down(self):
        """When the cloud does not answer there is no look at all; the next one may succeed."""
        self.attach(u"a")
        broken = ServiceBroken(u"GET", u"http://cloud.example/", 500, u"no")
        self.driver.paths[u"a"] = broken
        self.assertIs(broken, self.failureResultOf(self.discovery.look(), ServiceBroken).value)
        self.driver.paths[u"a"] = Path("/dev/a")
        self.assertEqual(Path("/dev/a"), self.look().get_device_path(u"a"))

    def test_cancelled(self):
        """Cancelling a look cancels what it waits for."""
        cancelled = []
        self.driver.list_volumes = lambda: Deferred(lambda _: cancelled.append(True))
        d = self.discovery.look()
        d.cancel()
        self.failureResultOf(d)
        self.assertEqual([True], cancelled)


class EmbeddedServiceTests(TestCase):
    """A look at a real node."""

    timeout = 60

    @inlineCallbacks
    def test_moved_by_others(self):
        """Paths are right after others have shuffled the volumes; looking again costs two lists."""
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

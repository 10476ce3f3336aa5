"""
Tests for :mod:`txstorage.flocker.dataset_agent`, the changed parts of Flocker's agent.
"""

from __future__ import absolute_import, division, print_function

from datetime import timedelta
from subprocess import check_call
from uuid import uuid4

from flocker.control import DeploymentState, PersistentState
from flocker.node import NoOp
from flocker.node.agents.blockdevice import (
    DATASET_TRANSITIONS,
    PROFILE_METADATA_KEY,
    BlockDeviceDeployer,
    CreateBlockDeviceDataset,
    DatasetStates,
    DesiredDataset,
    DiscoveredDataset,
    ProcessLifetimeCache,
)
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, inlineCallbacks
from twisted.internet.threads import deferToThread
from twisted.python.filepath import FilePath
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage.flocker.blocking import BlockingDriver
from txstorage.flocker.dataset_agent import CreateVolume, make_deployer

from ..helpers.child import shared_service
from .support import GIB, blocking_driver

HERE = u"11111111-1111-4111-8111-111111111111"


class Driver(object):
    """A driver whose operations never end."""

    def __init__(self, _):
        self.asked = []

    def __getattr__(self, name):
        def operation(*args):
            self.asked.append((name,) + args)
            return Deferred()

        return operation


def deployer_for(api):
    """:return: the agent's deployer."""
    return make_deployer(reactor, api=api, hostname=u"192.0.2.1", node_uuid=uuid4())


class DeployerTests(SynchronousTestCase):
    """The asynchronous operations of the deployer."""

    def setUp(self):
        api = BlockingDriver(reactor, Driver)
        self.addCleanup(api.stop)
        self.driver = api.asynchronous
        self.deployer = deployer_for(api)

    def test_other_backend(self):
        """Another backend's driver is refused with an error for the operator."""
        error = self.assertRaises(UsageError, deployer_for, object())
        self.assertIn("backend: txstorage", str(error))

    def test_discovery(self):
        """A discovery without a response of the cloud does not block."""
        self.assertNoResult(self.deployer.discover_state(DeploymentState(), PersistentState()))
        self.assertIn(("list_volumes",), self.driver.asked)

    def test_many_at_once(self):
        """The number of concurrent operations is not limited by a pool of threads."""
        api = self.deployer.async_block_device_api
        for _ in range(30):
            self.assertNoResult(api.detach_volume(u"a"))
        self.assertEqual(30, len(self.driver.asked))

    def created(self, metadata):
        dataset_id = uuid4()
        desired = DesiredDataset(
            state=DatasetStates.MOUNTED,
            dataset_id=dataset_id,
            maximum_size=GIB,
            mount_point=FilePath("/nowhere"),
            metadata=metadata,
        )
        change = self.deployer.calculator.calculate_changes_for_datasets(
            {}, {dataset_id: desired}
        ).changes[0]
        self.assertIsInstance(change, CreateVolume)
        self.assertNoResult(change.run(self.deployer, None))
        return dataset_id

    def test_create(self):
        """A dataset is created by the asynchronous driver, with one call."""
        dataset_id = self.created({})
        self.assertEqual([("create_volume", dataset_id, GIB)], self.driver.asked)

    def test_create_with_profile(self):
        """A dataset with a profile is created by the asynchronous driver, with one call."""
        dataset_id = self.created({PROFILE_METADATA_KEY: u"gold"})
        self.assertEqual(
            [("create_volume_with_profile", dataset_id, GIB, u"gold")], self.driver.asked
        )

    def test_all_else_is_flockers(self):
        """The table of changes is Flocker's, except for creation."""
        table = self.deployer.calculator.transitions
        self.assertEqual(set(DATASET_TRANSITIONS), set(table))
        for desired, row in DATASET_TRANSITIONS.items():
            self.assertEqual(set(row), set(table[desired]))
            for discovered, change in row.items():
                expected = CreateVolume if change is CreateBlockDeviceDataset else change
                self.assertIs(expected, table[desired][discovered])

    def test_nothing_to_do(self):
        """A dataset in its desired state causes no change."""
        dataset_id = uuid4()
        there = DiscoveredDataset(
            state=DatasetStates.NON_MANIFEST,
            dataset_id=dataset_id,
            maximum_size=GIB,
            blockdevice_id=u"a",
        )
        changes = self.deployer.calculator.calculate_changes_for_datasets({dataset_id: there}, {})
        self.assertEqual(NoOp(sleep=timedelta(seconds=60)), changes)


class DiscoveryTests(TestCase):
    """The discovery of a real node."""

    timeout = 60

    @inlineCallbacks
    def test_as_flocker(self):
        """The result equals that of Flocker's own, sequential deployer."""
        cluster_id = uuid4()
        api = blocking_driver(self, cluster_id)
        # an agent whose connections the test can close
        driver, _ = shared_service().driver(self, cluster_id)
        api.asynchronous = driver
        here = yield driver.compute_instance_id()
        plain, formatted, detached, unknown = [uuid4() for _ in range(4)]
        owners = {}
        for dataset_id in (plain, formatted, detached, unknown):
            volume = yield driver.create_volume(dataset_id, GIB)
            if dataset_id != unknown:
                owners[dataset_id] = volume.blockdevice_id
            if dataset_id in (plain, formatted):
                yield driver.attach_volume(volume.blockdevice_id, here)
        path = yield driver.get_device_path(owners[formatted])
        check_call(["mkfs.ext4", "-q", path.path])
        deployer = deployer_for(api)
        persistent = PersistentState(blockdevice_ownership=owners)
        mine = yield deployer.discover_state(DeploymentState(), persistent)
        theirs = BlockDeviceDeployer(
            hostname=deployer.hostname,
            node_uuid=deployer.node_uuid,
            block_device_api=api,
            _underlying_blockdevice_api=api,
        )
        found = yield deferToThread(
            lambda: theirs.discover_state(DeploymentState(), persistent).result
        )
        self.assertEqual(found, mine)
        self.assertEqual(
            {
                plain: DatasetStates.ATTACHED_NO_FILESYSTEM,
                formatted: DatasetStates.ATTACHED,
                detached: DatasetStates.NON_MANIFEST,
                unknown: DatasetStates.UNREGISTERED,
            },
            {dataset_id: dataset.state for dataset_id, dataset in mine.datasets.items()},
        )

    @inlineCallbacks
    def test_stock_cache(self):
        """
        The device path that Flocker's own agent caches is correct, or no device, after others have
        detached the volume and its device node is another volume's.
        """
        cluster_id = uuid4()
        api = blocking_driver(self, cluster_id)
        others, _ = shared_service().driver(self, cluster_id)
        here = yield others.compute_instance_id()
        volumes = yield gatherResults([others.create_volume(uuid4(), GIB) for _ in range(2)])
        first, second = [volume.blockdevice_id for volume in volumes]
        cache = ProcessLifetimeCache(api)
        yield others.attach_volume(first, here)
        self.assertTrue(cache.get_device_path(first).isBlockDevice())
        yield others.detach_volume(first)
        self.assertFalse(cache.get_device_path(first).isBlockDevice())
        yield others.attach_volume(second, here)
        self.assertFalse(cache.get_device_path(first).isBlockDevice())
        yield others.attach_volume(first, here)
        path = cache.get_device_path(first)
        self.assertTrue(path.isBlockDevice())
        expected = yield others.get_device_path(first)
        self.assertEqual(expected, path)

"""
``FLOCKER_BACKEND``, called as Flocker calls it, and ``blocking_driver``, against the embedded
service.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from pyrsistent import freeze
from twisted.internet import reactor
from twisted.internet.defer import gatherResults, inlineCallbacks
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from txstorage import FLOCKER_BACKEND, blocking_driver
from txstorage._support.compat import native
from txstorage.driver.operations import BlockDeviceDriver
from txstorage.errors import DriverStopped, InvalidConfiguration, Unreachable
from txstorage.flocker.shared_reactor import this_process
from txstorage.interfaces import (
    AlreadyAttachedVolume,
    BackendDescription,
    DeployerType,
    IBlockDeviceAPI,
    UnattachedVolume,
    UnknownVolume,
)

from ..helpers.child import WAITING, EmbeddedService, shared_service
from ..helpers.wire import retry_soon

GIB = 2**30
PASSWORD = {
    "auth_url": "http://cloud.example/v3", "username": "u", "password": "p", "project_name": "p"
}


def flockers_driver(test_case, configuration, its_reactor=reactor, **changes):
    """A driver made as Flocker makes it: from a frozen configuration with native strings."""
    section = {
        native(key): native(value)
        for key, value in dict(configuration, **changes).items()
        if key != "cluster_id"
    }
    arguments = freeze(section).set("cluster_id", uuid4()).set("reactor", its_reactor)
    driver = FLOCKER_BACKEND.api_factory(**arguments)
    test_case.addCleanup(end, driver)
    return driver


def end(driver):
    """
    Stop a driver; if no other driver uses the thread, wait for the thread's end.

    The thread writes to the log, which must not be closed before.
    """
    thread = this_process()._thread
    driver.stop()
    if thread is not None and this_process()._thread is None:
        thread.join(10)


class DescriptionTests(SynchronousTestCase):
    """The backend's description, and the factory without a network."""

    def test_description(self):
        """The block device backend requires a reactor and a cluster, and no particular key."""
        self.assertIsInstance(FLOCKER_BACKEND, BackendDescription)
        self.assertEqual(u"txstorage", FLOCKER_BACKEND.name)
        self.assertTrue(FLOCKER_BACKEND.needs_reactor and FLOCKER_BACKEND.needs_cluster_id)
        self.assertEqual([], list(FLOCKER_BACKEND.required_config))
        self.assertIs(DeployerType.block, FLOCKER_BACKEND.deployer_type)

    def test_native(self):
        """The returned driver has the asynchronous driver, on the reactor that was passed."""
        clock = Clock()
        driver = flockers_driver(self, PASSWORD, clock, profiles={"gold": "ssd"})
        self.assertIsInstance(driver.asynchronous, BlockDeviceDriver)
        self.assertEqual({u"gold": u"ssd"}, driver.asynchronous._creations._profiles)
        self.assertEqual([], clock.getDelayedCalls())

    def test_bad_configuration(self):
        """A missing or unknown key, even an argument of other factories, is named at once."""
        for key, section in [
            (u"password", {name: PASSWORD[name] for name in PASSWORD if name != "password"}),
            (u"agent", dict(PASSWORD, agent="x")),
            (u"profiles", dict(PASSWORD, profiles=["gold"])),
        ]:
            error = self.assertRaises(InvalidConfiguration, flockers_driver, self, section)
            self.assertEqual(key, error.key)


class WithoutReactorTests(SynchronousTestCase):
    """``blocking_driver``, without a network."""

    def test_made(self):
        """The driver provides Flocker's blocking interface, and has none on another reactor."""
        driver = blocking_driver(uuid4(), **PASSWORD)
        self.addCleanup(end, driver)
        self.assertTrue(verifyObject(IBlockDeviceAPI, driver))
        self.assertIs(None, driver.asynchronous)
        self.assertEqual(GIB, driver.allocation_unit())

    def test_stopped(self):
        """A stopped driver refuses calls, and leaves no thread."""
        before = this_process()._thread
        driver = blocking_driver(uuid4(), **PASSWORD)
        end(driver)
        self.assertRaises(DriverStopped, driver.allocation_unit)
        self.assertIs(before, this_process()._thread)

    def test_bad_configuration(self):
        """A bad key, or a bad certificate in a file, is an error now and leaves no thread."""
        before, bad = this_process()._thread, self.mktemp()
        with open(bad, "wb") as certificate:
            certificate.write(b"no certificate")
        for key, changes in [
            (u"auth_ulr", {"auth_ulr": "x"}),
            (u"verify_ca_path", {"verify_ca_path": bad}),
        ]:
            error = self.assertRaises(
                InvalidConfiguration, blocking_driver, uuid4(), **dict(PASSWORD, **changes)
            )
            self.assertEqual(key, error.key)
            self.assertIs(before, this_process()._thread)


class ServiceTestCase(TestCase):
    """The base of tests with a blocking driver and threads that call it."""

    timeout = 120

    def setUp(self):
        self.pool = ThreadPool(0, 200)
        self.pool.start()
        self.addCleanup(self.pool.stop)

    def in_thread(self, function, *args):
        return deferToThreadPool(reactor, self.pool, function, *args)

    def driver_for(self, service, **changes):
        retry_soon(self)
        return flockers_driver(self, service.configuration(), **dict(WAITING, **changes))


def without_cluster(configuration):
    """:return: a configuration for a cluster of its own."""
    return {key: value for key, value in configuration.items() if key != "cluster_id"}


def clean_up(driver):
    for volume in driver.list_volumes():
        if volume.attached_to is not None:
            driver.detach_volume(volume.blockdevice_id)
        driver.destroy_volume(volume.blockdevice_id)


class LifeTests(ServiceTestCase):
    """A volume's life, with a real device."""

    def life(self, driver):
        node = driver.compute_instance_id()
        volume = driver.create_volume(dataset_id=uuid4(), size=driver.allocation_unit())
        volume_id = volume.blockdevice_id
        self.assertEqual([volume], driver.list_volumes())
        self.assertRaises(UnattachedVolume, driver.get_device_path, volume_id)
        attached = driver.attach_volume(volume_id, attach_to=node)
        self.assertEqual(node, attached.attached_to)
        path = driver.get_device_path(volume_id)
        self.assertEqual(volume.size, shared_service().device_size(path))
        error = self.assertRaises(
            AlreadyAttachedVolume, driver.attach_volume, volume_id, attach_to=node
        )
        self.assertEqual((volume_id,), error.args)
        driver.detach_volume(volume_id)
        driver.destroy_volume(volume_id)
        self.assertRaises(UnknownVolume, driver.destroy_volume, volume_id)
        self.assertIn(node, driver.list_live_nodes())

    def driver(self):
        driver = self.driver_for(shared_service())
        self.addCleanup(clean_up, driver)
        return driver

    def test_reactor_thread(self):
        """A volume's life, with calls in the thread of the running reactor."""
        self.life(self.driver())

    def test_worker_thread(self):
        """A volume's life, with calls in a worker thread."""
        return self.in_thread(self.life, self.driver())

    def test_without_reactor(self):
        """A volume's life with the driver that was made without a reactor, in both threads."""
        driver = blocking_driver(uuid4(), **without_cluster(shared_service().configuration()))
        self.addCleanup(end, driver)
        self.addCleanup(clean_up, driver)
        self.life(driver)
        return self.in_thread(self.life, driver)

    @inlineCallbacks
    def test_many_threads(self):
        """200 threads at once that list and create make one volume per dataset."""
        driver = self.driver()
        datasets = [uuid4() for _ in range(5)]
        work = [
            self.in_thread(driver.create_volume, datasets[number % 5], GIB)
            if number % 4 == 0 else self.in_thread(driver.list_volumes)
            for number in range(200)
        ]
        yield gatherResults(work)
        self.assertEqual(sorted(datasets), sorted(v.dataset_id for v in driver.list_volumes()))


class OutageTests(ServiceTestCase):
    """A service that is down, and then up again."""

    def service(self, *options):
        service = EmbeddedService(*options)
        self.addCleanup(service.remove)
        service.start()
        return service

    def test_kill_and_restart(self):
        """
        While the service is down, each operation fails with the reason; the same driver works
        when the service is up again, and did not keep a failed search for the instance id.
        """
        service = self.service()
        driver = self.driver_for(service)
        service.kill()
        for operation in (driver.compute_instance_id, driver.list_volumes):
            error = self.assertRaises(Unreachable, operation)
            self.assertTrue(error.remedy)
        service.start()
        self.assertEqual(service.configuration()["instance_id"], driver.compute_instance_id())
        volume = driver.create_volume(uuid4(), GIB)
        service.kill()
        self.assertRaises(Unreachable, driver.list_volumes)
        service.start()
        self.assertEqual([volume], driver.list_volumes())
        driver.destroy_volume(volume.blockdevice_id)

    def test_tls(self):
        """
        Operations over TLS do not wait for the reactor of the caller's blocked thread either.
        """
        driver = self.driver_for(self.service("--tls"))
        self.assertEqual([], driver.list_volumes())

    def test_host_name(self):
        """The resolution of a host name does not wait for the blocked reactor."""
        service = shared_service()
        configuration = service.configuration()
        driver = self.driver_for(
            service, auth_url=configuration["auth_url"].replace("127.0.0.1", "localhost")
        )
        self.assertEqual([], driver.list_volumes())

"""
Data survives moves between nodes, and a ``kill -9`` of the embedded service at any moment of any
operation.
"""

from __future__ import absolute_import, division, print_function

import os
from hashlib import sha256
from subprocess import check_call
from tempfile import mkdtemp
from uuid import uuid4

from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import TestCase

from txstorage.interfaces import AlreadyAttachedVolume, UnattachedVolume, UnknownVolume
from txstorage.testing import detach_destroy_volumes

from ..helpers.child import EmbeddedService

GIB = 2**30


class Mounted(object):
    """
    A file system on a device, while it is mounted.

    :param FilePath device: the device.
    """

    def __init__(self, device):
        self._device = device.path

    def __enter__(self):
        self._directory = mkdtemp(prefix="txstorage-test-")
        check_call(["mount", self._device, self._directory])
        return os.path.join(self._directory, "file")

    def __exit__(self, *_):
        check_call(["umount", self._directory])
        os.rmdir(self._directory)


def write(device, size=2**20):
    """Make a file system on a device, and a file in it; :return: its checksum."""
    check_call(["mkfs.ext4", "-q", device.path])
    content = os.urandom(size)
    with Mounted(device) as path:
        with open(path, "wb") as written:
            written.write(content)
    return sha256(content).hexdigest()


def read(device):
    """:return: the checksum of the file in the file system on a device."""
    with Mounted(device) as path:
        with open(path, "rb") as written:
            return sha256(written.read()).hexdigest()


class KilledService(TestCase):
    """A service with loop devices, which is killed, and drivers of two of its nodes."""

    timeout = 200
    if os.getuid() != 0:
        skip = "loop devices and mounts need root"

    def setUp(self):
        self.service = EmbeddedService()
        self.addCleanup(self.service.remove)
        self.service.start()
        cluster_id = uuid4()
        self.drivers = []
        for node in ("node-1", "node-2"):
            driver, agent = self.service.driver(self, cluster_id, node)
            self.drivers.append(driver)
            self.agent = agent if node == "node-1" else self.agent
        self.addCleanup(detach_destroy_volumes, self.drivers[0])

    @inlineCallbacks
    def attached(self, driver, volume_id):
        node = yield driver.compute_instance_id()
        yield driver.attach_volume(volume_id, node)
        self.device = yield driver.get_device_path(volume_id)

    def files(self):
        """:return: the names of the volumes' files; only their sidecars are beside them."""
        names = sorted(os.listdir(os.path.join(self.service.state, "volumes")))
        files = [name for name in names if "." not in name]
        self.assertEqual(sorted(files + [name + ".json" for name in files]), names)
        return files

    def lose_database(self):
        """Kill the service, and remove its database."""
        self.service.kill()
        for name in os.listdir(self.service.state):
            if name.startswith("txstorage.sqlite"):
                os.unlink(os.path.join(self.service.state, name))

    def restart(self):
        self.service.kill()
        self.service.start()

    @inlineCallbacks
    def through_kills(self, operation, done, prepare):
        """
        Kill the service at each moment of an operation; the operation continues or can be repeated.

        :param operation: called without arguments; returns a ``Deferred``.
        :param done: the errors that the repeated operation may raise when it had succeeded.
        :param prepare: called before each; returns a ``Deferred``.
        """
        # Before a request is sent, the service is as it was before the last answer was delivered.
        for moment in (each for each in range(60) if each % 3):
            yield prepare()
            before = self.agent.moments
            self.agent.at_moment(moment, self.restart)
            yield operation().addErrback(
                lambda _: operation().addErrback(lambda failure: failure.trap(*done) and None)
            )
            self.agent.calm()
            if self.agent.moments - before <= moment:
                break
        self.assertGreater(moment, 5, "it was over too soon")


class DurabilityTests(KilledService):
    """Volumes with file systems, and a service that is killed."""

    @inlineCallbacks
    def test_moves(self):
        """A file on a volume is identical after the volume has moved to another node and back."""
        first, second = self.drivers
        volume = yield first.create_volume(uuid4(), GIB)
        yield self.attached(first, volume.blockdevice_id)
        checksum = write(self.device)
        for leaves, takes in [(first, second), (second, first)]:
            yield leaves.detach_volume(volume.blockdevice_id)
            yield self.attached(takes, volume.blockdevice_id)
            self.assertEqual(checksum, read(self.device))

    @inlineCallbacks
    def test_killed_while_moving(self):
        """A file survives a ``kill -9`` at every moment of attaching and detaching its volume."""
        [driver, _] = self.drivers
        node = yield driver.compute_instance_id()
        volume = yield driver.create_volume(uuid4(), GIB)
        volume_id = volume.blockdevice_id
        yield self.attached(driver, volume_id)
        checksum = write(self.device)

        def detached():
            d = driver.detach_volume(volume_id)
            return d.addErrback(lambda failure: failure.trap(UnattachedVolume))

        def attached():
            d = driver.attach_volume(volume_id, node)
            return d.addErrback(lambda failure: failure.trap(AlreadyAttachedVolume))

        for operation, done, prepare in [
            (lambda: driver.attach_volume(volume_id, node), AlreadyAttachedVolume, detached),
            (lambda: driver.detach_volume(volume_id), UnattachedVolume, attached),
        ]:
            yield self.through_kills(operation, (done,), prepare)
            yield attached()
            self.device = yield driver.get_device_path(volume_id)
            self.assertEqual(checksum, read(self.device))

    @inlineCallbacks
    def test_lost_database(self):
        """
        Without its database, a service does not begin anew; it restores its volumes, even one that
        is attached, and every file on them.
        """
        [first, second] = self.drivers
        volume = yield first.create_volume(uuid4(), GIB)
        yield self.attached(first, volume.blockdevice_id)
        checksum = write(self.device)
        before = yield first.list_volumes()
        configured = [self.service.configuration(node) for node in ("node-1", "node-2")]
        self.lose_database()
        error = self.assertRaises(RuntimeError, self.service.start)
        self.assertIn("--recover", str(error))
        self.service.start("--recover", "--yes")
        after = [self.service.configuration(node) for node in ("node-1", "node-2")]
        self.assertEqual(configured, after)
        listed = yield second.list_volumes()
        self.assertEqual(before, listed)
        self.device = yield first.get_device_path(volume.blockdevice_id)
        self.assertEqual(checksum, read(self.device))
        yield first.detach_volume(volume.blockdevice_id)
        yield self.attached(second, volume.blockdevice_id)
        self.assertEqual(checksum, read(self.device))

    @inlineCallbacks
    def test_killed_while_creating(self):
        """Each volume is created once, at whichever moment the service is killed."""
        [driver, _] = self.drivers
        dataset_ids = []

        def prepare():
            dataset_ids.append(uuid4())
            return driver.allocation_unit()

        yield self.through_kills(
            lambda: driver.create_volume(dataset_ids[-1], GIB), (), prepare
        )
        volumes = yield driver.list_volumes()
        self.assertEqual(sorted(dataset_ids), sorted(v.dataset_id for v in volumes))
        self.assertEqual(len(dataset_ids), len(self.files()))

    @inlineCallbacks
    def test_killed_while_destroying(self):
        """The destroyed volume and its file are gone; another volume and its file stay."""
        [driver, _] = self.drivers
        other = yield driver.create_volume(uuid4(), GIB)
        yield self.attached(driver, other.blockdevice_id)
        checksum = write(self.device)
        doomed = []

        def prepare():
            return driver.create_volume(uuid4(), GIB).addCallback(
                lambda volume: doomed.append(volume.blockdevice_id)
            )

        yield self.through_kills(
            lambda: driver.destroy_volume(doomed[-1]), (UnknownVolume,), prepare
        )
        volumes = yield driver.list_volumes()
        self.assertEqual([other.blockdevice_id], [v.blockdevice_id for v in volumes])
        self.assertEqual([u"volume-" + other.blockdevice_id], self.files())
        self.device = yield driver.get_device_path(other.blockdevice_id)
        self.assertEqual(checksum, read(self.device))

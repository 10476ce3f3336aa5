"""
Snapshots, clones and larger volumes survive a ``kill -9`` of the embedded service at any moment of
any operation, and have the right bytes.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import inlineCallbacks, returnValue

from txstorage.errors import UnknownSnapshot
from txstorage.testing import block_device_size

from .test_durability import GIB, KilledService, read, write


class SnapshotTests(KilledService):
    """A volume with a file system, its snapshots, and its copies."""

    def setUp(self):
        super(SnapshotTests, self).setUp()
        # A volume with snapshots can't be destroyed.
        self.addCleanup(self.destroy_snapshots)

    @inlineCallbacks
    def destroy_snapshots(self):
        snapshots = yield self.drivers[0].list_snapshots()
        for snapshot in snapshots:
            yield self.drivers[0].destroy_snapshot(snapshot.snapshot_id)

    @inlineCallbacks
    def volume(self):
        """:return: the id of an attached volume with a file, and the file's checksum."""
        volume = yield self.drivers[0].create_volume(uuid4(), GIB)
        yield self.attached(self.drivers[0], volume.blockdevice_id)
        returnValue((volume.blockdevice_id, write(self.device)))

    @inlineCallbacks
    def assert_file(self, volume_id, checksum):
        """Assert that a volume that is not attached has a file."""
        driver = self.drivers[0]
        yield self.attached(driver, volume_id)
        self.assertEqual(checksum, read(self.device))
        yield driver.detach_volume(volume_id)

    @inlineCallbacks
    def test_restored(self):
        """A volume from a snapshot has the file that the attached volume had then."""
        driver = self.drivers[0]
        volume_id, checksum = yield self.volume()
        snapshot = yield driver.create_snapshot(volume_id, u"before", {})
        self.assertNotEqual(checksum, write(self.device))
        restored = yield driver.create_volume_from_snapshot(uuid4(), snapshot.snapshot_id, 2 * GIB)
        self.assertEqual(2 * GIB, restored.size)
        yield self.assert_file(restored.blockdevice_id, checksum)

    @inlineCallbacks
    def test_killed_while_copying(self):
        """
        Each snapshot, each volume from a snapshot and each clone is made once, with the volume's
        size and file, at whichever moment the service is killed.
        """
        driver = self.drivers[0]
        volume_id, checksum = yield self.volume()
        snapshot = yield driver.create_snapshot(volume_id, u"first", {})
        names, dataset_ids = [u"first"], []

        def prepare():
            names.append(u"{}".format(len(names)))
            dataset_ids.append(uuid4())
            return driver.allocation_unit()

        yield self.through_kills(
            lambda: driver.create_snapshot(volume_id, names[-1], {}), (), prepare
        )
        snapshots = yield driver.list_snapshots()
        self.assertEqual(sorted(names), sorted(each.name for each in snapshots))
        self.assertEqual(
            {(u"available", GIB)}, {(each.status, each.size) for each in snapshots}
        )
        del dataset_ids[:]
        for operation in [
            lambda: driver.create_volume_from_snapshot(dataset_ids[-1], snapshot.snapshot_id),
            lambda: driver.clone_volume(dataset_ids[-1], volume_id),
        ]:
            yield self.through_kills(operation, (), prepare)
        volumes = yield driver.list_volumes()
        copies = [each for each in volumes if each.blockdevice_id != volume_id]
        self.assertEqual(sorted(dataset_ids), sorted(each.dataset_id for each in copies))
        self.assertEqual({GIB}, {each.size for each in copies})
        self.assertEqual(len(snapshots) + len(volumes), len(self.files()))
        # The volume's own file is another one by now.
        self.assertNotEqual(checksum, write((yield driver.get_device_path(volume_id))))
        for each in snapshots[:2] + snapshots[-2:]:
            restored = yield driver.create_volume_from_snapshot(uuid4(), each.snapshot_id)
            yield self.assert_file(restored.blockdevice_id, checksum)
        for copy in copies[:2] + copies[-2:]:
            yield self.assert_file(copy.blockdevice_id, checksum)

    @inlineCallbacks
    def test_killed_while_growing(self):
        """The volume in use has its new size, once, its device, and its file."""
        driver = self.drivers[0]
        volume_id, checksum = yield self.volume()
        self.size = GIB

        def prepare():
            self.size += GIB
            return driver.allocation_unit()

        yield self.through_kills(lambda: driver.grow_volume(volume_id, self.size), (), prepare)
        [volume] = yield driver.list_volumes()
        device = yield driver.get_device_path(volume_id)
        self.assertEqual(self.device, device)
        self.assertEqual((self.size, self.size), (volume.size, block_device_size(device)))
        self.assertEqual(checksum, read(device))

    @inlineCallbacks
    def test_lost_database(self):
        """A snapshot comes back from its sidecar, with its data."""
        driver = self.drivers[0]
        volume_id, checksum = yield self.volume()
        snapshot = yield driver.create_snapshot(volume_id, u"before", {u"a": u"b"})
        self.assertNotEqual(checksum, write(self.device))
        self.lose_database()
        self.service.start("--recover", "--yes")
        listed = yield driver.list_snapshots()
        self.assertEqual([snapshot], listed)
        restored = yield driver.create_volume_from_snapshot(uuid4(), snapshot.snapshot_id)
        yield self.assert_file(restored.blockdevice_id, checksum)

    @inlineCallbacks
    def test_killed_while_destroying(self):
        """The destroyed snapshot is gone; its volume stays."""
        driver = self.drivers[0]
        volume_id, checksum = yield self.volume()
        doomed = []

        def prepare():
            d = driver.create_snapshot(volume_id, u"{}".format(len(doomed)), {})
            return d.addCallback(lambda snapshot: doomed.append(snapshot.snapshot_id))

        yield self.through_kills(
            lambda: driver.destroy_snapshot(doomed[-1]), (UnknownSnapshot,), prepare
        )
        listed = yield driver.list_snapshots()
        self.assertEqual([], listed)
        self.assertEqual([u"volume-" + volume_id], self.files())
        self.assertEqual(checksum, read(self.device))

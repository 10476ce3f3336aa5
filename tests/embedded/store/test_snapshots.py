"""Tests of the snapshots in the durable state, and of the upgrade to it."""

from __future__ import annotations

import os
import sqlite3

import attr
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.store import database
from txstorage.embedded.store.database import Database
from txstorage.embedded.store.records import NewSnapshot, NewVolume, Usage, VolumeFilter
from txstorage.embedded.store.store import GONE, Store

from ..support import MISSING, temporary_directory

NEW = NewVolume("n", None, 2, "gold", {"a": "b"})


class SnapshotsTests(SynchronousTestCase):
    """Tests of the table of snapshots."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.path = os.path.join(temporary_directory(self), "db")
        self.store = self.open()
        self.volume_id = self.store.add_volume(NEW).volume_id
        self.store.set_status(self.volume_id, "available")
        self.new = NewSnapshot(self.volume_id, "s", None, 2, "gold", {"c": "d"})

    def open(self) -> Store:
        """Open the store, also a second time, as after a crash."""
        store = Store(self.path, self.clock.seconds)
        self.addCleanup(store.close)
        return store

    def test_survives(self) -> None:
        """A snapshot is there after the file is opened again without a close."""
        made = self.store.snapshots.add(self.new)
        self.assertEqual(made.status, "creating")
        self.assertEqual(self.open().snapshots.find(made.snapshot_id), made)
        self.assertEqual(self.open().snapshots.of_volume(self.volume_id), [made])
        self.assertEqual(self.open().snapshots.of_volume(MISSING), [])
        self.assertEqual((made.size, made.metadata), (2, {"c": "d"}))

    def test_change(self) -> None:
        """Texts, labels and the status can be changed, each alone."""
        snapshots = self.store.snapshots
        made = snapshots.add(self.new)
        self.clock.advance(5)
        changed = snapshots.set_texts(made.snapshot_id, {"description": "d"})
        self.assertEqual(changed, attr.evolve(made, description="d", updated_at=5.0))
        self.clock.advance(1)
        changed = snapshots.set_metadata(made.snapshot_id, {"e": "f"}, replace=False)
        self.assertEqual((changed.metadata, changed.updated_at), ({"c": "d", "e": "f"}, 6.0))
        changed = snapshots.set_metadata(made.snapshot_id, {"g": "h"}, replace=True)
        self.assertEqual(changed.metadata, {"g": "h"})
        snapshots.set_status(made.snapshot_id, "available")
        self.assertEqual([each.status for each in snapshots.every()], ["available"])

    def test_remove(self) -> None:
        """A snapshot goes with its labels and its messages; its volume's messages stay."""
        made = self.store.snapshots.add(self.new)
        self.store.messages.add(self.volume_id, "volume")
        self.store.messages.add(self.volume_id, "snapshot", made.snapshot_id)
        (message,) = self.store.messages.listed(made.snapshot_id)
        self.assertEqual((message.text, message.snapshot_id), ("snapshot", made.snapshot_id))
        self.assertEqual(
            [each.text for each in self.store.messages.listed(self.volume_id)], ["volume"]
        )
        self.store.snapshots.remove(made.snapshot_id)
        self.assertEqual(self.store.snapshots.every(), [])
        self.assertEqual([each.text for each in self.store.messages.listed()], ["volume"])

    def test_volume_stays(self) -> None:
        """The row of a volume stays as long as those of its snapshots."""
        self.store.snapshots.add(self.new)
        self.store.set_status(self.volume_id, "deleting")
        with self.assertRaises(sqlite3.IntegrityError):
            self.store.settle(self.volume_id, "deleting", GONE)
        self.assertIsNotNone(self.store.volume(self.volume_id))

    def test_usage(self) -> None:
        """Snapshots count, and a growing volume counts with its new size."""
        self.store.snapshots.add(self.new)
        self.assertEqual(self.store.usage(), Usage(1, 1, 4))
        self.store.grow(self.volume_id, 5)
        self.assertEqual(self.store.usage(), Usage(1, 1, 7))

    def test_grow(self) -> None:
        """A volume has its new size after a success only."""
        for status, size in (("error_extending", 2), ("available", 5)):
            self.store.grow(self.volume_id, 5)
            growing = self.store.volume(self.volume_id)
            assert growing is not None
            self.assertEqual((growing.status, growing.size, growing.growing), ("extending", 2, 5))
            self.store.settle(self.volume_id, "extending", status)
            found = self.store.volume(self.volume_id)
            assert found is not None
            self.assertEqual((found.status, found.size, found.growing), (status, size, None))

    def test_stopped_growing(self) -> None:
        """A volume whose status was set by hand does not grow any more."""
        self.store.grow(self.volume_id, 5)
        self.store.set_status(self.volume_id, "available")
        self.assertEqual(self.store.usage(), Usage(1, 0, 2))

    def test_copies(self) -> None:
        """The copies of an origin are those that are not complete."""
        copy = self.store.add_volume(attr.evolve(NEW, source_volid=self.volume_id)).volume_id
        other = self.store.add_volume(attr.evolve(NEW, snapshot_id="s")).volume_id
        self.assertEqual(self.store.searches.copies(self.volume_id), [copy])
        self.assertEqual(self.store.searches.copies("s"), [other])
        self.store.set_status(copy, "available")
        self.assertEqual(self.store.searches.copies(self.volume_id), [])


class UpgradeTests(SynchronousTestCase):
    """A database of an earlier release."""

    def test_before_searches(self) -> None:
        """Nothing is lost from a database without an index of labels."""
        self.upgrade(3)

    def test_before_snapshots(self) -> None:
        """Nothing is lost from a database without snapshots."""
        self.upgrade(4)

    def test_before_projects(self) -> None:
        """Nothing is lost from a database without projects."""
        self.upgrade(6)

    def upgrade(self, version: int) -> None:
        """
        Assert that volumes, labels, attachments and messages stay, are found, and can have
        snapshots.
        """
        path = os.path.join(temporary_directory(self), "db")
        steps = database._STEPS
        self.patch(database, "_STEPS", steps[:version])
        self.patch(database, "SCHEMA_VERSION", version)
        old = Database(path)
        old.execute(
            "INSERT INTO volumes (id, name, size, status, volume_type, created_at)"
            " VALUES ('v', 'n', 2, 'in-use', 'gold', 1.5)"
        )
        old.execute("INSERT INTO metadata VALUES ('v', 'a', 'b')")
        old.execute(
            "INSERT INTO attachments (id, block_device_id, volume_id, server_id, device)"
            " VALUES ('a', 'b', 'v', 's', '/dev/vdb')"
        )
        old.execute(
            "INSERT INTO messages (id, volume_id, text, created_at) VALUES ('m', 'v', 'why', 2.5)"
        )
        old.close()
        self.patch(database, "_STEPS", steps)
        self.patch(database, "SCHEMA_VERSION", len(steps))
        for _ in range(2):
            store = Store(path, lambda: 3.5)
            self.addCleanup(store.close)
            (volume,) = store.volumes()
            self.assertEqual(store.volumes(VolumeFilter(metadata={"a": "b"})), [volume])
            (found,) = store._database.execute("PRAGMA user_version").fetchone()
            self.assertEqual(found, len(steps))
            self.assertEqual((volume.volume_id, volume.metadata), ("v", {"a": "b"}))
            self.assertEqual((volume.snapshot_id, volume.source_volid, volume.growing), (None,) * 3)
            # All belongs to the first project and the first user.
            self.assertEqual((volume.project_id, volume.user_id), (None, None))
            self.assertEqual(store.usage().volumes, 1)
            assert volume.attachment is not None
            self.assertEqual(volume.attachment.device, "/dev/vdb")
            self.assertEqual([each.text for each in store.messages.listed("v")], ["why"])
            store.snapshots.add(NewSnapshot("v", None, None, 2, "gold", {}))
        self.assertEqual(len(store.snapshots.of_volume("v")), 2)

"""Tests of the durable state."""

from __future__ import annotations

import os
import sqlite3

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.store.database import SCHEMA_VERSION, Database
from txstorage.embedded.store.records import NewVolume
from txstorage.embedded.store.store import GONE, Store

from ..support import MISSING, temporary_directory

NEW = NewVolume("n", None, 1, "gold", {"a": "b"})


class DatabaseTests(SynchronousTestCase):
    """Tests of the SQLite file."""

    def setUp(self) -> None:
        self.path = os.path.join(temporary_directory(self), "db")

    def open(self) -> Database:
        """Open the database, also a second time."""
        database = Database(self.path)
        self.addCleanup(database.close)
        return database

    def test_durable(self) -> None:
        """A commit waits for the disk, so that no crash loses it."""
        database = self.open()
        self.assertEqual(database.execute("PRAGMA journal_mode").fetchone()[0], "wal")
        self.assertEqual(database.execute("PRAGMA synchronous").fetchone()[0], 2)

    def test_rollback(self) -> None:
        """A failed transaction leaves nothing, not even of the transactions inside it."""
        database = self.open()

        def fail() -> None:
            with database.transaction():
                with database.transaction():
                    database.execute("INSERT INTO facts VALUES ('a', 'b')")
                raise RuntimeError()

        self.assertRaises(RuntimeError, fail)
        self.assertEqual(database.execute("SELECT * FROM facts").fetchall(), [])
        with database.transaction():
            database.execute("INSERT INTO facts VALUES ('a', 'b')")
        self.assertEqual(len(self.open().execute("SELECT * FROM facts").fetchall()), 1)

    def test_other_version(self) -> None:
        """A database of another version is refused, and not changed."""
        self.open().execute("PRAGMA user_version = 99")
        error = self.assertRaises(sqlite3.DatabaseError, self.open)
        self.assertEqual(str(error), f"it has version 99, not {SCHEMA_VERSION}")


class StoreTests(SynchronousTestCase):
    """Tests of the state."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.path = os.path.join(temporary_directory(self), "db")
        self.store = self.open()

    def open(self) -> Store:
        """Open the store, also a second time, as after a crash."""
        store = Store(self.path, self.clock.seconds)
        self.addCleanup(store.close)
        return store

    def test_facts(self) -> None:
        """A fact keeps its first value until it is changed."""
        self.assertEqual(self.store.fact("x", lambda: "1"), "1")
        self.assertEqual(self.open().fact("x", lambda: "2"), "1")
        self.store.set_fact("x", "3")
        self.assertEqual(self.open().fact("x", lambda: "2"), "3")

    def test_survives(self) -> None:
        """Completed changes are there after the file is opened again without a close."""
        server = self.store.declare_server("n1")
        volume = self.store.add_volume(NEW)
        self.store.attachments.reserve(volume.volume_id, server.server_id, "/dev/vdb")
        self.store.settle(volume.volume_id, "reserved", "in-use", "/dev/loop7")
        again = self.open().volume(volume.volume_id)
        assert again is not None and again.attachment is not None
        self.assertEqual(again, self.store.volume(volume.volume_id))
        self.assertEqual((again.status, again.metadata), ("in-use", {"a": "b"}))
        self.assertEqual(again.attachment.node_device, "/dev/loop7")

    def test_nodes_are_stable(self) -> None:
        """A node that is declared again is the same server."""
        server = self.store.declare_server("n1")
        self.assertEqual(self.open().declare_server("n1"), server)
        self.assertEqual([entry.name for entry in self.store.servers.every()], ["n1"])

    def test_settle_expects(self) -> None:
        """A transition whose volume has changed its status changes nothing."""
        volume_id = self.store.add_volume(NEW).volume_id
        self.assertFalse(self.store.settle(volume_id, "deleting", GONE))
        self.assertFalse(self.store.settle(MISSING, "deleting", GONE))
        volume = self.store.volume(volume_id)
        assert volume is not None
        self.assertEqual(volume.status, "creating")

    def test_settle_available(self) -> None:
        """An available volume has no attachment."""
        server = self.store.declare_server("n1")
        volume_id = self.store.add_volume(NEW).volume_id
        self.store.attachments.reserve(volume_id, server.server_id, "/dev/vdb")
        self.assertTrue(self.store.settle(volume_id, "reserved", "available"))
        volume = self.store.volume(volume_id)
        assert volume is not None
        self.assertIs(volume.attachment, None)

    def test_gone(self) -> None:
        """A volume's removal removes everything that belongs to it."""
        volume_id = self.store.add_volume(NEW).volume_id
        self.store.messages.add(volume_id, "why")
        self.assertTrue(self.store.settle(volume_id, "creating", GONE))
        self.assertIs(self.store.volume(volume_id), None)
        self.assertEqual(self.store.messages.listed(), [])

    def test_one_place(self) -> None:
        """A volume has one attachment, and a device name of a server one volume."""
        server = self.store.declare_server("n1").server_id
        one, two = (self.store.add_volume(NEW).volume_id for _ in range(2))
        self.store.attachments.reserve(one, server, "/dev/vdb")
        self.assertRaises(
            sqlite3.IntegrityError, self.store.attachments.reserve, one, server, "/dev/vdc"
        )
        self.assertRaises(
            sqlite3.IntegrityError, self.store.attachments.reserve, two, server, "/dev/vdb"
        )
        volume = self.store.volume(two)
        assert volume is not None
        self.assertEqual(volume.status, "creating")

    def test_unknown_metadata(self) -> None:
        """Labels need a volume."""
        self.assertRaises(
            (sqlite3.IntegrityError, KeyError), self.store.set_metadata, MISSING, {}, False
        )

    def test_revoked(self) -> None:
        """
        A revoked token stays revoked across restarts, and the file does not hold the token itself.
        """
        self.store.revoked.add("secret-token", 10.0, now=0.0)
        self.store.revoked.add("secret-token", 10.0, now=0.0)
        self.assertTrue(self.open().revoked.has("secret-token"))
        self.assertFalse(self.store.revoked.has("another"))
        for name in os.listdir(os.path.dirname(self.path)):
            with open(os.path.join(os.path.dirname(self.path), name), "rb") as opened:
                self.assertNotIn(b"secret-token", opened.read())

    def test_revoked_are_forgotten(self) -> None:
        """Revoked tokens are kept until they expire."""
        for moment in range(3):
            self.store.revoked.add(str(moment), moment + 1.0, now=float(moment))
        self.assertEqual(
            [self.store.revoked.has(str(each)) for each in range(3)], [False, False, True]
        )

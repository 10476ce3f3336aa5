"""Tests of the columns and tables of Block Storage's further features."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import attr
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.machine.reconcile import plan
from txstorage.embedded.machine.transitions import transition_of
from txstorage.embedded.recovery.loss import _counts
from txstorage.embedded.store import database
from txstorage.embedded.store.records import NewSnapshot, NewVolume, VolumeRecord
from txstorage.embedded.store.sidecar_content import Sidecar
from txstorage.embedded.store.store import Store

from ..support import temporary_directory

NEW = NewVolume("n", None, 1, "gold", {})
#: The version of the schema before these features.
FORMER = 7


class FeaturesCase(SynchronousTestCase):
    """A store in a file."""

    def setUp(self) -> None:
        self.path = os.path.join(temporary_directory(self), "db")
        self.clock = Clock()

    def open(self) -> Store:
        """Open the store, also a second time, as after a crash."""
        store = Store(self.path, self.clock.seconds)
        self.addCleanup(store.close)
        return store

    def available(self, store: Store, new: NewVolume = NEW) -> str:
        """Return the id of a new volume."""
        volume_id = store.add_volume(new).volume_id
        self.assertTrue(store.settle(volume_id, "creating", "available"))
        return volume_id


class FlagsTests(FeaturesCase):
    """Tests of the flags of volumes."""

    def found(self, volume_id: str) -> VolumeRecord:
        """Return a volume as a crash leaves it."""
        volume = self.open().volume(volume_id)
        assert volume is not None
        return volume

    def test_held(self) -> None:
        """A held status has no transition, nor does a restart end it, until another is set."""
        store = self.open()
        volume_id = self.available(store)
        store.flags.hold(volume_id, "attaching")
        held = self.found(volume_id)
        self.assertEqual((held.status, held.held, transition_of(held)), ("attaching", True, None))
        self.assertEqual(plan([held], [volume_id], {}).released, [])
        let_go = attr.evolve(held, held=False)
        self.assertEqual(plan([let_go], [volume_id], {}).released, [volume_id])
        store.set_status(volume_id, "attaching")
        self.assertEqual(self.found(volume_id), let_go)

    def test_device(self) -> None:
        """The device of a volume that a client holds as being detached is made anew, if lost."""
        store = self.open()
        server, volume_id = store.declare_server("a").server_id, self.available(store)
        store.attachments.reserve(volume_id, server, "/dev/vdb")
        store.flags.hold(volume_id, "detaching")
        self.assertEqual(plan([self.found(volume_id)], [volume_id], {}).reattach, [volume_id])

    def test_inherited(self) -> None:
        """A copy, also one from a snapshot, has the source's flags once it is complete."""
        store = self.open()
        source_id = self.available(store)
        store.flags.set_bootable(source_id, True)
        store.flags.set_image_metadata(source_id, {"a": "b"})
        store.flags.set_readonly(source_id, True)
        new = NewSnapshot(source_id, None, None, 1, "gold", {})
        snapshot_id = store.snapshots.add(new).snapshot_id
        for source in ({"source_volid": source_id}, {"snapshot_id": snapshot_id}):
            copy = self.found(self.available(store, attr.evolve(NEW, **source)))
            self.assertEqual((copy.bootable, copy.image_metadata), (True, {"a": "b"}))
            self.assertIsNone(copy.readonly)
            self.assertFalse(copy.root)
        self.assertFalse(self.found(self.available(store)).bootable)

    def test_sidecar(self) -> None:
        """The flags are restored from a sidecar."""
        store = self.open()
        volume_id = self.available(store)
        store.flags.set_bootable(volume_id, True)
        store.flags.set_image_metadata(volume_id, {"a": "b"})
        store.flags.set_readonly(volume_id, False)
        kept = Sidecar(self.found(volume_id), "p", "c").to_wire()
        restored = Sidecar.from_wire(kept, volume_id).volume
        store.settle(volume_id, "available", "gone")
        store.restore_volume(restored)
        found = self.found(volume_id)
        self.assertEqual(
            (found.bootable, found.readonly, found.image_metadata), (True, False, {"a": "b"})
        )

    def test_former(self) -> None:
        """The root volumes of a former database are still known, also to a recovery."""
        steps = database._STEPS
        self.patch(database, "_STEPS", steps[:FORMER])
        self.patch(database, "SCHEMA_VERSION", FORMER)
        former = database.Database(self.path)
        for name, bootable in (("root", 1), ("other", 0)):
            former.execute(
                "INSERT INTO volumes (id, size, status, volume_type, bootable, created_at)"
                " VALUES (?, 1, 'available', 'gold', ?, 0)",
                name,
                bootable,
            )
        self.assertEqual(_counts(self.path), (0, 1, 0))
        former.close()
        self.patch(database, "_STEPS", steps)
        self.patch(database, "SCHEMA_VERSION", len(steps))
        store = self.open()
        found = {each.volume_id: (each.root, each.bootable) for each in store.volumes()}
        self.assertEqual(found, {"root": (True, True), "other": (False, False)})
        store.flags.set_bootable("other", True)
        self.assertEqual(_counts(self.path), (0, 1, 0))
        self.assertEqual(store.usage().volumes, 1)
        with closing(sqlite3.connect(self.path)) as again:
            self.assertEqual(again.execute("SELECT count(*) FROM volumes").fetchone(), (2,))


class TransfersTests(FeaturesCase):
    """Tests of offers."""

    def test_survives(self) -> None:
        """An offer survives a crash, without its key, and ends with its volume."""
        store = self.open()
        volume = store.volume(self.available(store))
        assert volume is not None
        made = store.transfers.add(volume, "n", True, "the salt", "the digest")
        self.assertEqual(self.open().transfers.every(), [made])
        self.assertNotIn("the ", repr(made))
        store.settle(volume.volume_id, "available", "gone")
        self.assertEqual(self.open().transfers.every(), [])

    def test_accepted(self) -> None:
        """The volume and its snapshots get the new owner, and sidecars, together."""
        for no_snapshots, owner in ((True, (None, None)), (False, ("p", "u"))):
            store = self.open()
            volume = store.volume(self.available(store))
            assert volume is not None
            new = NewSnapshot(volume.volume_id, None, None, 1, "gold", {})
            snapshot = store.snapshots.add(new)
            made = store.transfers.add(volume, None, no_snapshots, "s", "d")
            store._database.touched.clear()
            store._database.touched_snapshots.clear()
            store.transfers.accept(made, "p", "u")
            self.assertEqual(store._database.touched, {volume.volume_id})
            touched = set() if no_snapshots else {snapshot.snapshot_id}
            self.assertEqual(store._database.touched_snapshots, touched)
            taken = store.volume(volume.volume_id)
            assert taken is not None
            self.assertEqual((taken.project_id, taken.user_id), ("p", "u"))
            found = store.snapshots.find(snapshot.snapshot_id)
            assert found is not None
            self.assertEqual((found.project_id, found.user_id), owner)
            self.assertIsNone(store.transfers.find(made.transfer_id))


class AdministrationTests(FeaturesCase):
    """Tests of what administrators change beside volume types and quotas."""

    def test_survives(self) -> None:
        """Disabled processes and default types survive a crash, and end with a reset."""
        store = self.open()
        store.processes.disable("cinder-volume", "why")
        store.processes.disable("cinder-volume", None)
        store.processes.disable("cinder-backup", None)
        gold = store.types.ids()["gold"]
        store.types.defaults.set(None, gold)
        store.types.defaults.set("p", gold)
        store = self.open()
        disabled = {"cinder-volume": "why", "cinder-backup": None}
        self.assertEqual(store.processes.disabled(), disabled)
        self.assertEqual(store.types.defaults.every(), {None: gold, "p": gold})
        kinds = [store.types.default(project_id).name for project_id in (None, "p", "q")]
        self.assertEqual(kinds, ["gold", "gold", "__DEFAULT__"])
        with store.transaction():
            store.clear()
        self.assertEqual((store.processes.disabled(), store.types.defaults.every()), ({}, {}))


class MessagesTests(FeaturesCase):
    """Tests of the reasons of failures."""

    def test_bound(self) -> None:
        """A volume keeps its newest messages only, and takes none of another's."""
        store = self.open()
        one, other = self.available(store), self.available(store)
        store.messages.add(other, "other")
        for number in range(103):
            store.messages.add(one, str(number))
        kept = [each.text for each in store.messages.listed(one)]
        self.assertEqual(kept, [str(number) for number in range(102, 2, -1)])
        self.assertEqual([each.text for each in store.messages.listed(other)], ["other"])

    def test_projects(self) -> None:
        """A message about a snapshot is its project's, also when the volume is another's by now."""
        store = self.open()
        volume_id = self.available(store)
        snapshot = store.snapshots.add(NewSnapshot(volume_id, None, None, 1, "gold", {}))
        store.messages.add(volume_id, "snapshot's", snapshot.snapshot_id)
        store.messages.add(volume_id, "volume's")
        volume = store.volume(volume_id)
        assert volume is not None
        store.transfers.accept(store.transfers.add(volume, None, True, "s", "d"), "p", "u")
        self.assertEqual([each.text for each in store.messages.of_project("p")], ["volume's"])
        self.assertEqual([each.text for each in store.messages.of_project(None)], ["snapshot's"])

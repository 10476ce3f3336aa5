"""Tests of the sidecars of the volumes' files."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from typing import Any, Callable

import attr
from hypothesis import given, settings
from hypothesis.strategies import (
    booleans,
    dictionaries,
    floats,
    integers,
    none,
    one_of,
    sampled_from,
    text,
)
from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.settings import VOLUME_TYPES
from txstorage.embedded.store import sidecars as _sidecars
from txstorage.embedded.store.database import Database
from txstorage.embedded.store.records import AttachmentRecord, NewVolume, Usage, VolumeRecord
from txstorage.embedded.store.sidecar_content import (
    DamagedSidecar,
    Sidecar,
    read_sidecar,
    sidecar_path,
)
from txstorage.embedded.store.sidecars import Sidecars
from txstorage.embedded.store.store import GONE, Store

from ...helpers.properties import RELAXED
from ..support import MISSING, temporary_directory

NEW = NewVolume("a name", None, 3, "gold", {"label": "value"})


def volume(**changes: Any) -> VolumeRecord:
    """A volume's rows."""
    whole = VolumeRecord(
        1, MISSING, "name", None, 2, "available", "gold", False, 1000.5, None, {"a": "b"}, None
    )
    return attr.evolve(whole, **changes)


ATTACHMENT = AttachmentRecord("a", "b", MISSING, "s", "/dev/vdb", "/dev/loop0", 1.5, True, None)


class SidecarTests(SynchronousTestCase):
    """Tests of a sidecar's content."""

    @settings(**RELAXED)
    @given(
        one_of(none(), text()),
        integers(1, 2**31 - 1),
        sampled_from(sorted(VOLUME_TYPES)),
        floats(0, 2**40),
        dictionaries(text(), text(), max_size=3),
        booleans(),
        one_of(none(), text()),
    )
    def test_whole(
        self,
        name: str | None,
        size: int,
        kind: str,
        made: float,
        labels: dict[str, str],
        attached: bool,
        owner: str | None,
    ) -> None:
        """A sidecar holds everything about a volume that a client can see."""
        before = volume(
            name=name,
            description=name,
            size=size,
            volume_type=kind,
            created_at=made,
            metadata=labels,
            attachment=ATTACHMENT if attached else None,
            status="in-use" if attached else "available",
            project_id=owner,
            user_id=owner,
        )
        wire = json.loads(json.dumps(Sidecar(before, "project", "cluster").to_wire()))
        after = Sidecar.from_wire(wire, MISSING)
        self.assertEqual((after.project_id, after.cluster_id), ("project", "cluster"))
        self.assertEqual(attr.evolve(after.volume, sequence=1), before)

    def test_transitions(self) -> None:
        """An unfinished transition is left out: the volume has the status before it."""
        unfinished = attr.evolve(ATTACHMENT, node_device=None)
        for status, attachment, expected in (
            ("creating", None, "available"),
            ("deleting", None, "available"),
            ("reserved", unfinished, "available"),
            ("attaching", unfinished, "available"),
            ("attaching", ATTACHMENT, "attaching"),
            ("in-use", ATTACHMENT, "in-use"),
            ("detaching", ATTACHMENT, "in-use"),
        ):
            kept = Sidecar(volume(status=status, attachment=attachment), "p", "c").to_wire()
            self.assertEqual(kept["status"], expected, status)
            self.assertEqual(kept["attachment"] is None, expected == "available", status)

    def test_damaged(self) -> None:
        """A sidecar that lacks anything, or has another volume's id, is not used."""
        whole = Sidecar(volume(), "p", "c").to_wire()
        later = {"snapshot_id", "source_volid", "growing", "owner_project_id", "owner_user_id"}
        later |= {"bootable", "readonly", "image_metadata", "offered"}
        needed = set(whole) - later
        for damaged in (
            *({key: whole[key] for key in whole if key != left_out} for left_out in needed),
            dict(whole, growing=0),
            dict(whole, id="other"),
            dict(whole, format=2),
            dict(whole, size=0),
            dict(whole, size="1"),
            dict(whole, volume_type=""),
            dict(whole, metadata=[]),
            dict(whole, image_metadata=[]),
            dict(whole, created_at=None),
            dict(whole, attachment={}),
            [],
            None,
        ):
            self.assertRaises(DamagedSidecar, Sidecar.from_wire, damaged, MISSING)

    def test_earlier(self) -> None:
        """A sidecar of a release without copies and growth is one of a volume without either."""
        whole = Sidecar(volume(), "p", "c").to_wire()
        for name in ("snapshot_id", "source_volid", "growing"):
            del whole[name]
        self.assertEqual(Sidecar.from_wire(whole, MISSING).volume.growing, None)

    def test_copy(self) -> None:
        """The origin of a volume and its growth come back."""
        whole = Sidecar(
            attr.evolve(volume(), snapshot_id="s", source_volid="v", growing=3), "p", "c"
        )
        found = Sidecar.from_wire(json.loads(json.dumps(whole.to_wire())), MISSING).volume
        self.assertEqual((found.snapshot_id, found.source_volid, found.growing), ("s", "v", 3))


class SidecarsTests(TestCase):
    """Tests of the sidecars that a store's writer keeps."""

    def setUp(self) -> None:
        self.directory = temporary_directory(self)
        self.files = VolumeFiles(self.directory)
        self.path = os.path.join(temporary_directory(self), "db")
        self.store = Store(self.path, lambda: 5.0)
        self.server = self.store.declare_server("node").server_id
        self.released: list[bool] = []
        self.store.write_in_thread(
            reactor,
            Sidecars(self.directory, "project", "cluster"),
            lambda: self.released.pop() if self.released else False,
        )
        self.addCleanup(self.store.close)

    def names(self) -> list[str]:
        """The files of the directory."""
        return sorted(os.listdir(self.directory))

    def kept(self, volume_id: str) -> Any:
        """The content of a sidecar."""
        return read_sidecar(self.directory, volume_id).to_wire()

    def wanted(self, volume_id: str) -> Any:
        """The content that the database asks for."""
        found = self.store.volume(volume_id)
        assert found is not None
        return Sidecar(found, "project", "cluster").to_wire()

    async def create(self) -> str:
        """Record a volume, and return its id."""
        made = await self.store.write(lambda store: store.add_volume(NEW))
        volume_id: str = made.volume_id
        return volume_id

    async def test_life(self) -> None:
        """
        When a change of a volume is acknowledged, its private sidecar agrees with the database:
        when it is created, labelled, attached, detached and deleted.
        """
        volume_id = await self.create()
        changes: tuple[Callable[[Store], Any], ...] = (
            lambda store: store.settle(volume_id, "creating", "available"),
            lambda store: store.set_metadata(volume_id, {"b": "c"}, replace=True),
            lambda store: store.attachments.reserve(volume_id, self.server, "/dev/vdb"),
            lambda store: store.settle(volume_id, "reserved", "in-use", "/dev/loop0"),
            lambda store: store.set_status(volume_id, "detaching"),
            lambda store: store.settle(volume_id, "detaching", "available"),
        )
        seen = [self.kept(volume_id)]
        for change in changes:
            await self.store.write(change)
            seen.append(self.kept(volume_id))
            self.assertEqual(seen[-1], self.wanted(volume_id))
        self.assertEqual(
            [each["attachment"] is not None for each in seen], [False] * 4 + [True] * 2 + [False]
        )
        self.assertEqual(
            [each["metadata"] for each in seen], [{"label": "value"}] * 2 + [{"b": "c"}] * 5
        )
        mode = os.stat(sidecar_path(self.directory, volume_id)).st_mode & 0o777
        self.assertEqual((self.names(), mode), ([f"volume-{volume_id}.json"], 0o600))
        await self.store.write(lambda store: store.settle(volume_id, "available", GONE))
        self.assertEqual(self.names(), [])

    async def test_durable_first(self) -> None:
        """A sidecar and its directory's entry are durable before the database is."""
        await self.create()
        happened: list[str] = []

        def recorded(name: str, function: Any) -> Any:
            def record(*args: Any) -> Any:
                happened.append(name)
                return function(*args)

            return record

        self.patch(os, "fsync", recorded("fsync", os.fsync))
        self.patch(os, "replace", recorded("replace", os.replace))
        self.patch(_sidecars, "sync_directory", recorded("entry", _sidecars.sync_directory))
        self.patch(Database, "commit", recorded("commit", Database.commit))
        await self.create()
        # The second fsync is the directory's.
        self.assertEqual(happened, ["fsync", "replace", "entry", "fsync", "commit"])

    async def test_no_room(self) -> None:
        """Without room for a sidecar, the change fails and leaves nothing; others succeed."""
        volume_id = await self.create()
        before = self.kept(volume_id)
        self.refuse(errno.ENOSPC)
        await self.assertFailure(self.store.write(lambda store: store.add_volume(NEW)), OSError)

        def labels(store: Store) -> VolumeRecord:
            return store.set_metadata(volume_id, {}, replace=True)

        await self.assertFailure(self.store.write(labels), OSError)
        self.assertEqual(self.kept(volume_id), before)
        self.assertEqual(self.wanted(volume_id), before)
        self.assertEqual(self.names(), [f"volume-{volume_id}.json"])
        await self.store.write(lambda store: store.set_status(volume_id, "deleting"))
        await self.store.write(lambda store: store.settle(volume_id, "deleting", GONE))
        self.assertEqual((self.names(), self.store.usage()), ([], Usage(0, 0, 0)))

    async def test_detach_without_room(self) -> None:
        """
        Without any room, a volume is still detached; its sidecar keeps the attachment until there
        is room.
        """
        volume_id = await self.create()
        await self.store.write(
            lambda store: store.attachments.reserve(volume_id, self.server, "/dev/vdb")
        )
        await self.store.write(
            lambda store: store.settle(volume_id, "reserved", "in-use", "/dev/loop0")
        )
        before = self.kept(volume_id)
        refused = self.refuse(errno.ENOSPC, times=3)
        await self.store.write(lambda store: store.settle(volume_id, "in-use", "available"))
        self.assertEqual((refused, self.kept(volume_id)), ([3], before))
        await self.store.write(lambda store: store.set_status(volume_id, "available"))
        self.assertEqual(self.kept(volume_id), self.wanted(volume_id))
        self.assertIs(self.kept(volume_id)["attachment"], None)

    async def test_reserve(self) -> None:
        """The reserve is released for a sidecar without room, and the change succeeds."""
        self.released.append(True)
        refused = self.refuse(errno.ENOSPC, times=1)
        volume_id = await self.create()
        self.assertEqual(refused, [1])
        self.assertEqual(self.kept(volume_id), self.wanted(volume_id))

    def refuse(self, number: int, times: int = 10**9) -> list[int]:
        """Let writes of sidecars fail; :return: their number, in a list."""
        count, replace = [0], os.replace

        def refusing(one: str, other: str) -> None:
            if count[0] < times:
                count[0] += 1
                raise OSError(number, os.strerror(number))
            replace(one, other)

        self.patch(os, "replace", refusing)
        return count

    async def test_failed_commit(self) -> None:
        """When the database can't be written, the sidecars are as before."""
        volume_id = await self.create()
        before = self.kept(volume_id)

        def fail(self: Database) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        patched = self.patch(Database, "commit", fail)
        await self.assertFailure(
            self.store.write(lambda store: store.add_volume(NEW)), sqlite3.Error
        )

        def labels(store: Store) -> VolumeRecord:
            return store.set_metadata(volume_id, {}, replace=True)

        await self.assertFailure(self.store.write(labels), sqlite3.Error)
        self.assertEqual(
            (self.names(), self.kept(volume_id)), ([f"volume-{volume_id}.json"], before)
        )
        patched.restore()
        await self.store.write(labels)
        self.assertEqual(self.kept(volume_id)["metadata"], {})

    async def test_full_database(self) -> None:
        """The reserve is released for a database without room, and the change is made again."""
        await self.create()
        commits: list[str] = []
        commit = Database.commit

        def fail_once(database: Database) -> None:
            commits.append("commit")
            if len(commits) == 1:
                raise sqlite3.OperationalError("database or disk is full")
            commit(database)

        self.patch(Database, "commit", fail_once)
        self.released.append(True)
        volume_id = await self.create()
        self.assertEqual((len(commits), self.store.usage()), (2, Usage(2, 0, 6)))
        self.assertEqual(self.kept(volume_id), self.wanted(volume_id))


class ReconcileTests(SynchronousTestCase):
    """Tests of the reconciliation of the sidecars at a start."""

    def setUp(self) -> None:
        self.directory = temporary_directory(self)
        self.sidecars = Sidecars(self.directory, "project", "cluster")

    def file(self, name: str, content: str = "") -> None:
        """Make a file."""
        with open(os.path.join(self.directory, name), "w") as opened:
            opened.write(content)

    def test_database_is_right(self) -> None:
        """A missing, damaged or different sidecar is written again; root volumes have none."""
        known = [volume(volume_id=name) for name in ("a", "b", "c")]
        self.file("volume-b.json", "{")
        self.file("volume-c.json", json.dumps(Sidecar(known[2], "other", "cluster").to_wire()))
        self.file("volume-c.json.new", "{")
        self.sidecars.reconcile([*known, volume(volume_id="root", root=True)])
        self.assertEqual(
            sorted(os.listdir(self.directory)), [f"volume-{name}.json" for name in "abc"]
        )
        for each in known:
            found = read_sidecar(self.directory, each.volume_id)
            self.assertEqual(found.to_wire(), Sidecar(each, "project", "cluster").to_wire())

    def test_unknown(self) -> None:
        """The sidecar of an unknown volume stays when the volume has a file, and else goes."""
        self.file("volume-a.json", "{}")
        self.file("volume-b.json", "{}")
        self.file("volume-b", "data")
        self.sidecars.reconcile([])
        self.assertEqual(sorted(os.listdir(self.directory)), ["volume-b", "volume-b.json"])

    def test_unchanged(self) -> None:
        """A sidecar that agrees is not written again."""
        self.sidecars.reconcile([volume()])
        self.patch(os, "replace", lambda one, other: self.fail("it was written"))
        Sidecars(self.directory, "project", "cluster").reconcile([volume()])

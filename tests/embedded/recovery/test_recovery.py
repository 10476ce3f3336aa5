"""Tests of the recovery of a lost database."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
from typing import Any

import attr
import yaml
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage.embedded.recovery import Remains, examine, is_lost, refuse_lost, restore
from txstorage.embedded.service import EmbeddedService, ServiceOptions, wall_time
from txstorage.embedded.settings import GIB
from txstorage.embedded.state_directory import ServeError, StateDirectory
from txstorage.embedded.store.records import (
    NewSnapshot,
    NewVolume,
    SnapshotRecord,
    VolumeRecord,
)
from txstorage.embedded.store.sidecar_content import sidecar_path, snapshot_sidecar_path
from txstorage.embedded.store.store import Store

from ..support import temporary_directory


class PowerFailure(BaseException):
    """The end of the process in a test."""


class RecoveryCase(TestCase):
    """A service that has had volumes, in its own directory."""

    def setUp(self) -> None:
        self.directory = os.path.join(temporary_directory(self), "state")
        self.options = ServiceOptions(state_dir=self.directory, devices="file")

    async def serve(self, **changes: Any) -> EmbeddedService:
        """Start a service, which is stopped after the test."""
        service = EmbeddedService(reactor, attr.evolve(self.options, **changes))
        self.addCleanup(lambda: Deferred.fromCoroutine(service.stop()))
        await service.start()
        return service

    async def fill(self) -> dict[str, VolumeRecord]:
        """
        Let a service make volumes, one of them attached, and end.

        :return: the volumes by their names.
        """
        service = await self.serve()
        store = service._store
        server = store.servers.every()[0].server_id
        for name in ("data", "attached"):
            new = NewVolume(name, "text", 1, "gold", {"label": name})
            made = await store.write(lambda store, new=new: store.add_volume(new))
            service._application._engine.begin(made.volume_id)
            await service._application._engine.idle(made.volume_id)
        attached = made.volume_id
        await store.write(lambda store: store.attachments.reserve(attached, server, "/dev/vdb"))
        service._application._engine.begin(attached)
        await service._application._engine.idle(attached)
        volumes = self.volumes(store)
        await service.stop()
        return volumes

    async def snapshot(self) -> SnapshotRecord:
        """Let a service make a snapshot of the volume ``data``, and end."""
        service = await self.serve()
        store, engine = service._store, service._application._snapshot_engine
        volume_id = self.volumes(store)["data"].volume_id
        new = NewSnapshot(volume_id, "s", None, 1, "gold", {"c": "d"})
        made = await store.write(lambda store: store.snapshots.add(new))
        engine.begin(made.snapshot_id)
        await engine.idle(made.snapshot_id)
        (found,) = store.snapshots.every()
        await service.stop()
        return attr.evolve(found, sequence=0, updated_at=None)

    def volumes(self, store: Store) -> dict[str, VolumeRecord]:
        """The volumes by their names, without the numbers and times of their rows."""
        found = [each for each in store.volumes() if not each.root]
        return {str(each.name): attr.evolve(each, sequence=0, updated_at=None) for each in found}

    def path(self, *names: str) -> str:
        """A path in the state directory."""
        return os.path.join(self.directory, *names)

    def lose(self) -> None:
        """Remove the database."""
        os.unlink(self.path("txstorage.sqlite"))

    def state(self) -> StateDirectory:
        """Open the state directory."""
        state = StateDirectory(self.directory)
        self.addCleanup(state.close)
        return state

    def examined(self) -> Remains:
        """Look for the remains."""
        state = self.state()
        try:
            return examine(state)
        finally:
            state.close()

    def recover(self) -> None:
        """Restore all."""
        state = self.state()
        try:
            restore(state, examine(state), wall_time)
        finally:
            state.close()

    def facts(self) -> dict[str, Any]:
        """The nodes' configuration, without the address."""
        found = {}
        for name in ("node-1", "node-2"):
            with open(self.path(f"agent-{name}.yml")) as opened:
                found[name] = yaml.safe_load(opened)["dataset"]
            del found[name]["auth_url"]
        return found

    def tree(self) -> dict[str, Any]:
        """The names and the contents in the directory, in which the lock means nothing."""
        found = {}
        for directory, _, names in os.walk(self.directory):
            for name in set(names) - {"lock"}:
                path = os.path.join(directory, name)
                found[path] = (os.path.getsize(path), os.path.getmtime(path))
        return found


class LostTests(RecoveryCase):
    """Tests of the loss of a database."""

    async def test_refused(self) -> None:
        """
        Without its database, or with an empty one, a service with volumes or nodes does not start;
        it says what it found, and changes nothing.
        """
        await self.fill()
        for damage in (self.lose, self.empty, self.blank, self.without_tables):
            damage()
            before = self.tree()
            error = await self.assertFailure(Deferred.fromCoroutine(self.serve()), ServeError)
            for words in ("2 volumes", "agent-node-1.yml", "missing or empty"):
                self.assertIn(words, error.message)
            self.assertIn("--recover", error.remedy)
            self.assertIn("--state-dir", error.remedy)
            self.assertEqual(self.tree(), before, damage)

    def empty(self) -> None:
        """Make an empty file."""
        open(self.path("txstorage.sqlite"), "w").close()

    def blank(self) -> None:
        """Make the database of a service without volumes and nodes."""
        Store(self.path("txstorage.sqlite"), wall_time).close()

    def without_tables(self) -> None:
        """Make a database without tables."""
        os.unlink(self.path("txstorage.sqlite"))
        connection = sqlite3.connect(self.path("txstorage.sqlite"))
        connection.execute("PRAGMA user_version = 0")
        connection.execute("VACUUM")
        connection.close()

    async def test_silently_replaced(self) -> None:
        """A database with nodes of its own and no volume is not that of the volumes' files."""
        await self.fill()
        self.lose()
        store = Store(self.path("txstorage.sqlite"), wall_time)
        store.declare_server("node-1")
        store.close()
        error = await self.assertFailure(Deferred.fromCoroutine(self.serve()), ServeError)
        self.assertIn("2 volumes", error.message)

    async def test_nodes_only(self) -> None:
        """A service that never had a volume has an identity to lose, too."""
        await (await self.serve()).stop()
        before = self.facts()
        self.lose()
        error = await self.assertFailure(Deferred.fromCoroutine(self.serve()), ServeError)
        self.assertIn("agent-node-2.yml", error.message)
        self.recover()
        await self.serve()
        self.assertEqual(self.facts(), before)

    def test_interrupted_first_start(self) -> None:
        """A first start that was killed at any moment can be repeated."""
        state = self.state()
        self.assertFalse(is_lost(state))
        state.make_database()
        self.assertFalse(is_lost(state))
        with open(self.path("volumes", "probe"), "w"):
            pass
        self.assertFalse(is_lost(state))
        store = Store(state.database, wall_time)
        self.addCleanup(store.close)
        self.assertFalse(is_lost(state))
        store.declare_server("node-1")
        self.assertFalse(is_lost(state))
        # The sidecar is durable before the first volume's row.
        with open(sidecar_path(state.volumes, "v"), "w"):
            pass
        self.assertFalse(is_lost(state))
        refuse_lost(state)

    async def test_unknown_files(self) -> None:
        """Files that the database does not know, such as that of a backup, are reported."""
        await self.fill()
        with open(self.path("volumes", "volume-stray"), "w") as opened:
            opened.write("data")
        service = await self.serve()
        [remark] = [each for each in service.remarks if "unknown volumes" in each]
        self.assertTrue(remark.endswith(": stray"), remark)
        self.assertTrue(os.path.exists(self.path("volumes", "volume-stray")))


class RestoreTests(RecoveryCase):
    """Tests of the restoration."""

    async def test_all(self) -> None:
        """
        Everything is restored: the volumes with their labels and attachments, the nodes' and the
        cluster's ids, and the service's own.
        """
        volumes, facts = await self.fill(), self.facts()
        with open(self.path("service.json")) as opened:
            own = json.load(opened)["facts"]
        with open(self.path("volumes", "volume-" + volumes["data"].volume_id), "r+b") as file:
            file.write(b"data")
        self.lose()
        self.assertEqual([each.problem for each in self.examined().volumes], ["", ""])
        self.recover()
        service = await self.serve()
        self.assertEqual(self.volumes(service._store), volumes)
        self.assertEqual(self.facts(), facts)
        with open(self.path("service.json")) as opened:
            self.assertEqual(json.load(opened)["facts"], own)
        with open(self.path("volumes", "volume-" + volumes["data"].volume_id), "rb") as file:
            self.assertEqual(file.read(4), b"data")
        self.assertEqual(os.stat(self.path("txstorage.sqlite")).st_mode & 0o777, 0o600)

    async def test_owners(self) -> None:
        """
        Volumes and snapshots stay their owners', and a type that an administrator has made comes
        back, though its extra specs do not.
        """
        service = await self.serve()
        store, application = service._store, service._application
        whose = {"volume_type": "own", "project_id": "p", "user_id": "u"}

        def change(store: Store) -> VolumeRecord:
            store.types.add("own", specs={"a": "b"})
            return store.add_volume(attr.evolve(NewVolume("n", None, 1, "own", {}), **whose))

        volume_id = (await store.write(change)).volume_id
        application._engine.begin(volume_id)
        await application._engine.idle(volume_id)
        new = attr.evolve(NewSnapshot(volume_id, None, None, 1, "own", {}), **whose)
        snapshot_id = (await store.write(lambda store: store.snapshots.add(new))).snapshot_id
        application._snapshot_engine.begin(snapshot_id)
        await application._snapshot_engine.idle(snapshot_id)
        await service.stop()
        self.lose()
        self.recover()
        store = (await self.serve())._store
        for found in (store.volume(volume_id), store.snapshots.find(snapshot_id)):
            self.assertEqual(
                (found.project_id, found.user_id, found.volume_type), ("p", "u", "own")
            )
        self.assertEqual(store.types.find("own").extra_specs, {})

    async def test_looking_changes_nothing(self) -> None:
        """Until it is confirmed, a recovery changes nothing."""
        await self.fill()
        self.lose()
        before = self.tree()
        self.examined()
        self.assertEqual(self.tree(), before)

    async def test_not_lost(self) -> None:
        """A database that is there is not replaced, whether it can be read or not."""
        await self.fill()
        self.assertRaises(ServeError, self.examined)
        with open(self.path("txstorage.sqlite"), "w") as opened:
            opened.write("something else " * 100)
        self.assertRaises(ServeError, self.examined)

    async def test_without_memory(self) -> None:
        """Without ``service.json``, the ids come from the nodes' files and the sidecars."""
        volumes, facts = await self.fill(), self.facts()
        os.unlink(self.path("service.json"))
        self.lose()
        remains = self.examined()
        self.assertEqual(remains.lost_facts, ("user_id", "application_credential_id"))
        self.recover()
        service = await self.serve()
        self.assertEqual((self.volumes(service._store), self.facts()), (volumes, facts))

    async def test_without_agents(self) -> None:
        """Without the nodes' files, the ids come from ``service.json``."""
        volumes, facts = await self.fill(), self.facts()
        for name in ("node-1", "node-2"):
            os.unlink(self.path(f"agent-{name}.yml"))
        self.lose()
        self.recover()
        service = await self.serve()
        self.assertEqual((self.volumes(service._store), self.facts()), (volumes, facts))

    async def test_lost_node(self) -> None:
        """A volume whose node is lost is not attached any more, and the table says so."""
        await self.fill()
        for name in ("agent-node-1.yml", "agent-node-2.yml", "service.json"):
            os.unlink(self.path(name))
        self.lose()
        [_, found] = self.examined().volumes
        self.assertIn("its server", found.problem)
        self.assertEqual((found.record.status, found.record.attachment), ("available", None))

    async def test_lost_parts(self) -> None:
        """
        A volume without its sidecar, or with a damaged one, has its id and size, and the table says
        what is lost; one without its file is in error.
        """
        volumes = await self.fill()
        data, attached = volumes["data"].volume_id, volumes["attached"].volume_id
        os.truncate(self.path("volumes", "volume-" + data), 3 * GIB - 1)
        with open(sidecar_path(self.path("volumes"), data), "w") as opened:
            opened.write("{")
        os.unlink(self.path("volumes", "volume-" + attached))
        os.unlink(self.path("devices", attached))
        self.lose()
        problems = {each.record.volume_id: each.problem for each in self.examined().volumes}
        self.assertIn("name and labels are lost", problems[data])
        self.assertEqual(problems[attached], "its file is missing")
        self.recover()
        service = await self.serve()
        found = {each.volume_id: each for each in service._store.volumes()}
        self.assertEqual(
            (found[data].size, found[data].status, found[data].metadata), (3, "available", {})
        )
        self.assertEqual(found[attached].status, "error")

    async def test_two_services(self) -> None:
        """Sidecars of two services are not mixed."""
        volumes = await self.fill()
        path = sidecar_path(self.path("volumes"), volumes["data"].volume_id)
        with open(path) as opened:
            changed = dict(json.load(opened), cluster_id="another")
        with open(path, "w") as opened:
            json.dump(changed, opened)
        os.unlink(self.path("service.json"))
        self.lose()
        error = self.assertRaises(ServeError, self.examined)
        self.assertIn("several cluster ids", error.message)
        self.assertIn("another", error.message)

    async def test_old_log(self) -> None:
        """SQLite's log of the lost database never meets the restored one, and is kept."""
        await self.fill()
        self.lose()
        with open(self.path("txstorage.sqlite-wal"), "wb") as opened:
            opened.write(b"a log")
        self.recover()
        self.assertFalse(os.path.exists(self.path("txstorage.sqlite-wal")))
        [kept] = [name for name in os.listdir(self.directory) if ".lost-" in name]
        with open(self.path(kept), "rb") as opened:
            self.assertEqual(opened.read(), b"a log")

    async def test_no_room(self) -> None:
        """A recovery without room says so, and can be repeated."""
        volumes = await self.fill()
        self.lose()
        patched = self.patch(os, "rename", _full)
        error = self.assertRaises(ServeError, self.recover)
        self.assertIn("No space left on device", error.message)
        patched.restore()
        self.recover()
        self.assertEqual(self.volumes((await self.serve())._store), volumes)


def _full(one: str, other: str) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class CrashTests(RecoveryCase):
    """Tests of a ``kill -9`` at each moment of a restoration."""

    async def test_every_moment(self) -> None:
        """After a crash, the database is either complete, or still lost and can be restored."""
        volumes = await self.fill()
        self.lose()
        with open(self.path("txstorage.sqlite-wal"), "wb") as opened:
            opened.write(b"a log")
        for each in volumes.values():
            # A copy is not sparse.
            os.truncate(self.path("volumes", "volume-" + each.volume_id), 4096)
        whole = self.directory
        completed, moment = [], 0
        while completed.count(True) < 2:
            moment += 1
            self.directory = f"{whole}-{moment}"
            shutil.copytree(whole, self.directory)
            self.crash_at(moment)
            completed.append(not self.lost())
            if self.lost():
                self.recover()
            store = Store(self.path("txstorage.sqlite"), wall_time)
            self.assertEqual(self.volumes(store), volumes, moment)
            store.close()
        self.assertGreater(completed.count(False), 5)

    def lost(self) -> bool:
        """Check whether the database is lost."""
        state = self.state()
        try:
            return is_lost(state)
        finally:
            state.close()

    def crash_at(self, moment: int) -> None:
        """Restore, and end at a call of the system that changes the directory."""
        calls = [0]
        patches = []
        for module, name in ((os, "rename"), (os, "unlink"), (os, "open"), (os, "fsync")):
            patches.append(self.patch(module, name, self.counted(calls, moment, module, name)))
        patches.append(
            self.patch(Store, "set_fact", self.counted(calls, moment, Store, "set_fact"))
        )
        try:
            self.recover()
        except PowerFailure:
            pass
        finally:
            for patched in patches:
                patched.restore()

    def counted(self, calls: list[int], moment: int, module: Any, name: str) -> Any:
        """A function that ends the process instead of its call of a number."""
        function = getattr(module, name)

        def call(*args: Any, **more: Any) -> Any:
            calls[0] += 1
            if calls[0] == moment:
                raise PowerFailure()
            return function(*args, **more)

        return call


class MemoryTests(SynchronousTestCase):
    """Tests of :class:`Remains`."""

    def test_lost_facts(self) -> None:
        """The ids that nothing has kept are named."""
        remains = Remains((), {}, {"cluster_id": "c", "project_id": "p"})
        self.assertEqual(remains.lost_facts, ("user_id", "application_credential_id"))


class SnapshotTests(RecoveryCase):
    """Tests of the recovery of snapshots, and of what volumes have since there are snapshots."""

    async def restored(self) -> tuple[list[SnapshotRecord], dict[str, VolumeRecord]]:
        """Recover all, and return what a service then has, without the numbers of the rows."""
        self.recover()
        service = await self.serve()
        snapshots = [
            attr.evolve(each, sequence=0, updated_at=None)
            for each in service._store.snapshots.every()
        ]
        return snapshots, self.volumes(service._store)

    async def test_restored(self) -> None:
        """A snapshot comes back with its labels, and its file."""
        volumes = await self.fill()
        snapshot = await self.snapshot()
        self.lose()
        (found,) = self.examined().snapshots
        self.assertEqual((found.record, found.problem), (snapshot, ""))
        self.assertEqual(await self.restored(), ([snapshot], volumes))

    async def test_problems(self) -> None:
        """A missing or short file is reported; a missing one's snapshot is then in error."""
        await self.fill()
        path = self.path("volumes", "snapshot-" + (await self.snapshot()).snapshot_id)
        self.lose()
        os.truncate(path, 5)
        self.assertEqual(self.examined().snapshots[0].problem, "its file has 5 bytes")
        os.unlink(path)
        self.assertEqual(self.examined().snapshots[0].problem, "its file is missing")
        [snapshot], _ = await self.restored()
        self.assertEqual(snapshot.status, "error")

    async def test_damaged(self) -> None:
        """The file of a snapshot without a readable sidecar is left alone, and reported."""
        await self.fill()
        snapshot_id = (await self.snapshot()).snapshot_id
        self.lose()
        with open(snapshot_sidecar_path(self.path("volumes"), snapshot_id), "w") as opened:
            opened.write("{}")
        self.assertEqual(self.examined().snapshots, ())
        self.recover()
        service = await self.serve()
        self.assertIn("unknown snapshots", " ".join(service.remarks))
        self.assertTrue(os.path.exists(self.path("volumes", "snapshot-" + snapshot_id)))

    async def test_volume_lost(self) -> None:
        """The snapshot of a volume of which nothing remains is restored, the volume in error."""
        volumes = await self.fill()
        snapshot = await self.snapshot()
        self.lose()
        data = volumes["data"].volume_id
        os.unlink(self.path("volumes", "volume-" + data))
        os.unlink(sidecar_path(self.path("volumes"), data))
        problems = {each.record.volume_id: each.problem for each in self.examined().volumes}
        self.assertEqual(problems[data], "only its snapshots remain")
        snapshots, found = await self.restored()
        self.assertEqual((snapshots, found["None"].status), ([snapshot], "error"))

    async def test_snapshots_only(self) -> None:
        """A snapshot's file beside an empty database is a sign of its loss."""
        volumes = await self.fill()
        await self.snapshot()
        for volume in volumes.values():
            os.unlink(self.path("volumes", "volume-" + volume.volume_id))
        self.lose()
        store = Store(self.path("txstorage.sqlite"), wall_time)
        store.declare_server("node-1")
        store.close()
        state = self.state()
        self.assertTrue(is_lost(state))

    async def test_growing(self) -> None:
        """A volume that was growing has the size of its file."""
        volumes = await self.fill()
        data = volumes["data"].volume_id
        for grown, size in ((False, 1), (True, 3)):
            service = await self.serve()
            await service._store.write(lambda store: store.grow(data, 3))
            await service.stop()
            if grown:
                os.truncate(self.path("volumes", "volume-" + data), 3 * GIB)
            self.lose()
            (found,) = [each for each in self.examined().volumes if each.record.name == "data"]
            self.assertEqual((found.record.size, found.problem), (size, ""))
            self.recover()

"""Tests of the recovery of backups, of transfers, and of the owners of all."""

from __future__ import annotations

import os
from typing import Any

import attr

from txstorage.embedded.recovery import is_lost
from txstorage.embedded.recovery.remains import LOST_OWNER
from txstorage.embedded.service import wall_time
from txstorage.embedded.store.features.backups import BackupRecord, NewBackup
from txstorage.embedded.store.records import NewSnapshot, NewVolume
from txstorage.embedded.store.sidecar_content import (
    backup_sidecar_path,
    sidecar_path,
    snapshot_sidecar_path,
)
from txstorage.embedded.store.store import Store

from .test_recovery import RecoveryCase


class BackupsTests(RecoveryCase):
    """Tests of the recovery of backups."""

    async def backup(self, **changes: Any) -> BackupRecord:
        """Let a service back the volume ``data`` up, and end."""
        service = await self.serve()
        store, engine = service._store, service._application._backup_engine
        volume = self.volumes(store)["data"]
        new = NewBackup(
            volume_id=volume.volume_id,
            snapshot_id=None,
            name="nightly",
            description="text",
            size=1,
            container="box",
            metadata={"a": "b"},
            parent_id="parent",
            data_timestamp=None,
            project_id="p",
            user_id="u",
        )
        made = await store.write(lambda store: store.backups.add(new, volume))
        engine.begin(made.backup_id)
        await engine.idle(made.backup_id)
        (found,) = store.backups.every()
        await service.stop()
        return _timeless(found)

    async def restored(self) -> list[BackupRecord]:
        """Recover all, and return the backups that a service then has."""
        self.recover()
        service = await self.serve()
        return [_timeless(each) for each in service._store.backups.every()]

    def file(self, backup: BackupRecord) -> str:
        """The path of a backup's file."""
        return self.path("volumes", "backup-" + backup.backup_id)

    async def test_restored(self) -> None:
        """A backup comes back with everything, and can be restored, also after its volume."""
        volumes = await self.fill()
        backup = await self.backup()
        with open(self.file(backup), "r+b") as opened:
            opened.write(b"kept")
        self.lose()
        (found,) = self.examined().backups
        self.assertEqual((found.record, found.problem), (backup, ""))
        self.recover()
        service = await self.serve()
        self.assertEqual([_timeless(each) for each in service._store.backups.every()], [backup])
        data = volumes["data"].volume_id

        def restore(store: Store) -> None:
            store.set_metadata(data, {"other": "label"}, replace=True)
            store.backups.restore(backup.backup_id, data)

        await service._store.write(restore)
        engine = service._application._backup_engine
        engine.begin(backup.backup_id)
        await engine.idle(backup.backup_id)
        self.assertEqual(self.volumes(service._store)["data"].metadata, {"label": "data"})
        with open(self.path("volumes", "volume-" + data), "rb") as opened:
            self.assertEqual(opened.read(4), b"kept")

    async def test_problems(self) -> None:
        """A missing or short file is reported; a missing one's backup is then in error."""
        await self.fill()
        backup = await self.backup()
        self.lose()
        os.truncate(self.file(backup), 5)
        self.assertEqual(self.examined().backups[0].problem, "its file has 5 bytes")
        os.unlink(self.file(backup))
        self.assertEqual(self.examined().backups[0].problem, "its file is missing")
        [found] = await self.restored()
        self.assertEqual((found.status, found.fail_reason), ("error", "its file is missing"))

    async def test_damaged(self) -> None:
        """The file of a backup without a readable sidecar is left alone, and reported."""
        await self.fill()
        backup = await self.backup()
        self.lose()
        with open(backup_sidecar_path(self.path("volumes"), backup.backup_id), "w") as opened:
            opened.write("{}")
        self.assertEqual(self.examined().backups, ())
        self.recover()
        service = await self.serve()
        self.assertIn("unknown backups", " ".join(service.remarks))
        self.assertTrue(os.path.exists(self.file(backup)))

    async def test_deleted(self) -> None:
        """A deleted backup leaves no sidecar, and does not come back."""
        await self.fill()
        backup = await self.backup()
        service = await self.serve()
        store, engine = service._store, service._application._backup_engine
        await store.write(lambda store: store.backups.change(backup.backup_id, status="deleting"))
        engine.begin(backup.backup_id)
        await engine.idle(backup.backup_id)
        await service.stop()
        self.assertEqual(
            [each for each in os.listdir(self.path("volumes")) if "backup" in each], []
        )
        self.lose()
        self.assertEqual(await self.restored(), [])

    async def test_backups_only(self) -> None:
        """A backup's file beside an empty database is a sign of its loss."""
        volumes = await self.fill()
        await self.backup()
        for volume in volumes.values():
            os.unlink(self.path("volumes", "volume-" + volume.volume_id))
        self.lose()
        store = Store(self.path("txstorage.sqlite"), wall_time)
        store.declare_server("node-1")
        store.close()
        self.assertTrue(is_lost(self.state()))

    async def test_outlives(self) -> None:
        """A database with backups whose volumes are gone is not lost."""
        volumes = await self.fill()
        backup = await self.backup()
        service = await self.serve()

        def destroy(store: Store) -> None:
            for volume in volumes.values():
                store.settle(volume.volume_id, volume.status, "gone")

        await service._store.write(destroy)
        for volume in volumes.values():
            os.unlink(self.path("volumes", "volume-" + volume.volume_id))
        await service.stop()
        state = self.state()
        self.assertFalse(is_lost(state))
        state.close()
        service = await self.serve()
        self.assertEqual([_timeless(each) for each in service._store.backups.every()], [backup])


class OwnerTests(RecoveryCase):
    """Tests that nothing is shown to another project after a recovery."""

    async def owned(self) -> tuple[str, str]:
        """
        Let a service make a volume of another project, with a snapshot, and end.

        :return: the ids.
        """
        service = await self.serve()
        store, application = service._store, service._application
        whose = {"project_id": "p", "user_id": "u"}
        new = attr.evolve(NewVolume("of another", None, 1, "gold", {}), **whose)
        volume_id = (await store.write(lambda store: store.add_volume(new))).volume_id
        application._engine.begin(volume_id)
        await application._engine.idle(volume_id)
        taken = attr.evolve(NewSnapshot(volume_id, None, None, 1, "gold", {}), **whose)
        made = await store.write(lambda store: store.snapshots.add(taken))
        application._snapshot_engine.begin(made.snapshot_id)
        await application._snapshot_engine.idle(made.snapshot_id)
        await service.stop()
        return volume_id, made.snapshot_id

    async def owners(self) -> dict[str, str | None]:
        """Recover all, and return the volumes' projects."""
        self.recover()
        store = (await self.serve())._store
        return {each.volume_id: each.project_id for each in store.volumes() if not each.root}

    async def test_damaged(self) -> None:
        """
        With several projects, a volume that has lost its sidecar belongs to nobody: only
        administrators see it, and the table says so.
        """
        volumes = await self.fill()
        volume_id, _ = await self.owned()
        first = {each.volume_id: each.project_id for each in volumes.values()}
        self.lose()
        with open(sidecar_path(self.path("volumes"), volume_id), "w") as opened:
            opened.write("{")
        problems = {each.record.volume_id: each.problem for each in self.examined().volumes}
        self.assertIn("its project is lost", problems[volume_id])
        self.assertEqual(await self.owners(), {**first, volume_id: LOST_OWNER})

    async def test_placeholder(self) -> None:
        """The volume of which only a snapshot remains is the snapshot's project's."""
        volume_id, _ = await self.owned()
        self.lose()
        os.unlink(self.path("volumes", "volume-" + volume_id))
        os.unlink(sidecar_path(self.path("volumes"), volume_id))
        self.assertEqual(await self.owners(), {volume_id: "p"})

    async def test_transferred(self) -> None:
        """A volume that was given to another project is that project's, and its snapshot is."""
        volume_id, snapshot_id = await self.owned()
        service = await self.serve()

        def accept(store: Store) -> None:
            volume = store.volume(volume_id)
            assert volume is not None
            store.transfers.accept(
                store.transfers.add(volume, None, False, "salt", "digest"), "q", "v"
            )

        await service._store.write(accept)
        await service.stop()
        self.lose()
        self.assertEqual(await self.owners(), {volume_id: "q"})
        with open(snapshot_sidecar_path(self.path("volumes"), snapshot_id)) as opened:
            self.assertIn('"owner_project_id": "q"', opened.read())

    async def test_offered(self) -> None:
        """A volume that was offered is available again, its owner's, and the table says so."""
        volume_id, _ = await self.owned()
        service = await self.serve()

        def offer(store: Store) -> None:
            volume = store.volume(volume_id)
            assert volume is not None
            store.set_status(volume_id, "awaiting-transfer")
            store.transfers.add(volume, None, False, "salt", "digest")

        await service._store.write(offer)
        await service.stop()
        self.lose()
        [found] = self.examined().volumes
        self.assertIn("its transfer is lost", found.problem)
        self.assertEqual((found.record.status, found.record.project_id), ("available", "p"))
        self.assertEqual(await self.owners(), {volume_id: "p"})


def _timeless(backup: BackupRecord) -> BackupRecord:
    """A backup without the number and the time of its row."""
    return attr.evolve(backup, sequence=0, updated_at=None)

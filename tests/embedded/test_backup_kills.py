"""
Backups, transfers, servers' ends, and volumes from the image or a backup survive the end of the
service at every step.
"""

from __future__ import annotations

import os

import attr
from twisted.internet.task import Clock

from txstorage.embedded.control.controls import Controls, begin_anew
from txstorage.embedded.machine.image import image_content, image_metadata
from txstorage.embedded.machine.server_transitions import begin_deletion
from txstorage.embedded.settings import GIB
from txstorage.embedded.store.features.backups import BackupRecord, NewBackup
from txstorage.embedded.store.features.transfers import TransferRecord
from txstorage.embedded.store.records import NewSnapshot, VolumeRecord
from txstorage.embedded.store.servers.records import NewServer, ServerDetails
from txstorage.embedded.store.sidecar_content import names_with_sidecar

from . import kills
from .kills import DATA, NEW

OTHER = b"else" * 500_000


class BackupStepTests(kills.KilledTests):
    """Backups are made, restored and deleted, and the process's work ends at each step."""

    def add(self, snapshot_id: str | None = None) -> BackupRecord:
        """Record a backup of the volume, or of its snapshot."""
        volume = self.volume(self.volume_id)
        new = NewBackup(
            *(volume.volume_id, snapshot_id, None, None, volume.size, None, {}),
            *(None, None, None, None),
        )
        return self.store.backups.add(new, volume)

    def made(self) -> BackupRecord:
        """Make a backup of the volume."""
        backup = self.add()
        self.restart()
        found = self.store.backups.find(backup.backup_id)
        assert found is not None
        return found

    def volume(self, volume_id: str) -> VolumeRecord:
        """Return a volume that is there."""
        found = self.store.volume(volume_id)
        assert found is not None
        return found

    def assert_backups(self) -> None:
        """Assert that there are backups, and each is available and has the volume's data."""
        every = self.store.backups.every()
        self.assertEqual({each.status for each in every}, {"available"})
        for each in every:
            self.assert_data(self.files.backup_path(each.backup_id))

    def test_create(self) -> None:
        """Each backup that was begun is made, and its volume is as before."""

        def done() -> None:
            self.assert_backups()
            self.assertEqual(self.volume(self.volume_id).status, "available")

        self.through(self.add, done)

    def test_create_from_snapshot(self) -> None:
        """Each backup of a snapshot that was begun is made, and the snapshot is as before."""
        snapshot = self.store.snapshots.add(NewSnapshot(self.volume_id, None, None, 1, "gold", {}))
        self.restart()
        with open(self.files.path(self.volume_id), "r+b") as opened:
            opened.write(OTHER)
        self.through(lambda: self.add(snapshot.snapshot_id), self.assert_backups)

    def test_restore(self) -> None:
        """A restored volume has the backup's data, and both are available."""
        backup_id = self.made().backup_id
        with open(self.files.path(self.volume_id), "r+b") as opened:
            opened.write(OTHER)

        def done() -> None:
            self.assert_backups()
            self.assert_data(self.files.path(self.volume_id))
            with open(self.files.path(self.volume_id), "r+b") as opened:
                opened.write(OTHER)

        self.through(lambda: self.store.backups.restore(backup_id, self.volume_id), done)

    def test_restore_to_new(self) -> None:
        """Each new volume that a backup is restored to has the backup's data."""
        backup_id = self.made().backup_id

        def begin() -> None:
            with self.store.transaction():
                volume_id = self.store.add_volume(NEW).volume_id
                self.store.backups.restore(backup_id, volume_id)

        def done() -> None:
            self.assert_backups()
            for each in self.store.volumes():
                self.assert_data(self.files.path(each.volume_id))

        self.through(begin, done)

    def test_delete(self) -> None:
        """Backups that are being deleted go with their files, and their volume stays."""

        def begin() -> None:
            backup_id = self.made().backup_id
            self.store.backups.change(backup_id, status="deleting")

        def done() -> None:
            self.assertEqual(self.store.backups.every(), [])
            self.assert_data(self.files.path(self.volume_id))

        self.through(begin, done)

    def test_overruled(self) -> None:
        """
        A volume, or a snapshot, is available again when an administrator has set the status of the
        backup that is being made.
        """
        snapshot = self.store.snapshots.add(NewSnapshot(self.volume_id, None, None, 1, "gold", {}))
        self.restart()

        def begin() -> None:
            for snapshot_id in (None, snapshot.snapshot_id):
                self.store.backups.change(self.add(snapshot_id).backup_id, status="deleting")

        def done() -> None:
            self.assertEqual(self.store.backups.every(), [])
            self.assertEqual(self.volume(self.volume_id).status, "available")

        self.through(begin, done)

    def test_overruled_restore(self) -> None:
        """
        A volume to which a backup was restored shows the failure when an administrator has set the
        backup's status meanwhile, and has the one content or the other.
        """

        def begin() -> None:
            self.store.set_status(self.volume_id, "available")
            backup_id = self.made().backup_id
            self.store.backups.restore(backup_id, self.volume_id)
            self.store.backups.change(backup_id, status="deleting")

        def done() -> None:
            self.assertEqual(self.store.backups.every(), [])
            self.assertEqual(self.volume(self.volume_id).status, "error_restoring")
            self.assert_data(self.files.path(self.volume_id))

        self.settled = kills.SETTLED | {"error_restoring"}
        self.through(begin, done)

    def test_lost_file(self) -> None:
        """A backup whose file is gone while it is restored is in error, and its volume shows it."""
        backup = self.made()
        os.unlink(self.files.backup_path(backup.backup_id))
        self.store.backups.restore(backup.backup_id, self.volume_id)
        self.start()
        problems = self.successResultOf(self.application.start())
        self.clock.pump([0.1] * 10)
        found = self.store.backups.find(backup.backup_id)
        assert found is not None
        self.assertEqual((found.status, found.fail_reason), ("error", "its file is missing"))
        self.assertEqual(problems, [f"backup {backup.backup_id}: its file is missing"])
        self.assertEqual(self.volume(self.volume_id).status, "error_restoring")
        self.assert_data(self.files.path(self.volume_id))

    def test_from_backup(self) -> None:
        """Each volume that was begun from a backup is made, with its data."""
        new = attr.evolve(NEW, backup_id=self.made().backup_id)

        def done() -> None:
            self.assert_backups()
            for each in self.store.volumes():
                self.assert_data(self.files.path(each.volume_id))

        self.through(lambda: self.store.add_volume(new), done)

    def test_from_image(self) -> None:
        """Each volume that was begun from the image is made, with its data."""
        new = attr.evolve(NEW, image_metadata=image_metadata())
        content = image_content()

        def begin() -> None:
            volume_id = self.store.add_volume(new).volume_id
            # As when the process ends in the middle of a write.
            with open(self.files.path(volume_id), "wb") as opened:
                opened.write(content[: len(content) // 2])

        def done() -> None:
            for each in self.store.volumes():
                path = self.files.path(each.volume_id)
                self.assertEqual(os.path.getsize(path), GIB)
                with open(path, "rb") as opened:
                    wanted = content if each.image_metadata else DATA
                    self.assertEqual(opened.read(len(wanted)), wanted)

        self.through(begin, done)


class ResetTests(kills.KilledTests):
    """Everything is forgotten."""

    def test_killed(self) -> None:
        """All or nothing of what there was is left, whenever the process ends, and no file."""
        controls = Controls(Clock(), lambda: 0.0)

        def begin() -> None:
            if not self.store.volumes():
                self.volume_id = self.store.add_volume(NEW).volume_id
                self.restart()
            self.copies()
            self.restart()

        def act() -> None:
            application, devices = self.application, self.application._devices
            engines, log = application._engines, application.requests
            controls.control(self.store, devices, engines, log, lambda: None)
            controls.reset().addErrback(lambda failure: failure.trap(kills.Killed) and None)

        seen = []

        def done() -> None:
            parts = (self.store.volumes(), self.store.snapshots.every(), self.store.backups.every())
            seen.append(tuple(map(len, parts)))

        self.through(begin, done, act)
        self.assertEqual(set(seen), {(0, 0, 0), (1, 1, 1)})

    def copies(self) -> None:
        """Record a snapshot and a backup of the volume."""
        volume = self.store.volume(self.volume_id)
        assert volume is not None
        if not self.store.snapshots.every():
            self.store.snapshots.add(NewSnapshot(self.volume_id, None, None, 1, "gold", {}))
            ids = (self.volume_id, None, None, None, 1, None, {}, None, None, None, None)
            self.store.backups.add(NewBackup(*ids), volume)

    def test_sidecars(self) -> None:
        """The sidecars of volumes, snapshots and backups are forgotten with the rows."""
        self.copies()
        self.restart()
        self.assert_sound()
        self.successResultOf(self.store.write(begin_anew))
        left = os.listdir(self.files.directory)
        self.assertEqual((len(left), names_with_sidecar(left)), (3, []))


class TransferStepTests(kills.KilledTests):
    """A transfer is accepted, and the process's work ends at each step."""

    def offered(self) -> None:
        """Offer the volume, with a snapshot, from the first project."""
        volume = self.store.volume(self.volume_id)
        assert volume is not None
        with self.store.transaction():
            if volume.status != "awaiting-transfer":
                self.store.set_status(self.volume_id, "awaiting-transfer")
                self.store.transfers.add(volume, None, False, "salt", "digest")

    def accept(self) -> None:
        """Accept the transfer, for another project."""
        [transfer] = self.store.transfers.every()
        self.acknowledged = False
        accepted = self.store.write(lambda store: store.transfers.accept(transfer, "p", "u"))
        accepted.addCallbacks(self._acknowledge, lambda failure: None)

    def _acknowledge(self, result: object) -> None:
        self.acknowledged = True

    def state(self) -> tuple[str, set[str | None], list[TransferRecord]]:
        """The volume's status, the owners of the volume and its snapshot, and the transfers."""
        volume = self.store.volume(self.volume_id)
        assert volume is not None
        owners = {volume.project_id, *(each.project_id for each in self.store.snapshots.every())}
        return volume.status, owners, self.store.transfers.every()

    def test_accept(self) -> None:
        """
        The volume and its snapshot are offered by the one project, or are the other's, and are the
        other's once that was acknowledged.
        """
        self.store.snapshots.add(NewSnapshot(self.volume_id, None, None, 1, "gold", {}))
        self.restart()
        seen = []

        def done() -> None:
            status, owners, transfers = self.state()
            seen.append(status)
            if status == "available":
                self.assertEqual((owners, transfers), ({"p"}, []))
            else:
                self.assertEqual((status, owners, len(transfers)), ("awaiting-transfer", {None}, 1))
                self.assertFalse(self.acknowledged)

        self.through(self.offered, done, self.accept)
        self.assertEqual(set(seen), {"available", "awaiting-transfer"})


class ServerStepTests(kills.KilledTests):
    """A server is deleted with a volume, and the process's work ends at each step."""

    def test_delete(self) -> None:
        """The server and the volume that is deleted with it go, and the other volume stays."""

        def begin() -> None:
            doomed = self.store.add_volume(NEW).volume_id
            server = self.store.servers.add(
                NewServer(name="s", project_id=None, user_id=None, details=ServerDetails())
            )
            self.restart()
            for volume_id, device in ((doomed, "/dev/vdb"), (self.volume_id, "/dev/vdc")):
                self.store.attachments.reserve(
                    volume_id,
                    server.server_id,
                    device,
                    delete_on_termination=volume_id == doomed,
                )
            self.restart()
            found = self.store.servers.find(server.server_id)
            assert found is not None
            begin_deletion(self.store, found)

        def done() -> None:
            self.assertEqual(self.store.servers.of_projects(None), [])
            [left] = self.store.volumes()
            self.assertEqual((left.volume_id, left.status), (self.volume_id, "available"))
            self.assert_data(self.files.path(self.volume_id))

        self.through(begin, done)

"""Tests of Block Storage v3's backups."""

from __future__ import annotations

import os
from typing import Any
from unittest import mock

from twisted.internet.defer import Deferred

from txstorage.embedded.application import Application
from txstorage.embedded.disk import UNFINISHED
from txstorage.embedded.machine.backup_transitions import Backups
from txstorage.embedded.machine.devices import FileDevices
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.settings import GIB
from txstorage.embedded.wire import refusals, volume_refusals
from txstorage.embedded.wire.refusal import Refusal

from ..support import MISSING, CloudTests, Got

LATEST = "3.71"


class BackupCase(CloudTests):
    """A cloud with a volume that has data, and an administrator."""

    settings = {"transition_delay": 0.3, "roles": ("admin", "member")}

    def setUp(self) -> None:
        super().setUp()
        self.volume_id = self.create(size=1)
        self.write(self.volume_id, b"first")

    def path(self, name: str) -> str:
        """The path of a file of a volume or a backup."""
        directory = os.path.dirname(self.cloud.devices_directory)
        return os.path.join(directory, "volumes", name)

    def write(self, volume_id: str, text: bytes) -> None:
        """Write to a volume."""
        with open(self.path("volume-" + volume_id), "r+b") as opened:
            opened.write(text)

    def read(self, volume_id: str) -> bytes:
        """Return a volume's beginning."""
        with open(self.path("volume-" + volume_id), "rb") as opened:
            return opened.read(5)

    def post(self, version: str = LATEST, **backup: Any) -> Got:
        """Request a backup of the volume."""
        body = {"backup": {"volume_id": self.volume_id, **backup}}
        return self.cinder("POST", "/backups", body, version)

    def backup(self, **backup: Any) -> str:
        """Make a backup of the volume."""
        got = self.post(**backup)
        self.assertEqual(got.code, 202, got)
        self.settle()
        backup_id: str = got.body["backup"]["id"]
        self.assertEqual(self.shown(backup_id)["status"], "available")
        return backup_id

    def shown(self, backup_id: str, version: str = LATEST) -> Any:
        """Show a backup."""
        return self.cinder("GET", "/backups/" + backup_id, version=version).body["backup"]

    def restore(self, backup_id: str, **wanted: Any) -> Got:
        """Request to restore a backup."""
        return self.cinder("POST", f"/backups/{backup_id}/restore", {"restore": wanted})

    def refused(self, got: Got, refusal: Refusal, *values: object) -> None:
        """Assert a refusal."""
        self.assertEqual(
            (got.code, got.message), (refusal.status, refusal.template.format(*values)), got
        )

    def reset(self, kind: str, object_id: str, status: str) -> None:
        """Set a status, as an administrator."""
        body = {"os-reset_status": {"status": status}}
        got = self.cinder("POST", f"/{kind}s/{object_id}/action", body)
        self.assertEqual(got.code, 202, got)


class DataTests(BackupCase):
    """Tests of the data of backups, and of statuses meanwhile."""

    def test_life(self) -> None:
        """A backup outlives its volume, can fill others, and is removed."""
        got = self.post(name=" n ", description="d", metadata={"a": "b"})
        backup_id = got.body["backup"]["id"]
        self.assertEqual(sorted(got.body["backup"]), ["id", "links", "name"])
        self.assertEqual(self.shown(backup_id)["status"], "creating")
        self.assertEqual(self.status(self.volume_id), "backing-up")
        self.assertEqual(self.volumes("DELETE", "/" + self.volume_id).code, 400)
        self.settle()
        found = self.shown(backup_id)
        self.assertEqual(self.status(self.volume_id), "available")
        texts = (found["status"], found["name"], found["description"], found["metadata"])
        self.assertEqual(texts, ("available", "n", "d", {"a": "b"}))
        self.write(self.volume_id, b"later")
        self.volumes("DELETE", "/" + self.volume_id)
        self.settle()
        self.assertEqual(self.status(self.volume_id), "404")
        copy_id = self.create(size=2, backup_id=backup_id)
        self.assertEqual((self.status(copy_id), self.read(copy_id)), ("available", b"first"))
        self.assertEqual(self.cinder("DELETE", "/backups/" + backup_id).code, 202)
        self.assertEqual(self.shown(backup_id)["status"], "deleting")
        self.settle()
        self.refused(self.cinder("GET", "/backups/" + backup_id), refusals.NO_BACKUP, backup_id)
        self.assertFalse(os.path.exists(self.path("backup-" + backup_id)))

    def test_wait(self) -> None:
        """A backup is removed after the volume that is being filled from it is complete."""
        backup_id = self.backup()
        got = self.volumes("POST", body={"volume": {"backup_id": backup_id}})
        self.cinder("DELETE", "/backups/" + backup_id)
        store = self.cloud.store
        deleting = store.backups.find(backup_id)
        assert deleting is not None
        self.assertTrue(Backups().waits(store, deleting))
        self.settle()
        self.assertFalse(Backups().waits(store, deleting))
        self.assertEqual(self.read(got.body["volume"]["id"]), b"first")
        self.settle()
        self.assertIsNone(store.backups.find(backup_id))

    def test_in_use(self) -> None:
        """A volume in use is backed up by force, and stays in use; its attachment is listed."""
        self.attach(self.volume_id)
        self.settle()
        self.refused(self.post(), volume_refusals.NO_BACKUP_IN_USE)
        got = self.post(force=True)
        volume = self.volumes("GET", "/" + self.volume_id).body["volume"]
        self.assertEqual((volume["status"], len(volume["attachments"])), ("backing-up", 1))
        self.settle()
        self.assertEqual(self.status(self.volume_id), "in-use")
        self.assertEqual(self.shown(got.body["backup"]["id"])["status"], "available")

    def test_snapshot(self) -> None:
        """A backup of a snapshot has its data and its time; the snapshot is busy meanwhile."""
        body = {"snapshot": {"volume_id": self.volume_id}}
        snapshot_id = self.cinder("POST", "/snapshots", body).body["snapshot"]["id"]
        self.settle()
        self.write(self.volume_id, b"later")
        got = self.post(snapshot_id=snapshot_id)
        found = self.cinder("GET", "/snapshots/" + snapshot_id).body["snapshot"]
        self.assertEqual(found["status"], "backing-up")
        self.assertEqual(self.status(self.volume_id), "available")
        self.settle()
        found = self.cinder("GET", "/snapshots/" + snapshot_id).body["snapshot"]
        backup = self.shown(got.body["backup"]["id"])
        self.assertEqual((found["status"], backup["status"]), ("available", "available"))
        self.assertEqual(backup["data_timestamp"], found["created_at"])
        self.assertEqual(backup["snapshot_id"], snapshot_id)
        copy_id = self.create(backup_id=backup["id"])
        self.assertEqual(self.read(copy_id), b"first")

    def test_restore(self) -> None:
        """A backup replaces a larger volume's content, and makes a new volume by itself."""
        backup_id, target = self.backup(), self.create(size=2)
        self.write(target, b"other")
        got = self.restore(backup_id, volume_id=target)
        self.assertEqual(got.code, 202, got)
        view = {"backup_id": backup_id, "volume_id": target, "volume_name": None}
        self.assertEqual(got.body, {"restore": view})
        self.assertEqual(self.status(target), "restoring-backup")
        self.assertEqual(self.shown(backup_id)["status"], "restoring")
        self.settle()
        self.assertEqual((self.status(target), self.read(target)), ("available", b"first"))
        self.assertEqual(os.path.getsize(self.path("volume-" + target)), 2 * GIB)
        self.assertEqual(self.shown(backup_id)["status"], "available")
        for name, expected in ((None, "restore_backup_" + backup_id), ("new", "new")):
            got = self.restore(backup_id, **({} if name is None else {"name": name}))
            made = got.body["restore"]["volume_id"]
            self.assertEqual(got.body["restore"]["volume_name"], expected)
            self.settle()
            self.assertEqual((self.status(made), self.read(made)), ("available", b"first"))

    def test_texts(self) -> None:
        """A restored volume gets the labels, and the texts if it has no name of its own."""
        source = self.create(name="n", description="d", metadata={"a": "b"})
        got = self.volumes(
            "POST", f"/{source}/action", {"os-set_image_metadata": {"metadata": {"c": "d"}}}
        )
        self.assertEqual(got.code, 200, got)
        backup_id = self.backup(volume_id=source)
        named = self.create(name="own", metadata={"x": "y"})
        made = self.restore(backup_id).body["restore"]["volume_id"]
        self.settle()
        self.restore(backup_id, volume_id=named)
        self.settle()
        for volume_id, texts in ((made, ("n", "d")), (named, ("own", None))):
            volume = self.volumes("GET", "/" + volume_id).body["volume"]
            self.assertEqual((volume["name"], volume["description"]), texts)
            self.assertEqual(volume["metadata"], {"a": "b"})
            found = (volume["volume_image_metadata"], volume["bootable"])
            self.assertEqual(found, ({"c": "d"}, "true"))
        self.restore(self.backup(volume_id=self.volume_id), volume_id=named)
        self.settle()
        volume = self.volumes("GET", "/" + named).body["volume"]
        self.assertEqual((volume["name"], volume["metadata"]), ("own", {"a": "b"}))

    def test_failed(self) -> None:
        """After a failure the volume is as before, or in error, and the backup has the reason."""
        with mock.patch("os.rename", side_effect=OSError(5, "broken")):
            got = self.post()
            self.settle()
        backup = self.shown(got.body["backup"]["id"])
        self.assertEqual((backup["status"], self.status(self.volume_id)), ("error", "available"))
        self.assertEqual(backup["fail_reason"], "create backup: broken")
        good = self.backup()
        with mock.patch("os.rename", side_effect=OSError(5, "broken")):
            self.restore(good, volume_id=self.volume_id)
            self.settle()
        self.assertEqual(self.status(self.volume_id), "error_restoring")
        self.assertEqual(self.shown(good)["status"], "available")
        self.assertEqual(self.read(self.volume_id), b"first")

    def restart(self) -> None:
        """Continue after a crash with the same store and files."""
        self.successResultOf(self.running.stop())
        directory = self.cloud.devices_directory
        devices = FileDevices(VolumeFiles(os.path.dirname(self.path("x"))), directory)
        self.running = Application(self.clock, self.cloud.store, devices, self.cloud.settings)
        self.problems = self.successResultOf(self.running.start())
        self.settle()

    def test_crash(self) -> None:
        """A restart completes what had begun, and reports a lost file."""
        second = self.backup(name="second")
        self.running = self.cloud.application
        backup_id = self.post().body["backup"]["id"]
        unfinished = self.path("backup-" + MISSING + UNFINISHED)
        with open(unfinished, "wb"):
            pass
        self.restart()
        self.assertFalse(os.path.exists(unfinished))
        self.assertEqual(self.shown(backup_id)["status"], "available")
        self.assertEqual(self.status(self.volume_id), "available")
        self.write(self.volume_id, b"other")
        self.restore(backup_id, volume_id=self.volume_id)
        new = self.restore(second).body["restore"]["volume_id"]
        self.restart()
        self.assertEqual(self.problems, [])
        self.assertEqual((self.status(new), self.status(self.volume_id)), ("available",) * 2)
        self.assertEqual(self.read(self.volume_id), b"first")
        os.unlink(self.path("backup-" + backup_id))
        self.restart()
        self.assertEqual(self.problems, [f"backup {backup_id}: its file is missing"])
        found = self.shown(backup_id)
        self.assertEqual((found["status"], found["fail_reason"]), ("error", "its file is missing"))


class RequestTests(BackupCase):
    """Tests of requests, and of their refusals."""

    def test_members(self) -> None:
        """The members depend on the microversion."""
        backup_id = self.backup()
        late = {
            "3.18": "os-backup-project-attr:project_id",
            "3.43": "metadata",
            "3.56": "user_id",
        }
        for version in ("3.0", "3.17", "3.18", "3.42", "3.43", "3.55", "3.56", LATEST):
            number = int(version[2:])
            for since, member in late.items():
                found = self.shown(backup_id, version)
                self.assertEqual(member in found, number >= int(since[2:]), (version, member))
        self.assertFalse(found["is_incremental"])
        self.assertIsNone(found["fail_reason"])

    def test_update(self) -> None:
        """Since 3.9 the texts change, and since 3.43 the labels."""
        path = "/backups/" + self.backup(name="n", description="d")
        got = self.cinder("PUT", path, {"backup": {"name": "m "}}, "3.9")
        self.assertEqual((got.code, got.body["backup"]["name"]), (200, "m"))
        self.refused(
            self.cinder("PUT", path, {"backup": {"name": "x"}}, "3.8"), refusals.NO_RESOURCE
        )
        self.assertEqual(self.cinder("PUT", path, {"backup": {"metadata": {}}}, "3.42").code, 400)
        self.cinder("PUT", path, {"backup": {"metadata": {"k": "v"}, "description": None}}, "3.43")
        found = self.cinder("GET", path, version=LATEST).body["backup"]
        texts = (found["name"], found["description"], found["metadata"])
        self.assertEqual(texts, ("m", None, {"k": "v"}))
        self.refused(self.cinder("PUT", path, {"backup": None}, "3.9"), refusals.VOLUME_FAULT)

    def test_refused(self) -> None:
        """Sources and targets with other statuses, or of another size, are refused."""
        backup_id, other = self.backup(), self.create(size=1)
        body = {"snapshot": {"volume_id": other}}
        snapshot_id = self.cinder("POST", "/snapshots", body).body["snapshot"]["id"]
        self.settle()
        self.refused(self.post(volume_id=MISSING), refusals.NO_VOLUME, MISSING)
        self.refused(self.post(snapshot_id=MISSING), refusals.NO_SNAPSHOT, MISSING)
        ids = (self.volume_id, other)
        self.refused(
            self.post(snapshot_id=snapshot_id), volume_refusals.OTHER_VOLUMES_SNAPSHOT, *ids
        )
        self.reset("snapshot", snapshot_id, "error")
        got = self.post(volume_id=other, snapshot_id=snapshot_id)
        self.refused(got, volume_refusals.NO_BACKUP_OF_SNAPSHOT, "error")
        self.reset("volume", other, "error")
        self.refused(self.post(volume_id=other), volume_refusals.NO_BACKUP_NOW, "error")
        got = self.restore(backup_id, volume_id=other)
        self.refused(got, volume_refusals.NOT_TO_BE_RESTORED_TO)
        self.refused(self.restore(backup_id, volume_id=MISSING), refusals.NO_VOLUME, MISSING)
        self.refused(self.restore(MISSING), refusals.NO_BACKUP, MISSING)
        large = self.backup(volume_id=self.create(size=2))
        got = self.restore(large, volume_id=self.volume_id)
        self.refused(got, volume_refusals.TOO_SMALL_FOR_BACKUP, 1, 2)
        body = {"volume": {"size": 1, "backup_id": large}}
        self.refused(self.volumes("POST", body=body), volume_refusals.SMALLER_THAN_BACKUP, 1, 2)
        self.reset("backup", large, "error")
        self.refused(self.restore(large), volume_refusals.BACKUP_NOT_RESTORABLE)
        got = self.volumes("POST", body={"volume": {"backup_id": large}})
        self.refused(got, volume_refusals.BACKUP_NOT_READY)
        got = self.cinder("POST", f"/backups/{large}/restore", {"restore": None})
        self.refused(got, refusals.VOLUME_FAULT)
        pending = self.post().body["backup"]["id"]
        got = self.cinder("DELETE", "/backups/" + pending)
        self.refused(got, volume_refusals.BACKUP_NOT_DELETABLE)

    def test_incremental(self) -> None:
        """An incremental backup needs a former one, which then stays; it is a whole copy itself."""
        self.refused(self.post(incremental=True), volume_refusals.NO_PARENT)
        former = self.backup()
        got = self.post(volume_id=self.create(), incremental=True)
        self.refused(got, volume_refusals.NO_PARENT)
        self.write(self.volume_id, b"later")
        latter = self.backup(incremental=True)
        self.assertTrue(self.shown(latter)["is_incremental"])
        self.assertTrue(self.shown(former)["has_dependent_backups"])
        got = self.cinder("DELETE", "/backups/" + former)
        self.refused(got, volume_refusals.HAS_DEPENDENTS)
        self.assertEqual(self.read(self.create(backup_id=latter)), b"later")
        for backup_id in (latter, former):
            self.assertEqual(self.cinder("DELETE", "/backups/" + backup_id).code, 202)
            self.settle()

    def test_quota(self) -> None:
        """Backups count towards quotas of their own; a volume that a restore makes, too."""
        backup_id = self.backup()

        def quota(**quotas: int) -> None:
            got = self.cinder("PUT", "/os-quota-sets/" + self.project, {"quota_set": quotas})
            self.assertEqual(got.code, 200, got)

        limits = self.cinder("GET", "/limits").body["limits"]["absolute"]
        used = (limits["totalBackupsUsed"], limits["totalBackupGigabytesUsed"])
        self.assertEqual(used, (1, 1))
        quota(backup_gigabytes=1)
        self.refused(self.post(), volume_refusals.OVER_BACKUP_GIGABYTES, 1, 1, 1)
        quota(backup_gigabytes=9, backups=1)
        self.refused(self.post(), volume_refusals.OVER_BACKUPS, 1)
        quota(gigabytes=1)
        self.refused(
            self.restore(backup_id), volume_refusals.OVER_GIGABYTES_THEN, "gigabytes", 1, 1, 1
        )
        quota(gigabytes=9, volumes=1)
        self.refused(self.restore(backup_id), volume_refusals.OVER_VOLUMES_THEN, 1, "volumes")
        # The new volume would be of the default type, whose quota counts, too.
        kind = self.cinder("GET", "/types/default").body["volume_type"]["name"]
        name = "volumes_" + kind
        quota(volumes=9, **{name: 1})
        self.refused(self.restore(backup_id), volume_refusals.OVER_VOLUMES_THEN, 1, name)

    def test_lists(self) -> None:
        """Lists have filters, orders, pages and a count, by microversion."""
        made = {name: self.backup(name=name) for name in ("b", "c", "a")}
        names = {backup_id: name for name, backup_id in made.items()}

        def listed(query: str, version: str = LATEST) -> str:
            got = self.cinder("GET", "/backups" + query, version=version)
            self.assertEqual(got.code, 200, got)
            return "".join(names[each["id"]] for each in got.body["backups"])

        for query, version, expected in (
            ("", "3.0", "acb"),
            ("/detail", "3.0", "acb"),
            ("?sort=created_at:asc", "3.0", "bca"),
            ("?sort=name:asc", "3.37", "abc"),
            ("/detail?name=c", LATEST, "c"),
            ("?status=error", LATEST, ""),
            (f"?volume_id={self.volume_id}&limit=2", LATEST, "ac"),
            (f"?marker={made['c']}", LATEST, "b"),
            ("?offset=1&limit=1", LATEST, "c"),
            # An administrator filters by any column, and finds nothing by anything else.
            *(("?nosuch=1", version, "") for version in ("3.0", LATEST)),
            *(
                (f"?id={made['c']}&size=1&display_name=c", version, "c")
                for version in ("3.0", LATEST)
            ),
            ("?size=2", LATEST, ""),
            ("?project_id=nosuch", LATEST, "acb"),
        ):
            self.assertEqual(listed(query, version), expected, query)
        got = self.cinder("GET", "/backups?limit=1&with_count=1", version="3.45")
        self.assertEqual((got.body["count"], len(got.body["backups_links"])), (3, 1))
        self.refused(self.cinder("GET", "/backups?sort=name"), refusals.BAD_SORT_KEY)
        got = self.cinder("GET", "/backups?marker=" + MISSING)
        self.refused(got, refusals.NO_BACKUP, MISSING)

    def test_administrators(self) -> None:
        """An administrator sets a status, and deletes by force; records are nobody's."""
        backup_id = self.backup()
        path = f"/backups/{backup_id}"
        self.reset("backup", backup_id, "error")
        self.assertEqual(self.shown(backup_id)["status"], "error")
        body = {"os-reset_status": {"status": "creating"}}
        got = self.cinder("POST", path + "/action", body)
        statuses = ["available", "error"]
        self.refused(got, volume_refusals.BAD_BACKUP_STATUS, "creating", statuses)
        got = self.cinder("POST", path + "/action", {"os-nope": {}})
        self.refused(got, refusals.NO_VOLUME_ACTION, "os-nope")
        got = self.cinder("GET", path + "/export_record")
        self.refused(got, refusals.FORBIDDEN, "backup:export-import")
        got = self.cinder("POST", "/backups/import_record", {})
        self.refused(got, refusals.FORBIDDEN, "backup:backup-import")
        self.assertEqual(self.cinder("POST", path + "/action", {"os-force_delete": {}}).code, 202)
        self.settle()
        self.refused(self.cinder("GET", path), refusals.NO_BACKUP, backup_id)

    def test_overruled(self) -> None:
        """
        A volume is released when an administrator has set the status of its backup, before or while
        the data is copied; one that was being restored then shows that it was not.
        """
        for action, status in (("os-reset_status", {"status": "error"}), ("os-force_delete", {})):
            backup_id = self.post().body["backup"]["id"]
            path = f"/backups/{backup_id}/action"
            self.assertEqual(self.cinder("POST", path, {action: status}).code, 202)
            self.settle()
            self.assertEqual(self.status(self.volume_id), "available", action)
        backup_id = self.backup()
        self.restore(backup_id, volume_id=self.volume_id)
        self.reset("backup", backup_id, "error")
        self.settle()
        self.assertEqual(self.status(self.volume_id), "error_restoring")

    def test_overruled_while_copying(self) -> None:
        """A volume stays as it is until its data is copied."""
        copies: list[Deferred[None]] = []
        self.patch(VolumeFiles, "copy", lambda *_: copies.append(Deferred()) or copies[-1])
        backup_id = self.post().body["backup"]["id"]
        self.settle()
        self.reset("backup", backup_id, "error")
        self.settle()
        self.assertEqual(self.status(self.volume_id), "backing-up")
        copies[0].callback(None)
        self.settle()
        self.assertEqual(self.status(self.volume_id), "available")
        self.assertEqual(self.shown(backup_id)["status"], "error")

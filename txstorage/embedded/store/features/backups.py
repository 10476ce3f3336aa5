# -*- test-case-name: tests.embedded.apis.test_backups -*-
"""The table of backups, each of which is a whole copy and may outlive its volume."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping

import attr

from ..database import Database
from ..records import VolumeRecord

GONE = "gone"
#: What a backup keeps of its volume beside the data.
_OF_VOLUME = ("name", "description", "metadata", "image_metadata")


@attr.s(frozen=True, auto_attribs=True)
class NewBackup:
    """
    A requested backup.

    :ivar volume_id: of its volume, which may be removed later.
    :ivar snapshot_id: of the snapshot of the volume that it copies; ``None``: the volume itself.
    :ivar size: GiB.
    :ivar parent_id: of the backup that it is incremental to, for clients.
    :ivar data_timestamp: seconds since the epoch; ``None``: as the backup itself.
    :ivar project_id: ``None`` for the first project.
    :ivar user_id: ``None`` for the first user.
    """

    volume_id: str
    snapshot_id: str | None
    name: str | None
    description: str | None
    size: int
    container: str | None
    metadata: Mapping[str, str]
    parent_id: str | None
    data_timestamp: float | None
    project_id: str | None
    user_id: str | None


@attr.s(frozen=True, auto_attribs=True)
class BackupRecord(NewBackup):
    """
    A backup.

    :ivar fail_reason: of the last failure.
    :ivar created_at: seconds since the epoch.
    :ivar restore_volume_id: of the volume that it was last restored to.
    """

    sequence: int
    backup_id: str
    status: str
    fail_reason: str | None
    created_at: float
    updated_at: float | None
    restore_volume_id: str | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> BackupRecord:
        """From a row of the table."""
        names = {field.name for field in attr.fields(cls)} - {"backup_id", "metadata"}
        values = {name: row[name] for name in names}
        return cls(backup_id=row["id"], metadata=json.loads(row["metadata"]), **values)


class BackupsTable:
    """
    Backups.

    :param database: the store's database.
    :param clock: returns seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    # -- reading ---------------------------------------------------------------

    def find(self, backup_id: str) -> BackupRecord | None:
        """:return: the backup, or ``None`` when there is none."""
        found = self._chosen("id = ?", backup_id)
        return found[0] if found else None

    def every(self) -> list[BackupRecord]:
        """:return: all backups, the newest first."""
        return self._chosen("1")

    def of_project(self, project_id: str | None) -> list[BackupRecord]:
        """
        :param project_id: ``None`` for the first project.
        :return: a project's backups, the newest first.
        """
        return self._chosen("project_id IS ?", project_id)

    def dependents(self, backup_id: str) -> list[BackupRecord]:
        """:return: the backups that are incremental to another."""
        return self._chosen("parent_id = ?", backup_id)

    def _chosen(self, condition: str, *parameters: object) -> list[BackupRecord]:
        rows = self._database.execute(
            f"SELECT * FROM backups WHERE {condition} ORDER BY sequence DESC", *parameters
        )
        return [BackupRecord.from_row(row) for row in rows]

    # -- changing --------------------------------------------------------------

    def add(self, new: NewBackup, volume: VolumeRecord) -> BackupRecord:
        """
        Record a backup to create; its volume, or its snapshot, is being backed up.

        :param volume: the backup's, whose status it will have again, and whose texts and labels a
            restored volume gets.
        """
        backup_id, now = str(uuid.uuid4()), self._clock()
        columns = {
            **attr.asdict(new),
            "id": backup_id,
            "status": "creating",
            "previous_status": volume.status,
            "of_volume": json.dumps({name: getattr(volume, name) for name in _OF_VOLUME}),
            "metadata": json.dumps(dict(new.metadata)),
            "data_timestamp": new.data_timestamp or now,
            "created_at": now,
        }
        marks = ", ".join("?" * len(columns))
        with self._database.transaction():
            self._database.execute(
                f"INSERT INTO backups ({', '.join(columns)}) VALUES ({marks})", *columns.values()
            )
            self._of_source(new, "backing-up", "backing-up")
        made = self.find(backup_id)
        assert made is not None
        return made

    def _of_source(self, backup: NewBackup, of_snapshot: str, of_volume: str) -> None:
        """Set the status of a backup's snapshot, or else of its volume."""
        if backup.snapshot_id is None:
            self._database.set_volume_status(backup.volume_id, of_volume, self._clock())
            return
        self._database.touched_snapshots.add(backup.snapshot_id)
        self._database.execute(
            "UPDATE snapshots SET status = ?, updated_at = ? WHERE id = ?",
            of_snapshot,
            self._clock(),
            backup.snapshot_id,
        )

    def change(self, backup_id: str, **columns: object) -> BackupRecord:
        """Change columns of a backup."""
        columns["updated_at"] = self._clock()
        if "metadata" in columns:
            columns["metadata"] = json.dumps(columns["metadata"])
        settings = ", ".join(f"{name} = ?" for name in columns)
        self._database.execute(
            f"UPDATE backups SET {settings} WHERE id = ?", *columns.values(), backup_id
        )
        made = self.find(backup_id)
        assert made is not None
        return made

    def restore(self, backup_id: str, volume_id: str) -> None:
        """Begin to restore a backup to a volume."""
        with self._database.transaction():
            self.change(backup_id, status="restoring", restore_volume_id=volume_id)
            self._database.set_volume_status(volume_id, "restoring-backup", self._clock())

    def settle(self, backup: BackupRecord, status: str, reason: str) -> None:
        """
        End a transition, unless the status has changed meanwhile.

        :param status: the new one; ``GONE`` deletes the backup.
        :param reason: of a failure; empty after a success.
        """
        found = self.find(backup.backup_id)
        if found is None or found.status != backup.status:
            return
        with self._database.transaction():
            if status == GONE:
                self._database.execute("DELETE FROM backups WHERE id = ?", backup.backup_id)
                return
            self.change(backup.backup_id, status=status, fail_reason=reason or None)
            if backup.status == "creating":
                self._end_creation(backup)
            elif backup.status == "restoring" and backup.restore_volume_id is not None:
                ended = "error_restoring" if reason else "available"
                if self._from(backup.restore_volume_id, "restoring-backup", ended) and not reason:
                    self._restore_texts(backup, backup.restore_volume_id)

    def _end_creation(self, backup: BackupRecord) -> None:
        if backup.snapshot_id is not None:
            row = self._database.execute(
                "SELECT status FROM snapshots WHERE id = ?", backup.snapshot_id
            ).fetchone()
            if row is not None and row["status"] == "backing-up":
                self._of_source(backup, "available", "")
            return
        (previous,) = self._database.execute(
            "SELECT previous_status FROM backups WHERE id = ?", backup.backup_id
        ).fetchone()
        self._from(backup.volume_id, "backing-up", previous)

    def _restore_texts(self, backup: BackupRecord, volume_id: str) -> None:
        """
        Give a restored volume the labels of the one that was backed up, and its texts, unless it
        has a name of its own.
        """
        (text,) = self._database.execute(
            "SELECT of_volume FROM backups WHERE id = ?", backup.backup_id
        ).fetchone()
        former = json.loads(text)
        self._database.execute(
            "UPDATE volumes SET name = ?, description = ? WHERE id = ? AND ? <> ''"
            " AND (name IS NULL OR name LIKE 'restore~_backup~_%' ESCAPE '~')",
            former["name"],
            former["description"],
            volume_id,
            former["name"] or "",
        )
        if former["metadata"]:
            self._database.execute("DELETE FROM metadata WHERE volume_id = ?", volume_id)
        for key, value in former["metadata"].items():
            self._database.execute("INSERT INTO metadata VALUES (?, ?, ?)", volume_id, key, value)
        if former["image_metadata"]:
            self._database.execute(
                "UPDATE volumes SET image_metadata = ?, bootable = 1 WHERE id = ?",
                json.dumps(former["image_metadata"]),
                volume_id,
            )

    def _from(self, volume_id: str, expected: str, status: str) -> bool:
        """
        Set a volume's status if it has the expected one.

        :return: whether it had.
        """
        row = self._database.execute(
            "SELECT status FROM volumes WHERE id = ?", volume_id
        ).fetchone()
        found = row is not None and row["status"] == expected
        if found:
            self._database.set_volume_status(volume_id, status, self._clock())
        return found


__all__ = ["BackupRecord", "BackupsTable", "NewBackup"]

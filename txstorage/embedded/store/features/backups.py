# -*- test-case-name: tests.embedded.apis.test_backups -*-
"""The table of backups, each of which is a whole copy and may outlive its volume."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import attr

from ..database import Database
from ..records import VolumeRecord

GONE = "gone"
#: The columns that are JSON.
_JSON = ("metadata", "of_volume")
#: The status of the volume or snapshot, by the transient status of the backup.
_OF_SOURCE = {"creating": "backing-up", "restoring": "restoring-backup"}


def of_volume(
    *,
    name: str | None,
    description: str | None,
    metadata: Mapping[str, str],
    image_metadata: Mapping[str, str],
) -> dict[str, Any]:
    """Return what a backup keeps of its volume beside the data."""
    return {
        "name": name,
        "description": description,
        "metadata": dict(metadata),
        "image_metadata": dict(image_metadata),
    }


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
    :ivar of_volume: see :func:`of_volume`.
    """

    sequence: int
    backup_id: str
    status: str
    fail_reason: str | None
    created_at: float
    updated_at: float | None
    restore_volume_id: str | None
    of_volume: Mapping[str, Any]

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> BackupRecord:
        """From a row of the table."""
        names = {field.name for field in attr.fields(cls)} - {"backup_id", *_JSON}
        values = {name: row[name] for name in names}
        values.update((name, json.loads(row[name])) for name in _JSON)
        return cls(backup_id=row["id"], **values)


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
            "of_volume": of_volume(
                name=volume.name,
                description=volume.description,
                metadata=volume.metadata,
                image_metadata=volume.image_metadata,
            ),
            "data_timestamp": new.data_timestamp or now,
            "created_at": now,
        }
        with self._database.transaction():
            self._insert(columns)
            self._of_source(new, "backing-up", "backing-up")
        made = self.find(backup_id)
        assert made is not None
        return made

    def restore_record(self, backup: BackupRecord) -> None:
        """Record a backup as it was."""
        columns = attr.asdict(backup)
        del columns["sequence"]
        columns.update(id=columns.pop("backup_id"), previous_status="available")
        self._insert(columns)

    def _insert(self, columns: dict[str, Any]) -> None:
        self._database.touched_backups.add(columns["id"])
        columns = {**columns, **{name: json.dumps(columns[name]) for name in _JSON}}
        marks = ", ".join("?" * len(columns))
        self._database.execute(
            f"INSERT INTO backups ({', '.join(columns)}) VALUES ({marks})", *columns.values()
        )

    def _of_source(self, backup: NewBackup, of_snapshot: str, of_volume: str) -> None:
        """Set the status of a backup's snapshot, or else of its volume."""
        if backup.snapshot_id is None:
            self._database.set_volume_status(backup.volume_id, of_volume, self._clock())
            return
        self._set_snapshot_status(backup.snapshot_id, of_snapshot)

    def _set_snapshot_status(self, snapshot_id: str, status: str) -> None:
        self._database.touched_snapshots.add(snapshot_id)
        self._database.execute(
            "UPDATE snapshots SET status = ?, updated_at = ? WHERE id = ?",
            status,
            self._clock(),
            snapshot_id,
        )

    def change(self, backup_id: str, **columns: object) -> BackupRecord:
        """Change columns of a backup."""
        self._database.touched_backups.add(backup_id)
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
        End a transition; a status that was changed meanwhile stays.

        :param status: the new one; ``GONE`` deletes the backup.
        :param reason: of a failure; empty after a success.
        """
        found = self.find(backup.backup_id)
        if found is None:
            return
        with self._database.transaction():
            same = found.status == backup.status
            if same and status == GONE:
                self._database.touched_backups.add(backup.backup_id)
                self._database.execute("DELETE FROM backups WHERE id = ?", backup.backup_id)
                return
            if same:
                self.change(backup.backup_id, status=status, fail_reason=reason or None)
            # The volume waits for the end also when an administrator has set another status.
            if backup.status == "creating":
                self._end_creation(backup)
            elif backup.status == "restoring" and backup.restore_volume_id is not None:
                ended = "error_restoring" if reason else "available"
                if self._from(backup.restore_volume_id, "restoring-backup", ended) and not reason:
                    self._restore_texts(backup, backup.restore_volume_id)

    def release_abandoned(self, backup: BackupRecord | None = None) -> None:
        """
        End the transient statuses of volumes and snapshots that no backup will end, because an
        administrator has changed the backup's status meanwhile.

        :param backup: whose volumes or snapshot are meant, and which has no transition any more;
            ``None``: all of them.
        """
        for key in self._abandoned(
            backup, "volumes", "creating", "volume_id", " AND snapshot_id IS NULL"
        ):
            (attached,) = self._database.execute(
                "SELECT count(*) FROM attachments WHERE volume_id = ?", key
            ).fetchone()
            self._from(key, "backing-up", "in-use" if attached else "available")
        for key in self._abandoned(backup, "snapshots", "creating", "snapshot_id"):
            self._set_snapshot_status(key, "available")
        for key in self._abandoned(backup, "volumes", "restoring", "restore_volume_id"):
            self._from(key, "restoring-backup", "error_restoring")

    def _abandoned(
        self, backup: BackupRecord | None, table: str, status: str, column: str, more: str = ""
    ) -> list[str]:
        """
        The ids of the volumes or snapshots in a transient status that no backup has led to.

        :param backup: the only one that may have led to it before; ``None``: any.
        :param status: of the backup.
        :param column: of the backup; refers to the volume or snapshot.
        """
        rows = self._database.execute(
            f"SELECT id FROM {table} WHERE status = ? AND NOT EXISTS (SELECT 1 FROM backups"
            f" WHERE backups.status = ? AND backups.{column} = {table}.id{more})",
            *(_OF_SOURCE[status], status),
        )
        found = [row["id"] for row in rows.fetchall()]
        return found if backup is None else [key for key in found if key == getattr(backup, column)]

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
        former = backup.of_volume
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


__all__ = ["BackupRecord", "BackupsTable", "NewBackup", "of_volume"]

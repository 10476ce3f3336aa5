# -*- test-case-name: tests.embedded.store.test_snapshots -*-
"""
The table of snapshots in the durable state.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from .database import Database
from .records import NewSnapshot, SnapshotRecord

_INSERT = (
    "INSERT INTO snapshots (id, volume_id, name, description, size, status, volume_type,"
    " created_at, project_id, user_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
#: The condition of :meth:`SnapshotsTable.containing`.
_CONTAINS = (
    "instr(lower(id || ' ' || coalesce(name, '') || ' ' || status || ' ' || volume_id), lower(?))"
    " > 0"
)
#: The columns that a request may change.
_TEXTS = frozenset(["name", "description"])


class SnapshotsTable:
    """
    Snapshots, each of one volume, which exists as long as its snapshots do.

    :param database: the store's database.
    :param clock: returns seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(self, new: NewSnapshot) -> SnapshotRecord:
        """Record a snapshot to create."""
        snapshot_id = str(uuid.uuid4())
        self._insert(snapshot_id, new, "creating", self._clock())
        return self._existing(snapshot_id)

    def restore(self, snapshot: SnapshotRecord) -> None:
        """Record a snapshot as it was, with its labels."""
        self._insert(snapshot.snapshot_id, snapshot, snapshot.status, snapshot.created_at)

    def _insert(
        self, snapshot_id: str, new: NewSnapshot | SnapshotRecord, status: str, created_at: float
    ) -> None:
        with self._changing(snapshot_id):
            self._database.execute(
                _INSERT,
                snapshot_id,
                new.volume_id,
                new.name,
                new.description,
                new.size,
                status,
                new.volume_type,
                created_at,
                new.project_id,
                new.user_id,
            )
            self._insert_metadata(snapshot_id, new.metadata)

    def _changing(self, snapshot_id: str) -> AbstractContextManager[None]:
        self._database.touched_snapshots.add(snapshot_id)
        return self._database.transaction()

    def _insert_metadata(self, snapshot_id: str, metadata: Mapping[str, str]) -> None:
        for key, value in metadata.items():
            self._database.execute(
                "INSERT OR REPLACE INTO snapshot_metadata VALUES (?, ?, ?)", snapshot_id, key, value
            )

    # -- reading -----------------------------------------------------------------

    def find(self, snapshot_id: str) -> SnapshotRecord | None:
        """:return: the snapshot, or ``None`` when there is none."""
        found = self._chosen("id = ?", snapshot_id)
        return found[0] if found else None

    def _existing(self, snapshot_id: str) -> SnapshotRecord:
        found = self.find(snapshot_id)
        if found is None:
            raise KeyError(snapshot_id)
        return found

    def every(self) -> list[SnapshotRecord]:
        """:return: all snapshots, the newest first."""
        return self._chosen("1")

    def of_project(self, project_id: str | None) -> list[SnapshotRecord]:
        """
        :param project_id: ``None`` for the first project.
        :return: a project's snapshots, the newest first.
        """
        return self._chosen("project_id IS ?", project_id)

    def containing(self, text: str, limit: int) -> tuple[list[SnapshotRecord], int]:
        """
        Search for snapshots by a part of their id, name, status or volume.  Letters of ASCII match
        in both cases.

        :param limit: the maximum number of snapshots.
        :return: the newest of them, and the number of all.
        """
        some = f"FROM snapshots WHERE {_CONTAINS}"
        (count,) = self._database.execute(f"SELECT count(*) {some}", text).fetchone()
        newest = f"sequence IN (SELECT sequence {some} ORDER BY sequence DESC LIMIT ?)"
        return self._chosen(newest, text, limit), count

    def moving(self, limit: int) -> list[SnapshotRecord]:
        """
        :param limit: the maximum number.
        :return: the newest of the snapshots that are being made or deleted.
        """
        return self._chosen(
            "sequence IN (SELECT sequence FROM snapshots WHERE status IN ('creating', 'deleting')"
            " ORDER BY sequence DESC LIMIT ?)",
            limit,
        )

    def of_volume(self, volume_id: str) -> list[SnapshotRecord]:
        """:return: a volume's snapshots, the newest first."""
        return self._chosen("volume_id = ?", volume_id)

    def _chosen(self, condition: str, *parameters: object) -> list[SnapshotRecord]:
        rows = self._database.execute(
            f"SELECT * FROM snapshots WHERE {condition} ORDER BY sequence DESC", *parameters
        ).fetchall()
        if not rows:
            return []
        metadata: dict[str, dict[str, str]] = {row["id"]: {} for row in rows}
        for row in self._database.execute(
            "SELECT * FROM snapshot_metadata WHERE snapshot_id IN (SELECT value FROM json_each(?))",
            json.dumps(list(metadata)),
        ):
            metadata[row["snapshot_id"]][row["key"]] = row["value"]
        return [SnapshotRecord.from_row(row, metadata[row["id"]]) for row in rows]

    # -- changing ----------------------------------------------------------------

    def set_texts(self, snapshot_id: str, texts: Mapping[str, str | None]) -> SnapshotRecord:
        """
        Change the name, the description, or both.

        :param texts: new values, by ``name`` and ``description``.
        """
        with self._changing(snapshot_id):
            for column in _TEXTS.intersection(texts):
                self._set(snapshot_id, column, texts[column])
        return self._existing(snapshot_id)

    def set_metadata(
        self, snapshot_id: str, metadata: Mapping[str, str], replace: bool
    ) -> SnapshotRecord:
        """Add labels, or replace them all."""
        with self._changing(snapshot_id):
            if replace:
                self._database.execute(
                    "DELETE FROM snapshot_metadata WHERE snapshot_id = ?", snapshot_id
                )
            self._insert_metadata(snapshot_id, metadata)
            self._database.execute(
                "UPDATE snapshots SET updated_at = ? WHERE id = ?", self._clock(), snapshot_id
            )
        return self._existing(snapshot_id)

    def set_status(self, snapshot_id: str, status: str) -> None:
        """Set a snapshot's status and nothing else."""
        with self._changing(snapshot_id):
            self._set(snapshot_id, "status", status)

    def _set(self, snapshot_id: str, column: str, value: object) -> None:
        self._database.execute(
            f"UPDATE snapshots SET {column} = ?, updated_at = ? WHERE id = ?",
            value,
            self._clock(),
            snapshot_id,
        )

    def remove(self, snapshot_id: str) -> None:
        """Remove a snapshot, with its labels and messages."""
        with self._changing(snapshot_id):
            self._database.execute("DELETE FROM snapshots WHERE id = ?", snapshot_id)

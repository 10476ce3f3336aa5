# -*- test-case-name: tests.embedded.store.test_store -*-
"""
The table of the reasons of failures in the durable state.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from .database import Database
from .records import MessageRecord

#: Messages about a volume and its snapshots that are kept, the newest.
_MOST = 100


class MessagesTable:
    """
    Messages about volumes and snapshots, each of which ends with its volume or snapshot.

    :param database: the store's database.
    :param clock: returns seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(self, volume_id: str, text: str, snapshot_id: str | None = None) -> None:
        """
        Record the reason of a failure, and forget the oldest ones.

        :param snapshot_id: of the snapshot of the volume that failed; ``None`` when the volume
            itself did.
        """
        self._database.execute(
            "INSERT INTO messages (id, volume_id, snapshot_id, text, created_at)"
            " VALUES (?, ?, ?, ?, ?)",
            str(uuid.uuid4()),
            volume_id,
            snapshot_id,
            text,
            self._clock(),
        )
        self._database.execute(
            "DELETE FROM messages WHERE volume_id = ?1 AND sequence NOT IN (SELECT sequence"
            " FROM messages WHERE volume_id = ?1 ORDER BY sequence DESC LIMIT ?2)",
            *(volume_id, _MOST),
        )

    def listed(self, resource_id: str | None = None) -> list[MessageRecord]:
        """
        List messages, the newest first.

        :param resource_id: of a volume or a snapshot; ``None`` for all.
        """
        # One condition for each case, so that SQLite uses the indexes.
        where = "volume_id = ?1 AND snapshot_id IS NULL OR snapshot_id = ?1"
        return self._chosen("?1 IS NULL" if resource_id is None else where, resource_id)

    def of_project(self, project_id: str | None) -> list[MessageRecord]:
        """
        List the messages about a project's volumes and snapshots, the newest first.

        :param project_id: ``None`` for the first project.
        """
        return self._chosen(
            # A snapshot may have stayed another project's when its volume was transferred.
            "CASE WHEN snapshot_id IS NULL"
            " THEN EXISTS (SELECT 1 FROM volumes WHERE id = volume_id AND project_id IS ?1)"
            " ELSE EXISTS (SELECT 1 FROM snapshots WHERE id = snapshot_id AND project_id IS ?1)"
            " END",
            project_id,
        )

    def _chosen(self, condition: str, *parameters: object) -> list[MessageRecord]:
        rows = self._database.execute(
            f"SELECT * FROM messages WHERE {condition} ORDER BY sequence DESC", *parameters
        )
        return [
            MessageRecord(
                row["id"], row["volume_id"], row["snapshot_id"], row["text"], row["created_at"]
            )
            for row in rows
        ]

    def remove(self, message_id: str) -> None:
        """Remove a message."""
        self._database.execute("DELETE FROM messages WHERE id = ?", message_id)

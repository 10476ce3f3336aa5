# -*- test-case-name: tests.embedded.store.test_store -*-
"""
The table of the reasons of failures in the durable state.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from .database import Database
from .records import MessageRecord


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
        Record the reason of a failure.

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

    def listed(self, resource_id: str | None = None) -> list[MessageRecord]:
        """
        List messages, the newest first.

        :param resource_id: of a volume or a snapshot; ``None`` for all.
        """
        rows = self._database.execute(
            "SELECT * FROM messages WHERE ?1 IS NULL OR coalesce(snapshot_id, volume_id) = ?1"
            " ORDER BY sequence DESC",
            resource_id,
        )
        return [
            MessageRecord(
                row["id"], row["volume_id"], row["snapshot_id"], row["text"], row["created_at"]
            )
            for row in rows
        ]

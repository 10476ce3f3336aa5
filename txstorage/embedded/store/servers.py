# -*- test-case-name: tests.embedded.store.test_store -*-
"""
The table of the nodes in the durable state.
"""

from __future__ import annotations

from .database import Database
from .records import ServerRecord


class ServersTable:
    """
    Servers, which are declared and never removed.

    :param database: the store's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, server_id: str) -> ServerRecord | None:
        """:return: the server, or ``None`` when there is none."""
        row = self._database.execute("SELECT * FROM servers WHERE id = ?", server_id).fetchone()
        return None if row is None else ServerRecord.from_row(row)

    def every(self, before: int | None = None, limit: int = -1) -> list[ServerRecord]:
        """
        List servers, the newest first.

        :param before: only those with a smaller sequence number.
        :param limit: the maximum number; negative for all.
        """
        rows = self._database.execute(
            "SELECT * FROM servers WHERE ?1 IS NULL OR sequence < ?1"
            " ORDER BY sequence DESC LIMIT ?2",
            before,
            limit,
        )
        return [ServerRecord.from_row(row) for row in rows]

    def set_status(self, server_id: str, status: str) -> None:
        """Set a server's status."""
        self._database.execute("UPDATE servers SET status = ? WHERE id = ?", status, server_id)

# -*- test-case-name: tests.embedded.store.test_servers -*-
"""
The table of the servers in the durable state.

Servers that clients make are in it, too, and not in memory: what they have attached is, and a
server that a restart forgot would leave volumes that nothing can detach.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from ..database import Database
from ..records import AttachmentRecord
from .groups import ServerGroupsTable
from .records import NewServer, ServerAction, ServerDetails, ServerRecord

#: The actions of a server that are kept: those of its last requests.
_ACTIONS = 100
#: The action that follows a volume's growth.
GROWTH = "extend_volume"
#: The project and the user of what Block Storage itself requests; nobody else's.
_BLOCK_STORAGE = uuid.uuid5(uuid.NAMESPACE_URL, "txstorage:block-storage").hex


class ServersTable:
    """
    The nodes, which are declared and never removed, and the servers that clients make.

    :ivar groups: of servers.
    :param database: the store's database.
    :param clock: returns seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self.groups = ServerGroupsTable(database)

    def find(self, server_id: str) -> ServerRecord | None:
        """:return: the server, or ``None`` when there is none."""
        row = self._database.execute("SELECT * FROM servers WHERE id = ?", server_id).fetchone()
        return None if row is None else ServerRecord.from_row(row)

    def node(self, server_id: str) -> ServerRecord | None:
        """:return: the node, or ``None`` when there is none."""
        found = self.find(server_id)
        return found if found is not None and found.is_node else None

    def declared(self, name: str) -> ServerRecord | None:
        """:return: the node with a name, or ``None`` when there is none."""
        row = self._database.execute(
            "SELECT * FROM servers WHERE name = ? AND is_node", name
        ).fetchone()
        return None if row is None else ServerRecord.from_row(row)

    def add_node(self, name: str, server_id: str) -> ServerRecord:
        """Record a node."""
        self._database.execute(
            "INSERT INTO servers (id, name, status, created_at) VALUES (?, ?, 'ACTIVE', ?)",
            server_id,
            name,
            self._clock(),
        )
        return self._existing(server_id)

    def every(self, before: int | None = None, limit: int = -1) -> list[ServerRecord]:
        """
        List the nodes, the newest first.

        :param before: only those with a smaller sequence number.
        :param limit: the maximum number; negative for all.
        """
        rows = self._database.execute(
            "SELECT * FROM servers WHERE is_node AND (?1 IS NULL OR sequence < ?1)"
            " ORDER BY sequence DESC LIMIT ?2",
            before,
            limit,
        )
        return [ServerRecord.from_row(row) for row in rows]

    def of_projects(self, projects: list[str | None] | None) -> list[ServerRecord]:
        """
        List nodes and other servers, the newest first.

        :param projects: ``None`` for all; in it, ``None`` for the first project.
        """
        rows = self._database.execute("SELECT * FROM servers ORDER BY sequence DESC")
        found = [ServerRecord.from_row(row) for row in rows]
        return [each for each in found if projects is None or each.project_id in projects]

    def count(self, project_id: str | None) -> int:
        """Return the number of a project's servers."""
        row = self._database.execute(
            "SELECT count(*) FROM servers WHERE project_id IS ?", project_id
        ).fetchone()
        number: int = row[0]
        return number

    def set_status(self, server_id: str, status: str) -> None:
        """Set a server's status."""
        self._database.execute(
            "UPDATE servers SET status = ?, updated_at = ? WHERE id = ?",
            status,
            self._clock(),
            server_id,
        )

    # -- servers of clients ------------------------------------------------------

    def add(self, new: NewServer) -> ServerRecord:
        """Record a server to build."""
        server_id = str(uuid.uuid4())
        self._database.execute(
            "INSERT INTO servers (id, name, status, created_at, is_node, project_id, user_id,"
            " details) VALUES (?, ?, 'BUILD', ?, 0, ?, ?, ?)",
            server_id,
            new.name,
            self._clock(),
            new.project_id,
            new.user_id,
            new.details.as_text(),
        )
        return self._existing(server_id)

    def change(
        self, server_id: str, details: ServerDetails, name: str | None = None
    ) -> ServerRecord:
        """
        Change a server's details.

        :param name: a new name; ``None``: the former one stays.
        """
        self._database.execute(
            "UPDATE servers SET details = ?, name = coalesce(?, name), updated_at = ? WHERE id = ?",
            details.as_text(),
            name,
            self._clock(),
            server_id,
        )
        return self._existing(server_id)

    def remove(self, server_id: str) -> None:
        """Delete a server's record, and those of its actions."""
        self._database.execute("DELETE FROM servers WHERE id = ?", server_id)

    def _existing(self, server_id: str) -> ServerRecord:
        found = self.find(server_id)
        assert found is not None
        return found

    # -- actions -------------------------------------------------------------------

    def record(
        self, server_id: str, name: str, request_id: str, project_id: str, user_id: str
    ) -> None:
        """Record an action; only the last ones of a server are kept."""
        values = (server_id, name, request_id, project_id, user_id, self._clock())
        self._database.execute(
            "INSERT INTO server_actions (server_id, name, request_id, project_id, user_id,"
            " started_at) VALUES (?, ?, ?, ?, ?, ?)",
            *values,
        )
        self._database.execute(
            "DELETE FROM server_actions WHERE server_id = ?1 AND sequence NOT IN (SELECT sequence"
            " FROM server_actions WHERE server_id = ?1 ORDER BY sequence DESC LIMIT ?2)",
            server_id,
            _ACTIONS,
        )

    def record_growth(self, attachment: AttachmentRecord | None) -> None:
        """Record the end of a server's volume's growth, which Block Storage reports to Compute."""
        if attachment is not None and attachment.by_compute and attachment.server_id:
            request_id = f"req-{uuid.uuid4()}"
            self.record(attachment.server_id, GROWTH, request_id, _BLOCK_STORAGE, _BLOCK_STORAGE)

    def actions(self, server_id: str) -> list[ServerAction]:
        """:return: a server's last actions, the newest first."""
        rows = self._database.execute(
            "SELECT server_id, name, request_id, project_id, user_id, started_at"
            " FROM server_actions WHERE server_id = ? ORDER BY sequence DESC",
            server_id,
        )
        return [ServerAction(*row) for row in rows]


__all__ = ["GROWTH", "ServersTable"]

# -*- test-case-name: tests.embedded.store.test_servers -*-
"""
The table of the groups of servers in the durable state.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping
from typing import Optional

import attr

from ..database import Database


@attr.s(frozen=True, auto_attribs=True)
class ServerGroupRecord:
    """
    A group of servers, which has no servers.

    :ivar policy: says where its servers are to be; there is one host.
    :ivar rules: of the policy.
    :ivar project_id: ``None`` for the first project.
    :ivar user_id: ``None`` for the first user.
    """

    group_id: str
    name: str
    policy: str
    rules: Mapping[str, int]
    project_id: Optional[str]
    user_id: Optional[str]

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> ServerGroupRecord:
        """From a row of the table."""
        return cls(
            group_id=row["id"],
            name=row["name"],
            policy=row["policy"],
            rules=json.loads(row["rules"]),
            project_id=row["project_id"],
            user_id=row["user_id"],
        )


class ServerGroupsTable:
    """
    Groups of servers.

    :param database: the store's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        name: str,
        policy: str,
        rules: Mapping[str, int],
        project_id: str | None,
        user_id: str | None,
    ) -> ServerGroupRecord:
        """Record a new group."""
        made = ServerGroupRecord(str(uuid.uuid4()), name, policy, rules, project_id, user_id)
        self._database.execute(
            "INSERT INTO server_groups (id, name, policy, rules, project_id, user_id)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            made.group_id,
            name,
            policy,
            json.dumps(dict(rules)),
            project_id,
            user_id,
        )
        return made

    def every(self) -> list[ServerGroupRecord]:
        """:return: all groups, the oldest first."""
        rows = self._database.execute("SELECT * FROM server_groups ORDER BY sequence")
        return [ServerGroupRecord.from_row(row) for row in rows]

    def remove(self, group_id: str) -> None:
        """Remove a group."""
        self._database.execute("DELETE FROM server_groups WHERE id = ?", group_id)


__all__ = ["ServerGroupRecord", "ServerGroupsTable"]

# -*- test-case-name: tests.embedded.store.test_created_projects -*-
"""
The tables of the projects that administrators make, and of the roles that they give.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping
from typing import Any

import attr

from ..database import Database


@attr.s(frozen=True, auto_attribs=True)
class ProjectRecord:
    """
    A project that an administrator has made.

    :ivar enabled: whether it has tokens.
    :ivar extra: members of the request that Identity does not know.
    """

    project_id: str
    name: str
    description: str | None
    enabled: bool
    tags: tuple[str, ...] = ()
    extra: Mapping[str, Any] = attr.ib(factory=dict)

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> ProjectRecord:
        """From a row of the table."""
        return cls(
            row["id"],
            row["name"],
            row["description"],
            bool(row["enabled"]),
            tuple(json.loads(row["tags"])),
            json.loads(row["extra"]),
        )


class ProjectsTable:
    """
    Projects, whose names are unique among them, and roles of users in any project.

    :param database: the store's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def every(self) -> list[ProjectRecord]:
        """:return: all made projects, the oldest first."""
        rows = self._database.execute("SELECT * FROM projects ORDER BY sequence")
        return [ProjectRecord.from_row(row) for row in rows]

    def find(self, project_id: str) -> ProjectRecord | None:
        """:return: the project, or ``None`` when nobody made one with this id."""
        found = self._database.execute("SELECT * FROM projects WHERE id = ?", project_id)
        row = found.fetchone()
        return None if row is None else ProjectRecord.from_row(row)

    def add(self, new: ProjectRecord) -> ProjectRecord:
        """
        Record a new project, with a new id.

        :param new: its own id is ignored.
        """
        made = attr.evolve(new, project_id=uuid.uuid4().hex)
        self._database.execute(
            "INSERT INTO projects (id, name, description, enabled, tags, extra)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(made.project_id, *_values(made)),
        )
        return made

    def replace(self, changed: ProjectRecord) -> None:
        """Record everything but the id of a project anew."""
        self._database.execute(
            "UPDATE projects SET name = ?, description = ?, enabled = ?, tags = ?, extra = ?"
            " WHERE id = ?",
            *(*_values(changed), changed.project_id),
        )

    def remove(self, project_id: str) -> None:
        """Remove a project and the roles in it; its volumes stay."""
        with self._database.transaction():
            self._database.execute("DELETE FROM grants WHERE project_id = ?", project_id)
            self._database.execute("DELETE FROM projects WHERE id = ?", project_id)

    # -- roles -----------------------------------------------------------------------

    def grants(self) -> list[tuple[str, str, str]]:
        """:return: the projects, users and roles that belong together, the oldest first."""
        rows = self._database.execute("SELECT * FROM grants ORDER BY sequence")
        return [(row["project_id"], row["user_id"], row["role"]) for row in rows]

    def grant(self, project_id: str, user_id: str, role: str) -> None:
        """Give a user a role in a project, unless the user has it."""
        self._database.execute(
            "INSERT OR IGNORE INTO grants (project_id, user_id, role) VALUES (?, ?, ?)",
            *(project_id, user_id, role),
        )

    def revoke(self, project_id: str, user_id: str, role: str) -> None:
        """Take a role in a project away from a user."""
        self._database.execute(
            "DELETE FROM grants WHERE project_id = ? AND user_id = ? AND role = ?",
            *(project_id, user_id, role),
        )


def _values(project: ProjectRecord) -> tuple[object, ...]:
    tags, extra = json.dumps(project.tags), json.dumps(dict(project.extra))
    return (project.name, project.description, project.enabled, tags, extra)


__all__ = ["ProjectRecord", "ProjectsTable"]

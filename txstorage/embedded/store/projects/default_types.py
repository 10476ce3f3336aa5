# -*- test-case-name: tests.embedded.apis.test_types -*-
"""
The table of the projects' default volume types in the durable state.
"""

from __future__ import annotations

from ..database import Database
from .keys import from_key, to_key


class DefaultTypesTable:
    """
    The volume types of the volumes whose requests name none, for projects with their own.

    :param database: the store's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def every(self) -> dict[str | None, str]:
        """:return: the types' ids, by the projects' ids in the store."""
        rows = self._database.execute("SELECT * FROM default_types ORDER BY project_id")
        return {from_key(row["project_id"]): row["type_id"] for row in rows}

    def set(self, project_id: str | None, type_id: str) -> None:
        """Give a project a default type, in place of the former one."""
        self._database.execute(
            "INSERT OR REPLACE INTO default_types VALUES (?, ?)", to_key(project_id), type_id
        )

    def unset(self, project_id: str | None) -> None:
        """Give a project the default type of all projects without their own."""
        self._database.execute("DELETE FROM default_types WHERE project_id = ?", to_key(project_id))


__all__ = ["DefaultTypesTable"]

# -*- test-case-name: tests.embedded.store.test_projects -*-
"""
The table of the projects' own quotas in the durable state, and their use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

import attr

from ..database import Database
from ..records import Usage
from .keys import to_key

#: The resources that also have a quota for each volume type.
OF_TYPES = ("gigabytes", "snapshots", "volumes")


def quota_name(resource: str, volume_type: str | None = None) -> str:
    """:return: the name of a quota: a resource's, or that of a volume type alone."""
    return resource if volume_type is None else f"{resource}_{volume_type}"


@attr.s(frozen=True, auto_attribs=True)
class Holding:
    """
    A project's volumes and snapshots.

    :ivar project_id: ``None`` for the first project.
    :ivar numbers: of the volumes and their GiB, and of the snapshots and theirs.
    """

    project_id: Optional[str]
    numbers: tuple[int, ...]


class ProjectQuotas:
    """
    Quotas of one service that an administrator has set, by project and resource.

    :param database: the store's database.
    :param table: its name.
    """

    def __init__(self, database: Database, table: str) -> None:
        self._database = database
        self._table = table

    def of_project(self, project_id: str | None) -> dict[str, int]:
        """
        :param project_id: ``None`` for the first project.
        :return: the quotas that differ from the default, by resource; negative: none.
        """
        rows = self._database.execute(
            f"SELECT resource, value FROM {self._table} WHERE project_id = ?", to_key(project_id)
        )
        return {row["resource"]: row["value"] for row in rows}

    def set(self, project_id: str | None, quotas: Mapping[str, int]) -> None:
        """Set some of a project's quotas, and keep the others."""
        with self._database.transaction():
            for resource, value in quotas.items():
                self._database.execute(
                    f"INSERT OR REPLACE INTO {self._table} VALUES (?, ?, ?)",
                    to_key(project_id),
                    resource,
                    value,
                )

    def reset(self, project_id: str | None) -> None:
        """Give a project the default quotas again."""
        self._database.execute(
            f"DELETE FROM {self._table} WHERE project_id = ?", to_key(project_id)
        )


class QuotasTable(ProjectQuotas):
    """
    Block Storage's quotas, and their use.

    :ivar compute: Compute's quotas.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database, "quotas")
        self.compute = ProjectQuotas(database, "compute_quotas")

    def usage(self, project_id: str | None = None, volume_type: str | None = None) -> Usage:
        """
        Return the use of a project's quota.

        :param project_id: ``None`` for the first project.
        :param volume_type: the name of the only type whose volumes and snapshots count; backups
            have no type.
        """
        of_type = "" if volume_type is None else "AND volume_type = ?2"
        row = self._database.execute(
            "SELECT count(*), coalesce(sum(coalesce(growing, size)), 0),"
            f" (SELECT count(*) FROM snapshots WHERE project_id IS ?1 {of_type}),"
            f" (SELECT coalesce(sum(size), 0) FROM snapshots WHERE project_id IS ?1 {of_type}),"
            " (SELECT count(*) FROM backups WHERE project_id IS ?1),"
            " (SELECT coalesce(sum(size), 0) FROM backups WHERE project_id IS ?1)"
            f" FROM volumes WHERE NOT root AND project_id IS ?1 {of_type}",
            *((project_id,) if volume_type is None else (project_id, volume_type)),
        ).fetchone()
        return Usage(row[0], row[2], row[1] + row[3], backups=row[4], backup_gigabytes=row[5])

    def holdings(self) -> list[Holding]:
        """:return: what the projects with volumes have, without root volumes, in their order."""
        rows = self._database.execute(
            "SELECT project_id, count(*), sum(size),"
            " (SELECT count(*) FROM snapshots WHERE project_id IS volumes.project_id),"
            " (SELECT coalesce(sum(size), 0) FROM snapshots WHERE project_id IS volumes.project_id)"
            " FROM volumes WHERE NOT root GROUP BY project_id ORDER BY project_id"
        )
        return [Holding(row[0], tuple(row)[1:]) for row in rows]

    def promised(self) -> int:
        """Return the GiB of all projects' volumes and snapshots."""
        row = self._database.execute(
            "SELECT (SELECT coalesce(sum(coalesce(growing, size)), 0) FROM volumes"
            " WHERE NOT root) + (SELECT coalesce(sum(size), 0) FROM snapshots)"
        ).fetchone()
        promised: int = row[0]
        return promised


__all__ = ["OF_TYPES", "Holding", "ProjectQuotas", "QuotasTable", "quota_name"]

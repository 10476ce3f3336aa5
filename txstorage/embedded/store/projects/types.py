# -*- test-case-name: tests.embedded.store.test_projects -*-
"""
The table of volume types in the durable state.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Mapping
from typing import Optional

import attr

from ...settings import DEFAULT_TYPE
from ..database import Database
from .default_types import DefaultTypesTable
from .encryption import EncryptionTable
from .keys import from_key, to_key
from .qos import QosTable
from .quotas import OF_TYPES, quota_name

_COLUMNS = frozenset(["name", "description", "is_public"])


@attr.s(frozen=True, auto_attribs=True)
class TypeRecord:
    """
    A volume type.

    :ivar is_public: whether all projects may use it.
    :ivar extra_specs: values by key.
    :ivar qos_id: the id of its QoS specs; ``None``: it has none.
    """

    type_id: str
    name: str
    description: Optional[str]
    is_public: bool
    extra_specs: Mapping[str, Optional[str]]
    qos_id: Optional[str]

    @classmethod
    def from_row(cls, row: sqlite3.Row, specs: Mapping[str, Optional[str]]) -> TypeRecord:
        """From a row of the table, and its extra specs."""
        named = (row["id"], row["name"], row["description"], bool(row["is_public"]))
        return cls(*named, specs, row["qos_id"])


class TypesTable:
    """
    Volume types, all of which mean a sparse file.

    :ivar defaults: the projects' default types.
    :ivar qos: the table of QoS specs.
    :ivar encryptions: the table of the types' encryption.
    :param database: the store's database.
    :param clock: returns the wall time, in seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self.defaults = DefaultTypesTable(database)
        self.qos = QosTable(database)
        self.encryptions = EncryptionTable(database, clock)

    # -- reading -----------------------------------------------------------------

    def every(self) -> list[TypeRecord]:
        """:return: all types, the newest first."""
        return self._chosen("1")

    def find(self, name_or_id: str) -> TypeRecord | None:
        """:return: the type, or ``None`` when there is none."""
        found = self._chosen("id = ?1 OR name = ?1", name_or_id)
        return min(found, key=lambda each: each.type_id != name_or_id, default=None)

    def default(self, project_id: str | None) -> TypeRecord:
        """:return: the type of a project's volumes whose requests name none."""
        return self._existing(self.defaults.every().get(project_id, DEFAULT_TYPE))

    def ids(self) -> dict[str, str]:
        """:return: the ids of all types, by their names."""
        return {
            row["name"]: row["id"]
            for row in self._database.execute("SELECT name, id FROM volume_types")
        }

    def _chosen(self, condition: str, *parameters: object) -> list[TypeRecord]:
        rows = self._database.execute(
            f"SELECT * FROM volume_types WHERE {condition} ORDER BY sequence DESC", *parameters
        ).fetchall()
        specs: dict[str, dict[str, Optional[str]]] = {row["id"]: {} for row in rows}
        for row in self._database.execute("SELECT * FROM extra_specs"):
            specs.get(row["type_id"], {})[row["key"]] = row["value"]
        return [TypeRecord.from_row(row, specs[row["id"]]) for row in rows]

    def used(self, name: str) -> bool:
        """Check for volumes or snapshots of a type."""
        row = self._database.execute(
            "SELECT EXISTS (SELECT 1 FROM volumes WHERE volume_type = ?1)"
            " OR EXISTS (SELECT 1 FROM snapshots WHERE volume_type = ?1)",
            name,
        ).fetchone()
        return bool(row[0])

    # -- changing ----------------------------------------------------------------

    def add(
        self,
        name: str,
        description: str | None = None,
        is_public: bool = True,
        specs: Mapping[str, str | None] | None = None,
    ) -> TypeRecord:
        """Record a new type, whose name no other has."""
        type_id = str(uuid.uuid4())
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO volume_types (id, name, description, is_public) VALUES (?, ?, ?, ?)",
                type_id,
                name,
                description,
                is_public,
            )
            self.set_specs(type_id, specs or {})
        return self._existing(type_id)

    def _existing(self, name_or_id: str) -> TypeRecord:
        found = self.find(name_or_id)
        assert found is not None
        return found

    def change(self, found: TypeRecord, changes: Mapping[str, object]) -> TypeRecord:
        """
        Change a type.  Its volumes and its quotas get its new name.

        :param changes: new values, by ``name``, ``description`` and ``is_public``.
        """
        with self._database.transaction():
            for column in _COLUMNS.intersection(changes):
                self._database.execute(
                    f"UPDATE volume_types SET {column} = ? WHERE id = ?",
                    changes[column],
                    found.type_id,
                )
            changed = self._existing(found.type_id)
            if changed.name != found.name:
                self._rename(found.name, changed.name)
        return changed

    def _rename(self, before: str, after: str) -> None:
        for table, touched in (
            ("volumes", self._database.touched),
            ("snapshots", self._database.touched_snapshots),
        ):
            rows = self._database.execute(f"SELECT id FROM {table} WHERE volume_type = ?", before)
            touched.update(row["id"] for row in rows)
            self._database.execute(
                f"UPDATE {table} SET volume_type = ? WHERE volume_type = ?", after, before
            )
        for resource in OF_TYPES:
            # A former type of the new name may have left its quotas, as in Cinder.
            self._database.execute(
                "UPDATE OR REPLACE quotas SET resource = ? WHERE resource = ?",
                quota_name(resource, after),
                quota_name(resource, before),
            )

    def set_specs(self, type_id: str, specs: Mapping[str, str | None]) -> None:
        """Set some extra specs of a type, and keep the others."""
        for key, value in specs.items():
            self._database.execute(
                "INSERT OR REPLACE INTO extra_specs VALUES (?, ?, ?)", type_id, key, value
            )

    def remove_spec(self, type_id: str, key: str) -> None:
        """Remove one of a type's extra specs."""
        self._database.execute(
            "DELETE FROM extra_specs WHERE type_id = ? AND key = ?", type_id, key
        )

    def remove(self, type_id: str) -> None:
        """Remove a type, with its extra specs and its encryption."""
        self._database.execute("DELETE FROM volume_types WHERE id = ?", type_id)

    # -- access ------------------------------------------------------------------

    def projects(self, type_id: str) -> list[str | None]:
        """:return: the projects that may use a private type; the first project as ``None``."""
        rows = self._database.execute(
            "SELECT project_id FROM type_access WHERE type_id = ? ORDER BY project_id", type_id
        )
        return [from_key(row["project_id"]) for row in rows]

    def allow(self, type_id: str, project_id: str | None) -> None:
        """Let a project use a private type."""
        self._database.execute("INSERT INTO type_access VALUES (?, ?)", type_id, to_key(project_id))

    def disallow(self, type_id: str, project_id: str | None) -> None:
        """End a project's use of a private type; its volumes stay."""
        self._database.execute(
            "DELETE FROM type_access WHERE type_id = ? AND project_id = ?",
            type_id,
            to_key(project_id),
        )


__all__ = ["TypeRecord", "TypesTable"]

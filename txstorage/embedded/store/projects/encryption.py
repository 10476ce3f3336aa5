# -*- test-case-name: tests.embedded.store.test_qos -*-
"""
The table of the volume types' encryption in the durable state.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Mapping

import attr

from ..database import Database

#: The columns that requests set.
COLUMNS = ("provider", "control_location", "cipher", "key_size")


@attr.s(frozen=True, auto_attribs=True)
class EncryptionRecord:
    """
    The encryption that the volumes of a type would have.

    :ivar control_location: ``front-end`` or ``back-end``.
    :ivar key_size: bits.
    :ivar created_at: seconds since the epoch.
    :ivar updated_at: seconds since the epoch; ``None``: never.
    """

    type_id: str
    encryption_id: str
    provider: str
    control_location: str
    cipher: str | None
    key_size: int | None
    created_at: float
    updated_at: float | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> EncryptionRecord:
        """From a row of the table."""
        return cls(
            type_id=row["type_id"],
            encryption_id=row["id"],
            provider=row["provider"],
            control_location=row["control_location"],
            cipher=row["cipher"],
            key_size=row["key_size"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )


class EncryptionTable:
    """
    The encryption of volume types.

    :param database: the store's database.
    :param clock: returns the wall time, in seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def of_type(self, type_id: str) -> EncryptionRecord | None:
        """:return: a volume type's encryption, or ``None`` when the type has none."""
        row = self._database.execute(
            "SELECT * FROM encryptions WHERE type_id = ?", type_id
        ).fetchone()
        return None if row is None else EncryptionRecord.from_row(row)

    def of_type_named(self, name: str) -> EncryptionRecord | None:
        """:return: the encryption of the volume type with a name, or ``None``."""
        row = self._database.execute(
            "SELECT encryptions.* FROM encryptions JOIN volume_types ON volume_types.id = type_id"
            " WHERE name = ?",
            name,
        ).fetchone()
        return None if row is None else EncryptionRecord.from_row(row)

    def add(self, type_id: str, values: Mapping[str, object]) -> EncryptionRecord:
        """
        Record a volume type's first encryption.

        :param values: by :data:`COLUMNS`.
        """
        self._database.execute(
            "INSERT INTO encryptions (type_id, id, provider, control_location, cipher, key_size,"
            " created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(type_id, str(uuid.uuid4()), *(values.get(name) for name in COLUMNS), self._clock()),
        )
        made = self.of_type(type_id)
        assert made is not None
        return made

    def change(self, type_id: str, values: Mapping[str, object]) -> None:
        """
        Change a volume type's encryption.

        :param values: by some of :data:`COLUMNS`.
        """
        for name in COLUMNS:
            if name in values:
                self._database.execute(
                    f"UPDATE encryptions SET {name} = ? WHERE type_id = ?", values[name], type_id
                )
        self._database.execute(
            "UPDATE encryptions SET updated_at = ? WHERE type_id = ?", self._clock(), type_id
        )

    def remove(self, type_id: str) -> None:
        """Remove a volume type's encryption."""
        self._database.execute("DELETE FROM encryptions WHERE type_id = ?", type_id)


__all__ = ["COLUMNS", "EncryptionRecord", "EncryptionTable"]

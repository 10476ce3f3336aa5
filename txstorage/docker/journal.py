# -*- test-case-name: tests.docker.test_journal -*-
"""
The durable journal: the known volumes, and the engine's claims.

It is a cache of the cloud's volumes, so that their names are known while the cloud can't be
reached, and a record of what engines asked for.  A lost journal loses no data.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress

import attr

_SCHEMA = """
CREATE TABLE IF NOT EXISTS volumes (
    name TEXT PRIMARY KEY,
    blockdevice_id TEXT NOT NULL,
    size INTEGER NOT NULL,
    attached_to TEXT,
    labels TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS claims (
    name TEXT NOT NULL,
    claim TEXT NOT NULL,
    boot TEXT NOT NULL,
    PRIMARY KEY (name, claim)
);
"""


@attr.s(auto_attribs=True, frozen=True)
class KnownVolume:
    """
    A known volume.

    :ivar name: its name.
    :ivar blockdevice_id: its id in the cloud.
    :ivar size: bytes.
    :ivar attached_to: the instance id of its node, when it was last seen; or ``None``.
    :ivar labels: its labels, text to text.
    :ivar created_at: ISO 8601, UTC.
    """

    name: str
    blockdevice_id: str
    size: int
    attached_to: str | None = None
    labels: Mapping[str, str] = attr.Factory(dict)
    created_at: str = ""


class Journal:
    """
    The journal in a file.  Changes are durable when the methods return.

    :param path: the file's.
    :param boot: the id of this boot: the claims of another one are void.
    :ivar damaged: the path to which a damaged journal was moved, or ``None``.
    """

    def __init__(self, path: str, boot: str) -> None:
        self._boot = boot
        self.damaged: str | None = None
        try:
            self._database = self._open(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            self.damaged = path + ".damaged"
            os.replace(path, self.damaged)
            for suffix in ("-wal", "-shm"):
                with suppress(FileNotFoundError):
                    os.unlink(path + suffix)
            self._database = self._open(path)

    def _open(self, path: str) -> sqlite3.Connection:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        database = sqlite3.connect(path, isolation_level=None)
        try:
            database.row_factory = sqlite3.Row
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.executescript(_SCHEMA)
            # Damage may be anywhere.
            if database.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("the journal is damaged")
            database.execute("DELETE FROM claims WHERE boot != ?", (self._boot,))
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # -- volumes ---------------------------------------------------------------

    def volume(self, name: str) -> KnownVolume | None:
        """:return: the :class:`KnownVolume` of a name, or ``None``."""
        row = self._database.execute("SELECT * FROM volumes WHERE name = ?", (name,)).fetchone()
        return None if row is None else _record(row)

    def volumes(self) -> list[KnownVolume]:
        """:return: a list of :class:`KnownVolume`, by name."""
        return [_record(row) for row in self._database.execute("SELECT * FROM volumes ORDER BY 1")]

    def keep(self, records: Iterable[KnownVolume]) -> None:
        """Add or replace volumes."""
        rows = [
            (
                each.name,
                each.blockdevice_id,
                each.size,
                each.attached_to,
                json.dumps(dict(each.labels), sort_keys=True),
                each.created_at,
            )
            for each in records
            if self.volume(each.name) != each
        ]
        if not rows:
            return
        with self._transaction():
            self._database.executemany(
                "INSERT OR REPLACE INTO volumes VALUES (?, ?, ?, ?, ?, ?)", rows
            )

    def forget(self, name: str) -> None:
        """Remove a volume and its claims."""
        with self._transaction():
            self._database.execute("DELETE FROM volumes WHERE name = ?", (name,))
            self._database.execute("DELETE FROM claims WHERE name = ?", (name,))

    # -- claims ------------------------------------------------------------------

    def claims(self, name: str) -> frozenset[str]:
        """:return: the engine's claims on a volume, by their ids."""
        rows = self._database.execute("SELECT claim FROM claims WHERE name = ?", (name,))
        return frozenset(row["claim"] for row in rows)

    def claim(self, name: str, claim: str) -> None:
        """Add a claim."""
        self._database.execute(
            "INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", (name, claim, self._boot)
        )

    def give_back(self, name: str, claim: str | None = None) -> None:
        """Remove a claim, or all claims on a volume."""
        if claim is None:
            self._database.execute("DELETE FROM claims WHERE name = ?", (name,))
        else:
            self._database.execute("DELETE FROM claims WHERE name = ? AND claim = ?", (name, claim))

    def _transaction(self) -> _Transaction:
        return _Transaction(self._database)


class _Transaction:
    """All changes of a block, or none."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._database.execute("COMMIT" if kind is None else "ROLLBACK")


def _record(row: sqlite3.Row) -> KnownVolume:
    return KnownVolume(
        row["name"],
        row["blockdevice_id"],
        row["size"],
        row["attached_to"],
        json.loads(row["labels"]),
        row["created_at"],
    )


__all__ = ["Journal", "KnownVolume"]

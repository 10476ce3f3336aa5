# -*- test-case-name: tests.embedded.store.test_searches -*-
"""
The searches for volumes.
"""

from __future__ import annotations

from collections.abc import Mapping

from .database import Database
from .records import ATTACHED, VOLUMES, VolumeFilter, VolumeRecord

#: A label that fewer volumes have is looked up in the index.
_FEW = 100


def find(
    database: Database, chosen: VolumeFilter, before: int | None, limit: int, offset: int
) -> list[VolumeRecord]:
    """See :meth:`~txstorage.embedded.store.store.Store.volumes`."""
    tables, where, parameters = chosen.conditions(_rare(database, chosen))
    if before is not None:
        where.append("volumes.sequence < ?")
        parameters.append(before)
    rest = f"{' AND '.join(where)} ORDER BY volumes.sequence DESC"
    return _page(database, tables, rest, parameters, limit, offset)


def count(database: Database, chosen: VolumeFilter) -> int:
    """See :meth:`~txstorage.embedded.store.store.Store.count`."""
    tables, where, parameters = chosen.conditions(_rare(database, chosen))
    found: int = database.execute(
        f"SELECT count(*) FROM {tables} WHERE {' AND '.join(where)}", *parameters
    ).fetchone()[0]
    return found


def find_attached(
    database: Database, wanted: Mapping[str, str], marker: str | None, limit: int, offset: int
) -> list[VolumeRecord]:
    """See :meth:`~txstorage.embedded.store.store.Store.attached`."""
    where = ["attachments.id IS NOT NULL", *(ATTACHED[name] for name in wanted)]
    parameters: list[object] = list(wanted.values())
    if marker is not None:
        where.append("attachments.sequence < (SELECT sequence FROM attachments WHERE id = ?)")
        parameters.append(marker)
    rest = f"{' AND '.join(where)} ORDER BY attachments.sequence DESC"
    return _page(database, "volumes", rest, parameters, limit, offset)


def _page(
    database: Database, tables: str, rest: str, parameters: list[object], limit: int, offset: int
) -> list[VolumeRecord]:
    statement = f"{VOLUMES.format(tables)} WHERE {rest} LIMIT ? OFFSET ?"
    rows = database.execute(statement, *parameters, limit, offset)
    return [VolumeRecord.from_row(row) for row in rows]


def _rare(database: Database, chosen: VolumeFilter) -> str | None:
    """:return: the key of a label of a filter that few volumes have, or ``None``."""
    for key, value in (chosen.metadata or {}).items():
        row = database.execute(
            "SELECT count(*) FROM (SELECT 1 FROM metadata WHERE key = ? AND value = ? LIMIT ?)",
            key,
            value,
            _FEW,
        ).fetchone()
        if row[0] < _FEW:
            return key
    return None

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


class Searches:
    """
    The searches for volumes.

    :param database: the store's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def volumes(
        self, chosen: VolumeFilter, before: int | None, limit: int, offset: int
    ) -> list[VolumeRecord]:
        """See :meth:`~txstorage.embedded.store.store.Store.volumes`."""
        tables, where, parameters = chosen.conditions(self._rare(chosen))
        if before is not None:
            where.append("volumes.sequence < ?")
            parameters.append(before)
        rest = f"{' AND '.join(where)} ORDER BY volumes.sequence DESC"
        return self._page(tables, rest, parameters, limit, offset)

    def count(self, chosen: VolumeFilter) -> int:
        """Count the volumes on all pages."""
        tables, where, parameters = chosen.conditions(self._rare(chosen))
        found: int = self._database.execute(
            f"SELECT count(*) FROM {tables} WHERE {' AND '.join(where)}", *parameters
        ).fetchone()[0]
        return found

    def attached(
        self, wanted: Mapping[str, str], marker: str | None, limit: int, offset: int
    ) -> list[VolumeRecord]:
        """
        List the volumes with an attachment, the newest attachment first.

        :param wanted: values by the filters :data:`~txstorage.embedded.store.records.ATTACHED`.
        :param marker: the id of the attachment before the first.
        """
        where = ["attachments.id IS NOT NULL", *(ATTACHED[name] for name in wanted)]
        parameters: list[object] = list(wanted.values())
        if marker is not None:
            where.append("attachments.sequence < (SELECT sequence FROM attachments WHERE id = ?)")
            parameters.append(marker)
        rest = f"{' AND '.join(where)} ORDER BY attachments.sequence DESC"
        return self._page("volumes", rest, parameters, limit, offset)

    def summary(self) -> tuple[int, int, dict[str, list[str]]]:
        """:return: the number of volumes, the sum of their sizes in GiB, and all their labels."""
        row = self._database.execute("SELECT count(*), coalesce(sum(size), 0) FROM volumes")
        count, gigabytes = row.fetchone()
        labels: dict[str, list[str]] = {}
        for key, value in self._database.execute(
            "SELECT DISTINCT key, value FROM metadata ORDER BY key, value"
        ):
            labels.setdefault(key, []).append(value)
        return count, gigabytes, labels

    def _page(
        self, tables: str, rest: str, parameters: list[object], limit: int, offset: int
    ) -> list[VolumeRecord]:
        statement = f"{VOLUMES.format(tables)} WHERE {rest} LIMIT ? OFFSET ?"
        rows = self._database.execute(statement, *parameters, limit, offset)
        return [VolumeRecord.from_row(row) for row in rows]

    def _rare(self, chosen: VolumeFilter) -> str | None:
        """:return: the key of a label of a filter that few volumes have, or ``None``."""
        for key, value in (chosen.metadata or {}).items():
            row = self._database.execute(
                "SELECT count(*) FROM (SELECT 1 FROM metadata WHERE key = ? AND value = ? LIMIT ?)",
                key,
                value,
                _FEW,
            ).fetchone()
            if row[0] < _FEW:
                return key
        return None

# -*- test-case-name: tests.embedded.store.test_qos -*-
"""
The table of QoS specs in the durable state.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Collection, Mapping
from typing import Optional

import attr

from ..database import Database


@attr.s(frozen=True, auto_attribs=True)
class QosRecord:
    """
    QoS specs, which change nothing of how volumes behave.

    :ivar consumer: ``front-end``, ``back-end`` or ``both``.
    :ivar specs: values by key.
    """

    sequence: int
    qos_id: str
    name: str
    consumer: str
    specs: Mapping[str, Optional[str]]

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> QosRecord:
        """From a row of the table."""
        specs = json.loads(row["specs"])
        return cls(row["sequence"], row["id"], row["name"], row["consumer"], specs)


class QosTable:
    """
    QoS specs, each of any number of volume types.

    :param database: the store's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def every(self) -> list[QosRecord]:
        """:return: all QoS specs, the newest first."""
        return self._chosen("1")

    def find(self, qos_id: str) -> QosRecord | None:
        """:return: QoS specs by their id, or ``None`` when there are none."""
        return next(iter(self._chosen("id = ?", qos_id)), None)

    def named(self, name: str) -> QosRecord | None:
        """:return: QoS specs by their name, or ``None`` when there are none."""
        return next(iter(self._chosen("name = ?", name)), None)

    def _chosen(self, condition: str, *parameters: object) -> list[QosRecord]:
        rows = self._database.execute(
            f"SELECT * FROM qos_specs WHERE {condition} ORDER BY sequence DESC", *parameters
        )
        return [QosRecord.from_row(row) for row in rows]

    def add(self, name: str, consumer: str, specs: Mapping[str, str | None]) -> QosRecord:
        """Record new QoS specs, whose name no others have."""
        qos_id = str(uuid.uuid4())
        self._database.execute(
            "INSERT INTO qos_specs (id, name, consumer, specs) VALUES (?, ?, ?, ?)",
            *(qos_id, name, consumer, json.dumps(dict(specs))),
        )
        made = self.find(qos_id)
        assert made is not None
        return made

    def change(self, qos_id: str, consumer: str, specs: Mapping[str, str | None]) -> None:
        """Replace the consumer and the values of QoS specs."""
        self._database.execute(
            "UPDATE qos_specs SET consumer = ?, specs = ? WHERE id = ?",
            *(consumer, json.dumps(dict(specs)), qos_id),
        )

    def remove(self, qos_id: str) -> None:
        """Remove QoS specs; their volume types have none any more."""
        self._database.execute("DELETE FROM qos_specs WHERE id = ?", qos_id)

    # -- volume types --------------------------------------------------------------

    def types(self, qos_id: str) -> list[tuple[str, str]]:
        """:return: the ids and the names of the volume types with QoS specs, the oldest first."""
        rows = self._database.execute(
            "SELECT id, name FROM volume_types WHERE qos_id = ? ORDER BY sequence", qos_id
        )
        return [(row["id"], row["name"]) for row in rows]

    def associate(self, qos_id: str, type_id: str) -> None:
        """Give QoS specs to a volume type."""
        self._database.execute("UPDATE volume_types SET qos_id = ? WHERE id = ?", qos_id, type_id)

    def disassociate(self, qos_id: str, type_ids: Collection[str]) -> None:
        """Take QoS specs away from those volume types that have them."""
        for type_id in type_ids:
            self._database.execute(
                "UPDATE volume_types SET qos_id = NULL WHERE id = ? AND qos_id = ?",
                *(type_id, qos_id),
            )


__all__ = ["QosRecord", "QosTable"]

# -*- test-case-name: tests.embedded.ec2 -*-
"""
The EC2 tables of the durable state.

An id of EC2's is a word and 17 hexadecimal digits; the store's ids are UUIDs.  The 17 digits are
the first ones of the UUID, so an id of EC2's is also the range of UUIDs that begin with the digits,
and the index of the UUIDs finds the one in the range.  62 of their bits are random.
:meth:`EC2Tables.with_prefix` returns all UUIDs in a range, so that two never pass for one.
"""

from __future__ import annotations

from collections.abc import Callable

from ..database import Database
from .records import DetachRecord, EC2Kind, ModificationRecord, VolumeShape

#: Seconds until a client's token is forgotten.
_TOKEN_LIFETIME = 86400.0
#: The tables in which an id can be looked up.
_TABLES = frozenset(["volumes", "snapshots", "servers"])


class EC2Tables:
    """
    The client tokens, and EC2's properties, modifications and detaches of volumes.

    :param database: the store's database.
    :param clock: returns seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def with_prefix(self, table: str, prefix: str) -> list[str]:
        """
        Find ids of the first project, the only one in EC2, by their first characters.

        :param table: ``volumes``, ``snapshots`` or ``servers``.
        :param prefix: the beginning of a UUID in its usual form.
        :return: at most two of the ids.
        """
        assert table in _TABLES
        own = " AND is_node" if table == "servers" else " AND project_id IS NULL"
        rows = self._database.execute(
            # No character of an id comes after "~".
            f"SELECT id FROM {table} WHERE id >= ? AND id < ?{own} LIMIT 2",
            prefix,
            prefix + "~",
        )
        return [row["id"] for row in rows]

    # -- client tokens ---------------------------------------------------------

    def token(self, token: str) -> tuple[bytes, str, float] | None:
        """:return: the digest of a token's request, its volume's id, and its time; or ``None``."""
        row = self._database.execute("SELECT * FROM ec2_tokens WHERE token = ?", token).fetchone()
        return None if row is None else (row["request"], row["volume_id"], row["used_at"])

    def use_token(self, token: str, request: bytes, volume_id: str) -> None:
        """Record a client's token, and forget those of yesterday."""
        now = self._clock()
        self._database.execute("DELETE FROM ec2_tokens WHERE used_at < ?", now - _TOKEN_LIFETIME)
        self._database.execute(
            "INSERT INTO ec2_tokens VALUES (?, ?, ?, ?)", token, request, volume_id, now
        )

    # -- properties ------------------------------------------------------------

    def kinds(self) -> dict[str, EC2Kind]:
        """:return: EC2's properties of all volumes that have any, by the volume's id."""
        rows = self._database.execute("SELECT * FROM ec2_volumes")
        return {row["volume_id"]: EC2Kind.from_row(row) for row in rows}

    def kind(self, volume_id: str) -> EC2Kind | None:
        """:return: EC2's properties of a volume, or ``None`` when it has none."""
        row = self._database.execute(
            "SELECT * FROM ec2_volumes WHERE volume_id = ?", volume_id
        ).fetchone()
        return None if row is None else EC2Kind.from_row(row)

    def set_kind(self, volume_id: str, kind: EC2Kind) -> None:
        """Record EC2's properties of a volume."""
        self._database.execute(
            "INSERT OR REPLACE INTO ec2_volumes VALUES (?, ?, ?, ?, ?, ?)",
            volume_id,
            kind.volume_type,
            kind.iops,
            kind.throughput,
            kind.zone,
            kind.hidden,
        )

    def abandoned(self) -> list[str]:
        """:return: the ids of the hidden volumes that have no snapshot any more."""
        rows = self._database.execute(
            "SELECT volume_id FROM ec2_volumes JOIN volumes ON volumes.id = volume_id"
            " WHERE hidden AND status IN ('available', 'error', 'error_extending')"
            " AND volume_id NOT IN (SELECT volume_id FROM snapshots)"
        )
        return [row["volume_id"] for row in rows]

    # -- modifications ---------------------------------------------------------

    def modification(self, volume_id: str) -> ModificationRecord | None:
        """:return: a volume's last modification, or ``None``."""
        row = self._database.execute(
            "SELECT * FROM ec2_modifications WHERE volume_id = ?", volume_id
        ).fetchone()
        return None if row is None else ModificationRecord.from_row(row)

    def modifications(self) -> list[ModificationRecord]:
        """:return: the last modification of each volume that has one."""
        rows = self._database.execute("SELECT * FROM ec2_modifications ORDER BY volume_id")
        return [ModificationRecord.from_row(row) for row in rows]

    def modify(self, volume_id: str, original: VolumeShape, target: VolumeShape) -> None:
        """Record that a modification begins now."""
        self._database.execute(
            "INSERT OR REPLACE INTO ec2_modifications VALUES (?, ?, ?, ?)",
            volume_id,
            self._clock(),
            original.as_text(),
            target.as_text(),
        )

    # -- detaches --------------------------------------------------------------

    def detaches(self) -> dict[str, DetachRecord]:
        """:return: the detaches that have not ended, by the volume's id."""
        rows = self._database.execute(
            # A volume that was detached, perhaps by another's request, has another attachment
            # or none.
            "SELECT ec2_detaches.* FROM ec2_detaches"
            " JOIN attachments ON attachments.id = attachment_id"
        )
        return {
            row["volume_id"]: DetachRecord(
                row["volume_id"], row["attachment_id"], bool(row["busy"])
            )
            for row in rows
        }

    def set_detach(self, volume_id: str, attachment_id: str, busy: bool) -> None:
        """Record a detach that has not ended."""
        self._database.execute(
            "INSERT OR REPLACE INTO ec2_detaches VALUES (?, ?, ?)", volume_id, attachment_id, busy
        )

    def forget_detach(self, volume_id: str) -> None:
        """Forget a detach."""
        self._database.execute("DELETE FROM ec2_detaches WHERE volume_id = ?", volume_id)

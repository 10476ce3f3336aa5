# -*- test-case-name: tests.embedded.store.test_features -*-
"""The table of offers of volumes to other projects."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable

import attr

from ..database import Database
from ..records import VolumeRecord


@attr.s(frozen=True, auto_attribs=True)
class TransferRecord:
    """
    An offer of a volume, without its key.

    :ivar salt: of the digest.
    :ivar digest: of the key.
    :ivar no_snapshots: whether the volume's snapshots stay with its project.
    :ivar source_project_id: of the volume; ``None`` for the first project.
    :ivar created_at: seconds since the epoch.
    """

    sequence: int
    transfer_id: str
    volume_id: str
    name: str | None
    salt: str = attr.ib(repr=False)
    digest: str = attr.ib(repr=False)
    no_snapshots: bool
    source_project_id: str | None
    created_at: float

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> TransferRecord:
        """Make it from a row of the table and its volume's project."""
        return cls(
            sequence=row["sequence"],
            transfer_id=row["id"],
            volume_id=row["volume_id"],
            name=row["name"],
            salt=row["salt"],
            digest=row["digest"],
            no_snapshots=bool(row["no_snapshots"]),
            source_project_id=row["project_id"],
            created_at=row["created_at"],
        )


class TransfersTable:
    """
    Offers, each of which ends with its volume.

    :param database: the store's database.
    :param clock: returns seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(
        self, volume: VolumeRecord, name: str | None, no_snapshots: bool, salt: str, digest: str
    ) -> TransferRecord:
        """
        Record an offer.

        :param salt: of the digest.
        :param digest: of the key.
        """
        transfer_id = str(uuid.uuid4())
        self._database.execute(
            "INSERT INTO transfers (id, volume_id, name, salt, digest, no_snapshots, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            transfer_id,
            volume.volume_id,
            name,
            salt,
            digest,
            no_snapshots,
            self._clock(),
        )
        made = self.find(transfer_id)
        assert made is not None
        return made

    def find(self, transfer_id: str) -> TransferRecord | None:
        """:return: the offer, or ``None`` when there is none."""
        found = self._chosen("transfers.id = ?", transfer_id)
        return found[0] if found else None

    def every(self) -> list[TransferRecord]:
        """:return: all offers, the oldest first."""
        return self._chosen("1")

    def _chosen(self, condition: str, *parameters: object) -> list[TransferRecord]:
        rows = self._database.execute(
            "SELECT transfers.*, project_id FROM transfers JOIN volumes ON volumes.id = volume_id"
            f" WHERE {condition} ORDER BY transfers.sequence",
            *parameters,
        )
        return [TransferRecord.from_row(row) for row in rows]

    def remove(self, transfer_id: str) -> None:
        """Remove an offer."""
        self._database.execute("DELETE FROM transfers WHERE id = ?", transfer_id)

    def accept(self, transfer: TransferRecord, project_id: str | None, user_id: str | None) -> None:
        """
        Give a volume to a project, with its snapshots unless the offer excludes them.

        :param project_id: ``None`` for the first project.
        :param user_id: ``None`` for the first user.
        """
        volume_id, database = transfer.volume_id, self._database
        with database.transaction():
            database.set_volume_status(volume_id, "available", self._clock())
            database.execute(
                "UPDATE volumes SET project_id = ?, user_id = ? WHERE id = ?",
                project_id,
                user_id,
                volume_id,
            )
            if not transfer.no_snapshots:
                rows = database.execute("SELECT id FROM snapshots WHERE volume_id = ?", volume_id)
                database.touched_snapshots.update(row["id"] for row in rows)
                database.execute(
                    "UPDATE snapshots SET project_id = ?, user_id = ?, updated_at = ?"
                    " WHERE volume_id = ?",
                    project_id,
                    user_id,
                    self._clock(),
                    volume_id,
                )
            self.remove(transfer.transfer_id)


__all__ = ["TransferRecord", "TransfersTable"]

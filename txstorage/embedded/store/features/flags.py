# -*- test-case-name: tests.embedded.store.test_features -*-
"""The columns of volumes that only clients give a meaning to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from ..database import Database
from ..records import VolumeRecord


class VolumeFlags:
    """
    Flags of volumes.

    :param database: the store's database.
    :param clock: returns seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def hold(self, volume_id: str, status: str) -> None:
        """Set a status that only a client ends: no transition begins, also after a restart."""
        with self._database.transaction():
            self._database.set_volume_status(volume_id, status, self._clock())
            self._database.execute("UPDATE volumes SET held = 1 WHERE id = ?", volume_id)

    def set_bootable(self, volume_id: str, bootable: bool) -> None:
        """Change the flag ``bootable``."""
        self._set(volume_id, "bootable", bootable)

    def set_readonly(self, volume_id: str, readonly: bool) -> None:
        """Change the flag ``readonly``."""
        self._set(volume_id, "readonly", readonly)

    def set_migration(self, volume_id: str, status: str | None) -> None:
        """Change the status of the migration, of which there is none."""
        self._set(volume_id, "migration_status", status)

    def set_image_metadata(self, volume_id: str, metadata: Mapping[str, str]) -> None:
        """Replace the metadata of a volume's image."""
        self._set(volume_id, "image_metadata", json.dumps(dict(metadata)))

    def set_texts(self, volume_id: str, texts: Mapping[str, str | None]) -> None:
        """
        Change a volume's name, its description, or both.

        :param texts: new values, by ``name`` and ``description``.
        """
        for column in ("name", "description"):
            if column in texts:
                self._set(volume_id, column, texts[column])

    def inherit(self, volume: VolumeRecord) -> None:
        """Give a volume the flags of the volume, or of the snapshot's volume, that it is from."""
        row = self._database.execute(
            "SELECT bootable, image_metadata FROM volumes WHERE id = coalesce(?, (SELECT volume_id"
            " FROM snapshots WHERE id = ?))",
            volume.source_volid,
            volume.snapshot_id,
        ).fetchone()
        if row is not None:
            self._database.execute(
                "UPDATE volumes SET bootable = ?, image_metadata = ? WHERE id = ?",
                *row,
                volume.volume_id,
            )

    def restore(self, volume: VolumeRecord) -> None:
        """Record the flags as they were."""
        self._database.execute(
            "UPDATE volumes SET bootable = ?, readonly = ?, image_metadata = ? WHERE id = ?",
            volume.bootable,
            volume.readonly,
            json.dumps(dict(volume.image_metadata)),
            volume.volume_id,
        )

    def _set(self, volume_id: str, column: str, value: object) -> None:
        self._database.touched.add(volume_id)
        self._database.execute(
            f"UPDATE volumes SET {column} = ?, updated_at = ? WHERE id = ?",
            value,
            self._clock(),
            volume_id,
        )


__all__ = ["VolumeFlags"]

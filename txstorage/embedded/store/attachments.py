# -*- test-case-name: tests.embedded.store.test_store -*-
"""
The part of the durable state that says which volume is where.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, Callable, List, Mapping, Optional

from .database import Database
from .records import AttachmentRecord

_INSERT = (
    "INSERT INTO attachments (id, block_device_id, volume_id, server_id, device, attached_at,"
    " by_compute, connector, mode) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class AttachmentsTable:
    """What :class:`~txstorage.embedded.store.store.Store` does with attachments."""

    _database: Database
    _clock: Callable[[], float]

    def set_status(self, volume_id: str, status: str) -> None:
        """Set a volume's status and nothing else."""
        self._database.execute(
            "UPDATE volumes SET status = ?, updated_at = ? WHERE id = ?",
            status,
            self._clock(),
            volume_id,
        )

    def _one(self, attachment_id: str) -> AttachmentRecord:
        found = self.attachment(attachment_id)
        assert found is not None
        return found

    # -- Compute's -----------------------------------------------------------

    def reserve(self, volume_id: str, server_id: str, device: str) -> AttachmentRecord:
        """Give a volume its place in a server."""
        return self._reserve(volume_id, server_id, device, self._clock(), 1, None, "rw")

    def _reserve(self, volume_id: str, *values: object) -> AttachmentRecord:
        attachment_id = str(uuid.uuid4())
        with self._database.transaction():
            self._database.execute(_INSERT, attachment_id, str(uuid.uuid4()), volume_id, *values)
            self.set_status(volume_id, "reserved")
        return self._one(attachment_id)

    def attachments(self, server_id: str) -> List[AttachmentRecord]:
        """A server's attachments, the newest first; its root volume is last."""
        rows = self._database.execute(
            "SELECT * FROM attachments WHERE server_id = ? AND by_compute ORDER BY sequence DESC",
            server_id,
        )
        return [AttachmentRecord.from_row(row) for row in rows]

    # -- Block Storage's own -------------------------------------------------

    def reserve_for_host(
        self,
        volume_id: str,
        server_id: Optional[str],
        mode: str,
        connector: Optional[Mapping[str, Any]],
    ) -> AttachmentRecord:
        """
        Give a volume its place on a host.

        :param connector: of the host; the volume is then to be connected.
        """
        with self._database.transaction():
            reserved = self._reserve(volume_id, server_id, None, None, 0, None, mode)
            if connector is None:
                return reserved
            return self.set_connector(reserved, connector, mode)

    def set_connector(
        self, attachment: AttachmentRecord, connector: Mapping[str, Any], mode: str
    ) -> AttachmentRecord:
        """Remember where a volume is to be connected."""
        return self._update(
            attachment,
            connector=json.dumps(connector),
            # What Cinder says of one that does not say it.
            device=str(connector.get("mountpoint", "na")),
            attached_at=self._clock(),
            mode=mode,
        )

    def connect(self, attachment: AttachmentRecord, connector: Mapping[str, Any]) -> None:
        """Begin to connect a volume; one that has a device needs no more."""
        mode = attachment.mode if attachment.mode != "null" else str(connector.get("mode", "rw"))
        done = attachment.node_device is not None
        with self._database.transaction():
            self.set_connector(attachment, connector, mode)
            self.set_status(attachment.volume_id, "attaching" if done else "reserved")

    def forget_connector(self, attachment: AttachmentRecord) -> AttachmentRecord:
        """A volume could not be connected."""
        return self._update(attachment, connector=None, device=None, attached_at=None)

    def _update(self, attachment: AttachmentRecord, **columns: object) -> AttachmentRecord:
        self._database.execute(
            "UPDATE attachments SET {} WHERE id = ?".format(
                ", ".join("{} = ?".format(name) for name in columns)
            ),
            *columns.values(),
            attachment.attachment_id,
        )
        return self._one(attachment.attachment_id)

    def release(self, attachment: AttachmentRecord) -> None:
        """Take a volume's place from it; it is available then."""
        with self._database.transaction():
            self._database.execute("DELETE FROM attachments WHERE id = ?", attachment.attachment_id)
            self.set_status(attachment.volume_id, "available")

    def attachment(self, attachment_id: str) -> Optional[AttachmentRecord]:
        """One attachment, whoever made it, if there is such a one."""
        row = self._database.execute(
            "SELECT * FROM attachments WHERE id = ?", attachment_id
        ).fetchone()
        return None if row is None else AttachmentRecord.from_row(row)

    def every_attachment(self) -> List[AttachmentRecord]:
        """All of them, the newest first."""
        rows = self._database.execute("SELECT * FROM attachments ORDER BY sequence DESC")
        return [AttachmentRecord.from_row(row) for row in rows]

# -*- test-case-name: tests.embedded.store.test_store -*-
"""
The table of attachments in the durable state.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from .database import Database
from .records import ATTACHMENT, AttachmentRecord

_INSERT = (
    "INSERT INTO attachments (id, block_device_id, volume_id, server_id, device, attached_at,"
    " by_compute, connector, mode, host, by_action, delete_on_termination)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
#: Cinder's device name for a host that gives no mount point.
_NO_MOUNT_POINT = "na"


class AttachmentsTable:
    """
    Attachments, each with the status of its volume.

    :param database: the store's database.
    :param clock: returns seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def _set_status(self, volume_id: str, status: str) -> None:
        self._database.set_volume_status(volume_id, status, self._clock())

    def _existing(self, attachment_id: str) -> AttachmentRecord:
        found = self.find(attachment_id)
        assert found is not None
        return found

    # -- attachments that Compute makes ------------------------------------------

    def reserve(
        self,
        volume_id: str,
        server_id: str,
        device: str,
        status: str = "reserved",
        delete_on_termination: bool = False,
    ) -> AttachmentRecord:
        """
        Reserve a device name of a server for a volume.

        :param status: the volume's new status: ``reserved``, or ``attaching``, which follows it.
        :param delete_on_termination: whether the volume is deleted with the server.
        """
        mode = self._mode(volume_id, "rw")
        values = (server_id, device, self._clock(), 1, None, mode, None, 0, delete_on_termination)
        return self._reserve(volume_id, status, *values)

    def _mode(self, volume_id: str, wanted: str) -> str:
        """Return ``ro`` for a volume with the flag ``readonly``, whatever the flag's value."""
        row = self._database.execute(
            "SELECT readonly FROM volumes WHERE id = ?", volume_id
        ).fetchone()
        return wanted if row is None or row["readonly"] is None else "ro"

    def _reserve(self, volume_id: str, status: str, *values: object) -> AttachmentRecord:
        attachment_id = str(uuid.uuid4())
        with self._database.transaction():
            self._database.execute(_INSERT, attachment_id, str(uuid.uuid4()), volume_id, *values)
            self._set_status(volume_id, status)
        return self._existing(attachment_id)

    def of_server(self, server_id: str) -> list[AttachmentRecord]:
        """:return: a server's attachments, the newest first; its root volume's is last."""
        return self._select("WHERE server_id = ? AND by_compute ORDER BY sequence DESC", server_id)

    def devices_of_server(self, server_id: str) -> set[str]:
        """:return: the names of a server's devices."""
        rows = self._database.execute(
            "SELECT device FROM attachments WHERE server_id = ? AND by_compute", server_id
        )
        return {row["device"] for row in rows}

    # -- attachments that Block Storage makes -------------------------------------

    def reserve_for_host(
        self,
        volume_id: str,
        server_id: str | None,
        mode: str,
        connector: Mapping[str, Any] | None,
    ) -> AttachmentRecord:
        """
        Reserve a volume for a host.

        :param connector: the host's; given, the volume is to be connected.
        """
        with self._database.transaction():
            mode = self._mode(volume_id, mode)
            values = (server_id, None, None, 0, None, mode, None, 0, 0)
            reserved = self._reserve(volume_id, "reserved", *values)
            if connector is None:
                return reserved
            return self.set_connector(reserved, connector, mode)

    def record(
        self, volume_id: str, server_id: str | None, host: str | None, device: str, mode: str
    ) -> AttachmentRecord:
        """Record that a host, or a server, has a volume; its device is none of this service's."""
        values = (server_id, device, self._clock(), 0, None, mode, host, 1, 0)
        return self._reserve(volume_id, "in-use", *values)

    def set_connector(
        self, attachment: AttachmentRecord, connector: Mapping[str, Any], mode: str
    ) -> AttachmentRecord:
        """Record the host that a volume is to be connected to."""
        return self._update(
            attachment,
            connector=json.dumps(connector),
            device=str(connector.get("mountpoint", _NO_MOUNT_POINT)),
            attached_at=self._clock(),
            mode=mode,
        )

    def connect(self, attachment: AttachmentRecord, connector: Mapping[str, Any]) -> None:
        """Begin to connect a volume, unless it has a device already."""
        mode = attachment.mode if attachment.mode != "null" else str(connector.get("mode", "rw"))
        connected = attachment.node_device is not None
        with self._database.transaction():
            self.set_connector(attachment, connector, mode)
            self._set_status(attachment.volume_id, "attaching" if connected else "reserved")

    def forget_connector(self, attachment: AttachmentRecord) -> AttachmentRecord:
        """Record that a volume could not be connected."""
        return self._update(attachment, connector=None, device=None, attached_at=None)

    def set_deletion(self, attachment: AttachmentRecord, wanted: bool) -> AttachmentRecord:
        """Choose whether a volume is deleted with its server."""
        return self._update(attachment, delete_on_termination=wanted)

    def _update(self, attachment: AttachmentRecord, **columns: object) -> AttachmentRecord:
        self._database.touched.add(attachment.volume_id)
        settings = ", ".join(f"{name} = ?" for name in columns)
        self._database.execute(
            f"UPDATE attachments SET {settings} WHERE id = ?",
            *columns.values(),
            attachment.attachment_id,
        )
        return self._existing(attachment.attachment_id)

    def release(self, attachment: AttachmentRecord) -> None:
        """Delete an attachment; its volume becomes available."""
        with self._database.transaction():
            self._database.execute("DELETE FROM attachments WHERE id = ?", attachment.attachment_id)
            self._set_status(attachment.volume_id, "available")

    def restore(self, attachment: AttachmentRecord) -> None:
        """Record an attachment as it was."""
        connector = attachment.connector
        self._database.execute(
            "INSERT INTO attachments (id, block_device_id, volume_id, server_id, device,"
            " node_device, attached_at, by_compute, connector, mode, host, by_action,"
            " delete_on_termination) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            attachment.attachment_id,
            attachment.block_device_id,
            attachment.volume_id,
            attachment.server_id,
            attachment.device,
            attachment.node_device,
            attachment.attached_at,
            attachment.by_compute,
            None if connector is None else json.dumps(connector),
            attachment.mode,
            attachment.host,
            attachment.by_action,
            attachment.delete_on_termination,
        )

    # -- all attachments -------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """:return: the numbers of the servers' volumes without root volumes, by their ids."""
        rows = self._database.execute(
            "SELECT server_id, count(*) FROM attachments JOIN volumes"
            " ON volumes.id = volume_id WHERE by_compute AND NOT root GROUP BY server_id"
        )
        return {server_id: count for server_id, count in rows}

    def find(self, attachment_id: str) -> AttachmentRecord | None:
        """:return: the attachment, or ``None`` when there is none."""
        found = self._select("WHERE id = ?", attachment_id)
        return found[0] if found else None

    def _select(self, rest: str, *parameters: object) -> list[AttachmentRecord]:
        rows = self._database.execute(f"SELECT {ATTACHMENT} FROM attachments {rest}", *parameters)
        return [AttachmentRecord.from_row(row) for row in rows]

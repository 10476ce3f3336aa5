# -*- test-case-name: tests.embedded.apis.test_attachments -*-
"""Attachments in Cinder's format."""

from __future__ import annotations

from typing import Any

from ..store.records import AttachmentRecord, VolumeRecord
from ..wire.times import volume_time

#: An attachment's status is its volume's in these; in any other status it is attached.
_STATUSES = {"reserved": "reserved", "attaching": "attaching"}


def summary(entry: AttachmentRecord, volume: VolumeRecord) -> dict[str, Any]:
    """An entry of the short list."""
    return {
        "id": entry.attachment_id,
        "status": _STATUSES.get(volume.status, "attached"),
        "instance": entry.server_id,
        "volume_id": entry.volume_id,
    }


def detail(
    entry: AttachmentRecord, volume: VolumeRecord, as_before: bool = False
) -> dict[str, Any]:
    """
    An attachment in full.

    :param as_before: in the state before it was connected, which a create returns.
    """
    attached_at = None if as_before else entry.attached_at
    return dict(
        summary(entry, volume),
        attached_at=volume_time(attached_at) or "",
        detached_at="",
        attach_mode=entry.mode,
        connection_info=_connection(entry),
    )


def _connection(entry: AttachmentRecord) -> dict[str, Any]:
    if entry.node_device is None:
        return {}
    return {
        "device_path": entry.node_device,
        "volume_id": entry.volume_id,
        "qos_specs": None,
        "access_mode": "rw",
        "encrypted": False,
        "cacheable": False,
        "driver_volume_type": "local",
        "attachment_id": entry.attachment_id,
        "enforce_multipath": (entry.connector or {}).get("enforce_multipath", False),
    }

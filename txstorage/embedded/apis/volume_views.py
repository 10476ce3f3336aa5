# -*- test-case-name: tests.embedded.apis.test_volumes -*-
"""Volumes, their types, quotas and messages in Cinder's format."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import attr

from ..accounts.directory import Ids
from ..settings import AVAILABILITY_ZONE, GIB, Settings
from ..store.records import MessageRecord, Usage, VolumeRecord
from ..wire.exchange import Version
from ..wire.members import VOLUME_MEMBERS, shown
from ..wire.times import volume_time

#: The only service's id, which has no meaning.
_SERVICE_ID = "00000000-0000-4000-8000-000000000000"
#: The host of the volumes, with its back end.
BACKEND = POOL_NAME = "files"
HOST = "txstorage@" + BACKEND
#: The same, with its pool.
POOL = f"{HOST}#{POOL_NAME}"
PROTOCOL = "local"
_MESSAGE_LIFETIME = 30 * 24 * 3600  # seconds


@attr.s(frozen=True, auto_attribs=True)
class VolumeView:
    """
    Volumes for one request.

    :ivar base: the beginning of links.
    :ivar ids: of the first project and the first user.
    :ivar project_path: the project's part of links; empty or with a slash.
    :ivar admin: whether the user is an administrator.
    :ivar type_ids: of the volume types, by their names.
    """

    base: str
    ids: Ids
    version: Version
    project_path: str
    admin: bool
    type_ids: Mapping[str, str]

    def _links(self, volume: VolumeRecord) -> list[dict[str, str]]:
        path = f"{self.project_path}volumes/{volume.volume_id}"
        return [
            {"rel": "self", "href": f"{self.base}/volume/v3/{path}"},
            {"rel": "bookmark", "href": f"{self.base}/volume/{path}"},
        ]

    def summary(self, volume: VolumeRecord) -> dict[str, Any]:
        """An entry of the short list."""
        return {"id": volume.volume_id, "name": volume.name, "links": self._links(volume)}

    def created(self, volume: VolumeRecord) -> dict[str, Any]:
        """The response to a create."""
        members: dict[str, Any] = {
            "id": volume.volume_id,
            "status": volume.status,
            "size": volume.size,
            "availability_zone": AVAILABILITY_ZONE,
            "created_at": volume_time(volume.created_at),
            "updated_at": volume_time(volume.updated_at),
            "name": volume.name,
            "description": volume.description,
            "volume_type": volume.volume_type,
            "snapshot_id": volume.snapshot_id,
            "source_volid": volume.source_volid,
            "metadata": {**volume.metadata, **_visible(volume)},
            "links": self._links(volume),
            "user_id": volume.user_id or self.ids.user,
            "bootable": "true" if volume.bootable else "false",
            "encrypted": False,
            "replication_status": None,
            "consistencygroup_id": None,
            "multiattach": False,
            "attachments": _attachments(volume, self.admin),
            "migration_status": volume.migration_status,
            "group_id": None,
            "provider_id": None,
            # The process that makes the volume sets both.
            "shared_targets": volume.status == "creating",
            "service_uuid": None if volume.status == "creating" else _SERVICE_ID,
            "cluster_name": None,
            "volume_type_id": self.type_ids[volume.volume_type],
            "consumes_quota": not volume.root,
        }
        return shown(VOLUME_MEMBERS, members, self.version, self.admin)

    def detail(self, volume: VolumeRecord) -> dict[str, Any]:
        """A volume in full."""
        more: dict[str, Any] = {
            "os-vol-tenant-attr:tenant_id": volume.project_id or self.ids.project,
            "os-vol-mig-status-attr:migstat": volume.migration_status,
            "os-vol-mig-status-attr:name_id": None,
            "os-vol-host-attr:host": POOL,
        }
        if volume.image_metadata:
            more["volume_image_metadata"] = dict(volume.image_metadata)
        return {**self.created(volume), **shown(VOLUME_MEMBERS, more, self.version, self.admin)}


def _visible(volume: VolumeRecord) -> dict[str, str]:
    """The labels that the service itself gives a volume, which only some responses have."""
    labels = {} if volume.readonly is None else {"readonly": str(volume.readonly)}
    if volume.attachment is not None and volume.attachment.by_action:
        labels["attached_mode"] = volume.attachment.mode
    return labels


def _attachments(volume: VolumeRecord, admin: bool) -> list[dict[str, Any]]:
    attachment = volume.attachment
    # Cinder includes attachments only once they are complete.
    if attachment is None or volume.status in ("reserved", "attaching"):
        return []
    return [
        {
            "id": volume.volume_id,
            "attachment_id": attachment.attachment_id,
            "volume_id": volume.volume_id,
            "server_id": attachment.server_id,
            "host_name": attachment.host if admin else None,
            "device": attachment.device,
            "attached_at": volume_time(attachment.attached_at),
        }
    ]


def pool(taken: int, free: int, promised: int, detail: bool, now: str | None) -> dict[str, Any]:
    """
    The one pool: the part of the disk that the volumes have, and can have.

    :param taken: bytes of the volumes' files.
    :param free: bytes.
    :param promised: the sum of the volumes' sizes, in GiB.
    :param detail: whether to show more than the name.
    :param now: the time, as Cinder has it.
    """
    if not detail:
        return {"name": POOL}
    return {
        "name": POOL,
        "capabilities": {
            "pool_name": POOL_NAME,
            "volume_backend_name": BACKEND,
            "vendor_name": "txstorage",
            "driver_version": None,
            "storage_protocol": PROTOCOL,
            "multiattach": False,
            "thin_provisioning_support": True,
            "thick_provisioning_support": False,
            "total_capacity_gb": round((taken + free) / GIB, 2),
            "free_capacity_gb": round(free / GIB, 2),
            "allocated_capacity_gb": promised,
            "provisioned_capacity_gb": promised,
            "reserved_percentage": 0,
            "filter_function": None,
            "goodness_function": None,
            "timestamp": now,
        },
    }


def availability_zones() -> list[dict[str, Any]]:
    """Every availability zone."""
    return [{"zoneName": AVAILABILITY_ZONE, "zoneState": {"available": True}}]


def limits(quota: Settings, used: Usage) -> dict[str, Any]:
    """The quota and its usage."""
    return {
        "rate": [],
        "absolute": {
            "maxTotalVolumes": quota.max_volumes,
            "maxTotalSnapshots": quota.max_snapshots,
            "maxTotalVolumeGigabytes": quota.max_gigabytes,
            "maxTotalBackups": quota.max_backups,
            "maxTotalBackupGigabytes": quota.max_backup_gigabytes,
            "totalVolumesUsed": used.volumes,
            "totalGigabytesUsed": used.gigabytes,
            "totalSnapshotsUsed": used.snapshots,
            "totalBackupsUsed": used.backups,
            "totalBackupGigabytesUsed": used.backup_gigabytes,
        },
    }


def quota_set(
    project_id: str, usage: bool, quotas: Mapping[str, tuple[int, int]]
) -> dict[str, Any]:
    """
    The quota in the format of ``os-quota-sets``.

    :param usage: whether to include the usage.
    :param quotas: the limits, and the usage, by the quotas' names.
    """
    figures = {**quotas, "per_volume_gigabytes": (-1, 0), "groups": (0, 0)}
    view: dict[str, Any] = {
        name: {"limit": limit, "in_use": in_use, "reserved": 0} if usage else limit
        for name, (limit, in_use) in figures.items()
    }
    return dict(view, id=project_id)


def message(entry: MessageRecord, base: str, project_path: str) -> dict[str, Any]:
    """A message for the user."""
    path = f"{project_path}messages/{entry.message_id}"
    kind = "VOLUME" if entry.snapshot_id is None else "VOLUME_SNAPSHOT"
    return {
        "id": entry.message_id,
        "event_id": f"VOLUME_{kind}_001_001",
        "user_message": entry.text,
        "message_level": "ERROR",
        "resource_type": kind,
        "resource_uuid": entry.snapshot_id or entry.volume_id,
        "created_at": volume_time(entry.created_at),
        "guaranteed_until": volume_time(entry.created_at + _MESSAGE_LIFETIME),
        # Each failure came after the response to its request, so each has an id of its own.
        "request_id": f"req-{uuid.uuid5(uuid.NAMESPACE_URL, path)}",
        "links": [
            {"rel": "self", "href": f"{base}/volume/v3/{path}"},
            {"rel": "bookmark", "href": f"{base}/volume/{path}"},
        ],
    }

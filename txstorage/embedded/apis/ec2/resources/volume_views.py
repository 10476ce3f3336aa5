# -*- test-case-name: tests.embedded.ec2.test_volumes -*-
"""
Volumes in EC2's format.

The states of a volume and of its attachment follow from one status of the store:
:data:`VOLUME_STATES` and :data:`ATTACHMENT_STATES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....store.records import AttachmentRecord
from ..filters import Values
from ..ids import INSTANCE, SNAPSHOT, VOLUME
from ..protocol.documents import ec2_time, tag_set
from ..reader import SeenVolume
from .volume_types import kind_of

#: EC2's states of a volume without an attachment, by the store's statuses.
VOLUME_STATES: Mapping[str, str] = {
    "creating": "creating",
    "available": "available",
    "extending": "available",
    "error_extending": "available",
    # States of Block Storage's backups and transfers, in which the data is whole.
    "backing-up": "available",
    "awaiting-transfer": "available",
    "deleting": "deleting",
}
#: EC2's states of an attachment, by the store's statuses; in any other, it is attached.
ATTACHMENT_STATES: Mapping[str, str] = {
    "reserved": "attaching",
    "attaching": "attaching",
    "detaching": "detaching",
}


def volume_state(seen: SeenVolume) -> str:
    """:return: EC2's state of a volume."""
    if seen.record.attachment is not None:
        return "in-use"
    return VOLUME_STATES.get(seen.record.status, "error")


def attachment_state(seen: SeenVolume) -> str:
    """:return: EC2's state of a volume's attachment."""
    if seen.detach is not None:
        return "busy" if seen.detach.busy else "detaching"
    return ATTACHMENT_STATES.get(seen.record.status, "attached")


def attachment_to_node(seen: SeenVolume) -> AttachmentRecord | None:
    """:return: the attachment, unless it is to a host that is not a node."""
    attachment = seen.record.attachment
    return attachment if attachment is not None and attachment.by_compute else None


def attachment_view(seen: SeenVolume, state: str | None = None) -> dict[str, Any]:
    """
    A volume's attachment to a node.

    :param state: in place of its own.
    """
    attachment = attachment_to_node(seen)
    assert attachment is not None and attachment.server_id is not None
    return {
        "volumeId": VOLUME.of(seen.record.volume_id),
        "instanceId": INSTANCE.of(attachment.server_id),
        "device": attachment.device,
        "status": state or attachment_state(seen),
        "attachTime": ec2_time(attachment.attached_at or 0),
        "deleteOnTermination": seen.record.root,
    }


def volume_view(seen: SeenVolume, zone: str) -> dict[str, Any]:
    """
    A volume.

    :param zone: of a volume that OpenStack's clients have made.
    """
    record = seen.record
    kind = kind_of(record, seen.kind, zone)
    attached = attachment_to_node(seen) is not None
    return {
        "volumeId": VOLUME.of(record.volume_id),
        "size": record.size,
        "snapshotId": "" if record.snapshot_id is None else SNAPSHOT.of(record.snapshot_id),
        "sourceVolumeId": None if record.source_volid is None else VOLUME.of(record.source_volid),
        "availabilityZone": kind.zone,
        "status": volume_state(seen),
        "createTime": ec2_time(record.created_at),
        "attachmentSet": [attachment_view(seen)] if attached else [],
        "tagSet": tag_set(record.metadata),
        "volumeType": kind.volume_type,
        "iops": kind.iops,
        "throughput": kind.throughput,
        "encrypted": False,
        "multiAttachEnabled": False,
    }


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _of_attachment(name: str) -> Values[SeenVolume]:
    def values(seen: SeenVolume) -> list[str]:
        if attachment_to_node(seen) is None:
            return []
        found = attachment_view(seen)[name]
        return [_truth(found) if isinstance(found, bool) else str(found)]

    return values


def volume_filters(zone: str) -> Mapping[str, Values[SeenVolume]]:
    """
    The filters of volumes.

    :param zone: of a volume that OpenStack's clients have made.
    """

    def of_view(name: str) -> Values[SeenVolume]:
        def values(seen: SeenVolume) -> list[str]:
            found = volume_view(seen, zone)[name]
            return [_truth(found) if isinstance(found, bool) else str(found)]

        return values

    return {
        "attachment.attach-time": _of_attachment("attachTime"),
        "attachment.delete-on-termination": _of_attachment("deleteOnTermination"),
        "attachment.device": _of_attachment("device"),
        "attachment.instance-id": _of_attachment("instanceId"),
        "attachment.status": _of_attachment("status"),
        "availability-zone": of_view("availabilityZone"),
        "create-time": of_view("createTime"),
        "encrypted": of_view("encrypted"),
        "multi-attach-enabled": of_view("multiAttachEnabled"),
        "size": of_view("size"),
        "snapshot-id": of_view("snapshotId"),
        "status": of_view("status"),
        "volume-id": of_view("volumeId"),
        "volume-type": of_view("volumeType"),
    }

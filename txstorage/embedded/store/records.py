# -*- test-case-name: tests.embedded.store.test_store -*-
"""The store's records, as values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import attr

#: The columns of an attachment, beside those of its volume.
ATTACHMENT = (
    "attachments.id AS attachment_id, block_device_id, attachments.volume_id AS of_volume,"
    " server_id, device, node_device, attached_at, by_compute, connector, mode, host, by_action,"
    " delete_on_termination"
)
#: The volumes with everything that belongs to them, in one statement for each page of a list.
VOLUMES = (
    f"SELECT volumes.*, {ATTACHMENT},"
    # In hexadecimal, since JSON functions of SQLite end a text at a NUL.
    " (SELECT group_concat(hex(key) || '=' || hex(value)) FROM metadata"
    " WHERE volume_id = volumes.id) AS labels"
    " FROM {} LEFT JOIN attachments ON attachments.volume_id = volumes.id"
)
#: The filters of a list of attachments, as conditions of :data:`VOLUMES`.
ATTACHED = {
    "volume_id": "attachments.volume_id = ?",
    "instance_id": "server_id = ?",
    # An attachment's status is its volume's while it is made.
    "attach_status": (
        "CASE WHEN status IN ('reserved', 'attaching') THEN status ELSE 'attached' END = ?"
    ),
    # Cinder has this one, and it never matches.
    "status": "? IS NULL",
    # Administrators have this one, too.
    "id": "attachments.id = ?",
}

#: Filters that are not a column.
_EXPRESSIONS = {"consumes_quota": "(NOT volumes.root)"}
_OPERATORS = {"gt": ">", "gte": ">=", "eq": "=", "neq": "!=", "lt": "<", "lte": "<="}


def _labels(text: str | None) -> dict[str, str]:
    """:return: the labels of a row of :data:`VOLUMES`."""
    pairs = [each.partition("=") for each in text.split(",")] if text else []
    return {_unhex(key): _unhex(value) for key, _, value in pairs}


def _unhex(text: str) -> str:
    return bytes.fromhex(text).decode("utf-8")


@attr.s(frozen=True, auto_attribs=True)
class AttachmentRecord:
    """
    A volume's attachment to a server, or to a host that is not one.

    :ivar server_id: ``None`` for a host that names no server.
    :ivar device: the device name in the API, e.g. ``/dev/vdb``; as in a real cloud, not the
        kernel's name.
    :ivar node_device: the real device, once it was made.
    :ivar attached_at: seconds since the epoch.
    :ivar by_compute: whether Compute carries the attachment out; otherwise its client does, through
        Block Storage.
    :ivar connector: the host's properties, from its request to connect.
    :ivar mode: ``rw``, ``ro`` or ``null``.
    :ivar host: the name of the host, from the action ``os-attach``.
    :ivar by_action: whether it is a mere record, which that action has made.
    :ivar delete_on_termination: whether the volume is deleted with the server.
    """

    attachment_id: str
    block_device_id: str
    volume_id: str
    server_id: str | None
    device: str | None
    node_device: str | None
    attached_at: float | None
    by_compute: bool = True
    connector: Mapping[str, Any] | None = None
    mode: str = "rw"
    host: str | None = None
    by_action: bool = False
    delete_on_termination: bool = False

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> AttachmentRecord:
        """From a row with the columns :data:`ATTACHMENT`."""
        return cls(
            attachment_id=row["attachment_id"],
            block_device_id=row["block_device_id"],
            volume_id=row["of_volume"],
            server_id=row["server_id"],
            device=row["device"],
            node_device=row["node_device"],
            attached_at=row["attached_at"],
            by_compute=bool(row["by_compute"]),
            connector=None if row["connector"] is None else json.loads(row["connector"]),
            mode=row["mode"],
            host=row["host"],
            by_action=bool(row["by_action"]),
            delete_on_termination=bool(row["delete_on_termination"]),
        )


@attr.s(frozen=True, auto_attribs=True)
class VolumeRecord:
    """
    A volume.

    :ivar size: GiB.
    :ivar root: whether it is a server's root volume, which has no file.
    :ivar bootable: whether a server may have it as its root volume; nothing depends on it.
    :ivar created_at: seconds since the epoch.
    :ivar snapshot_id: of the snapshot that it was filled from, if any, which may be gone.
    :ivar source_volid: of the volume that it is a copy of, if any, which may be gone.
    :ivar backup_id: of the backup that it was filled from, if any, which may be gone.
    :ivar growing: the size in GiB that it is being extended to; ``None`` when it is not.
    :ivar project_id: ``None`` for the first project.
    :ivar user_id: of the user who made it; ``None`` for the first user.
    :ivar held: whether a client has set the status, which then is the client's to change.
    :ivar readonly: the flag for clients; ``None`` before it is set.
    :ivar image_metadata: of the image that the volume holds, for clients.
    :ivar migration_status: as an administrator has set it.
    """

    sequence: int
    volume_id: str
    name: str | None
    description: str | None
    size: int
    status: str
    volume_type: str
    bootable: bool
    created_at: float
    updated_at: float | None
    metadata: Mapping[str, str]
    attachment: AttachmentRecord | None
    snapshot_id: str | None = None
    source_volid: str | None = None
    growing: int | None = None
    project_id: str | None = None
    user_id: str | None = None
    root: bool = False
    held: bool = False
    readonly: bool | None = None
    image_metadata: Mapping[str, str] = attr.Factory(dict)
    backup_id: str | None = None
    migration_status: str | None = None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> VolumeRecord:
        """From a row of :data:`VOLUMES`."""
        attached = row["attachment_id"] is not None
        return cls(
            sequence=row["sequence"],
            volume_id=row["id"],
            name=row["name"],
            description=row["description"],
            size=row["size"],
            status=row["status"],
            volume_type=row["volume_type"],
            bootable=bool(row["bootable"]),
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            metadata=_labels(row["labels"]),
            attachment=AttachmentRecord.from_row(row) if attached else None,
            snapshot_id=row["snapshot_id"],
            source_volid=row["source_volid"],
            growing=row["growing"],
            project_id=row["project_id"],
            user_id=row["user_id"],
            root=bool(row["root"]),
            held=bool(row["held"]),
            readonly=None if row["readonly"] is None else bool(row["readonly"]),
            image_metadata=json.loads(row["image_metadata"] or "{}"),
            backup_id=row["backup_id"],
            migration_status=row["migration_status"],
        )


@attr.s(frozen=True, auto_attribs=True)
class NewVolume:
    """
    A requested volume.

    :ivar size: GiB.
    :ivar snapshot_id: of the snapshot to fill it from, if any.
    :ivar source_volid: of the volume to copy, if any.
    :ivar backup_id: of the backup to fill it from, if any.
    :ivar image_metadata: of the image to fill it from, if any.
    :ivar project_id: ``None`` for the first project.
    :ivar user_id: ``None`` for the first user.
    :ivar bootable: whether the volume that it is a copy of is.
    """

    name: str | None
    description: str | None
    size: int
    volume_type: str
    metadata: Mapping[str, str]
    snapshot_id: str | None = None
    source_volid: str | None = None
    image_metadata: Mapping[str, str] = attr.Factory(dict)
    project_id: str | None = None
    user_id: str | None = None
    backup_id: str | None = None
    bootable: bool = False


@attr.s(frozen=True, auto_attribs=True)
class NewSnapshot:
    """
    A requested snapshot.

    :ivar size: GiB, of the volume at the time of the request.
    :ivar project_id: ``None`` for the first project.
    :ivar user_id: ``None`` for the first user.
    """

    volume_id: str
    name: str | None
    description: str | None
    size: int
    volume_type: str
    metadata: Mapping[str, str]
    project_id: str | None = None
    user_id: str | None = None


@attr.s(frozen=True, auto_attribs=True)
class SnapshotRecord:
    """
    A snapshot.

    :ivar size: GiB, of the volume at the time of the request.
    :ivar volume_type: the volume's.
    :ivar created_at: seconds since the epoch.
    :ivar project_id: ``None`` for the first project.
    :ivar user_id: of the user who made it; ``None`` for the first user.
    """

    sequence: int
    snapshot_id: str
    volume_id: str
    name: str | None
    description: str | None
    size: int
    status: str
    volume_type: str
    created_at: float
    updated_at: float | None
    metadata: Mapping[str, str]
    project_id: str | None = None
    user_id: str | None = None

    @classmethod
    def from_row(cls, row: sqlite3.Row, metadata: Mapping[str, str]) -> SnapshotRecord:
        """Make it from a row of the ``snapshots`` table and its labels."""
        return cls(
            sequence=row["sequence"],
            snapshot_id=row["id"],
            volume_id=row["volume_id"],
            name=row["name"],
            description=row["description"],
            size=row["size"],
            status=row["status"],
            volume_type=row["volume_type"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            metadata=metadata,
            project_id=row["project_id"],
            user_id=row["user_id"],
        )


@attr.s(frozen=True, auto_attribs=True)
class Usage:
    """
    The use of the quota, without the servers' root volumes, which take no space.

    :ivar gigabytes: GiB of volumes and snapshots, growing volumes at their new size.
    """

    volumes: int
    snapshots: int
    gigabytes: int
    backups: int = 0
    backup_gigabytes: int = 0


@attr.s(frozen=True, auto_attribs=True)
class MessageRecord:
    """
    The reason of the failure of a volume or a snapshot.

    :ivar snapshot_id: ``None`` when the volume itself failed.
    :ivar created_at: seconds since the epoch.
    """

    message_id: str
    volume_id: str
    snapshot_id: str | None
    text: str
    created_at: float


@attr.s(frozen=True, auto_attribs=True)
class TokenRecord:
    """
    The record of a token, without the token itself.

    :ivar issued_at: seconds since the epoch.
    :ivar expires_at: seconds since the epoch.
    :ivar audit_ids: its own id for audits, and that of the first of the tokens that led to it.
    :ivar secret: a text that changes with the secret that led to it, and does not reveal it.
    :ivar project_id: ``None`` for a token for Identity alone.
    :ivar credential_id: of the application credential that led to it, if any.
    """

    issued_at: float
    expires_at: float
    methods: tuple[str, ...]
    audit_ids: tuple[str, ...]
    user_id: str
    secret: str
    project_id: str | None = None
    credential_id: str | None = None


@attr.s(frozen=True, auto_attribs=True)
class VolumeFilter:
    """
    The selection of a list's volumes.

    :ivar columns: exact values by column, or lists of possible values.
    :ivar metadata: labels that a volume must all have; ``None``: no volume matches.
    :ivar times: by column, comparisons with microseconds since the epoch, one of which must hold.
    """

    columns: Mapping[str, Any] = attr.Factory(dict)
    metadata: Mapping[str, str] | None = attr.Factory(dict)
    times: Sequence[tuple[str, Sequence[tuple[str, int]]]] = ()

    def of_project(self, project_id: str | None) -> VolumeFilter:
        """
        Narrow the selection to one project.

        :param project_id: ``None`` for the first one.
        """
        if "project_id" in self.columns and self.columns["project_id"] != project_id:
            return attr.evolve(self, metadata=None)
        return attr.evolve(self, columns={**self.columns, "project_id": project_id})

    def conditions(self, rare: str | None = None) -> tuple[str, list[str], list[object]]:
        """
        :param rare: the key of a label that few volumes have, from which the search begins; without
            one, it looks at one volume after the other until the page is full.
        :return: the tables, conditions and their parameters, in SQL.
        """
        where = ["1"]
        parameters: list[object] = []
        if self.metadata is None:
            where.append("0")
        for column, value in sorted(self.columns.items()):
            expression = _EXPRESSIONS.get(column, f"volumes.{column}")
            if isinstance(value, (list, tuple, set)):
                where.append(f"{expression} IN (SELECT value FROM json_each(?))")
                parameters.append(json.dumps(list(value)))
            else:
                where.append(f"{expression} IS ?")
                parameters.append(value)
        for column, comparisons in self.times:
            instant = f"CAST(round(volumes.{column} * 1000000) AS INTEGER)"
            either = [f"{instant} {_OPERATORS[operator]} ?" for operator, _ in comparisons]
            where.append(f"({' OR '.join(either)})")
            parameters.extend(value for _, value in comparisons)
        tables = "volumes"
        for key, value in sorted((self.metadata or {}).items()):
            if key == rare:
                # SQLite keeps the order of a CROSS JOIN.
                tables = "metadata AS rare CROSS JOIN volumes ON volumes.id = rare.volume_id"
                where.append("rare.key = ? AND rare.value = ?")
            else:
                where.append(
                    "EXISTS (SELECT 1 FROM metadata"
                    " WHERE volume_id = volumes.id AND key = ? AND value = ?)"
                )
            parameters.extend([key, value])
        return tables, where, parameters

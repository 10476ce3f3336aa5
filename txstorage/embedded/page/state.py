# -*- test-case-name: tests.embedded.page.test_state -*-
"""
The state that the page shows: from the store's records to JSON values.

The state has a bounded number of rows, with the number of all of them.  It has no secrets: neither
tokens nor passwords, no query of a request, no labels, and nothing of a connector but the host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

import attr

from ..control.recent import ServedRequest
from ..settings import GIB
from ..store.features.backups import BackupRecord
from ..store.records import SnapshotRecord, Usage, VolumeRecord
from ..store.servers.records import ServerRecord

#: What has transitions.
Resource = Union[VolumeRecord, SnapshotRecord, BackupRecord, ServerRecord]
#: The number of rows in each table, at most.
ROWS = 100
#: The number of a node's volumes that are shown, at most.
NODE_VOLUMES = 12
#: The number of the last transitions, and of the last requests, that are shown.
RECENT = 30
#: Characters of a text, at most.
_TEXT = 255


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class SettledTransition:
    """
    A transition that has ended.

    :ivar time: seconds since the epoch.
    :ivar kind: ``volume``, ``snapshot``, ``backup`` or ``server``.
    :ivar begin: the status before.
    :ivar end: the status after; ``gone`` for what is deleted.
    :ivar server_id: of the node that the volume is attached to, if any.
    :ivar reason: of a failure; empty after a success.
    """

    time: float
    kind: str
    subject_id: str
    name: str | None
    begin: str
    end: str
    server_id: str | None = None
    reason: str = ""


@attr.s(frozen=True, auto_attribs=True)
class DiskUse:
    """
    The room on the disk, in bytes.

    :ivar used: by the files of volumes and snapshots.
    :ivar free: for more of them.
    """

    used: int
    free: int


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class Overview:
    """
    The records that the page shows.

    :ivar servers: all of them, the nodes first.
    :ivar attached: the volumes of each server, as many as are shown, by its id.
    :ivar attached_counts: the numbers of all of them.
    :ivar volumes: those that match the filter, as many as are shown.
    :ivar matching_volumes: the number of all that match.
    :ivar moving: the resources with a transition in progress.
    :ivar transitions: those that ended last, the newest first.
    :ivar requests: the newest first.
    :ivar usage: of all projects.
    :ivar disk: ``None`` until it is known.
    """

    servers: Sequence[ServerRecord]
    attached: Mapping[str, Sequence[VolumeRecord]]
    attached_counts: Mapping[str, int]
    volumes: Sequence[VolumeRecord]
    matching_volumes: int
    moving: Sequence[Resource]
    snapshots: Sequence[SnapshotRecord]
    matching_snapshots: int
    transitions: Sequence[SettledTransition]
    requests: Sequence[ServedRequest]
    usage: Usage
    disk: DiskUse | None


def identified(resource: Resource) -> tuple[str, str]:
    """:return: the kind of a resource, and its id."""
    if isinstance(resource, VolumeRecord):
        return "volume", resource.volume_id
    if isinstance(resource, SnapshotRecord):
        return "snapshot", resource.snapshot_id
    if isinstance(resource, BackupRecord):
        return "backup", resource.backup_id
    return "server", resource.server_id


def state(overview: Overview) -> dict[str, Any]:
    """Make the page's state, whose members are shown independently of one another."""
    names = {server.server_id: server.name for server in overview.servers}
    usage, volumes, snapshots = overview.usage, overview.volumes, overview.snapshots
    return {
        "disk": _disk(overview),
        "nodes": _table(
            [_node(server, overview) for server in overview.servers[:ROWS]],
            len(overview.servers),
            len(overview.servers),
        ),
        "volumes": _table(
            [_volume(each, names) for each in volumes], usage.volumes, overview.matching_volumes
        ),
        "snapshots": _table(
            [_snapshot(each) for each in snapshots], usage.snapshots, overview.matching_snapshots
        ),
        "transitions": {"rows": [*_moving(overview, names), *_settled(overview, names)]},
        "requests": {"rows": [_request(each) for each in overview.requests]},
    }


def _table(rows: list[dict[str, Any]], total: int, matching: int) -> dict[str, Any]:
    return {"rows": rows, "total": total, "matching": matching}


def _short(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= _TEXT else text[:_TEXT] + "…"


def _disk(overview: Overview) -> dict[str, Any]:
    disk = overview.disk
    return {
        "promised": overview.usage.gigabytes * GIB,
        "used": None if disk is None else disk.used,
        "free": None if disk is None else disk.free,
    }


def _node(server: ServerRecord, overview: Overview) -> dict[str, Any]:
    attached = overview.attached.get(server.server_id, ())
    rows = [
        {
            "id": volume.volume_id,
            "name": _short(volume.name),
            "status": volume.status,
            "device": _device(volume),
        }
        for volume in attached
    ]
    count = overview.attached_counts.get(server.server_id, 0)
    return {
        "id": server.server_id,
        "name": server.name,
        "status": server.status,
        "volumes": _table(rows, count, count),
    }


def _device(volume: VolumeRecord) -> str:
    """:return: the path of the real device, once it was made."""
    return _short(volume.attachment.node_device if volume.attachment is not None else None)


def _holder(volume: VolumeRecord, names: Mapping[str, str]) -> str:
    """:return: the name of the node or the host that a volume is attached to; empty for none."""
    attachment = volume.attachment
    if attachment is None:
        return ""
    if attachment.server_id is not None:
        return names.get(attachment.server_id, attachment.server_id)
    return _short(str((attachment.connector or {}).get("host") or "another host"))


def _volume(volume: VolumeRecord, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": volume.volume_id,
        "name": _short(volume.name),
        "size": volume.size * GIB,
        "growing": None if volume.growing is None else volume.growing * GIB,
        "status": volume.status,
        "holder": _holder(volume, names),
        "device": _device(volume),
        "created": volume.created_at,
    }


def _snapshot(snapshot: SnapshotRecord) -> dict[str, Any]:
    return {
        "id": snapshot.snapshot_id,
        "name": _short(snapshot.name),
        "volume": snapshot.volume_id,
        "size": snapshot.size * GIB,
        "status": snapshot.status,
        "created": snapshot.created_at,
    }


def _moving(overview: Overview, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """:return: the transitions in progress."""
    return [
        _transition(
            *identified(each),
            each.name,
            each.status,
            holder=_holder(each, names) if isinstance(each, VolumeRecord) else "",
        )
        for each in overview.moving
    ]


def _settled(overview: Overview, names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        _transition(
            each.kind,
            each.subject_id,
            each.name,
            each.begin,
            end=each.end,
            time=each.time,
            holder=names.get(each.server_id or "", ""),
            reason=_short(each.reason),
        )
        for each in overview.transitions
    ]


def _transition(
    kind: str,
    subject_id: str,
    name: str | None,
    begin: str,
    *,
    end: str | None = None,
    time: float | None = None,
    holder: str = "",
    reason: str = "",
) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": subject_id,
        "name": _short(name),
        "from": begin,
        "to": end,
        "time": time,
        "holder": holder,
        "reason": reason,
    }


def _request(request: ServedRequest) -> dict[str, Any]:
    return {
        "time": request.time,
        "method": _short(request.method),
        "path": _short(request.action or request.path),
        "status": request.status,
        "id": request.request_id,
    }

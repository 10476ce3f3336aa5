# -*- test-case-name: tests.embedded.apis.test_snapshots -*-
"""
Requests for snapshots: the schemas of their bodies, and the checks that Cinder makes after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attr

from ...store.records import NewSnapshot, VolumeRecord
from ...wire import account_refusals, refusals, volume_refusals
from ...wire.exchange import Version
from ...wire.fields import UUID, BodySchema, volume_body, wrapped
from ..volume_requests import LABELS
from .actions.resetting import is_migrating

#: From this microversion on, a volume that is in use needs no ``force``.
_IN_USE = (3, 66)
_TEXT = {"type": ["string", "null"], "maxLength": 255}
_TRUE = (True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes", "y", "t")
_FALSE = (False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no", "n", "f")


def _schema(properties: Mapping[str, Any], **more: object) -> BodySchema:
    snapshot = {"type": "object", "properties": properties, **more}
    return volume_body(wrapped("snapshot", snapshot, additionalProperties=False))


_NEW = _schema(
    {
        "name": _TEXT,
        "display_name": _TEXT,
        "description": _TEXT,
        "volume_id": {"oneOf": [UUID, {"type": "null"}]},
        "force": {"type": ["boolean", "string"], "enum": [*_TRUE, *_FALSE]},
        "metadata": {"type": ["object", "null"], **LABELS},
    },
    required=["volume_id"],
    additionalProperties=False,
)
_TEXTS = ("name", "description", "display_name", "display_description")
_UPDATE = _schema(
    dict.fromkeys(_TEXTS, _TEXT),
    additionalProperties=False,
    anyOf=[{"required": [name]} for name in _TEXTS],
)


@attr.s(frozen=True, auto_attribs=True)
class WantedSnapshot:
    """
    The body of a create.

    :ivar force: ``None`` when the request has none.
    """

    volume_id: str
    name: str | None
    description: str | None
    metadata: Mapping[str, str]
    force: bool | None


#: The statuses that ``os-reset_status`` may set.
_STATUSES = (
    *("error", "available", "creating", "deleting", "deleted", "updating", "error_deleting"),
    *("unmanaging", "backing-up", "restoring"),
)
_STATUS = {
    "type": "object",
    "properties": {"status": {"type": "string"}},
    "required": ["status"],
    "additionalProperties": False,
}
#: The bodies of the actions of administrators.
_ACTIONS = {
    "os-reset_status": volume_body(wrapped("os-reset_status", _STATUS)),
    "os-force_delete": volume_body(wrapped("os-force_delete", {})),
}


def new_snapshot(body: Mapping[str, Any]) -> WantedSnapshot:
    """
    Parse the body of a create.

    :raises WireError: 400.
    """
    _NEW.check(body)
    found = body["snapshot"]
    force = found.get("force")
    return WantedSnapshot(
        volume_id=str(found["volume_id"]),
        name=_stripped(found.get("name", found.get("display_name"))),
        description=_stripped(found.get("description")),
        metadata=found.get("metadata") or {},
        force=None if force is None else force in _TRUE,
    )


def snapshot_of(wanted: WantedSnapshot, volume: VolumeRecord, version: Version) -> NewSnapshot:
    """
    Complete a request with what the volume has.

    :raises WireError: 400, its status does not allow it.
    """
    in_use_too = version >= _IN_USE
    if in_use_too and wanted.force is False:
        raise refusals.FORCE_IS_INVALID()
    if volume.status == "maintenance":
        raise refusals.NOT_IN_MAINTENANCE()
    if is_migrating(volume):
        raise volume_refusals.NO_SNAPSHOT_MEANWHILE()
    if volume.status == "error":
        raise refusals.NOT_OF_ERROR()
    allowed = ("available", "in-use") if in_use_too or wanted.force else ("available",)
    if volume.status not in allowed:
        statuses = ", ".join(allowed)
        raise refusals.NO_SNAPSHOT_NOW(volume.volume_id, statuses, volume.status)
    return NewSnapshot(
        volume_id=volume.volume_id,
        name=wanted.name,
        description=wanted.description,
        size=volume.size,
        volume_type=volume.volume_type,
        metadata=wanted.metadata,
    )


def new_texts(body: Mapping[str, Any]) -> dict[str, str | None]:
    """
    Parse the body of an update.

    :return: the new name, description, or both.
    :raises WireError: 400.
    """
    _UPDATE.check(body)
    found = body["snapshot"]
    return {
        name: _stripped(found[key])
        for name in ("name", "description")
        # The member without the prefix takes precedence.
        for key in ("display_" + name, name)
        if key in found
    }


def new_status(action: str, body: Mapping[str, Any]) -> str:
    """
    Parse the body of an administrator's action.

    :return: the new status of the snapshot.
    :raises WireError: 400.
    """
    if action not in _ACTIONS:
        raise refusals.NO_VOLUME_ACTION(action)
    _ACTIONS[action].check(body)
    if action == "os-force_delete":
        return "deleting"
    status: str = body[action]["status"]
    if status.lower() not in _STATUSES:
        raise account_refusals.BAD_SNAPSHOT_STATUS(status, _STATUSES)
    return status.lower()


def _stripped(value: str | None) -> str | None:
    return None if value is None else value.strip()

# -*- test-case-name: tests.embedded.apis.test_new_servers -*-
"""
Requests to change a server, or one of its attachments.

Source: the schemas ``update`` of ``nova.api.openstack.compute.schemas``, of ``servers`` and
``volume_attachments``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import attr

from ...store.records import AttachmentRecord
from ...wire.exchange import Version
from ...wire.fields import UUID, BodySchema, compute_body, wrapped
from ...wire.tables import server_refusals
from .making.creation import check_disk_config, check_text

_TEXT = {"type": "string"}
_FIRST: dict[str, Any] = {
    name: _TEXT for name in ("name", "OS-DCF:diskConfig", "accessIPv4", "accessIPv6")
}
_DESCRIPTION: dict[str, Any] = {"description": {"type": ["string", "null"]}}


def _schema(members: Mapping[str, Any]) -> BodySchema:
    server = {"type": "object", "properties": members, "additionalProperties": False}
    return compute_body(wrapped("server", server, additionalProperties=False))


#: By their first microversions, the latest first.
_SCHEMAS: dict[Version, BodySchema] = {
    (2, 90): _schema({**_FIRST, **_DESCRIPTION, "hostname": _TEXT}),
    (2, 19): _schema({**_FIRST, **_DESCRIPTION}),
    (2, 1): _schema(_FIRST),
}
#: The members of a server's details by those of a request.
_DETAILS = {
    "description": "description",
    "OS-DCF:diskConfig": "disk_config",
    "accessIPv4": "access_ipv4",
    "accessIPv6": "access_ipv6",
    "hostname": "hostname",
}


#: The first microversion that changes an attachment; earlier ones only exchange its volume.
CHANGES_ATTACHMENT = (2, 85)
_TRUE = (True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes")
_FALSE = (False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no")
_DEVICE = "(^/dev/x{0,1}[a-z]{0,1}d{0,1})([a-z]+)[0-9]*$"


def _attachment_schema(members: Mapping[str, Any]) -> BodySchema:
    attachment = {
        "type": "object",
        "properties": {"volumeId": UUID, **members},
        "required": ["volumeId"],
        "additionalProperties": False,
    }
    return compute_body(wrapped("volumeAttachment", attachment, additionalProperties=False))


_EXCHANGE = _attachment_schema({})
_CHANGE = _attachment_schema(
    {
        "device": {"type": ["string", "null"], "pattern": _DEVICE},
        "tag": _TEXT,
        "delete_on_termination": {"type": ["boolean", "string"], "enum": [*_TRUE, *_FALSE]},
        "serverId": UUID,
        "id": UUID,
    }
)


def attachment_update(body: Mapping[str, Any], version: Version) -> Mapping[str, Any]:
    """
    :return: the members of an attachment in a request.
    :raises WireError: 400.
    """
    (_CHANGE if version >= CHANGES_ATTACHMENT else _EXCHANGE).check(body)
    wanted: Mapping[str, Any] = body["volumeAttachment"]
    return wanted


def deletes_volume(wanted: Mapping[str, Any], found: AttachmentRecord) -> bool:
    """
    :param wanted: the members in a request.
    :return: whether the volume is deleted with the server after the request.
    :raises WireError: 400, for another member that the request changes.
    """
    kept = {
        "id": found.volume_id,
        "serverId": found.server_id,
        "device": found.device,
        "tag": None,
    }
    for name, value in kept.items():
        if wanted.get(name, value) != value:
            raise server_refusals.NOT_MUTABLE(name)
    deletes = wanted.get("delete_on_termination", found.delete_on_termination)
    return any(deletes is each or deletes == each for each in _TRUE)


@attr.s(frozen=True, auto_attribs=True)
class ServerUpdate:
    """
    The body of an update.

    :ivar name: ``None``: it stays.
    :ivar details: the members of a server's details that change.
    """

    name: Optional[str]
    details: Mapping[str, Any]


def server_update(body: Mapping[str, Any], version: Version) -> ServerUpdate:
    """
    Parse the body of an update.

    :raises WireError: 400.
    """
    next(schema for since, schema in _SCHEMAS.items() if version >= since).check(body)
    server = body["server"]
    check_disk_config(server)
    name = server.get("name")
    if name is not None:
        check_text("name", name)
    details = {ours: server[theirs] for theirs, ours in _DETAILS.items() if theirs in server}
    return ServerUpdate(None if name is None else name.strip(), details)


__all__ = [
    "CHANGES_ATTACHMENT",
    "ServerUpdate",
    "attachment_update",
    "deletes_volume",
    "server_update",
]

# -*- test-case-name: tests.embedded.apis.test_new_servers -*-
"""
Requests to change a server.

Source: the schemas ``update`` of ``nova.api.openstack.compute.schemas.servers``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import attr

from ...wire.exchange import Version
from ...wire.fields import BodySchema, compute_body, wrapped
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


__all__ = ["ServerUpdate", "server_update"]

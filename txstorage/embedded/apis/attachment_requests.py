# -*- test-case-name: tests.embedded.apis.test_attachments -*-
"""
Requests for attachments, and the schemas of their bodies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attr

from ..wire import refusals
from ..wire.exchange import Version
from ..wire.fields import UUID, BodySchema, only_member, volume_body, wrapped
from ..wire.versions import VOLUME

_MODE_SINCE = (3, 54)


def _schema(required: str, **properties: object) -> BodySchema:
    return volume_body(
        wrapped(
            "attachment",
            {
                "type": "object",
                "properties": properties,
                "required": [required],
                "additionalProperties": False,
            },
            additionalProperties=False,
        )
    )


_PROPERTIES = {
    "instance_uuid": UUID,
    "connector": {"type": ["object", "null"]},
    "volume_uuid": UUID,
}
_NEW = _schema("volume_uuid", **_PROPERTIES)
_NEW_WITH_MODE = _schema(
    "volume_uuid", **_PROPERTIES, mode={"type": "string", "enum": ["rw", "ro"]}
)
_UPDATE = _schema("connector", connector={"type": "object", "minProperties": 1})


@attr.s(frozen=True, auto_attribs=True)
class NewAttachment:
    """
    A requested attachment.

    :ivar server_id: text from the host; Compute is not consulted.
    :ivar connector: the host's properties; ``None`` to only reserve the volume.
    """

    volume_id: str
    server_id: str | None
    mode: str
    connector: Mapping[str, Any] | None


def new_attachment(body: Mapping[str, Any], version: Version) -> NewAttachment:
    """
    Parse the body of a create.

    :raises WireError: 400.
    """
    (_NEW_WITH_MODE if version >= _MODE_SINCE else _NEW).check(body)
    wanted = body["attachment"]
    return NewAttachment(
        volume_id=wanted["volume_uuid"],
        server_id=wanted.get("instance_uuid"),
        mode=wanted.get("mode", "null"),
        # Cinder treats an empty connector as none.
        connector=wanted.get("connector") or None,
    )


def connector_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """
    Parse the body of an update.

    :raises WireError: 400.
    """
    _UPDATE.check(body)
    connector: dict[str, Any] = body["attachment"]["connector"]
    return connector


def check_action(body: Mapping[str, Any]) -> None:
    """:raises WireError: 400, when the action is not ``os-complete``."""
    name = only_member(body, VOLUME)
    if name != "os-complete":
        raise refusals.NO_VOLUME_ACTION(name)

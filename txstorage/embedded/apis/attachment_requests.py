# -*- test-case-name: tests.embedded.apis.test_attachments -*-
"""
Requests for attachments: the checks of their bodies, with the messages of Cinder's JSON schemas.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attr

from ..wire import refusals
from ..wire.exchange import Version
from ..wire.versions import VOLUME
from .volume_requests import check_uuid, member, only_member, unexpected

_MODE_SINCE = (3, 54)
_MODES = ["rw", "ro"]


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
    known = ["volume_uuid", "instance_uuid", "connector"]
    known += ["mode"] if version >= _MODE_SINCE else []
    wanted = _members(body, "volume_uuid", known)
    for name in ("volume_uuid", "instance_uuid"):
        if name in wanted:
            check_uuid(name, wanted[name])
    connector = wanted.get("connector")
    if connector is not None:
        _check_object("connector", connector, "'object', 'null'")
    if wanted.get("mode", "rw") not in _MODES:
        mode = wanted["mode"]
        raise refusals.BAD_MODE("mode", mode, mode)
    return NewAttachment(
        volume_id=wanted["volume_uuid"],
        server_id=wanted.get("instance_uuid"),
        mode=wanted.get("mode", "null"),
        # Cinder treats an empty connector as none.
        connector=connector or None,
    )


def connector_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """
    Parse the body of an update.

    :raises WireError: 400.
    """
    connector = _members(body, "connector", ["connector"])["connector"]
    _check_object("connector", connector, "'object'")
    if not connector:
        raise refusals.IS_EMPTY("connector", connector, connector)
    checked: dict[str, Any] = connector
    return checked


def check_action(body: Mapping[str, Any]) -> None:
    """:raises WireError: 400, when the action is not ``os-complete``."""
    name = only_member(body)
    if name != "os-complete":
        raise refusals.NO_VOLUME_ACTION(name)


def _members(body: Mapping[str, Any], required: str, known: Collection[str]) -> dict[str, Any]:
    attachment = member(body, "attachment")
    others = sorted(set(body) - {"attachment"})
    if others:
        raise refusals.ADDITIONAL_MEMBER(unexpected(others))
    if required not in attachment:
        raise refusals.MISSING_FIELD(VOLUME, "attachment", attachment, required)
    others = sorted(set(attachment) - set(known))
    if others:
        raise refusals.ADDITIONAL_FIELD(VOLUME, "attachment", attachment, unexpected(others))
    return attachment


def _check_object(name: str, value: object, types: str) -> None:
    if not isinstance(value, dict):
        raise refusals.NOT_OF_TYPE(VOLUME, name, value, value, types)

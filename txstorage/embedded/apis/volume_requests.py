# -*- test-case-name: tests.embedded.apis.test_volumes -*-
"""
Requests for volumes: the schemas of their bodies, and the checks that Cinder makes after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ..settings import AVAILABILITY_ZONE, DEFAULT_TYPE, VOLUME_TYPES
from ..store.records import NewVolume
from ..wire import refusals
from ..wire.exchange import WireError
from ..wire.fields import OPTIONAL_TEXT, is_uuid, volume_body, wrapped

MAX_INTEGER = 2**31 - 1
_MAX_TEXT = 255
_LABELS = {
    # Like Cinder's, the pattern accepts a line feed at the end.
    "patternProperties": {"^[a-zA-Z0-9-_:. /]{1,255}$": {"type": "string", "maxLength": _MAX_TEXT}},
    "additionalProperties": False,
}
_SIZE = {
    "type": ["integer", "string", "null"],
    "pattern": "^[0-9]+$",
    "minimum": 1,
    "maximum": MAX_INTEGER,
}
_NEW_VOLUME = volume_body(
    wrapped(
        "volume",
        {
            "type": "object",
            "properties": {
                "name": OPTIONAL_TEXT,
                "description": OPTIONAL_TEXT,
                "volume_type": OPTIONAL_TEXT,
                "metadata": {"type": ["object", "null"], **_LABELS},
                "size": _SIZE,
                "availability_zone": OPTIONAL_TEXT,
            },
        },
    )
)
#: The body of a request that sets labels.
METADATA = volume_body(wrapped("metadata", {"type": "object", **_LABELS}))
#: The body of a request that sets one label.
LABEL = volume_body(
    wrapped("meta", {"type": "object", **_LABELS, "minProperties": 1, "maxProperties": 1})
)
#: The body of the action that sets a volume's status.
RESET_STATUS = volume_body(
    wrapped("os-reset_status", {"type": "object", "properties": {"status": OPTIONAL_TEXT}})
)
#: Sources that a new volume could be filled from; there are none here.
_SOURCES: dict[str, Callable[[Any], WireError]] = {
    "snapshot_id": refusals.NO_SNAPSHOT,
    "source_volid": refusals.NO_VOLUME,
    "imageRef": lambda value: refusals.NO_IMAGE(),
    "backup_id": refusals.NO_BACKUP,
    "consistencygroup_id": refusals.NO_GROUP,
}


def new_volume(body: Mapping[str, Any]) -> NewVolume:
    """
    Parse the body of a create.

    :raises WireError: 400, 404.
    """
    _NEW_VOLUME.check(body)
    volume = body["volume"]
    for name in ("name", "description"):
        _check_length(name, volume.get(name))
    if volume.get("size") is None:
        raise refusals.INCORRECT()
    for source, refusal in _SOURCES.items():
        if volume.get(source) is not None:
            raise refusal(volume[source])
    wanted = NewVolume(
        name=volume.get("name"),
        description=volume.get("description"),
        size=int(volume["size"]),
        metadata=volume.get("metadata") or {},
        volume_type=_volume_type(volume.get("volume_type")),
    )
    zone = volume.get("availability_zone")
    if zone not in (None, AVAILABILITY_ZONE):
        raise refusals.NO_ZONE(zone)
    return wanted


def _check_length(field: str, value: str | None) -> None:
    if value is not None and len(value) > _MAX_TEXT:
        raise refusals.TOO_LONG(field, len(value))


def _volume_type(value: str | None) -> str:
    """A type's name, from its name or its id."""
    if value is None:
        return DEFAULT_TYPE
    for name, type_id in VOLUME_TYPES.items():
        if value in (name, type_id):
            return name
    raise (refusals.NO_VOLUME_TYPE if is_uuid(value) else refusals.NO_VOLUME_TYPE_NAMED)(value)

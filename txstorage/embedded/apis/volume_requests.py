# -*- test-case-name: tests.embedded.apis.test_volumes -*-
"""
Requests for volumes: the checks of their bodies, with the messages of Cinder's and Nova's JSON
schemas.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping
from typing import Any, Callable

from ..settings import AVAILABILITY_ZONE, DEFAULT_TYPE, VOLUME_TYPES
from ..store.records import NewVolume
from ..wire import refusals
from ..wire.exchange import WireError
from ..wire.versions import VOLUME, Dialect

MAX_INTEGER = 2**31 - 1
_MAX_TEXT = 255
_KEY = "^[a-zA-Z0-9-_:. /]{1,255}$"
_TEXTS = ("name", "description", "volume_type", "availability_zone")
#: Sources that a new volume could be filled from; there are none here.
_SOURCES: dict[str, Callable[[Any], WireError]] = {
    "snapshot_id": refusals.NO_SNAPSHOT,
    "source_volid": refusals.NO_VOLUME,
    "imageRef": lambda value: refusals.NO_IMAGE(),
    "backup_id": refusals.NO_BACKUP,
    "consistencygroup_id": refusals.NO_GROUP,
}


def member(body: Mapping[str, Any], name: str, dialect: Dialect = VOLUME) -> dict[str, Any]:
    """
    The object that a body wraps.

    :raises WireError: 400.
    """
    if name not in body:
        raise refusals.MISSING_MEMBER(dialect, name)
    value = body[name]
    if not isinstance(value, dict):
        raise refusals.NOT_OF_TYPE(dialect, name, value, value, "'object'")
    return value


def only_member(body: Mapping[str, Any], dialect: Dialect = VOLUME) -> str:
    """
    The action in a body.

    :raises WireError: 400.
    """
    if len(body) != 1:
        raise refusals.MALFORMED_BODY(dialect)
    return next(iter(body))


def new_volume(body: Mapping[str, Any]) -> NewVolume:
    """
    Parse the body of a create.

    :raises WireError: 400, 404.
    """
    volume = member(body, "volume")
    size = _size(volume.get("size"))
    text = {name: _optional_text(volume, name) for name in _TEXTS}
    labels = metadata(volume.get("metadata"))
    for name in ("name", "description"):
        _short(name, text[name])
    if size is None:
        raise refusals.INCORRECT()
    for source, refusal in _SOURCES.items():
        if volume.get(source) is not None:
            raise refusal(volume[source])
    wanted = NewVolume(
        name=text["name"],
        description=text["description"],
        size=size,
        metadata=labels,
        volume_type=_volume_type(text["volume_type"]),
    )
    if text["availability_zone"] not in (None, AVAILABILITY_ZONE):
        raise refusals.NO_ZONE(text["availability_zone"])
    return wanted


def _optional_text(volume: Mapping[str, Any], name: str) -> str | None:
    value = volume.get(name)
    if value is not None and not isinstance(value, str):
        raise refusals.NOT_OF_TYPE(VOLUME, name, value, value, "'string', 'null'")
    return value


def _short(field: str, value: str | None) -> None:
    if value is not None and len(value) > _MAX_TEXT:
        raise refusals.TOO_LONG(field, len(value))


def _size(value: object) -> int | None:
    """GiB, from a number or its text."""
    if isinstance(value, str):
        if re.match(r"[0-9]+\Z", value) is None:
            raise refusals.SIZE_IS_NO_NUMBER(value, value)
        # A number with more digits than the greatest integer is too large either way.
        value = int(value[:20])
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise refusals.NOT_OF_TYPE(VOLUME, "size", value, value, "'integer', 'string', 'null'")
    if value < 1:
        raise refusals.TOO_SMALL("size", value, value, 1)
    if value > MAX_INTEGER:
        raise refusals.TOO_GREAT("size", value, value, MAX_INTEGER)
    return value


def _volume_type(value: str | None) -> str:
    """A type's name, from its name or its id."""
    if value is None:
        return DEFAULT_TYPE
    for name, type_id in VOLUME_TYPES.items():
        if value in (name, type_id):
            return name
    raise (refusals.NO_VOLUME_TYPE if is_uuid(value) else refusals.NO_VOLUME_TYPE_NAMED)(value)


def metadata(value: object) -> dict[str, str]:
    """
    Parse labels.

    :raises WireError: 400.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        kinds = "'object', 'null'"
        raise refusals.NOT_OF_TYPE(VOLUME, "metadata", value, value, kinds)
    for key, label in value.items():
        # Like Cinder's, the pattern accepts a line feed at the end.
        if re.match(_KEY, key) is None:
            raise refusals.LABEL_KEY("metadata", value, key)
        if not isinstance(label, str):
            raise refusals.NOT_OF_TYPE(VOLUME, key, label, label, "'string'")
        if len(label) > _MAX_TEXT:
            raise refusals.LABEL_TOO_LONG(key, label, label)
    return value


def is_uuid(value: object) -> bool:
    """Check for a UUID in one of its usual spellings."""
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


def check_uuid(name: str, value: object, dialect: Dialect = VOLUME) -> None:
    """
    :raises WireError: 400, unless a field has a UUID.
    """
    if not isinstance(value, str):
        raise refusals.NOT_OF_TYPE(dialect, name, value, value, "'string'")
    if not is_uuid(value):
        raise refusals.NOT_A_UUID(dialect, name, value, value)


def unexpected(names: Collection[str]) -> str:
    """A schema's list of unknown members."""
    return "{} {} unexpected".format(
        ", ".join(map(repr, names)), "was" if len(names) == 1 else "were"
    )

# -*- test-case-name: tests.server.test_volumes -*-
"""
What may stand in a request for a volume; refused in the words in which
Cinder's and Nova's JSON schemas refuse it.
"""

from __future__ import annotations

import re
import uuid
from typing import Any, Dict, Mapping, Optional

from .records import NewVolume
from .settings import AVAILABILITY_ZONE, DEFAULT_TYPE, VOLUME_TYPES
from .versions import VOLUME, Dialect

_MAX_INTEGER = 2**31 - 1
_MAX_TEXT = 255
_KEY = "^[a-zA-Z0-9-_:. /]{1,255}$"
#: Ways to fill a new volume that this service does not have.
_SOURCES = ("snapshot_id", "source_volid", "imageRef", "backup_id", "consistencygroup_id")


def invalid(field: str, value: object, problem: str, dialect: Dialect = VOLUME) -> Exception:
    """A schema's refusal of one field."""
    return dialect.error(
        400,
        "Invalid input for field/attribute {}. Value: {}. {}".format(field, value, problem),
    )


def member(body: Mapping[str, Any], name: str, dialect: Dialect = VOLUME) -> Dict[str, Any]:
    """
    The object that a body wraps.

    :raises WireError: 400.
    """
    if name not in body:
        raise dialect.error(400, "'{}' is a required property".format(name))
    value = body[name]
    if not isinstance(value, dict):
        raise invalid(name, value, "{!r} is not of type 'object'".format(value), dialect)
    return value


def new_volume(body: Mapping[str, Any]) -> NewVolume:
    """
    From the body of a create.

    :raises WireError: 400, 404.
    """
    volume = member(body, "volume")
    text = {name: _optional_text(volume, name) for name in ("name", "description")}
    wanted = NewVolume(
        name=text["name"],
        description=text["description"],
        size=_size(volume.get("size")),
        metadata=metadata(volume.get("metadata")),
        volume_type=_volume_type(volume.get("volume_type")),
    )
    zone = volume.get("availability_zone")
    if zone not in (None, AVAILABILITY_ZONE):
        raise VOLUME.error(400, "Availability zone '{}' is invalid.".format(zone))
    for source in _SOURCES:
        if volume.get(source) is not None:
            raise VOLUME.error(400, "Invalid input received: there is no {} here".format(source))
    return wanted


def _optional_text(volume: Mapping[str, Any], name: str) -> Optional[str]:
    value = volume.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid(name, value, "{!r} is not of type 'string', 'null'".format(value))
    return _short(name, value)


def _short(field: str, value: str) -> str:
    if len(value) > _MAX_TEXT:
        raise invalid(field, value, "'{}' is too long".format(value))
    return value


def _size(value: object) -> int:
    """GiB, from a number or its text."""
    if isinstance(value, str):
        if re.match(r"[0-9]+\Z", value) is None:
            raise invalid("size", value, "'{}' does not match '^[0-9]+$'".format(value))
        # More digits than the greatest integer has are too many either way.
        value = int(value[:20])
    if value is None:
        raise VOLUME.error(
            400,
            "Invalid input received: Volume size 'None' must be an integer and greater than 0",
        )
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid("size", value, "{!r} is not of type 'integer', 'string'".format(value))
    if value < 1:
        raise invalid("size", value, "{} is less than the minimum of 1".format(value))
    if value > _MAX_INTEGER:
        problem = "{} is greater than the maximum of {}".format(value, _MAX_INTEGER)
        raise invalid("size", value, problem)
    return value


def _volume_type(value: object) -> str:
    """A type's name, from its name or its id."""
    if value is None:
        return DEFAULT_TYPE
    for name, type_id in VOLUME_TYPES.items():
        if value in (name, type_id):
            return name
    how = "" if is_uuid(value) else "with name "
    raise VOLUME.error(404, "Volume type {}{} could not be found.".format(how, value))


def metadata(value: object) -> Dict[str, str]:
    """
    Labels.

    :raises WireError: 400.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid("metadata", value, "{!r} is not of type 'object', 'null'".format(value))
    for key, label in value.items():
        if re.match(_KEY, key) is None or key.endswith("\n"):
            problem = "{!r} does not match any of the regexes: '{}'".format(key, _KEY)
            raise invalid("metadata", value, problem)
        if not isinstance(label, str):
            raise invalid(key, label, "{!r} is not of type 'string'".format(label))
        _short(key, label)
    return value


def is_uuid(value: object) -> bool:
    """Whether it is a UUID in one of its usual spellings."""
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False

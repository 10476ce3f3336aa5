# -*- test-case-name: tests.contract.test_embedded -*-
"""Requests to change a volume's name, description or labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attr

from ...wire.exchange import Version
from ...wire.fields import OPTIONAL_TEXT, volume_body, wrapped
from ..volume_requests import LABELS, check_length

_TEXTS = ("name", "description", "display_name", "display_description")
_SCHEMA = {
    "type": "object",
    "properties": {
        **dict.fromkeys(_TEXTS, OPTIONAL_TEXT),
        "metadata": {"type": "object", **LABELS},
    },
    "additionalProperties": False,
}
_BODY = volume_body(wrapped("volume", _SCHEMA, additionalProperties=False))
_CHANGING_BODY = volume_body(
    wrapped(
        "volume",
        {**_SCHEMA, "anyOf": [{"required": [name]} for name in (*_TEXTS, "metadata")]},
        additionalProperties=False,
    )
)
#: The first microversion that refuses a request without a change.
_STRICT = (3, 53)


@attr.s(frozen=True, auto_attribs=True)
class VolumeUpdate:
    """
    The body of an update.

    :ivar texts: new values, by ``name`` and ``description``.
    :ivar metadata: the labels that replace all others; ``None``: they stay.
    """

    texts: Mapping[str, str | None]
    metadata: Mapping[str, str] | None


def volume_update(body: Mapping[str, Any], version: Version) -> VolumeUpdate:
    """
    Parse the body of an update.

    :raises WireError: 400.
    """
    (_CHANGING_BODY if version >= _STRICT else _BODY).check(body)
    found = body["volume"]
    for name in ("name", "description"):
        check_length(name, found.get(name))
    texts = {
        name: None if found[key] is None else found[key].strip()
        for name in ("name", "description")
        # The member without the prefix takes precedence.
        for key in ("display_" + name, name)
        if key in found
    }
    return VolumeUpdate(texts, found.get("metadata"))


__all__ = ["VolumeUpdate", "volume_update"]

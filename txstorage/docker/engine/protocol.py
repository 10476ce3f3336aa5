# -*- test-case-name: tests.docker.engine.test_protocol -*-
"""
The messages of Docker's volume plugin protocol, version 1.

Source: docs.docker.com, "Docker volume plugins" and "Docker Plugin API".
"""

from __future__ import annotations

import json
from typing import Any

from ...errors import MalformedRequest

#: The content type of all messages.
CONTENT_TYPE = "application/vnd.docker.plugins.v1.2+json"

# Bytes of a request's body at most: those of engines take some hundred.
_MOST = 2**20


def fields_of(body: bytes) -> dict[str, Any]:
    """
    Read the body of a request.

    :param body: as it was received.
    :return: the fields by name.
    :raises MalformedRequest: it is empty, as when an engine repeats an interrupted request, too
        long, or not a JSON object.
    """
    if not body.strip():
        raise MalformedRequest("The request has an empty body")
    if len(body) > _MOST:
        raise MalformedRequest(f"The request has more than {_MOST} bytes")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedRequest("The request is not JSON") from None
    if not isinstance(found, dict):
        raise MalformedRequest("The request is not a JSON object")
    return found


def text_in(fields: dict[str, Any], key: str) -> str:
    """
    :return: a field that must be a text.
    :raises MalformedRequest: it is missing, empty or not a text.
    """
    found = fields.get(key)
    if not isinstance(found, str) or not found:
        raise MalformedRequest(f"The request has no {key}")
    return found


def options_in(fields: dict[str, Any]) -> dict[str, Any]:
    """
    :return: the options of a new volume; engines send ``null`` for none.
    :raises MalformedRequest: they are not an object.
    """
    found = fields.get("Opts")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise MalformedRequest("The request's Opts are not an object")
    return found


def encoded(answer: dict[str, Any]) -> bytes:
    """:return: the body of an answer, which engines expect to end in a newline."""
    return json.dumps(answer).encode("utf-8") + b"\n"


__all__ = ["CONTENT_TYPE", "encoded", "fields_of", "options_in", "text_in"]

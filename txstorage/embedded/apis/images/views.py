# -*- test-case-name: tests.embedded.apis.test_images -*-
"""The one image in Glance's format, and the filters of its list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...machine.image import (
    IMAGE_ID,
    IMAGE_NAME,
    IMAGE_SIZE,
    MIN_DISK,
    MIN_RAM,
    image_digest,
)

_CREATED = "2026-01-01T00:00:00Z"
#: Parameters of a list that are not filters.
_NO_FILTERS = frozenset(["limit", "marker", "sort", "sort_key", "sort_dir", "member_status"])
#: Filters whose values may be several, after this word.
_SEVERAL = frozenset(["id", "name", "status", "container_format", "disk_format"])
_IN = "in:"


def view(owner: str) -> dict[str, Any]:
    """
    Return the image.

    :param owner: the id of the project that it belongs to.
    """
    path = "/v2/images/" + IMAGE_ID
    return {
        "id": IMAGE_ID,
        "name": IMAGE_NAME,
        "status": "active",
        "visibility": "public",
        "protected": True,
        "os_hidden": False,
        "owner": owner,
        "container_format": "bare",
        "disk_format": "raw",
        "size": IMAGE_SIZE,
        "virtual_size": IMAGE_SIZE,
        "min_disk": MIN_DISK,
        "min_ram": MIN_RAM,
        "checksum": image_digest("md5"),
        "os_hash_algo": "sha512",
        "os_hash_value": image_digest("sha512"),
        "tags": [],
        "created_at": _CREATED,
        "updated_at": _CREATED,
        "self": path,
        "file": path + "/file",
        "schema": "/v2/schemas/image",
    }


def is_chosen(image: Mapping[str, Any], query: Mapping[str, list[str]]) -> bool:
    """
    Check whether the image is in a list.

    :param query: all values of each parameter.
    """
    return all(
        _has(image, name, value)
        for name, values in query.items()
        if name not in _NO_FILTERS
        for value in values
    )


def _has(image: Mapping[str, Any], name: str, value: str) -> bool:
    if name == "tag":
        return value in image["tags"]
    if name in ("size_min", "size_max"):
        number = int(value[:18]) if value.isdecimal() else -1
        return bool(number <= image["size"] if name == "size_min" else number >= image["size"])
    if name == "visibility" and value == "all":
        return True
    found = image.get(name)
    if isinstance(found, bool):
        return value.lower() == str(found).lower()
    if name in _SEVERAL and value.startswith(_IN):
        return found in value[len(_IN) :].replace('"', "").split(",")
    return found is not None and str(found) == value


#: The links in the schema of an image.
LINKS = [
    {"rel": "self", "href": "{self}"},
    {"rel": "enclosure", "href": "{file}"},
    {"rel": "describedby", "href": "{schema}"},
]


def properties() -> dict[str, Any]:
    """Return the properties in the schema of an image."""
    kinds = {str: "string", int: "integer", bool: "boolean", list: "array"}
    return {name: {"type": [kinds[type(value)], "null"]} for name, value in view("").items()}


__all__ = ["LINKS", "is_chosen", "properties", "view"]

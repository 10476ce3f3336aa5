# -*- test-case-name: tests.embedded.apis.test_new_servers -*-
"""
Requests for servers: the schemas of their bodies, and the checks that Nova makes after them.

Source: the modules ``servers`` of ``nova.api.openstack.compute`` and of its ``schemas``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

import attr

from ....settings import AVAILABILITY_ZONE
from ....wire import refusals
from ....wire.exchange import Version
from ....wire.fields import BodySchema, compute_body, is_uuid, wrapped
from ....wire.tables import server_refusals
from ....wire.versions import COMPUTE
from ..flavor_views import FLAVOR_ID
from .mapping import Mapped, in_sequence, mapped

_TEXT, _OBJECT, _ARRAY = {"type": "string"}, {"type": "object"}, {"type": "array"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_COUNT = {"type": ["integer", "string"]}
METADATA = {"type": "object", "additionalProperties": {"type": "string"}}
_MAX_TEXT = 255
_KEY = re.compile(r"[a-zA-Z0-9-_:. ]{1,255}\Z")
#: The first microversion that requires the networks, and has two words for them.
_NETWORKS = (2, 37)
_HINTS = ("os:scheduler_hints", "OS-SCH-HNT:scheduler_hints")
_FIRST: dict[str, Any] = {
    "name": _TEXT,
    "flavorRef": {"type": ["string", "integer"]},
    "imageRef": _TEXT,
    "adminPass": _TEXT,
    "metadata": METADATA,
    "networks": _ARRAY,
    "OS-DCF:diskConfig": _TEXT,
    "accessIPv4": _TEXT,
    "accessIPv6": _TEXT,
    "personality": _ARRAY,
    "availability_zone": _TEXT,
    "block_device_mapping": _ARRAY,
    "block_device_mapping_v2": _ARRAY,
    "config_drive": {"type": ["boolean", "string"]},
    "key_name": _TEXT_OR_NULL,
    "min_count": _COUNT,
    "max_count": _COUNT,
    "return_reservation_id": {"type": ["boolean", "string"]},
    "security_groups": _ARRAY,
    "user_data": _TEXT,
}
#: The members that later microversions add, replace or, with ``None``, remove.
_LATER: list[tuple[Version, dict[str, Any]]] = [
    ((2, 19), {"description": _TEXT_OR_NULL}),
    (_NETWORKS, {"networks": {"type": ["array", "string"]}}),
    ((2, 52), {"tags": _ARRAY}),
    ((2, 57), {"personality": None}),
    ((2, 63), {"trusted_image_certificates": {"type": ["array", "null"]}}),
    ((2, 74), {"host": _TEXT, "hypervisor_hostname": _TEXT}),
    ((2, 90), {"hostname": _TEXT}),
]


def _schema(version: Version) -> BodySchema:
    members = dict(_FIRST)
    for since, later in _LATER:
        members.update(later if version >= since else {})
    networks = ["networks"] if version >= _NETWORKS else []
    server = {
        "type": "object",
        "properties": {name: each for name, each in members.items() if each is not None},
        "required": ["name", "flavorRef", *networks],
        "additionalProperties": False,
    }
    whole = wrapped("server", server, additionalProperties=False)
    whole["properties"].update(dict.fromkeys(_HINTS, _OBJECT))
    return compute_body(whole)


#: By their first microversions, the latest first.
_SCHEMAS: dict[Version, BodySchema] = {
    version: _schema(version) for version in [*(since for since, _ in _LATER[::-1]), (2, 1)]
}


@attr.s(frozen=True, auto_attribs=True)
class WantedServer:
    """
    The body of a create.

    :ivar image_id: to boot from; ``None`` for a volume.
    :ivar least: the least number of servers.
    :ivar most: the greatest one.
    :ivar volumes: of the servers.
    :ivar in_sequence: whether the numbers of the devices to boot from are right.
    """

    name: str
    description: Optional[str]
    image_id: Optional[str]
    metadata: Mapping[str, str]
    tags: tuple[str, ...]
    disk_config: str
    config_drive: str
    access_ipv4: str
    access_ipv6: str
    hostname: Optional[str]
    admin_password: Optional[str]
    least: int
    most: int
    by_reservation: bool
    volumes: tuple[Mapped, ...]
    in_sequence: bool


def new_server(body: Mapping[str, Any], version: Version) -> WantedServer:
    """
    Parse the body of a create.

    :raises WireError: 400.
    """
    next(schema for since, schema in _SCHEMAS.items() if version >= since).check(body)
    server = body["server"]
    check_text("name", server["name"])
    check_metadata(server.get("metadata", {}))
    check_number(server.get("metadata", {}))
    check_disk_config(server)
    least, most = _counts(server)
    _check_places(server)
    flavor_id = str(server["flavorRef"]).rsplit("/", 1)[-1]
    if flavor_id != FLAVOR_ID:
        raise server_refusals.BAD_FLAVOR(flavor_id)
    image_id = _image(server)
    volumes = mapped(server, image_id)
    if most > 1 and any(each.source == "volume" for each in volumes):
        raise server_refusals.SHARED_VOLUMES()
    boots = [each for each in volumes if each.local]
    return WantedServer(
        name=server["name"].strip(),
        # Before descriptions, a server's name was its description.
        description=server.get("description") if version >= (2, 19) else server["name"].strip(),
        image_id=image_id or (boots[0].uuid if boots else None),
        metadata=server.get("metadata", {}),
        tags=check_tags(server.get("tags", [])),
        disk_config=server.get("OS-DCF:diskConfig", "MANUAL"),
        config_drive="True" if _is_true(server.get("config_drive", False)) else "",
        access_ipv4=server.get("accessIPv4", ""),
        access_ipv6=server.get("accessIPv6", ""),
        hostname=server.get("hostname"),
        admin_password=server.get("adminPass"),
        least=least,
        most=most,
        by_reservation=_is_true(server.get("return_reservation_id", False)),
        volumes=tuple(each for each in volumes if not each.local),
        in_sequence=in_sequence(volumes, image_id),
    )


def _is_true(value: object) -> bool:
    return str(value).lower() in ("true", "1", "on", "yes", "t", "y")


def check_text(name: str, value: str) -> None:
    """:raises WireError: 400, a name is empty or too long."""
    if not value.strip() or len(value) > _MAX_TEXT:
        long = len(value) > _MAX_TEXT
        raise server_refusals.BAD_LENGTH(name, value, value, "long" if long else "short")


def check_metadata(metadata: Mapping[str, str]) -> None:
    """:raises WireError: 400, for a key or a value that Nova does not take."""
    for key, value in metadata.items():
        if not _KEY.match(key):
            raise server_refusals.BAD_METADATA_KEY(metadata, key)
        if len(value) > _MAX_TEXT:
            raise server_refusals.BAD_LENGTH(key, value, value, "long")


def check_number(metadata: Mapping[str, str]) -> None:
    """:raises WireError: 403, for more items than a server may have."""
    if len(metadata) > MAX_ITEMS:
        raise server_refusals.TOO_MANY_ITEMS(MAX_ITEMS)


def check_disk_config(server: Mapping[str, Any]) -> None:
    """:raises WireError: 400, for another value than Nova's two."""
    value, known = server.get("OS-DCF:diskConfig", "MANUAL"), ["AUTO", "MANUAL"]
    if value not in known:
        raise server_refusals.BAD_CHOICE("OS-DCF:diskConfig", value, value, known)


def check_tags(tags: Any) -> tuple[str, ...]:
    """
    :return: the tags, each once.
    :raises WireError: 400.
    """
    for index, tag in enumerate(tags):
        check_tag(tag, str(index))
    unique = tuple(dict.fromkeys(tags))
    if len(unique) > MAX_TAGS:
        raise server_refusals.BAD_LENGTH("tags", tags, tags, "long")
    return unique


def check_tag(tag: object, field: str) -> None:
    """:raises WireError: 400, for a tag that Nova does not take."""
    if not isinstance(tag, str):
        raise refusals.NOT_OF_TYPE(COMPUTE, field, tag, tag, "'string'")
    if not 1 <= len(tag) <= MAX_TAG:
        raise server_refusals.BAD_LENGTH(field, tag, tag, "long" if tag else "short")
    if re.search("[,/]", tag):
        raise server_refusals.BAD_TAG(field, tag, tag)


#: The greatest number of a server's metadata items and tags, and the greatest length of a tag.
MAX_ITEMS, MAX_TAGS, MAX_TAG = 128, 50, 60


def _counts(server: Mapping[str, Any]) -> tuple[int, int]:
    """The least and the greatest number of servers."""
    given = {name: server[name] for name in ("min_count", "max_count") if name in server}
    for name, value in given.items():
        if not str(value).isdecimal() or int(str(value)[:9]) < 1:
            raise server_refusals.TOO_FEW_SERVERS(name, value, value)
    least = int(str(given.get("min_count", 1))[:9])
    most = int(str(given.get("max_count", least))[:9])
    if least > most:
        raise server_refusals.BAD_COUNTS()
    return least, most


def _image(server: Mapping[str, Any]) -> str | None:
    mappings = server.get("block_device_mapping") or server.get("block_device_mapping_v2")
    reference: str = server.get("imageRef", "")
    if not reference:
        if not mappings:
            raise server_refusals.MISSING_IMAGE()
        return None
    if not is_uuid(reference):
        raise refusals.NO_SCHEMA(COMPUTE, "imageRef", reference, reference)
    return reference


def _check_places(server: Mapping[str, Any]) -> None:
    """:raises WireError: 400, for a key, a network, a group or a zone that is not here."""
    networks = server.get("networks", [])
    if isinstance(networks, str) and networks not in ("auto", "none"):
        raise refusals.NO_SCHEMA(COMPUTE, "networks", networks, networks)
    for each in [] if isinstance(networks, str) else networks:
        if not isinstance(each, dict):
            raise refusals.NOT_OF_TYPE(COMPUTE, "0", each, each, "'object'")
        if "port" in each:
            raise server_refusals.NO_PORT(each["port"])
        raise server_refusals.NO_NETWORK(each.get("uuid"))
    if server.get("key_name") is not None:
        raise server_refusals.BAD_KEY_NAME()
    for each in server.get("security_groups", []):
        name = each.get("name") if isinstance(each, dict) else each
        if name != "default":
            raise server_refusals.NO_SECURITY_GROUP(name)
    zone = server.get("availability_zone", AVAILABILITY_ZONE).partition(":")[0]
    if zone != AVAILABILITY_ZONE:
        raise server_refusals.NO_ZONE_FOR_SERVERS()


__all__ = [
    "MAX_ITEMS",
    "MAX_TAG",
    "MAX_TAGS",
    "METADATA",
    "WantedServer",
    "check_disk_config",
    "check_metadata",
    "check_number",
    "check_tag",
    "check_tags",
    "check_text",
    "new_server",
]

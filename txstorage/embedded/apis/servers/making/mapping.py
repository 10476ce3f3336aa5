# -*- test-case-name: tests.embedded.apis.test_new_servers -*-
"""
The volumes that a request for a server names (``block_device_mapping_v2``).

Source: the class ``BlockDeviceDict`` of ``nova.block_device``, and the checks of
``nova.compute.api``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import attr

from ....wire import refusals
from ....wire.tables import server_refusals
from ....wire.versions import COMPUTE

_SOURCES = ["volume", "image", "snapshot", "blank"]
_DESTINATIONS = ["local", "volume"]


@attr.s(frozen=True, auto_attribs=True)
class Mapped:
    """
    A device of a requested server.

    :ivar source: ``volume``, ``image``, ``snapshot`` or ``blank``.
    :ivar uuid: of the source; ``None`` for ``blank``.
    :ivar local: whether it is the server's own disk, and not a volume.
    :ivar boot_index: ``0`` for the device that the server boots from; negative for none.
    :ivar size: GiB; ``None``: as the source has.
    """

    source: str
    uuid: Optional[str]
    local: bool
    boot_index: int
    size: Optional[int]
    delete_on_termination: bool
    device: Optional[str]


def mapped(server: Mapping[str, Any], image_id: str | None) -> list[Mapped]:
    """
    Parse the devices of a request.

    :param image_id: of the image that the request names beside them.
    :raises WireError: 400.
    """
    former = [_of_former(each) for each in _objects(server, "block_device_mapping")]
    if former and image_id is None:
        former[0] = attr.evolve(former[0], boot_index=0)
    return former + [_of(each) for each in _objects(server, "block_device_mapping_v2")]


def in_sequence(devices: list[Mapped], image_id: str | None) -> bool:
    """
    Check whether the first device to boot from is number 0, and none is left out.

    :param image_id: of the image that the request names beside the devices.
    """
    boots = sorted(each.boot_index for each in devices if each.boot_index >= 0)
    images = [each for each in devices if each.local and each.source == "image"]
    if image_id is not None and not images:
        boots.insert(0, 0)
    return bool(boots) and boots == list(range(len(boots)))


def _objects(server: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = server.get(name, [])
    for index, each in enumerate(found):
        if not isinstance(each, dict):
            raise refusals.NOT_OF_TYPE(COMPUTE, str(index), each, each, "'object'")
    return found


def _of_former(entry: Mapping[str, Any]) -> Mapped:
    """From an entry of the first version of the mapping."""
    source = "volume" if entry.get("volume_id") else "snapshot"
    uuid = entry.get("volume_id") or entry.get("snapshot_id")
    return _of({**entry, "source_type": source, "destination_type": "volume", "uuid": uuid})


def _of(entry: Mapping[str, Any]) -> Mapped:
    source = entry.get("source_type")
    destination = entry.get("destination_type", "local" if source == "blank" else "volume")
    if source not in _SOURCES:
        raise server_refusals.BAD_CHOICE("source_type", source, source, _SOURCES)
    if destination not in _DESTINATIONS:
        raise server_refusals.BAD_CHOICE(
            "destination_type", destination, destination, _DESTINATIONS
        )
    local, size = destination == "local", _number(entry.get("volume_size"), None)
    uuid = entry.get("uuid", "")
    if not isinstance(uuid, str):
        raise refusals.NOT_OF_TYPE(COMPUTE, "uuid", uuid, uuid, "'string'")
    if source == "blank" and uuid:
        raise server_refusals.BAD_DEVICE_MAPPING("Invalid device UUID.")
    if source != "blank" and not uuid:
        raise server_refusals.BAD_DEVICE_MAPPING("Missing device UUID.")
    if local and source in ("volume", "snapshot"):
        raise server_refusals.BAD_DEVICE_MAPPING(f"Mapping {source} to local is not supported.")
    if local and source == "blank" and size:
        # The flavor has no ephemeral disk.
        raise server_refusals.NO_EPHEMERAL_DISK()
    index = _number(entry.get("boot_index"), -1)
    return Mapped(
        source=source,
        uuid=uuid or None,
        local=local,
        boot_index=-1 if index is None else index,
        size=size,
        delete_on_termination=str(entry.get("delete_on_termination", False)).lower() == "true",
        device=entry.get("device_name"),
    )


def _number(value: Any, default: int | None) -> int | None:
    """A number, also as text."""
    if value is None or value == "":
        return default
    try:
        return int(str(value)[:12])
    except ValueError:
        raise refusals.NOT_OF_TYPE(COMPUTE, "volume_size", value, value, "'integer'") from None


__all__ = ["Mapped", "in_sequence", "mapped"]

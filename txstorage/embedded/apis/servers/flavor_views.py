# -*- test-case-name: tests.contract.test_embedded -*-
"""The one flavor, in Nova's format."""

from __future__ import annotations

from typing import Any

from ...wire.exchange import Version

FLAVOR_ID, FLAVOR_NAME = "1", "tiny"
#: MiB and GiB.  A server's root is a volume, so the flavor has no disk.
VCPUS, RAM, DISK = 1, 64, 0
#: The first microversions of the description, of the properties, of a swap that is a number, and
#: without two members that had lost their meaning.
_DESCRIPTION, _EXTRA_SPECS, _SWAP, _SHORTER = (2, 55), (2, 61), (2, 75), (2, 102)


def links(base: str, path: str) -> list[dict[str, str]]:
    """
    The links of a resource of Compute.

    :param base: the beginning of links.
    :param path: after the version.
    """
    return [
        {"rel": "self", "href": f"{base}/compute/v2.1/{path}"},
        {"rel": "bookmark", "href": f"{base}/compute/{path}"},
    ]


def flavor_of_server(base: str) -> dict[str, Any]:
    """The flavor of a server, before servers had a copy of it."""
    return {"id": FLAVOR_ID, "links": links(base, "flavors/" + FLAVOR_ID)[1:]}


def flavor_in_server() -> dict[str, Any]:
    """A server's copy of the flavor."""
    sizes = {"vcpus": VCPUS, "ram": RAM, "disk": DISK, "ephemeral": 0, "swap": 0}
    return {**sizes, "original_name": FLAVOR_NAME, "extra_specs": {}}


def summary(base: str, version: Version) -> dict[str, Any]:
    """An entry of the short list."""
    view: dict[str, Any] = {"id": FLAVOR_ID, "name": FLAVOR_NAME}
    if version >= _DESCRIPTION:
        view["description"] = None
    return {**view, "links": links(base, "flavors/" + FLAVOR_ID)}


def detail(base: str, version: Version) -> dict[str, Any]:
    """The flavor in full."""
    view = {
        **summary(base, version),
        "ram": RAM,
        "disk": DISK,
        "vcpus": VCPUS,
        "swap": 0 if version >= _SWAP else "",
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "os-flavor-access:is_public": True,
    }
    if version < _SHORTER:
        view.update({"rxtx_factor": 1.0, "OS-FLV-DISABLED:disabled": False})
    if version >= _EXTRA_SPECS:
        view["extra_specs"] = {}
    return view


__all__ = [
    "DISK",
    "FLAVOR_ID",
    "FLAVOR_NAME",
    "RAM",
    "detail",
    "flavor_in_server",
    "flavor_of_server",
    "links",
    "summary",
]

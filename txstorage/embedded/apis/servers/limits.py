# -*- test-case-name: tests.contract.test_embedded -*-
"""Compute's quotas, which are the same for all projects, and their use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...wire.exchange import Version, WireError
from ...wire.tables import server_refusals
from .flavor_views import RAM, VCPUS
from .making.creation import MAX_ITEMS

#: The greatest number of a project's servers, nodes among them.
INSTANCES = 100
_CORES, _RAM = INSTANCES * VCPUS, INSTANCES * RAM
#: The first microversions without the quotas of the network, of images, and of injected files.
_NO_NETWORK, _NO_IMAGES, _NO_FILES = (2, 36), (2, 39), (2, 57)
_NETWORK = {"fixed_ips": -1, "floating_ips": -1, "security_group_rules": -1, "security_groups": -1}
_FILES = {
    "injected_file_content_bytes": 10240,
    "injected_file_path_bytes": 255,
    "injected_files": 5,
}


def quotas(version: Version) -> dict[str, int]:
    """Return a project's quotas; negative: none."""
    found = {
        "cores": _CORES,
        "instances": INSTANCES,
        "key_pairs": 100,
        "metadata_items": MAX_ITEMS,
        "ram": _RAM,
        "server_groups": 10,
        "server_group_members": 10,
    }
    if version < _NO_NETWORK:
        found.update(_NETWORK)
    if version < _NO_FILES:
        found.update(_FILES)
    return found


def used(servers: int) -> Mapping[str, int]:
    """
    Return the use of the quotas that have any.

    :param servers: the number of a project's servers.
    """
    return {"instances": servers, "cores": servers * VCPUS, "ram": servers * RAM}


def over_quota(servers: int, present: int) -> WireError:
    """
    Return the error of a request for more servers than there is room for.

    :param servers: the number that is requested.
    :param present: the number that exists.
    """
    limits = {"cores": _CORES, "instances": INSTANCES, "ram": _RAM}
    requested, in_use = used(servers), used(present)
    over = [name for name in limits if in_use[name] + requested[name] > limits[name]]
    names = ", ".join(over)
    numbers = (", ".join(str(of[name]) for name in over) for of in (requested, in_use, limits))
    return server_refusals.OVER_SERVERS(names, *numbers, names)


def absolute(servers: int, version: Version) -> dict[str, Any]:
    """
    Return a project's limits and their use.

    :param servers: the number of a project's servers.
    """
    in_use = used(servers)
    found = {
        "maxServerMeta": MAX_ITEMS,
        "maxTotalInstances": INSTANCES,
        "maxTotalCores": _CORES,
        "maxTotalRAMSize": _RAM,
        "maxTotalKeypairs": 100,
        "maxServerGroups": 10,
        "maxServerGroupMembers": 10,
        "totalInstancesUsed": in_use["instances"],
        "totalCoresUsed": in_use["cores"],
        "totalRAMUsed": in_use["ram"],
        "totalServerGroupsUsed": 0,
    }
    if version < _NO_NETWORK:
        names = ("maxSecurityGroups", "maxSecurityGroupRules", "maxTotalFloatingIps")
        found.update(dict.fromkeys(names, -1))
        found.update(totalSecurityGroupsUsed=0, totalFloatingIpsUsed=0)
    if version < _NO_IMAGES:
        found["maxImageMeta"] = MAX_ITEMS
    if version < _NO_FILES:
        found.update(maxPersonality=5, maxPersonalitySize=10240)
    return found


__all__ = ["INSTANCES", "absolute", "quotas", "used"]

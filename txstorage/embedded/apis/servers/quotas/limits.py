# -*- test-case-name: tests.contract.test_embedded -*-
"""Compute's quotas of projects, and their use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....wire.exchange import Version, WireError
from ....wire.tables import server_refusals
from ..flavor_views import RAM, VCPUS
from ..making.creation import MAX_ITEMS

#: The greatest number of a project's servers, nodes among them.
INSTANCES = 100
#: The first microversions without the quotas of the network, of images, and of injected files.
NO_NETWORK, _NO_IMAGES, NO_FILES = (2, 36), (2, 39), (2, 57)
_NETWORK = {"fixed_ips": -1, "floating_ips": -1, "security_group_rules": -1, "security_groups": -1}
_FILES = {
    "injected_file_content_bytes": 10240,
    "injected_file_path_bytes": 255,
    "injected_files": 5,
}
_DEFAULTS = {
    "cores": INSTANCES * VCPUS,
    "instances": INSTANCES,
    "key_pairs": 100,
    "metadata_items": MAX_ITEMS,
    "ram": INSTANCES * RAM,
    "server_groups": 10,
    "server_group_members": 10,
    **_NETWORK,
    **_FILES,
}
_NOTHING: Mapping[str, int] = {}
#: The quotas by the limits' members, and the first microversions without them.
_SHOWN: Mapping[str, tuple[str, Version | None]] = {
    "maxServerMeta": ("metadata_items", None),
    "maxTotalInstances": ("instances", None),
    "maxTotalCores": ("cores", None),
    "maxTotalRAMSize": ("ram", None),
    "maxTotalKeypairs": ("key_pairs", None),
    "maxServerGroups": ("server_groups", None),
    "maxServerGroupMembers": ("server_group_members", None),
    "maxSecurityGroups": ("security_groups", NO_NETWORK),
    "maxSecurityGroupRules": ("security_group_rules", NO_NETWORK),
    "maxTotalFloatingIps": ("floating_ips", NO_NETWORK),
    "maxImageMeta": ("metadata_items", _NO_IMAGES),
    "maxPersonality": ("injected_files", NO_FILES),
    "maxPersonalitySize": ("injected_file_content_bytes", NO_FILES),
}


def quotas(version: Version, own: Mapping[str, int] = _NOTHING) -> dict[str, int]:
    """
    Return a project's quotas; negative: none.

    :param own: those that an administrator has set.
    """
    hidden: set[str] = set()
    if version >= NO_NETWORK:
        hidden.update(_NETWORK)
    if version >= NO_FILES:
        hidden.update(_FILES)
    return {name: own.get(name, each) for name, each in _DEFAULTS.items() if name not in hidden}


def used(servers: int) -> Mapping[str, int]:
    """
    Return the use of the quotas that have any.

    :param servers: the number of a project's servers.
    """
    return {"instances": servers, "cores": servers * VCPUS, "ram": servers * RAM}


def room(present: int, own: Mapping[str, int]) -> int:
    """
    :param present: the number of a project's servers.
    :param own: the quotas that an administrator has set.
    :return: how many servers more its quotas allow.
    """
    limits, sizes, in_use = {**_DEFAULTS, **own}, used(1), used(present)
    bounds = [
        (limits[name] - in_use[name]) // size for name, size in sizes.items() if limits[name] >= 0
    ]
    # Without any quota, the machine's memory is the bound.
    return max(0, min([*bounds, INSTANCES]))


def over_quota(servers: int, present: int, own: Mapping[str, int]) -> WireError:
    """
    Return the error of a request for more servers than there is room for.

    :param servers: the number that is requested.
    :param present: the number that exists.
    :param own: the quotas that an administrator has set.
    """
    limits, requested, in_use = {**_DEFAULTS, **own}, used(servers), used(present)
    over = [
        name
        for name in ("cores", "instances", "ram")
        if 0 <= limits[name] < in_use[name] + requested[name]
    ] or ["instances"]
    names = ", ".join(over)
    numbers = (", ".join(str(of[name]) for name in over) for of in (requested, in_use, limits))
    return server_refusals.OVER_SERVERS(names, *numbers, names)


def absolute(servers: int, version: Version, own: Mapping[str, int] = _NOTHING) -> dict[str, Any]:
    """
    Return a project's limits and their use.

    :param servers: the number of a project's servers.
    :param own: the quotas that an administrator has set.
    """
    limits, in_use = {**_DEFAULTS, **own}, used(servers)
    found = {
        member: limits[name]
        for member, (name, without) in _SHOWN.items()
        if without is None or version < without
    }
    found.update(
        totalInstancesUsed=in_use["instances"],
        totalCoresUsed=in_use["cores"],
        totalRAMUsed=in_use["ram"],
        totalServerGroupsUsed=0,
    )
    if version < NO_NETWORK:
        found.update(totalSecurityGroupsUsed=0, totalFloatingIpsUsed=0)
    return found


__all__ = ["INSTANCES", "absolute", "over_quota", "quotas", "room", "used"]

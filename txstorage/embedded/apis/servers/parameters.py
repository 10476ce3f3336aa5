# -*- test-case-name: tests.embedded.apis.test_server_lists -*-
"""
The parameters of a list of servers, as Nova's schemas of queries have them.

Source: the module ``servers`` of ``nova.api.openstack.compute.schemas``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ...wire import refusals
from ...wire.exchange import Version
from ...wire.times import microseconds
from .expressions import UnsuitableExpression, expression

#: Parameters whose values are regular expressions.
_EXPRESSIONS = frozenset(
    [
        *("kernel_id", "ramdisk_id", "hostname", "key_name", "power_state", "node", "flavor"),
        *("reservation_id", "launched_at", "terminated_at", "availability_zone", "name"),
        *("display_name", "description", "display_description", "locked_by", "root_device_name"),
        *("config_drive", "access_ip_v4", "access_ip_v6", "auto_disk_config", "progress"),
        *("ip", "ip6", "created_at"),
    ]
)
_TAGS = ("tags", "tags-any", "not-tags", "not-tags-any")
#: The first microversions of parameters that earlier ones do not know.
_SINCE: dict[str, Version] = {
    **dict.fromkeys(_TAGS, (2, 26)),
    "changes-before": (2, 66),
    "locked": (2, 73),
}
#: Tables that are joined, by which no user may filter.
JOINED = frozenset(
    [
        *("block_device_mapping", "services", "metadata", "system_metadata", "info_cache"),
        *("security_groups", "pci_devices"),
    ]
)
_OTHERS = frozenset(
    [
        *("user_id", "project_id", "tenant_id", "launch_index", "image_ref", "image", "vm_state"),
        *("task_state", "host", "uuid", "sort_key", "sort_dir", "all_tenants", "soft_deleted"),
        *("deleted", "status", "changes-since", "limit", "marker"),
    ]
)
_KNOWN = _EXPRESSIONS | _OTHERS | JOINED | set(_SINCE)
#: From this microversion on, an unknown parameter is an error, and so is an ignored key.
_STRICT = (2, 75)
_KEYS = frozenset(
    [
        *("access_ip_v4", "access_ip_v6", "auto_disk_config", "availability_zone", "config_drive"),
        *("created_at", "display_description", "display_name", "host", "hostname", "image_ref"),
        *("instance_type_id", "kernel_id", "key_name", "launch_index", "launched_at", "locked_by"),
        *("node", "power_state", "progress", "project_id", "ramdisk_id", "root_device_name"),
        *("task_state", "terminated_at", "updated_at", "user_id", "uuid", "vm_state"),
    ]
)
_IGNORED_KEYS = frozenset(
    [
        *("architecture", "cell_name", "cleaned", "default_ephemeral_device"),
        *("default_swap_device", "deleted", "deleted_at", "disable_terminate", "ephemeral_gb"),
        *("ephemeral_key_uuid", "id", "key_data", "launched_on", "locked", "memory_mb", "os_type"),
        *("reservation_id", "root_gb", "shutdown_terminate", "user_data", "vcpus", "vm_mode"),
    ]
)
_LOCKED_KEY = (2, 73)


def check(query: Mapping[str, list[str]], version: Version) -> None:
    """
    Check a query by its schema.

    :raises WireError: 400.
    """
    for name, values in query.items():
        if version < _SINCE.get(name, version):
            continue
        for value in values:
            _check_value(name, value, version)
    if version >= _STRICT:
        unknown = [
            name
            for name in query
            if not name.startswith("_")
            and (name not in _KNOWN or version < _SINCE.get(name, version))
        ]
        if unknown:
            verb = "does" if len(unknown) == 1 else "do"
            raise refusals.UNKNOWN_PARAMETER(f"{', '.join(map(repr, sorted(unknown)))} {verb}")


def refuse_unknown(query: Mapping[str, str], known: Collection[str]) -> None:
    """:raises WireError: 400, for parameters that a list does not have."""
    unknown = sorted(set(query) - set(known))
    if unknown:
        verb = "was" if len(unknown) == 1 else "were"
        names = ", ".join(map(repr, unknown))
        raise refusals.UNKNOWN_FLAVOR_PARAMETER(f"{names} {verb} unexpected")


def _check_value(name: str, value: str, version: Version) -> None:
    if name in _EXPRESSIONS and not _is_expression(value):
        raise refusals.NO_EXPRESSION(name, value, value)
    if name in ("changes-since", "changes-before") and microseconds(value) is None:
        raise refusals.NO_TIME(name, value, value)
    known = _KEYS | (_IGNORED_KEYS if version < _STRICT else {"locked"})
    if name == "sort_key" and value not in known:
        raise refusals.NO_KEY(name, value, value, sorted(known))


def ignored_keys(version: Version) -> frozenset[str]:
    """:return: the keys that are known, and have no effect on an order."""
    return _IGNORED_KEYS - ({"locked"} if version >= _LOCKED_KEY else set())


def _is_expression(text: str) -> bool:
    try:
        return bool(text and expression(text))
    except UnsuitableExpression:
        return False


__all__ = ["JOINED", "check", "ignored_keys", "refuse_unknown"]

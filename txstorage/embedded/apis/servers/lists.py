# -*- test-case-name: tests.embedded.apis.test_server_lists -*-
"""
The filters and orders of a list of servers, by microversion.

A parameter that a user may not filter by, or that a later microversion introduced, is ignored.
Sources: the modules ``nova.api.openstack.compute.servers`` and ``nova.compute.instance_list``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Callable

from ...accounts.directory import Ids
from ...settings import AVAILABILITY_ZONE
from ...store.servers.records import ServerRecord
from ...wire import refusals
from ...wire.exchange import Version
from ...wire.times import microseconds
from .. import compute_views
from ..block_storage.queries import truth
from .expressions import expression
from .parameters import JOINED, ignored_keys

_Test = Callable[[ServerRecord, str], bool]
_Value = Callable[[ServerRecord], Any]


def _instant(server: ServerRecord) -> int:
    return round(server.created_at * 10**6)


def _time(server: ServerRecord) -> str:
    return compute_views.database_time(server.created_at)


def _attribute(name: str, server: ServerRecord) -> Any:
    return compute_views.attributes(server)["OS-EXT-SRV-ATTR:" + name]


def _exact(value: _Value) -> _Test:
    return lambda server, text: bool(value(server) == text)


def _expression(value: _Value) -> _Test:
    def matches(server: ServerRecord, text: str) -> bool:
        found = value(server)
        return found is not None and expression(text).finds(str(found))

    return matches


def _constant(value: Any) -> _Value:
    return lambda server: value


def _vm_state(server: ServerRecord) -> str:
    return compute_views.vm_state(server.status)


def _tags(text: str) -> set[str]:
    return set(text.split(","))


_NAME = _expression(lambda server: server.name)
#: The filters of every user, with their first microversions.
_FILTERS: dict[str, tuple[Version, _Test]] = {
    "name": ((2, 1), _NAME),
    "image": ((2, 1), _exact(lambda server: server.details.image_id or "")),
    "flavor": ((2, 1), _exact(_constant("1"))),
    "reservation_id": ((2, 1), _expression(partial(_attribute, "reservation_id"))),
    "changes-since": ((2, 1), lambda server, text: _instant(server) >= (microseconds(text) or 0)),
    "changes-before": ((2, 66), lambda server, text: _instant(server) <= (microseconds(text) or 0)),
    # No server has an address.
    "ip": ((2, 1), lambda server, text: False),
    "ip6": ((2, 5), lambda server, text: False),
    "tags": ((2, 26), lambda server, text: _tags(text) <= set(server.details.tags)),
    "tags-any": ((2, 26), lambda server, text: bool(_tags(text) & set(server.details.tags))),
    "not-tags": ((2, 26), lambda server, text: not _tags(text) <= set(server.details.tags)),
    "not-tags-any": ((2, 26), lambda server, text: not _tags(text) & set(server.details.tags)),
    "locked": ((2, 73), lambda server, text: not truth(text)),
    "availability_zone": ((2, 83), _expression(_constant(AVAILABILITY_ZONE))),
    "config_drive": ((2, 83), _expression(lambda server: server.details.config_drive)),
    "key_name": ((2, 83), _expression(_constant(None))),
    "created_at": ((2, 83), _expression(_time)),
    "launched_at": ((2, 83), _expression(_time)),
    "terminated_at": ((2, 83), _expression(_constant(None))),
    "power_state": ((2, 83), _expression(lambda server: compute_views.power_state(server.status))),
    "task_state": ((2, 83), _exact(lambda server: compute_views.task_state(server.status))),
    "vm_state": ((2, 83), _exact(_vm_state)),
    "progress": ((2, 83), _expression(_constant(0))),
    "hostname": ((2, 90), _expression(partial(_attribute, "hostname"))),
}
#: Those that only an administrator has.
_OF_ADMINISTRATORS: dict[str, _Test] = {
    "display_name": _NAME,
    "uuid": _exact(lambda server: server.server_id),
    "host": _exact(partial(_attribute, "host")),
    "node": _expression(partial(_attribute, "hypervisor_hostname")),
    "deleted": lambda server, text: not truth(text),
}
_USER_SINCE, _STRICT_STATUS, _LATER_CHANGES = (2, 83), (2, 38), (2, 66)
_LOCKED = (2, 73)
#: The statuses of a server in lower case, with the states of the servers here that have them.
_STATUSES: dict[str, str | None] = {
    **dict.fromkeys(
        (
            *("password", "rebuild", "migrating", "resize"),
            *("verify_resize", "revert_resize", "paused", "suspended", "rescue"),
            *("soft_deleted", "shelved", "shelved_offloaded", "deleted"),
        )
    ),
    "active": "active",
    "reboot": "active",
    "hard_reboot": "active",
    "build": "building",
    "shutoff": "stopped",
    "error": "error",
}
#: The tasks that make a status of its own.
_TASKS = {"reboot": "rebooting", "hard_reboot": "rebooting_hard"}
#: The keys by which servers differ.
_KEYS: dict[str, _Value] = {
    # The clock may have given two servers the same time.
    **dict.fromkeys(("created_at", "launched_at", "updated_at"), lambda server: server.sequence),
    **dict.fromkeys(("display_name", "hostname"), lambda server: server.name),
    "uuid": lambda server: server.server_id,
    "power_state": lambda server: compute_views.power_state(server.status),
    "vm_state": _vm_state,
}


def chosen(
    servers: list[ServerRecord],
    query: Mapping[str, list[str]],
    version: Version,
    detail: bool,
    admin: bool,
    ids: Ids,
) -> list[ServerRecord]:
    """
    Filter servers.

    :param query: all values of each parameter, which the schema admits.
    :param detail: whether the list is the one in full.
    :param ids: of the first user and the first project.
    :raises WireError: 400, 403.
    """
    given = {name: values[-1] for name, values in query.items()}
    if admin:
        _check_names(given)
    tests: list[Callable[[ServerRecord], bool]] = []
    for name, (since, test) in _FILTERS.items():
        if name in given and (admin or version >= since):
            tests.append(partial(_of, test, given[name]))
    if admin:
        tests += [
            partial(_of, test, given[n]) for n, test in _OF_ADMINISTRATORS.items() if n in given
        ]
    tests.append(_of_user(given, version, admin, ids))
    if "status" in query:
        states = _states(query["status"], version, admin)
        tests.append(lambda server: (_vm_state(server), _task(server)) in states)
    _check_times(given, version)
    _check_tenants(given, detail, admin)
    if "locked" in given and (admin or version >= _LOCKED):
        _boolean(given["locked"])
    return [server for server in servers if all(test(server) for test in tests)]


def _of(test: _Test, text: str, server: ServerRecord) -> bool:
    return test(server, text)


def _check_names(given: Mapping[str, str]) -> None:
    for name in given:
        if name in JOINED or name.startswith("_"):
            raise refusals.BAD_FILTER(name)


def _of_user(
    given: Mapping[str, str], version: Version, admin: bool, ids: Ids
) -> Callable[[ServerRecord], bool]:
    """Return the test of a server's user and project."""
    user_id = given.get("user_id") if admin or version >= _USER_SINCE else None
    every = admin and "all_tenants" in given
    project_id = given.get("project_id", given.get("tenant_id")) if every else None

    def test(server: ServerRecord) -> bool:
        has_user = user_id in (None, server.user_id or ids.user)
        return has_user and project_id in (None, server.project_id or ids.project)

    return test


def _task(server: ServerRecord) -> str | None:
    """The task that makes a status of its own."""
    task = compute_views.task_state(server.status)
    return task if task in _TASKS.values() else None


def _states(
    statuses: list[str], version: Version, admin: bool
) -> set[tuple[str | None, str | None]]:
    known = [status.lower() for status in statuses if status.lower() in _STATUSES]
    if not known and version >= _STRICT_STATUS:
        raise refusals.BAD_SERVER_STATUS()
    if known == ["deleted"] and not admin:
        raise refusals.DELETED_SERVERS()
    return {(_STATUSES[each], _TASKS.get(each)) for each in known}


def _check_times(given: Mapping[str, str], version: Version) -> None:
    since, before = (
        microseconds(given.get(name, "")) for name in ("changes-since", "changes-before")
    )
    if version >= _LATER_CHANGES and since is not None and before is not None and before < since:
        raise refusals.CHANGES_CROSSED()


def _check_tenants(given: Mapping[str, str], detail: bool, admin: bool) -> None:
    text = given.get("all_tenants")
    if text is not None and (text == "" or _boolean(text)) and not admin:
        policy = f"os_compute_api:servers:{'detail' if detail else 'index'}:get_all_tenants"
        raise refusals.FORBIDDEN_BY_COMPUTE(policy)


def _boolean(text: str) -> bool:
    value = truth(text)
    if value is None:
        raise refusals.NO_BOOLEAN_FOR_COMPUTE(text)
    return value


def ordered(
    servers: list[ServerRecord], query: Mapping[str, list[str]], version: Version, admin: bool
) -> list[ServerRecord]:
    """
    Sort servers.

    :raises WireError: 400, 403.
    """
    keys = [key.strip() for key in query.get("sort_key", ["created_at"])]
    directions = [each.strip() for each in query.get("sort_dir", ["desc"])]
    for key in list(keys):
        index = keys.index(key)
        if key in ignored_keys(version):
            del keys[index], directions[index : index + 1]
        elif key in ("host", "node") and not admin:
            raise refusals.NO_ORDER_BY(key)
    if not keys:
        keys, directions = ["created_at"], ["desc"]
    if "uuid" not in keys:
        keys, directions = [*keys, "uuid"], [*directions, "asc"]
    if any(direction not in ("asc", "desc") for direction in directions):
        raise refusals.BAD_DIRECTION_OF_SERVERS()
    if len(directions) > len(keys):
        raise refusals.TOO_MANY_DIRECTIONS()
    directions += directions[:1] * (len(keys) - len(directions))
    result = list(servers)
    for key, direction in reversed(list(zip(keys, directions))):
        result.sort(key=_KEYS.get(key, _constant(0)), reverse=direction == "desc")
    return result


__all__ = ["chosen", "ordered"]

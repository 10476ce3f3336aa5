# -*- test-case-name: tests.embedded.apis.test_volume_lists -*-
"""
The filters of a list of volumes, by microversion.

Below 3.31 Cinder ignores an unknown filter, and one that a later version introduced; from then on
an unknown one is an error, and the known ones are those of its file ``resource_filters.json``.  An
administrator may filter by any column, and finds nothing by anything else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attr

from ...accounts.directory import Directory
from ...accounts.requester import Requester
from ...settings import AVAILABILITY_ZONE
from ...store.records import VolumeFilter
from ...wire import refusals
from ...wire.exchange import Version
from ...wire.times import microseconds
from .queries import PAGE_PARAMETERS, boolean, labels, literal, truth

_TIMES = ("created_at", "updated_at")
#: The filters that users may use.
FILTERS = frozenset(
    [
        *("name", "status", "metadata", "bootable", "migration_status", "availability_zone"),
        *("group_id", "size", "consumes_quota", *_TIMES),
    ]
)
#: The first microversions of filters that earlier ones ignore.
_SINCE: dict[str, Version] = {"group_id": (3, 10), "created_at": (3, 60), "updated_at": (3, 60)}
_STRICT_BOOLEANS, _STRICT, _COUNT = (3, 2), (3, 31), (3, 45)
#: The columns of a volume that have the same value in each.
_CONSTANTS = {
    "availability_zone": AVAILABILITY_ZONE,
    "group_id": None,
    "multiattach": False,
}
_COLUMNS = frozenset(
    [
        *("name", "status", "size", "id", "snapshot_id", "source_volid", "project_id", "user_id"),
        "migration_status",
    ]
)
#: The columns whose filters are not literals.
_TEXTS = frozenset(["name", "project_id", "user_id"])
_NOTHING = VolumeFilter(metadata=None)
_OPERATORS = frozenset(["gt", "gte", "eq", "neq", "lt", "lte"])


def chosen(
    query: Mapping[str, str], version: Version, directory: Directory, requester: Requester
) -> VolumeFilter:
    """
    Parse the filters of a query.

    :param requester: who sees the volumes of one project, or of all, if an administrator asks.
    :raises WireError: 400.
    """
    given = dict(query)
    every = requester.is_admin and boolean(given, "all_tenants")
    if not requester.is_admin or every:
        given.pop("all_tenants", None)
    elif "project_id" in given:
        # It chooses among all projects only.
        del given["project_id"]
    found = _filtered(given, version, requester.is_admin)
    columns = dict(found.columns)
    for column, first in (("project_id", directory.ids.project), ("user_id", directory.ids.user)):
        if column in columns:
            # The store has nothing for the first one.
            columns[column] = None if columns[column] == first else columns[column]
    found = attr.evolve(found, columns=columns)
    return found if every else found.of_project(requester.owner.project_id)


def _filtered(query: Mapping[str, str], version: Version, admin: bool) -> VolumeFilter:
    """
    :param admin: whether the user is an administrator.
    :raises WireError: 400.
    """
    no_filters = PAGE_PARAMETERS | ({"with_count"} if version >= _COUNT else set())
    given = {name: text for name, text in query.items() if name not in no_filters}
    unknown = [name for name in given if name not in FILTERS]
    if version < _STRICT:
        late = [name for name, since in _SINCE.items() if version < since]
        ignored = late if admin else late + unknown
        given = {name: text for name, text in given.items() if name not in ignored}
        if "consumes_quota" in given:
            # It has another name in the database, which later versions use.
            return _NOTHING
    elif unknown and not admin:
        raise refusals.UNKNOWN_FILTER(",".join(unknown))
    return _by(given, version)


def _by(given: Mapping[str, str], version: Version) -> VolumeFilter:
    columns: dict[str, Any] = {}
    times: list[tuple[str, tuple[tuple[str, int], ...]]] = []
    nothing = False
    for name, text in given.items():
        if name in ("bootable", "multiattach"):
            columns[name] = _boolean(name, text, version)
        elif name == "consumes_quota":
            columns[name] = boolean({"use_quota": text}, "use_quota")
        elif name in _TIMES:
            times.append((name, _comparisons(text)))
        elif name != "metadata":
            columns[name] = text if name in _TEXTS else literal(text)
    for name in set(columns) & set(_CONSTANTS):
        nothing |= not _matches(_CONSTANTS[name], columns.pop(name))
    nothing |= bool(set(columns) - _COLUMNS - {"bootable", "consumes_quota"})
    nothing |= not all(map(_storable, columns.values()))
    metadata = labels(given.get("metadata", "{}"))
    return _NOTHING if nothing else VolumeFilter(columns, metadata, tuple(times))


def _boolean(name: str, text: str, version: Version) -> bool:
    value = truth(text)
    if version < _STRICT_BOOLEANS:
        return text not in ("", "False", "false", "FALSE")
    if value is None:
        raise refusals.BAD_BOOLEAN(name, text)
    return value


def _comparisons(text: str) -> tuple[tuple[str, int], ...]:
    """
    :return: operators and microseconds since the epoch, of which Cinder takes one to be enough.
    """
    found: dict[str, int] = {}
    for each in text.split(","):
        operator, separator, time = each.partition(":")
        if operator not in _OPERATORS:
            raise refusals.BAD_COMPARISON(operator, "operator")
        instant = microseconds(time if separator else operator)
        if instant is None:
            raise refusals.BAD_COMPARISON(time, "value")
        # Of an operator's comparisons, Cinder makes the last one.
        found[operator] = instant
    return tuple(found.items())


def _matches(constant: object, wanted: object) -> bool:
    return constant in wanted if isinstance(wanted, (list, tuple, set)) else constant == wanted


def _storable(value: object) -> bool:
    """Check for a value, or a list of values, that a column can have."""
    if isinstance(value, (list, tuple, set)):
        return all(not isinstance(each, (list, tuple, set)) and _storable(each) for each in value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None or isinstance(value, str) or _is_finite(value)


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


__all__ = ["FILTERS", "chosen"]

# -*- test-case-name: tests.contract.test_embedded -*-
"""
The filters of Block Storage v3's list of volume types, and the extra specs that a user sees.

Administrators' filters work in every version.  Other users have one, for the extra specs that they
see, from 3.52 on; before that, theirs have no effect.  The refusals have Cinder 29's status codes
and messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ....store.projects.types import TypeRecord
from ....store.store import Store
from ....wire import account_refusals, refusals
from ....wire.exchange import APIRequest
from ...visible import sees_type
from ..queries import PAGE_PARAMETERS, finds_nothing, literal, publicity

#: The filters that are announced.
FILTERS = ("is_public", "extra_specs")
#: The first version in which other users than administrators have filters.
_FILTERED = (3, 52)
#: The extra specs that all users see.
_VISIBLE = frozenset(["RESKEY:availability_zones", "multiattach", "replication_enabled"])
_MEMBERS: dict[str, Callable[[TypeRecord], str | None]] = {
    "id": lambda each: each.type_id,
    "name": lambda each: each.name,
    "description": lambda each: each.description,
    "qos_specs_id": lambda each: each.qos_id,
}


def visible_specs(call: APIRequest, found: TypeRecord) -> dict[str, str | None]:
    """:return: the extra specs that the user sees."""
    return {
        key: value
        for key, value in found.extra_specs.items()
        if call.requester.is_admin or key in _VISIBLE
    }


def chosen(call: APIRequest, store: Store, query: Mapping[str, str]) -> list[TypeRecord]:
    """
    :return: the types that the user sees and that the filters choose, the newest first.
    :raises WireError: 400; 500, the extra specs are malformed.
    """
    filters = {name: text for name, text in query.items() if name not in PAGE_PARAMETERS}
    if call.requester.is_admin:
        public = publicity(filters.pop("is_public", "true"), account_refusals.BAD_PUBLICITY)
        found = [each for each in store.types.every() if public in (None, each.is_public)]
        specs = _specs(filters)
        # An unknown filter chooses nothing.
        found = [each for each in found if all(_has(each, *wanted) for wanted in filters.items())]
    else:
        found = [each for each in store.types.every() if sees_type(call, store, each)]
        if call.version < _FILTERED:
            return found
        unknown = [name for name in filters if name not in (*FILTERS, "all_tenants")]
        finds_nothing(call, unknown, _FILTERED)
        specs = _specs(filters)
    return [each for each in found if specs.items() <= visible_specs(call, each).items()]


def _specs(filters: dict[str, str]) -> dict[Any, Any]:
    """
    Take the wanted extra specs out of filters.

    :raises WireError: 500, as Cinder does for anything but a literal of a dict with entries.
    """
    if "extra_specs" not in filters:
        return {}
    wanted = literal(filters.pop("extra_specs"))
    if not isinstance(wanted, dict) or not wanted:
        raise refusals.VOLUME_FAULT()
    return wanted


def _has(found: TypeRecord, name: str, text: str) -> bool:
    return name in _MEMBERS and _MEMBERS[name](found) == text

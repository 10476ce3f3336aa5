# -*- test-case-name: tests.embedded.apis.test_volumes -*-
"""
The parameters of queries that several resources have: booleans, labels to filter by, and orders.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Callable, TypeVar

from ...wire import refusals
from ...wire.exchange import APIRequest, Version
from ...wire.pagination import Page
from ...wire.refusal import Refusal

T = TypeVar("T")

#: The parameters of a list's page and order, which are not filters.
PAGE_PARAMETERS = frozenset(["limit", "marker", "offset", "sort", "sort_key", "sort_dir"])

_TRUE = frozenset(["1", "t", "true", "on", "y", "yes"])
_FALSE = frozenset(["0", "f", "false", "off", "n", "no"])
_DIRECTIONS = frozenset(["asc", "desc"])


def boolean(query: Mapping[str, str], name: str) -> bool:
    """
    :return: a parameter's value; ``False`` when it is missing.
    :raises WireError: 400.
    """
    text = query.get(name, "false")
    value = truth(text)
    if value is None:
        raise refusals.NO_BOOLEAN(text, name)
    return value


def truth(text: str) -> bool | None:
    """:return: the value of a text, or ``None`` for anything but a boolean."""
    value = text.strip().lower()
    return value in _TRUE if value in _TRUE | _FALSE else None


def publicity(text: str, refusal: Refusal) -> bool | None:
    """
    :return: whether public types or flavors are wanted, or private ones; ``None`` for all.
    :raises WireError: 400, the refusal, with the text.
    """
    if text.lower() == "none":
        return None
    wanted = truth(text)
    if wanted is None:
        raise refusal(text)
    return wanted


def filter_names(
    call: APIRequest, query: Mapping[str, str], others: Collection[str] = ()
) -> list[str]:
    """
    :param others: more parameters that are not filters, besides those of pages and orders.
    :return: the names of a query's filters.
    """
    # Clients send all_tenants for any user.  An administrator's project chooses among all projects
    # only, and is not a filter.
    own = {"all_tenants", *(["project_id"] if call.requester.is_admin else [])}
    return [name for name in query if name not in PAGE_PARAMETERS | own | set(others)]


def finds_nothing(call: APIRequest, unknown: Collection[str], since: Version) -> bool:
    """
    Check for filters that a list does not have.

    An administrator may filter by any column, and finds nothing by anything else.  Those of other
    users have no effect in old microversions, and are refused in newer ones.

    :param unknown: the names of the filters.
    :param since: the first microversion that refuses them.
    :return: whether the list is empty because of them.
    :raises WireError: 400.
    """
    if unknown and not call.requester.is_admin and call.version >= since:
        raise refusals.UNKNOWN_FILTER(",".join(unknown))
    return bool(unknown) and call.requester.is_admin


def literal(text: str) -> Any:
    """
    Parse a filter's value, which Cinder reads as a Python literal, and otherwise as the text.

    :raises WireError: 400, for a lone surrogate, which no database holds.
    """
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    _check_texts(value)
    return value


def _check_texts(value: object) -> None:
    if isinstance(value, dict):
        value = [each for pair in value.items() for each in pair]
    if isinstance(value, (list, tuple, set)):
        for each in value:
            _check_texts(each)
    elif isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise refusals.INCORRECT() from None


def labels(text: str) -> dict[str, str] | None:
    """
    Parse the labels of a filter, which Cinder reads as a Python literal; ``None`` for anything
    else.

    :raises WireError: 400, for a lone surrogate, which no database holds.
    """
    value = literal(text)
    if not isinstance(value, dict):
        return None
    texts = all(isinstance(item, str) for pair in value.items() for item in pair)
    return value if texts else None


def order(query: Mapping[str, str], keys: Collection[str]) -> list[tuple[str, bool]]:
    """
    Parse the order of a list, in which ``created_at`` and then ``id`` decide between equals.

    :param keys: the known ones.
    :return: each key, and whether its greatest value comes first.
    :raises WireError: 400.
    """
    if "sort" in query and ("sort_key" in query or "sort_dir" in query):
        raise refusals.SORT_TWICE()
    if "sort" in query:
        pairs = [each.partition(":")[::2] for each in query["sort"].strip().split(",")]
    else:
        pairs = [(query.get("sort_key", "created_at"), query.get("sort_dir", "desc"))]
    found = [(key.strip(), direction.strip() or "desc") for key, direction in pairs]
    if any(direction not in _DIRECTIONS for _, direction in found):
        raise refusals.BAD_SORT_DIRECTION()
    named = [key for key, _ in found]
    found += [(key, found[0][1]) for key in ("created_at", "id") if key not in named]
    if any(key not in keys for key in named):
        raise refusals.BAD_SORT_KEY()
    return [(key, direction == "desc") for key, direction in found]


def ordered_page(
    found: Sequence[T],
    marker: T | None,
    page: Page,
    by: Sequence[tuple[str, bool]],
    keys: Mapping[str, Callable[[T], Any]],
) -> list[T]:
    """
    Sort a list, and cut the page out that follows its marker.

    :param marker: the object of the page's marker, if any; it need not be in the list.
    :param by: of :func:`order`.
    :param keys: return the values to compare.
    """
    listed = [each for each in found if each != marker] + ([] if marker is None else [marker])
    for key, descending in reversed(by):
        listed.sort(key=keys[key], reverse=descending)
    begin = 0 if marker is None else listed.index(marker) + 1
    return listed[begin:][page.offset : page.offset + page.limit]

# -*- test-case-name: tests.embedded.wire.test_pagination -*-
"""
``limit``, ``marker``, ``offset``, and the link to the next page.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import attr

from . import refusals

_MAX_OFFSET = 2**31 - 1


@attr.s(frozen=True, auto_attribs=True)
class Page:
    """
    The requested part of a list.

    :ivar limit: the maximum number of entries.
    :ivar marker: the id of the entry before the first; ``None``: from the start.
    :ivar offset: the number of entries to skip.
    """

    limit: int
    marker: str | None
    offset: int


def volume_page(query: Mapping[str, str], maximum: int) -> Page:
    """
    Parse a query by Cinder's rules.

    :param maximum: the page size of the service.
    :raises WireError: 400.
    """
    limit, offset = query.get("limit", str(maximum)), query.get("offset", "0")
    if not limit.lstrip("-").isdecimal():
        raise refusals.LIMIT_IS_NO_NUMBER()
    if limit.startswith("-"):
        raise refusals.LIMIT_IS_NEGATIVE()
    return Page(min(_capped(limit), maximum), query.get("marker"), _volume_offset(offset))


def _volume_offset(text: str) -> int:
    if not text.lstrip("-").isdecimal():
        raise refusals.OFFSET_IS_NO_NUMBER()
    if text.startswith("-"):
        raise refusals.OFFSET_IS_NEGATIVE()
    if _capped(text) > _MAX_OFFSET:
        raise refusals.OFFSET_TOO_GREAT()
    return _capped(text)


def server_page(query: Mapping[str, str], maximum: int) -> Page:
    """
    Parse a query by Nova's rules.

    :param maximum: the page size of the service.
    :raises WireError: 400.
    """
    # Only the attachments have an offset.
    limit = _number(query, "limit")
    return Page(maximum if limit is None else min(limit, maximum), query.get("marker") or None, 0)


def attachment_page(query: Mapping[str, str], maximum: int) -> Page:
    """
    Parse a query by Nova's rules for a server's attachments, which have no markers.

    :raises WireError: 400.
    """
    limit, offset = _number(query, "limit"), _number(query, "offset")
    return Page(min(limit or maximum, maximum), None, offset or 0)


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if text == "":
        raise refusals.QUERY_IS_EMPTY(name, text, text)
    if not text.isdecimal():
        raise refusals.QUERY_IS_NO_NUMBER(name, text, text)
    return _capped(text)


def _capped(text: str) -> int:
    # SQLite's integers have 64 bits, and int() refuses some thousand digits.
    return int(text[:18])


def next_links(
    name: str,
    url: str,
    query: Mapping[str, str],
    page: Page,
    ids: list[str],
    count: int | None = None,
) -> dict[str, list[dict[str, str]]]:
    """
    :param name: the collection's, e.g. ``volumes``.
    :param url: the list's own, without its query.
    :param ids: of the entries on this page.
    :param count: the number of entries on all pages, if the response has it; like Cinder, it then
        decides instead of the number on this page.
    :return: the members to add to the response: none when the page is not full.
    """
    if not ids or (count or len(ids)) < page.limit:
        return {}
    parameters = {key: value for key, value in query.items() if key != "marker"}
    parameters["marker"] = ids[-1]
    href = f"{url}?{urlencode(parameters)}"
    return {name + "_links": [{"rel": "next", "href": href}]}

# -*- test-case-name: tests.server.test_pagination -*-
"""
``limit``, ``marker``, ``offset``, and the link to the next page.
"""

from __future__ import annotations

from typing import Dict, List, Mapping
from urllib.parse import urlencode

import attr

from .versions import COMPUTE, VOLUME


@attr.s(frozen=True, auto_attribs=True)
class Page:
    """
    Which part of a list is asked for.

    :ivar limit: how many entries at most.
    :ivar marker: the id of the entry before the first; empty: from the start.
    :ivar offset: how many entries to leave out.
    """

    limit: int
    marker: str
    offset: int


def volume_page(query: Mapping[str, str], maximum: int) -> Page:
    """
    As Cinder reads it.

    :param maximum: the page size of the service.
    :raises WireError: 400.
    """
    numbers = {}
    for name, default in (("limit", str(maximum)), ("offset", "0")):
        text = query.get(name, default)
        if not text.lstrip("-").isdecimal():
            raise VOLUME.error(400, "{} param must be an integer".format(name))
        if text.startswith("-"):
            raise VOLUME.error(400, "{} param must be positive".format(name))
        numbers[name] = _capped(text)
    return Page(min(numbers["limit"], maximum), query.get("marker", ""), numbers["offset"])


def server_page(query: Mapping[str, str], maximum: int) -> Page:
    """
    As Nova reads it.

    :param maximum: the page size of the service.
    :raises WireError: 400.
    """
    numbers = {}
    for name, default in (("limit", ""), ("offset", "")):
        text = query.get(name, default)
        if text and not text.isdecimal():
            raise COMPUTE.error(
                400,
                "Invalid input for query parameters {}. Value: {}. "
                "'{}' does not match '^[0-9]*$'".format(name, text, text),
            )
        numbers[name] = _capped(text) if text else None
    limit = maximum if numbers["limit"] is None else min(numbers["limit"], maximum)
    return Page(limit, query.get("marker", ""), numbers["offset"] or 0)


def _capped(text: str) -> int:
    # SQLite's integers have 64 bits, and int() refuses some thousand digits.
    return int(text[:18])


def next_links(
    name: str, url: str, query: Mapping[str, str], page: Page, ids: List[str]
) -> Dict[str, List[Dict[str, str]]]:
    """
    :param name: the collection's, e.g. ``volumes``.
    :param url: the list's own, without its query.
    :param ids: of the entries on this page.
    :return: what to add to the answer: nothing when the page is not full.
    """
    if not ids or len(ids) < page.limit:
        return {}
    parameters = {key: value for key, value in query.items() if key != "marker"}
    parameters["marker"] = ids[-1]
    href = "{}?{}".format(url, urlencode(parameters))
    return {name + "_links": [{"rel": "next", "href": href}]}

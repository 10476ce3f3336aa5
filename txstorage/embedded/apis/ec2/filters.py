# -*- test-case-name: tests.embedded.ec2.test_volumes -*-
"""
Filters and pages of describes.

A filter's values are alternatives; all filters must match.  ``*`` and ``?`` in a value stand for
any characters, and a backslash takes their meaning away.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TypeVar

import attr

from .protocol import errors
from .protocol.query import QueryFilter, QueryParameters

T = TypeVar("T")
#: Returns a resource's values of a filter, as EC2 writes them.
Values = Callable[[T], Iterable[str]]

_TAG = "tag:"
_TAG_KEY = "tag-key"
_WILD = re.compile(r"[*?\\]")
_FEWEST, _MOST = 5, 1000


def _pattern(value: str) -> re.Pattern[str]:
    parts = []
    for escaped, char in re.findall(r"\\(.)|(.)", value, re.DOTALL):
        wild = {"*": ".*", "?": "."}.get(char)
        parts.append(wild or re.escape(escaped or char))
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


@attr.s(frozen=True, auto_attribs=True)
class ResourceFilters:
    """
    The filters of one request.

    :ivar filters: with values that are patterns.
    """

    filters: tuple[QueryFilter, ...]

    def labels(self) -> dict[str, str]:
        """:return: the tags that a resource must have, for a search by an index."""
        return {
            each.name[len(_TAG) :]: each.values[0]
            for each in self.filters
            if each.name.startswith(_TAG)
            and len(each.values) == 1
            and not _WILD.search(each.values[0])
        }

    def check(self, known: Mapping[str, Values[T]], tagged: bool = True) -> None:
        """
        :param tagged: whether the resources have tags.
        :raises QueryRefusal: a filter is unknown.
        """
        for each in self.filters:
            is_tag = tagged and (each.name.startswith(_TAG) or each.name == _TAG_KEY)
            if not is_tag and each.name not in known:
                raise errors.BAD_FILTER(each.name)

    def match(
        self,
        resources: Iterable[T],
        known: Mapping[str, Values[T]],
        tags: Callable[[T], Mapping[str, str]] = lambda _: {},
    ) -> list[T]:
        """
        Choose resources.

        :param known: functions by the filters' names.
        :param tags: returns a resource's tags.
        """
        conditions = []
        for each in self.filters:
            patterns = [_pattern(value) for value in each.values]
            if each.name in known:
                conditions.append((known[each.name], patterns))
            elif each.name == _TAG_KEY:
                conditions.append((tags, patterns))
            else:
                conditions.append((_value_of(each.name[len(_TAG) :], tags), patterns))
        return [
            resource
            for resource in resources
            if all(
                any(pattern.match(value) for value in values(resource) for pattern in patterns)
                for values, patterns in conditions
            )
        ]


def _value_of(key: str, tags: Callable[[T], Mapping[str, str]]) -> Values[T]:
    def values(resource: T) -> Iterable[str]:
        found = tags(resource)
        return [found[key]] if key in found else []

    return values


@attr.s(frozen=True, auto_attribs=True)
class ResultPage:
    """
    A page of a describe.

    :ivar limit: the maximum number of its entries.
    :ivar before: only entries with a smaller number.
    """

    limit: int
    before: int | None
    _digest: str

    @classmethod
    def of(cls, parameters: QueryParameters, ids: Sequence[str], size: int) -> ResultPage:
        """
        Parse ``MaxResults`` and ``NextToken``.

        :param ids: those that the request names, which can't be combined with a page.
        :param size: the maximum number of entries of any page.
        :raises QueryRefusal: the parameters are invalid.
        """
        limit = parameters.number("MaxResults")
        if limit is not None and ids:
            raise errors.COMBINATION("maxResults", "ids")
        if limit is not None and limit < _FEWEST:
            raise errors.BAD_VALUE(
                limit, "maxResults", f"Expecting a value greater than or equal to {_FEWEST}."
            )
        digest = _digest(parameters)
        token = parameters.text("NextToken")
        before = None if token is None else _before(token, digest)
        return cls(min(limit or size, size, _MOST), before, digest)

    def cut(self, entries: Sequence[T], number: Callable[[T], int]) -> tuple[list[T], str | None]:
        """
        :param entries: the largest number first.
        :return: the page, and the token of the next one.
        """
        rest = [each for each in entries if self.before is None or number(each) < self.before]
        page = rest[: self.limit]
        return page, self.token(number(page[-1])) if len(rest) > len(page) else None

    def token(self, number: int) -> str:
        """:return: the token of the page after the entry with a number."""
        return urlsafe_b64encode(json.dumps([number, self._digest]).encode("ascii")).decode("ascii")


def _digest(parameters: QueryParameters) -> str:
    """:return: a text that changes with the request's filters."""
    filters = sorted(item for item in parameters.values.items() if item[0].startswith("Filter."))
    return sha256(json.dumps(filters).encode("ascii")).hexdigest()[:16]


def _before(token: str, digest: str) -> int:
    try:
        number, of = json.loads(urlsafe_b64decode(token.encode("ascii")))
        if of == digest and type(number) is int and abs(number) < 2**63:
            return number
    except (ValueError, TypeError):
        pass
    raise errors.BAD_PAGE()

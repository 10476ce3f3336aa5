# -*- test-case-name: tests.embedded.ec2.test_query -*-
"""
The parameters of a request to the Query API, e.g. ``Filter.1.Value.2=available``.

Members of a list are numbered from 1; the numbers order them and may have gaps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

import attr

from . import errors
from .documents import NOT_IN_XML

_TRUTH = {"true": True, "1": True, "false": False, "0": False}
#: More parameters than any request needs.
_MANY = 4000
MAX_TAGS = 50
_KEY_LENGTH, _VALUE_LENGTH = 128, 256


def _first(name: str) -> str:
    """Return a parameter's name as EC2's errors write it."""
    return name[:1].lower() + name[1:]


@attr.s(frozen=True, auto_attribs=True)
class QueryFilter:
    """
    A filter of a describe: a resource must have one of the values.

    :ivar values: patterns with ``*`` and ``?``.
    """

    name: str
    values: tuple[str, ...]


@attr.s(frozen=True, auto_attribs=True)
class QueryParameters:
    """
    The parameters of one request.

    :ivar values: by their names in the request.
    """

    values: Mapping[str, str]

    @classmethod
    def parse(cls, text: bytes) -> QueryParameters:
        """
        Parse a form.

        :raises QueryRefusal: it is malformed.
        """
        try:
            pairs = parse_qsl(
                text.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MANY
            )
        except ValueError:
            raise errors.INVALID("The request is not a form in UTF-8") from None
        for name, value in pairs:
            if NOT_IN_XML.search(name + value):
                raise errors.INVALID("The request has a character that XML can't carry")
        return cls(dict(pairs))

    # -- one value -------------------------------------------------------------

    def text(self, name: str) -> str | None:
        """:return: a parameter; ``None`` when it is missing or empty."""
        return self.values.get(name) or None

    def required(self, name: str) -> str:
        """
        :raises QueryRefusal: the parameter is missing.
        """
        found = self.text(name)
        if found is None:
            raise errors.MISSING(_first(name))
        return found

    def number(self, name: str) -> int | None:
        """
        :raises QueryRefusal: the parameter is not a whole number.
        """
        found = self.text(name)
        if found is None:
            return None
        if re.match(r"-?[0-9]{1,10}\Z", found) is None:
            raise errors.BAD_VALUE(found, _first(name), "It must be an integer.")
        return int(found)

    def truth(self, name: str) -> bool:
        """
        :return: a parameter; ``False`` when it is missing.
        :raises QueryRefusal: the parameter is neither true nor false.
        """
        found = self.text(name)
        if found is None:
            return False
        if found.lower() not in _TRUTH:
            raise errors.BAD_VALUE(found, _first(name), "It must be true or false.")
        return _TRUTH[found.lower()]

    # -- lists -----------------------------------------------------------------

    def list(self, name: str) -> tuple[str, ...]:
        """:return: the values of a list, each one once."""
        return tuple(dict.fromkeys(each.values[""] for each in self._members(name)))

    def _members(self, name: str) -> Iterator[QueryParameters]:
        """Yield the members of a list, each with the rest of its parameters' names."""
        pattern = re.compile(re.escape(name) + r"\.([0-9]{1,9})(?:\.(.*))?\Z", re.DOTALL)
        found: dict[int, dict[str, str]] = {}
        for key, value in self.values.items():
            matched = pattern.match(key)
            if matched is not None:
                member = found.setdefault(int(matched[1]), {})
                member[matched[2] or ""] = value
        for _, member in sorted(found.items()):
            yield QueryParameters({"": "", **member})

    def filters(self) -> tuple[QueryFilter, ...]:
        """
        :raises QueryRefusal: a filter has no name or no value.
        """
        return tuple(
            QueryFilter(each.required("Name"), each.list("Value"))
            for each in self._members("Filter")
        )

    def tags(self, name: str = "Tag") -> dict[str, str]:
        """
        :return: the tags of a list, by their keys.
        :raises QueryRefusal: EC2 would not accept a tag.
        """
        found: dict[str, str] = {}
        for each in self._members(name):
            key, value = each.values.get("Key"), each.values.get("Value", "")
            if not key:
                raise errors.INVALID("Tag key cannot be empty")
            if key in found:
                raise errors.INVALID(f"Duplicate tag key '{key}' specified.")
            if key.startswith("aws:"):
                raise errors.INVALID("Tag keys starting with 'aws:' are reserved for internal use")
            if len(key) > _KEY_LENGTH:
                raise errors.INVALID(f"Tag key exceeds the maximum length of {_KEY_LENGTH}")
            if len(value) > _VALUE_LENGTH:
                raise errors.INVALID(f"Tag value exceeds the maximum length of {_VALUE_LENGTH}")
            found[key] = value
        return found

    def keys(self, name: str = "Tag") -> dict[str, str | None]:
        """:return: the tags of a delete: a value, or ``None`` for any, by their keys."""
        return {each.required("Key"): each.values.get("Value") for each in self._members(name)}

    def tag_specification(self, resource: str) -> dict[str, str]:
        """
        :param resource: the kind of resource that the request creates.
        :return: the tags of the resource.
        :raises QueryRefusal: EC2 would not accept them.
        """
        found: dict[str, str] = {}
        for each in self._members("TagSpecification"):
            kind = each.required("ResourceType")
            if kind != resource:
                raise errors.INVALID(
                    f"'{kind}' is not a valid taggable resource type for this operation."
                )
            found.update(each.tags())
        check_count(found)
        return found


def check_count(tags: Mapping[str, str]) -> None:
    """
    :raises QueryRefusal: these are too many tags for a resource.
    """
    if len(tags) > MAX_TAGS:
        raise errors.TOO_MANY_TAGS(MAX_TAGS)

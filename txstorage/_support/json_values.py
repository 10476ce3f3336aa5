# -*- test-case-name: tests._support.test_json_values -*-
"""
Members of decoded JSON, of which nothing is certain: any value may stand in any place.
"""

from __future__ import absolute_import, division, print_function

import re

from .compat import integer_types, text_type
from .notations.uuids import is_uuid_like

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Optional, Text  # noqa: F401

#: Characters of an id or a status; OpenStack's have 255 at most.
MAX_ID = 255

_NOT_PRINTABLE = re.compile(u"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff]")


class Malformed(ValueError):
    """
    A value has another form than the API's reference gives.

    :ivar text problem: names the member, and the form that it lacks.
    """

    def __init__(self, problem):
        # type: (Text) -> None
        ValueError.__init__(self, problem)
        self.problem = problem


def member(wire, name):
    # type: (Any, Text) -> Any
    """
    :param wire: a decoded JSON value.
    :param text name: a member's name.
    :return: the member's value; ``None`` when ``wire`` is not an object, or has no such member.
    """
    return wire.get(name) if isinstance(wire, dict) else None


def text_member(wire, name):
    # type: (Any, Text) -> Text
    """
    :return: the member's text; empty when it is anything else, so only for optional members.
    """
    value = member(wire, name)
    return value if isinstance(value, text_type) else u""


def identifier(wire, name):
    # type: (Any, Text) -> Text
    """
    :return: the member's text: an id, a status, or another short word.
    :raises Malformed: it is not a text, is empty or too long, or has spaces or control characters.
    """
    value = member(wire, name)
    if value is None:
        raise Malformed(u"its {} is missing".format(name))
    if not isinstance(value, text_type) or not value:
        raise Malformed(u"its {} is not a text".format(name))
    if len(value) > MAX_ID or _NOT_PRINTABLE.search(value):
        raise Malformed(
            u"its {} is not a word of up to {} characters".format(name, MAX_ID)
        )
    return value


def whole_number(wire, name, maximum):
    # type: (Any, Text, int) -> Optional[int]
    """
    :param int maximum: the greatest acceptable number.
    :return: the member's number, from 0 to the maximum; ``None`` for anything else.
    """
    value = member(wire, name)
    if not isinstance(value, integer_types) or isinstance(value, bool):
        return None
    return value if 0 <= value <= maximum else None


def object_member(wire, name):
    # type: (Any, Text) -> Dict[Text, Any]
    """
    :return: the member's object; an empty one when it is anything else.
    """
    value = member(wire, name)
    return value if isinstance(value, dict) else {}


def objects_in(value):
    # type: (Any) -> List[Dict[Text, Any]]
    """
    :return: the objects in a list; empty when the value is not a list.
    """
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def at_most(values, maximum, things):
    # type: (List[Any], int, Text) -> List[Any]
    """
    :param list values: any.
    :param int maximum: their greatest acceptable number.
    :param text things: the name of the values.
    :return: the values.
    :raises Malformed: there are more.
    """
    if len(values) > maximum:
        raise Malformed(u"it has more than {} {}".format(maximum, things))
    return values


def same_id(one, other):
    # type: (Text, Text) -> bool
    """
    Compare two ids.  The services compare UUIDs without regard to case and hyphens.

    :param text one: an id.
    :param text other: an id.
    """
    if one == other:
        return True
    if is_uuid_like(one) and is_uuid_like(other):
        return _canonical(one) == _canonical(other)
    return False


def _canonical(uuid):
    # type: (Text) -> Text
    return uuid.replace(u"-", u"").lower()


__all__ = [
    "MAX_ID",
    "Malformed",
    "at_most",
    "identifier",
    "member",
    "object_member",
    "objects_in",
    "same_id",
    "text_member",
    "whole_number",
]

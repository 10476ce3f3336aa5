"""The shape of a body: all its members, and the type of each."""

from __future__ import annotations

import re
from typing import Any


class Text:
    """A text that a pattern matches as a whole."""

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)

    def __repr__(self) -> str:
        return f"Text({self._pattern.pattern!r})"

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) and self._pattern.fullmatch(value) is not None


class Is:
    """One value."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"Is({self._value!r})"

    def fits(self, value: Any) -> bool:
        return type(value) is type(self._value) and bool(value == self._value)


class Having:
    """An object with at least these members; others depend on the installation."""

    def __init__(self, **members: Any) -> None:
        self.members = members


UUID = Text("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HEX = Text("[0-9a-f]{32}")
URL = Text("https?://[^ ]+")
#: Cinder's time, which is UTC without a zone; and Nova's.
INSTANT = Text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}")
INSTANT_Z = Text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
INSTANT_6Z = Text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
REQUEST_ID = Text("req-" + "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NULL = Is(None)
LINKS = [{"rel": Is("self"), "href": URL}, {"rel": Is("bookmark"), "href": URL}]


def differences(value: Any, shape: Any, place: str = "it") -> list[str]:
    """
    Compare a value with a shape.

    :param shape: a type; a tuple of alternative shapes; an object with the shapes of all its
        members; a list of the shapes of all its elements; a list with one shape and ``...``, for
        any number; or one of this module's.
    :return: the differences, for people.
    """
    if isinstance(shape, tuple):
        fits = any(not differences(value, each) for each in shape)
    elif isinstance(shape, dict) or isinstance(shape, Having):
        return _object_differences(value, shape, place)
    elif isinstance(shape, list):
        return _list_differences(value, shape, place)
    elif isinstance(shape, type):
        fits = type(value) is shape
    else:
        fits = shape.fits(value)
    return [] if fits else [f"{place} is {value!r}, not {shape!r}"]


def _object_differences(value: Any, shape: Any, place: str) -> list[str]:
    members = shape.members if isinstance(shape, Having) else shape
    if not isinstance(value, dict):
        return [f"{place} is {value!r}, not an object"]
    found = [f"{place} has no {name!r}" for name in sorted(set(members) - set(value))]
    if not isinstance(shape, Having):
        more = sorted(set(value) - set(members))
        found += [f"{place} has {name!r}, which is unexpected" for name in more]
    for name in sorted(set(members) & set(value)):
        found += differences(value[name], members[name], f"{place}.{name}")
    return found


def _list_differences(value: Any, shape: list[Any], place: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{place} is {value!r}, not a list"]
    if shape[1:] == [...]:
        pairs: list[tuple[Any, Any]] = [(each, shape[0]) for each in value]
    elif len(value) != len(shape):
        return [f"{place} has {len(value)} entries, not {len(shape)}"]
    else:
        pairs = list(zip(value, shape))
    found: list[str] = []
    for index, (each, wanted) in enumerate(pairs):
        found += differences(each, wanted, f"{place}[{index}]")
    return found

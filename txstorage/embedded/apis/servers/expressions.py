# -*- test-case-name: tests.embedded.apis.test_expressions -*-
"""
Regular expressions from requests, matched in a time that is linear in the text.

Python's own matcher tries alternatives one after the other, and a few characters of a request can
keep it busy for years.  Here, all alternatives are followed together.  What needs the other way,
such as a reference to a group, is refused, and so is an expression that is too long.

No library does this everywhere: ``regex``, which has a timeout, takes all memory for nested counts,
and ``google-re2`` has no wheels for some platforms.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Callable, Union

#: States of a program, of which each character of a text is compared with all at most.
_STATES = 128
#: Steps that are kept for later characters and texts.
_KEPT = 4096
_CLASSES = frozenset("dDsSwW")
_COUNT = re.compile(r"\{(\d{0,4})(,?)(\d{0,4})\}")

_Test = Callable[[str], bool]
#: A state: a test of one character, a condition on the place, or the next states.
_State = Union[_Test, str, tuple[int, ...]]
_Set = frozenset[int]
#: What makes the states of a part of an expression: from the next state to the first one.
_Part = Callable[[int], int]
_BEGIN, _END, _FOUND = "begin", "end", "found"


class UnsuitableExpression(ValueError):
    """An expression is invalid, too long, or takes another way of matching."""


def _tester(text: str) -> _Test:
    """The test of one character by an expression for one."""
    matches = re.compile(text, re.DOTALL if text != "." else 0).fullmatch
    return lambda character: matches(character) is not None


class Expression:
    """
    A regular expression.

    :param text: its source.
    :raises UnsuitableExpression: it can't be used.
    """

    def __init__(self, text: str) -> None:
        try:
            re.compile(text)
        except (re.error, RecursionError, OverflowError) as error:
            raise UnsuitableExpression(str(error)) from error
        if len(text) > 2 * _STATES:
            raise UnsuitableExpression("it is too long")
        self._text, self._at = text, 0
        self._states: list[_State] = [_FOUND]
        self._next: list[int] = [0]
        try:
            self._first = self._alternatives()(0)
        except RecursionError as error:
            raise UnsuitableExpression("it is too deep") from error
        if self._at < len(text):
            raise UnsuitableExpression("it is unsuitable")
        self._steps: dict[tuple[_Set, str], _Set] = {}

    # -- matching ----------------------------------------------------------------

    def finds(self, text: str) -> bool:
        """Check whether a part of a text matches."""
        present = self._closure([self._first], begin=True, end=not text)
        for index, character in enumerate(text):
            if 0 in present:
                return True
            present = self._step(present, character)
            if index == len(text) - 1:
                present = self._closure([*present, self._first], begin=False, end=True)
        return 0 in present

    def _step(self, present: _Set, character: str) -> _Set:
        known = self._steps.get((present, character))
        if known is not None:
            return known
        following = [self._first]
        for each in present:
            state = self._states[each]
            if callable(state) and state(character):
                following.append(self._next[each])
        # The conditions for the end stay, to be looked at there.
        found = self._closure(following, begin=False, end=False)
        if len(self._steps) < _KEPT:
            self._steps[present, character] = found
        return found

    def _closure(self, states: list[int], begin: bool, end: bool) -> _Set:
        """Add the states that follow without a character."""
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            each = waiting.pop()
            if each in found:
                continue
            found.add(each)
            state = self._states[each]
            if isinstance(state, tuple):
                waiting += state
            elif (state == _BEGIN and begin) or (state == _END and end):
                waiting.append(self._next[each])
        return frozenset(found)

    # -- reading -----------------------------------------------------------------

    def _add(self, state: _State, following: int = 0) -> int:
        if len(self._states) >= _STATES:
            raise UnsuitableExpression("it is too long")
        self._states.append(state)
        self._next.append(following)
        return len(self._states) - 1

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _alternatives(self) -> _Part:
        parts = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            parts.append(self._sequence())
        if len(parts) == 1:
            return parts[0]
        return lambda following: self._add(tuple(part(following) for part in parts))

    def _sequence(self) -> _Part:
        parts: list[_Part] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))

        def make(following: int) -> int:
            for part in reversed(parts):
                following = part(following)
            return following

        return make

    def _atom(self) -> _Part:
        character = self._peek()
        self._at += 1
        if character == "(":
            return self._group()
        if character in "^$":
            place = _BEGIN if character == "^" else _END
            return lambda following: self._add(place, following)
        begin = self._at - 1
        if character == "[":
            # A bracket at the beginning of a set is a member of it.
            self._at += self._peek() == "^"
            self._at += 1 + (self._peek() == "\\")
            while self._peek() != "]":
                self._at += 1 + (self._peek() == "\\")
            self._at += 1
        elif character == "\\":
            escaped = self._peek()
            if escaped.isalnum() and escaped not in _CLASSES:
                raise UnsuitableExpression("it has a reference, or an unsuitable place")
            self._at += 1
        test = _tester(self._text[begin : self._at])
        return lambda following: self._add(test, following)

    def _group(self) -> _Part:
        if self._peek() == "?":
            if self._text[self._at : self._at + 2] != "?:":
                raise UnsuitableExpression("it looks ahead or behind, or has flags")
            self._at += 2
        part = self._alternatives()
        if self._peek() != ")":
            raise UnsuitableExpression("it is unsuitable")
        self._at += 1
        return part

    def _repeated(self, part: _Part) -> _Part:
        count = _COUNT.match(self._text, self._at)
        least, most = 1, 1
        if count is not None and (count[1] or count[3]):
            least = int(count[1] or 0)
            most = int(count[3]) if count[3] else (-1 if count[2] else least)
            self._at = count.end()
        elif self._peek() and self._peek() in "*+?":
            least, most = {"*": (0, -1), "+": (1, -1), "?": (0, 1)}[self._peek()]
            self._at += 1
        else:
            return part
        if self._peek() == "+":
            raise UnsuitableExpression("it is possessive")
        # Whether it is lazy makes no difference to whether there is a match.
        self._at += self._peek() == "?"
        return lambda following: self._times(part, least, most, following)

    def _times(self, part: _Part, least: int, most: int, following: int) -> int:
        """Make the states of a repeated part; ``most`` is negative for any number."""
        if most < 0:
            again = self._add((following,))
            self._states[again] = (part(again), following)
            following = again
        for _ in range(max(most - least, 0)):
            following = self._optional(part, following)
        for _ in range(least):
            following = part(following)
        return following

    def _optional(self, part: _Part, following: int) -> int:
        return self._add((part(following), following))


@lru_cache(maxsize=64)
def expression(text: str) -> Expression:
    """
    Return the expression with a source.

    :raises UnsuitableExpression: it can't be used.
    """
    return Expression(text)


__all__ = ["Expression", "UnsuitableExpression", "expression"]

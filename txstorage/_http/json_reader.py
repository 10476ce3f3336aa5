# -*- test-case-name: tests._http.test_json_reader -*-
"""
The decoding of JSON within the bounds, a piece at a time.

Python's own decoder decodes a document as a whole, and nothing else runs meanwhile. Here that
decoder gets every value that a piece of the document contains as a whole, such as one volume of a
list; only the lists and objects that are longer than a piece are taken apart by this module.
"""

from __future__ import absolute_import, division, print_function

import codecs
import json
import re

from .._support.compat import text_type
from .bounds import BOUNDS, OutOfBounds

MYPY = False
if MYPY:
    from typing import Any, Callable, Iterator, List, NoReturn, Optional, Text  # noqa: F401

    from .bounds import Bounds  # noqa: F401

    State = Callable[[], Any]

#: Bytes of the document that are decoded at a time.
PIECE = 16 * 1024

# The number of changes of state in one step.
_CHANGES = 1024

_SPACE = re.compile(u"[ \t\n\r]*")
_COMMA = re.compile(u"[ \t\n\r]*,[ \t\n\r]*")
_TOO_DEEP = u"the answer is nested more than {} levels deep"
_TOO_LONG = u"the answer has a {} of {} characters; the limit is {}"


class _Incomplete(Exception):
    """The text at hand ends too early."""


def _number(kind, bounds):
    # type: (Callable[[Text], Any], Bounds) -> Callable[[Text], Any]
    """:return: a parser of numbers; a long one takes quadratic time in some Pythons."""

    def parse(digits):
        # type: (Text) -> Any
        limit = bounds.number_characters
        if len(digits) > limit:
            raise OutOfBounds(_TOO_LONG.format(u"number", len(digits), limit))
        return kind(digits)

    return parse


def _constant(name):
    # type: (Text) -> NoReturn
    raise ValueError(name)


def _scanner(bounds):
    # type: (Bounds) -> Callable[[Text, int], Any]
    """:return: Python's own decoder of the value at an index, which also returns its end."""
    decoder = json.JSONDecoder(
        parse_int=_number(int, bounds),
        parse_float=_number(float, bounds),
        parse_constant=_constant,
    )  # type: Any
    scan = decoder.scan_once  # type: Callable[[Text, int], Any]
    return scan


_SCAN = _scanner(BOUNDS)


class JSONReader(object):
    """
    Decodes one document.

    :param bytes body: UTF-8.
    :param bounds: a :class:`~txstorage._http.bounds.Bounds`.
    :ivar value: the document's value, once :meth:`steps` has ended.
    """

    def __init__(self, body, bounds=BOUNDS):
        # type: (bytes, Bounds) -> None
        self.value = None  # type: Any
        self._bounds = bounds
        self._scan = _SCAN if bounds is BOUNDS else _scanner(bounds)
        self._body = body
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        # The index of the next piece in the body, and of the next character in the text at hand.
        self._next = self._at = 0
        self._text = u""
        # The open lists and objects, and the key of the next value in the innermost one.
        self._open = []  # type: List[Any]
        self._key = u""
        # The changes of state in this step.
        self._changes = 0

    def steps(self):
        # type: () -> Iterator[None]
        """
        :return: an iterator, of which each step takes the time of decoding a piece or two.
        :raises OutOfBounds: the value exceeds a bound.
        :raises ValueError: the body is not JSON.
        """
        self._count_values()
        self._read_piece()
        state = self._begin_value  # type: Optional[State]
        while state is not None:
            self._changes += 1
            try:
                state = state()
            except _Incomplete:
                yield
                self._read_piece()
            else:
                # A list or object has just been read as a whole, in vain; or many short values.
                if state == self._begin_first or self._changes >= _CHANGES:
                    yield
                    self._changes = 0

    def _count_values(self):
        # type: () -> None
        limit, count = self._bounds.json_values, self._body.count
        # Each value stands after one of these, so the count is never too low.
        if len(self._body) > limit and count(b",") + count(b"[") + count(b"{") > limit:
            raise OutOfBounds(u"the answer has more than {} values".format(limit))

    @property
    def _final(self):
        # type: () -> bool
        """``True`` once the rest of the document is at hand."""
        return self._next >= len(self._body)

    def _read_piece(self):
        # type: () -> None
        begin, self._next = self._next, self._next + PIECE
        piece = self._decode(self._body[begin : self._next], self._final)
        self._text, self._at = self._text[self._at :] + piece, 0

    def _character(self):
        # type: () -> Text
        """Return the next character that is not white space; empty at the end."""
        self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
        found = self._text[self._at : self._at + 1]
        if not found and not self._final:
            raise _Incomplete
        return found

    # -- states: each returns the next one -------------------------------------

    def _begin_value(self):
        # type: () -> State
        self._character()
        # A number may continue in the next piece.
        if not self._final and len(self._text) - self._at <= self._bounds.number_characters:
            raise _Incomplete
        return self._end_value if self._add_whole() else self._take_apart()

    def _begin_objects(self):
        # type: () -> State
        """Read the objects of a list, such as volumes, that end in the text at hand."""
        while self._changes < _CHANGES and self._text.startswith(u"{", self._at):
            self._changes += 2
            if not self._add_whole():
                return self._take_apart()
            comma = _COMMA.match(self._text, self._at)
            if comma is None:
                return self._end_value
            self._at = comma.end()
        return self._begin_value

    def _add_whole(self):
        # type: () -> bool
        """:return: whether the next value ends in the text at hand, and so has been read."""
        begin = self._at
        try:
            value, self._at = self._scan(self._text, begin)
        except OutOfBounds:
            raise
        # Python's decoder is recursive, and fails before it is too deep for the stack.
        except RuntimeError:
            raise self._too_deep()
        except (StopIteration, ValueError):
            return False
        if isinstance(value, text_type):
            self._check_length(value)
        else:
            self._check_nesting(value, begin)
        self._add(value)
        return True

    def _take_apart(self):
        # type: () -> State
        """Begin a list or an object that does not end in the text at hand."""
        first = self._text[self._at : self._at + 1]
        longest = PIECE if first in (u"[", u"{") else self._bounds.text_characters + 1
        if not self._final and len(self._text) - self._at <= longest:
            raise _Incomplete
        if first == u'"' and not self._final:
            raise self._too_long(len(self._text) - self._at)
        if first not in (u"[", u"{") or self._final:
            raise ValueError(u"the answer is not JSON")
        holder = [] if first == u"[" else {}  # type: Any
        self._add(holder)
        self._open.append(holder)
        if len(self._open) > self._bounds.json_nesting:
            raise self._too_deep()
        self._at += 1
        return self._begin_first

    def _begin_first(self):
        # type: () -> State
        if self._character() in (u"]", u"}"):
            return self._end_value
        return self._begin_next()

    def _begin_next(self):
        # type: () -> State
        return self._begin_objects if isinstance(self._open[-1], list) else self._begin_key

    def _begin_key(self):
        # type: () -> State
        if self._character() != u'"':
            raise ValueError(u"a key is missing")
        try:
            self._key, self._at = self._scan(self._text, self._at)
        except (StopIteration, ValueError):
            return self._take_apart()
        self._check_length(self._key)
        return self._colon

    def _colon(self):
        # type: () -> State
        if self._character() != u":":
            raise ValueError(u"a colon is missing")
        self._at += 1
        return self._begin_value

    def _end_value(self):
        # type: () -> Optional[State]
        found = self._character()
        if not self._open:
            if found:
                raise ValueError(u"the answer is more than one document")
            return None
        self._at += 1
        if found == u",":
            return self._begin_next
        if found != (u"]" if isinstance(self._open[-1], list) else u"}"):
            raise ValueError(u"a comma is missing")
        self._open.pop()
        return self._end_value

    # -- values ----------------------------------------------------------------

    def _add(self, value):
        # type: (Any) -> None
        if not self._open:
            self.value = value
        elif isinstance(self._open[-1], list):
            self._open[-1].append(value)
        else:
            self._open[-1][self._key] = value

    def _check_nesting(self, value, begin):
        # type: (Any, int) -> None
        levels = self._bounds.json_nesting - len(self._open)
        brackets = self._text.count(u"{", begin, self._at) + self._text.count(u"[", begin, self._at)
        if brackets <= levels:
            return
        holders = [value]  # type: List[Any]
        for _ in range(levels):
            holders = [
                each
                for holder in holders
                for each in (holder.values() if isinstance(holder, dict) else holder)
                if isinstance(each, (dict, list))
            ]
        if holders:
            raise self._too_deep()

    def _check_length(self, text):
        # type: (Text) -> None
        """Check a text.  Those inside a whole list or object are shorter than two pieces."""
        if len(text) > self._bounds.text_characters:
            raise self._too_long(len(text))

    def _too_deep(self):
        # type: () -> OutOfBounds
        return OutOfBounds(_TOO_DEEP.format(self._bounds.json_nesting))

    def _too_long(self, length):
        # type: (int) -> OutOfBounds
        return OutOfBounds(_TOO_LONG.format(u"text", length, self._bounds.text_characters))


def json_within(body, bounds=BOUNDS):
    # type: (bytes, Bounds) -> Any
    """
    Decode a short document at once.

    :param bytes body: UTF-8.
    :param bounds: a :class:`~txstorage._http.bounds.Bounds`.
    :return: the value.
    :raises OutOfBounds: the value exceeds a bound.
    :raises ValueError: the body is not JSON.
    """
    reader = JSONReader(body, bounds)
    for _ in reader.steps():
        pass
    return reader.value


__all__ = ["JSONReader", "PIECE", "json_within"]

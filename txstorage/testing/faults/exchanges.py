# -*- test-case-name: tests.testing.test_faults -*-
"""
The values that the faults are about: a request, its answer, and the outcome of the exchange.
"""

from __future__ import absolute_import, division, print_function

import json
import re
from collections import deque

import attr
from constantly import NamedConstant, Names

MYPY = False
if MYPY:
    from typing import Any, Deque, Iterable, Optional, Text, Tuple  # noqa: F401

_UUID = re.compile(u"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")

#: Answers with more bytes than this are not remembered.
_LONGEST = 2**18


class Ending(Names):  # type: ignore[misc]  # constantly has no types
    """The ways in which an exchange ends for the client."""

    COMPLETE = NamedConstant()
    "The whole answer arrives."
    CUT = NamedConstant()
    "The connection closes in the middle of the answer's body."
    RESET = NamedConstant()
    "The connection is reset before the answer's first byte."
    SILENT = NamedConstant()
    "The connection stays open, and no answer arrives."
    REFUSED = NamedConstant()
    "The connection is reset, and the next connections are refused for a moment."


@attr.s(frozen=True)
class Question(object):
    """
    A request.

    :ivar text method: ``u"GET"`` etc.
    :ivar text target: the path and the query, percent-encoded.
    :ivar bytes body: the body.
    """

    method = attr.ib()  # type: Text
    target = attr.ib()  # type: Text
    body = attr.ib(default=b"", repr=False)  # type: bytes

    @property
    def path(self):
        # type: () -> Text
        """:return: text: the target without the query."""
        return self.target.partition(u"?")[0]

    @property
    def shape(self):
        # type: () -> Text
        """:return: text: the path, with a star for each UUID."""
        return _UUID.sub(u"*", self.path)


@attr.s(frozen=True)
class Answer(object):
    """
    A response.

    :ivar int status: the HTTP status.
    :ivar tuple headers: pairs of name and value, bytes, without those of the connection.
    :ivar bytes body: the body, decoded from its transfer encoding.
    """

    status = attr.ib()  # type: int
    headers = attr.ib(default=())  # type: Tuple[Tuple[bytes, bytes], ...]
    body = attr.ib(default=b"", repr=False)  # type: bytes

    def with_body(self, body):
        # type: (bytes) -> Answer
        """:return: the same answer with another body, bytes."""
        return Answer(self.status, self.headers, body)

    def document(self):
        # type: () -> Any
        """:return: the decoded JSON, or ``None`` when the body is not JSON in UTF-8."""
        try:
            return json.loads(self.body.decode("utf-8"))
        except ValueError:
            return None


@attr.s(frozen=True)
class Outcome(object):
    """
    The client's view of an exchange.

    :ivar NamedConstant ending: a constant of :class:`Ending`.
    :ivar answer: the :class:`Answer`; ``None`` when none of its bytes are sent.
    """

    ending = attr.ib()  # type: NamedConstant
    answer = attr.ib(default=None)  # type: Optional[Answer]


class Memory(object):
    """
    The most recent answers to readers, from which stale and crossed answers are taken.

    :param int limit: the number of answers to remember.
    """

    def __init__(self, limit=64):
        # type: (int) -> None
        self._kept = deque(maxlen=limit)  # type: Deque[Tuple[Question, Answer]]

    def keep(self, question, answer):
        # type: (Question, Answer) -> None
        """Remember the answer to a GET, if it was successful and is short."""
        if question.method == u"GET" and answer.status == 200 and len(answer.body) <= _LONGEST:
            self._kept.append((question, answer))

    def stale(self, question):
        # type: (Question) -> Optional[Answer]
        """:return: the oldest remembered answer to the same question, or ``None``."""
        return _first(answer for other, answer in self._kept if other.target == question.target)

    def crossed(self, question):
        # type: (Question) -> Optional[Answer]
        """
        :return: the most recent answer to another question, or ``None``; the answer to a question
            of the same shape, if one is remembered.
        """
        others = [each for each in reversed(self._kept) if each[0].path != question.path]
        alike = _first(answer for other, answer in others if other.shape == question.shape)
        return alike or _first(answer for _, answer in others)


def _first(answers):
    # type: (Iterable[Answer]) -> Optional[Answer]
    return next(iter(answers), None)


__all__ = ["Answer", "Ending", "Memory", "Outcome", "Question"]

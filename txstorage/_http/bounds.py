# -*- test-case-name: tests._http.test_bounds -*-
"""
The bounds of a service's answer.

An answer that exceeds one of these bounds ends its connection.  A hostile or broken service can
therefore take neither much memory nor much of the reactor's time.
"""

from __future__ import absolute_import, division, print_function

import attr

from .._support.compat import native

MYPY = False
if MYPY:
    from typing import Dict, Text  # noqa: F401


class OutOfBounds(ValueError):
    """
    An answer exceeds a bound.

    :param text reason: the part of the answer, and the bound.
    """

    def __init__(self, reason):
        # type: (Text) -> None
        ValueError.__init__(self, native(reason))
        self.reason = reason


class HandshakeTimeout(OutOfBounds):
    """
    A server accepted a connection and did not complete the TLS handshake.

    :param text reason: the server, and the bound.
    :param text remedy: the solution; empty for that of :class:`~txstorage.errors.NoHandshake`.
    """

    def __init__(self, reason, remedy=u""):
        # type: (Text, Text) -> None
        OutOfBounds.__init__(self, reason)
        self.remedy = remedy


def _row(unit, part):
    # type: (Text, Text) -> Dict[str, Text]
    """
    :param text unit: the unit.
    :param text part: the part of an answer.
    :return: an attribute's metadata, for the documentation's table.
    """
    return {"unit": unit, "part": part}


@attr.s(frozen=True)
class Bounds(object):
    """
    The bounds of one answer.

    A page of Cinder has 500 volumes; it usually takes about 0.75 MB and has about 22,000 values.
    The bounds keep the memory for an answer below 64 MiB: for the bytes, the values, and their
    texts of up to four bytes a character.  The time for an answer is cut into slices, between which
    the reactor serves other events; the bounds keep a turn of the reactor below 100 ms, the greater
    part of which is a full run of Python's garbage collector.

    :ivar int head_bytes: bytes of the status line and the headers, with those of interim answers.
    :ivar int head_lines: lines of the status line and the headers, with those of interim answers.
    :ivar int wire_bytes: bytes of the whole answer as received.
    :ivar int body_bytes: bytes of the body, as received and decoded.
    :ivar int content_encodings: names in ``Content-Encoding``.
    :ivar int json_values: values in the body.
    :ivar int json_nesting: lists and objects inside each other.
    :ivar int number_characters: characters of one number in the body.
    :ivar int text_characters: characters of one text in the body, with its escapes.
    :ivar float handshake_seconds: seconds from the connection to the end of the TLS handshake.
    :ivar float answer_seconds: seconds from the request to the end of the answer.
    """

    head_bytes = attr.ib(
        default=64 * 1024,
        metadata=_row(u"bytes", u"the status line and the headers, with those of 1xx answers"),
    )  # type: int
    head_lines = attr.ib(
        default=256,
        metadata=_row(u"lines", u"the status line and the headers, with those of 1xx answers"),
    )  # type: int
    wire_bytes = attr.ib(
        default=5 * 1024 * 1024,
        metadata=_row(u"bytes", u"the whole answer as received, with the framing of its chunks"),
    )  # type: int
    body_bytes = attr.ib(
        default=4 * 1024 * 1024, metadata=_row(u"bytes", u"the body, compressed and decompressed")
    )  # type: int
    content_encodings = attr.ib(
        default=1, metadata=_row(u"encodings", u"the body's compressions; only gzip is supported")
    )  # type: int
    json_values = attr.ib(
        default=100000, metadata=_row(u"values", u"the body's values, at any depth")
    )  # type: int
    json_nesting = attr.ib(
        default=32, metadata=_row(u"levels", u"the body's lists and objects inside each other")
    )  # type: int
    number_characters = attr.ib(
        default=40, metadata=_row(u"characters", u"a number in the body")
    )  # type: int
    text_characters = attr.ib(
        default=64 * 1024, metadata=_row(u"characters", u"a text in the body, with its escapes")
    )  # type: int
    # A server of plain HTTP may take the handshake for the beginning of a request line, and wait.
    handshake_seconds = attr.ib(
        default=5.0,
        metadata=_row(u"seconds", u"the TLS handshake, once the connection is made"),
    )  # type: float
    answer_seconds = attr.ib(
        default=30.0,
        metadata=_row(
            u"seconds", u"connecting, sending the request and receiving the whole answer"
        ),
    )  # type: float


BOUNDS = Bounds()
"""The bounds of all answers."""

__all__ = ["BOUNDS", "Bounds", "HandshakeTimeout", "OutOfBounds"]

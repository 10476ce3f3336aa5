# -*- test-case-name: tests._http.test_decoding -*-
"""The decoding of bodies, compressed and in JSON, within the bounds."""

from __future__ import absolute_import, division, print_function

import json
import zlib

from .._support.compat import as_text
from .bounds import BOUNDS, OutOfBounds

MYPY = False
if MYPY:
    from typing import Any, Callable, NoReturn, Text, Union  # noqa: F401

    from .bounds import Bounds  # noqa: F401

    Decoder = Union["Uncompressed", "Gunzip", "Undecodable"]

# The number by which zlib knows gzip's format.
_GZIP = 16 + zlib.MAX_WBITS
_TOO_DEEP = u"the answer is nested more than {} levels deep"


class Uncompressed(object):
    """The body of an answer without compression."""

    def decode(self, data, room):
        # type: (bytes, int) -> bytes
        """
        Return the next bytes.

        :param bytes data: a piece of the body.
        :param int room: bytes, not negative.
        :return: the piece.
        """
        return data


class Gunzip(object):
    """The body of an answer that gzip compressed."""

    def __init__(self):
        # type: () -> None
        self._stream = zlib.decompressobj(_GZIP)

    def decode(self, data, room):
        # type: (bytes, int) -> bytes
        """
        Decompress the next bytes.

        :param bytes data: a piece of the body.
        :param int room: bytes, not negative.
        :return: at most one byte more than ``room``.
        :raises OutOfBounds: the piece is not of gzip's format.
        """
        try:
            return self._stream.decompress(data, room + 1)
        except zlib.error:
            raise OutOfBounds(u"the answer is not compressed with gzip, as its header says")


class Undecodable(object):
    """
    The body of an answer that this client can't decode.

    :param text reason: the reason.
    """

    def __init__(self, reason):
        # type: (Text) -> None
        self._reason = reason

    def decode(self, data, room):
        # type: (bytes, int) -> bytes
        """
        Refuse the next bytes.

        :param bytes data: a piece of the body.
        :param int room: bytes.
        :raises OutOfBounds: always.
        """
        raise OutOfBounds(self._reason)


def decoder_for(headers, bounds=BOUNDS):
    # type: (Any, Bounds) -> Decoder
    """
    Choose the decoder of a body.

    :param headers: Twisted's ``Headers``.
    :param bounds: a :class:`~txstorage._http.bounds.Bounds`.
    :return: an :class:`Uncompressed`, a :class:`Gunzip`, or an :class:`Undecodable` when the body
        has another encoding, or more than one.
    """
    values = headers.getRawHeaders(b"content-encoding") or []
    names = [name.strip().lower() for value in values for name in value.split(b",")]
    names = [name for name in names if name not in (b"", b"identity")]
    if not names:
        return Uncompressed()
    if len(names) > bounds.content_encodings:
        return Undecodable(
            u"the answer has {} content encodings; the limit is {}".format(
                len(names), bounds.content_encodings
            )
        )
    # x-gzip is gzip's other name (RFC 9110, section 8.4.1.3).
    if names[0] not in (b"gzip", b"x-gzip"):
        return Undecodable(
            u"the answer has the content encoding '{}'; only gzip is supported".format(
                as_text(names[0][:20])
            )
        )
    return Gunzip()


def _number(kind, bounds):
    # type: (Callable[[Text], Any], Bounds) -> Callable[[Text], Any]
    """:return: a parser of numbers; a long one takes quadratic time in some Pythons."""

    def parse(digits):
        # type: (Text) -> Any
        if len(digits) > bounds.number_characters:
            raise OutOfBounds(
                u"the answer has a number of {} characters; the limit is {}".format(
                    len(digits), bounds.number_characters
                )
            )
        return kind(digits)

    return parse


def _constant(name):
    # type: (Text) -> NoReturn
    raise ValueError(name)


def _check_nesting(value, bounds):
    # type: (Any, Bounds) -> None
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(bounds.json_nesting):
        level = [
            each
            for holder in level
            for each in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(each, (dict, list))
        ]
    if level:
        raise OutOfBounds(_TOO_DEEP.format(bounds.json_nesting))


def json_within(body, bounds=BOUNDS):
    # type: (bytes, Bounds) -> Any
    """
    Decode JSON.

    :param bytes body: UTF-8.
    :param bounds: a :class:`~txstorage._http.bounds.Bounds`.
    :return: the value.
    :raises OutOfBounds: the value exceeds a bound.
    :raises ValueError: the body is not JSON.
    """
    # Each value stands after one of these, so the count is never too low.
    values = body.count(b",") + body.count(b"[") + body.count(b"{")
    if values > bounds.json_values:
        raise OutOfBounds(
            u"the answer has more than {} values".format(bounds.json_values)
        )
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_int=_number(int, bounds),
            parse_float=_number(float, bounds),
            parse_constant=_constant,
        )
    # Python's decoder is recursive, and fails before it is too deep for the stack.
    except RuntimeError:
        raise OutOfBounds(_TOO_DEEP.format(bounds.json_nesting))
    _check_nesting(value, bounds)
    return value


__all__ = ["Gunzip", "Uncompressed", "Undecodable", "decoder_for", "json_within"]

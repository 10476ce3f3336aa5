# -*- test-case-name: tests._http.test_decoding -*-
"""The decompression of bodies, within the bounds."""

from __future__ import absolute_import, division, print_function

import zlib

from .._support.compat import as_text
from .bounds import BOUNDS, OutOfBounds

MYPY = False
if MYPY:
    from typing import Any, Text, Union  # noqa: F401

    from .bounds import Bounds  # noqa: F401

    Decoder = Union["Uncompressed", "Gunzip", "Undecodable"]

# The number by which zlib knows gzip's format.
_GZIP = 16 + zlib.MAX_WBITS


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


__all__ = ["Gunzip", "Uncompressed", "Undecodable", "decoder_for"]

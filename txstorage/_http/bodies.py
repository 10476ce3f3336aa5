# -*- test-case-name: tests._http.test_sockets -*-
"""The bodies of HTTP messages: sending, and receiving and decompressing within the bounds."""

from __future__ import absolute_import, division, print_function

import zlib

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Protocol
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from .._support.compat import as_text
from .bounds import BOUNDS, OutOfBounds

MYPY = False
if MYPY:
    from typing import Any, Text, Tuple, Union  # noqa: F401

    from .bounds import Bounds  # noqa: F401

    Decoder = Union["Uncompressed", "Gunzip", "Undecodable"]


@implementer(IBodyProducer)
class BytesProducer(object):
    """
    A request's body, written at once: treq's own producer waits for the global reactor, which never
    runs in memory-only tests.

    :param bytes body: the whole body.
    """

    def __init__(self, body):
        # type: (bytes) -> None
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer):  # noqa: N802 (Twisted's name)
        # type: (Any) -> Deferred[None]
        """See ``IBodyProducer``."""
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self):  # noqa: N802 (Twisted's name)
        # type: () -> None
        """Do nothing: the whole body is written already."""

    resumeProducing = stopProducing = pauseProducing


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


class _BodyCollector(Protocol):
    """
    Decodes and collects a body up to a limit.

    :param decoder: from :func:`~txstorage._http.bodies.decoder_for`.
    :param int limit: bytes of the body, as received and decoded.
    :ivar done: fires with ``(bytes, complete)``.  ``complete`` is ``False`` when only the end of
        the connection ended the body, so that a part may be missing.
    """

    def __init__(self, decoder, limit):
        # type: (Decoder, int) -> None
        self.done = Deferred(self._cancel)  # type: Any
        self._decoder = decoder
        self._limit = limit
        self._received = 0
        # Not a list: a piece of one byte would take forty.
        self._body = bytearray()

    def dataReceived(self, data):  # noqa: N802 (Twisted's name)
        # type: (bytes) -> None
        """See ``IProtocol``."""
        if self.done is None:
            return
        room = self._limit - len(self._body)
        self._received += len(data)
        try:
            decoded = self._decoder.decode(data, room)
            # gzip can also hold endless blocks of nothing.
            if len(decoded) > room or self._received > self._limit:
                raise OutOfBounds(u"the answer is longer than {} bytes".format(self._limit))
        except OutOfBounds as error:
            self._stop().errback(error)
        else:
            self._body += decoded

    def connectionLost(  # type: ignore[override]  # noqa: N802 (Twisted's name)
        self, reason
    ):
        # type: (Any) -> None
        """See ``IProtocol``."""
        done, self.done = self.done, None
        if done is None:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            # The response keeps its protocol.
            body, self._body = bytes(self._body), bytearray()
            done.callback((body, bool(reason.check(ResponseDone))))
        else:
            done.errback(reason)

    def _cancel(self, ignored):
        # type: (object) -> None
        self._stop()

    def _stop(self):
        # type: () -> Any
        done, self.done = self.done, None
        # stopProducing is the one way to end a response in every Twisted; it
        # closes the socket itself, without a farewell that a silent TLS peer
        # would not return.
        self.transport.stopProducing()  # type: ignore[union-attr]
        return done


def collect(response, bounds=BOUNDS):
    # type: (Any, Bounds) -> Deferred[Tuple[bytes, bool]]
    """
    :param response: provides ``IResponse``; its body has not been read.
    :param bounds: a :class:`~txstorage._http.bounds.Bounds`.
    :return: a ``Deferred`` that fires with ``(bytes, complete)``, the decoded body, and fails with
        :class:`~txstorage._http.bounds.OutOfBounds` or with the error that ended the connection;
        cancelling it ends the connection.
    """
    collector = _BodyCollector(decoder_for(response.headers, bounds), bounds.body_bytes)
    done = collector.done  # type: Deferred[Tuple[bytes, bool]]
    response.deliverBody(collector)
    return done


__all__ = ["BytesProducer", "collect"]

# -*- test-case-name: tests.embedded.wire.test_channel -*-
"""
Connections within bounds of bytes and of time.

A body is received only after its length and its sender are known to be acceptable, and only into
memory.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Callable

from twisted.internet.interfaces import IDelayedCall, IPushProducer, ITCPTransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.server import Request

if TYPE_CHECKING:
    from .site import BoundedSite

_log = Logger()
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"

#: The first byte of a TLS handshake (RFC 8446, 5.1).
_HANDSHAKE = b"\x16"
#: The beginning of a request that only reads.
_READS = b"GET "


class _BodyTooLong(Exception):
    """A body without a declared length has exceeded its bound."""


class BoundedRequest(Request):
    """A request whose body is in memory, and at most one byte longer than its bound."""

    channel: BoundedChannel
    content: BytesIO

    def gotLength(self, length: int | None) -> None:
        """Begin the body; Twisted itself would put a long one into a temporary file."""
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        """
        Receive a part of the body.

        :raises _BodyTooLong: the body is too long.
        """
        most = self.channel.site.bounds.body
        room = most + 1 - self.content.tell()
        self.content.write(data[:room])
        if self.content.tell() > most:
            raise _BodyTooLong()


class _Transport(ITCPTransport, IPushProducer):
    """A transport whose reading can be paused."""


class BoundedChannel(HTTPChannel):
    """
    One connection.

    :ivar site: its :class:`~txstorage.embedded.wire.site.BoundedSite`.
    :ivar address: the client's.
    """

    site: BoundedSite
    address = ""
    #: One mechanism ends every connection: see loseConnection.
    abortTimeout = None  # type: ignore[assignment]
    transport: _Transport
    callLater: Callable[..., IDelayedCall]

    _request_line = b""
    #: Whether a part of a response still waits for the client.
    _unsent = False
    #: Whether the client speaks HTTP; ``None`` before its first byte.
    _speaks_http: bool | None = None
    #: Bytes of a refused body that are still to be discarded; ``None`` when no body was refused.
    _unread: int | None = None
    _closing: IDelayedCall | None = None

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        #: Data whose turn has not come.
        self._waiting: list[bytes] = []

    def connectionMade(self) -> None:
        """See ``IProtocol``."""
        self.totalHeadersSize = self.site.bounds.headers
        self.maxHeaders = self.site.bounds.header_lines
        super().connectionMade()  # type: ignore[no-untyped-call]

    def dataReceived(self, data: bytes) -> None:
        """Receive data; under load, reading requests wait for the others."""
        if self in self.site.idle:
            del self.site.idle[self]
            # The reactor searches all its calls for one that is moved to an earlier time.
            self.setTimeout(None)  # type: ignore[no-untyped-call]
            self.setTimeout(self.site.bounds.headers_time)  # type: ignore[no-untyped-call]
        self._waiting.append(data)
        if len(self._waiting) > 1:
            # The transport must not read on meanwhile, or the memory would have no bound.
            self.transport.pauseProducing()
            return
        turns = self.site.turns
        (turns.second if data.startswith(_READS) else turns.first)(self._receive_waiting)

    def _receive_waiting(self) -> None:
        if not self._waiting:
            # The connection has ended meanwhile.
            return
        data, pieces = b"".join(self._waiting), len(self._waiting)
        self._waiting.clear()
        if pieces > 1 and not self._unsent:
            self.transport.resumeProducing()
        try:
            self._receive(data)
        except Exception:
            _log.failure("Data of {address} could not be processed", address=self.address)
            self.transport.abortConnection()

    def _receive(self, data: bytes) -> None:
        """
        Receive data.  A client that begins a TLS handshake gets an answer in plain text, from which
        it knows its mistake; the line that HTTP waits for would never end.
        """
        if self._speaks_http is None:
            self._speaks_http = data[:1] != _HANDSHAKE
            if not self._speaks_http:
                self.transport.write(_BAD_REQUEST)
                self.loseConnection()
        if self._speaks_http:
            super().dataReceived(data)  # type: ignore[no-untyped-call]

    def checkPersistence(self, request: BoundedRequest, version: bytes) -> bool:
        """Check whether another request may follow: not after a body that is not read."""
        persistent: bool = super().checkPersistence(request, version)  # type: ignore[no-untyped-call]
        if self._unread is None:
            return persistent
        request.setHeader("Connection", "close")  # type: ignore[no-untyped-call]
        return False

    def requestDone(self, request: BoundedRequest) -> None:
        """See ``HTTPChannel``."""
        if self.persistent:
            self.site.idle[self] = None
        # If the next request has come already, the connection is idle no longer.
        super().requestDone(request)  # type: ignore[no-untyped-call]
        if self in self.site.idle:
            self.setTimeout(self.site.bounds.idle_time)  # type: ignore[no-untyped-call]

    def timeoutConnection(self) -> None:
        """End the connection; for an idle one, that is not an event for the log."""
        if self in self.site.idle:
            self.loseConnection()
        else:
            super().timeoutConnection()  # type: ignore[no-untyped-call]

    def pauseProducing(self) -> None:
        """See ``IPushProducer``."""
        self._unsent = True
        super().pauseProducing()  # type: ignore[no-untyped-call]

    def resumeProducing(self) -> None:
        """See ``IPushProducer``."""
        self._unsent = False
        super().resumeProducing()  # type: ignore[no-untyped-call]

    def resetTimeout(self) -> None:
        """Keep the present deadline: a client that sends byte after byte does not move it."""

    def lineReceived(self, line: bytes) -> None:
        """
        Receive a line.  A client that sends another request before it has received the response is
        dropped: the responses to many requests would fill the memory.
        """
        known = len(self.requests)
        if not known and self._unsent:
            self.loseConnection()
        super().lineReceived(line)  # type: ignore[no-untyped-call]
        if len(self.requests) > known:
            self._request_line = line

    def headerReceived(self, line: bytes) -> bool:
        """See ``HTTPChannel``."""
        try:
            return bool(super().headerReceived(line))  # type: ignore[no-untyped-call]
        except ValueError:
            # A Content-Length with more digits than Python converts.
            self.transport.write(_BAD_REQUEST)
            self.loseConnection()
            return False

    def allHeadersReceived(self) -> None:
        """Decide whether the body is read; a request whose body is not read is answered now."""
        refused = self.length != 0 and not self._reads_body()
        if refused:
            self._unread = self._discarded(self.length)
            # The client must not send what nobody reads.
            self.requests[-1].requestHeaders.removeHeader(b"expect")
        super().allHeadersReceived()  # type: ignore[no-untyped-call]
        if refused:
            self.length = 0
        elif self.length != 0:
            self.setTimeout(self.site.bounds.body_time)  # type: ignore[no-untyped-call]

    def _reads_body(self) -> bool:
        if self.length is not None and self.length > self.site.bounds.body:
            return False
        method, target = self._request_line.split(b" ")[:2]
        return self.site.reads_body(method, target.partition(b"?")[0], self.requests[-1])

    def _discarded(self, length: int | None) -> int:
        most = self.site.bounds.discard
        return most if length is None else min(length, most)

    def rawDataReceived(self, data: bytes) -> None:
        """Receive a part of the body, or discard it."""
        if self._unread is not None:
            more = self._unread > 0
            self._unread -= len(data)
            if more and self._unread <= 0 and self._closing is not None:
                self._finish()
            return
        try:
            super().rawDataReceived(data)
        except _BodyTooLong:
            self._unread = self._discarded(None)
            self.persistent = self.checkPersistence(self.requests[-1], b"HTTP/1.1")
            self.allContentReceived()  # type: ignore[no-untyped-call]

    def end_after_response(self) -> None:
        """End the connection: now, or after the response to the request in progress."""
        self.persistent = False
        if not self.requests:
            self.loseConnection()

    def loseConnection(self) -> None:
        """
        End the connection once the client has received the response, or after a time.

        Closing a socket with unread data would reset the connection, and the client might lose the
        response; therefore the rest of a refused body is received first.
        """
        self.site.idle.pop(self, None)
        # Data that still comes is not a request.
        self.persistent = False
        if self._closing is not None:
            return
        if self._unread is not None and self._unread > 0:
            self._closing = self.callLater(self.site.bounds.discard_time, self._finish)
        else:
            self._finish()

    def _finish(self) -> None:
        self._cancel()
        self._closing = self.callLater(self.site.bounds.answer_time, self.transport.abortConnection)
        super().loseConnection()  # type: ignore[no-untyped-call]

    def _cancel(self) -> None:
        if self._closing is not None and self._closing.active():
            self._closing.cancel()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """See ``IProtocol``."""
        self._cancel()
        self._waiting.clear()
        self.site.ended(self)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

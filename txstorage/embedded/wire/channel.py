# -*- test-case-name: tests.embedded.wire.test_channel -*-
"""
Connections within bounds: of bytes, of time and of number.

A body is received only after its length and its sender are known to be acceptable, and only into
memory.
"""

from __future__ import annotations

from collections import Counter
from io import BytesIO
from typing import Any, Callable

from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, ITCPTransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource
from twisted.web.server import Request, Site

from ..bounds import BOUNDS, ConnectionBounds

_log = Logger()
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"

#: The first byte of a TLS handshake (RFC 8446, 5.1).
_HANDSHAKE = b"\x16"

#: Decides from the method, the path and the headers of a request whether its body is read.
ReadsBody = Callable[[bytes, bytes, IRequest], bool]


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


class BoundedChannel(HTTPChannel):
    """
    One connection.

    :ivar site: its :class:`BoundedSite`.
    :ivar closed: called when the connection has ended.
    """

    site: BoundedSite
    closed: Callable[[], None]
    #: One mechanism ends every connection: see loseConnection.
    abortTimeout = None  # type: ignore[assignment]
    transport: ITCPTransport
    callLater: Callable[..., IDelayedCall]

    _request_line = b""
    #: Whether a response has ended, and no byte of another request has come.
    _idle = False
    #: Whether the client speaks HTTP; ``None`` before its first byte.
    _speaks_http: bool | None = None
    #: Bytes of a refused body that are still to be discarded; ``None`` when no body was refused.
    _unread: int | None = None
    _closing: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """See ``IProtocol``."""
        self.totalHeadersSize = self.site.bounds.headers
        self.maxHeaders = self.site.bounds.header_lines
        super().connectionMade()  # type: ignore[no-untyped-call]

    def dataReceived(self, data: bytes) -> None:
        """
        Receive data.  A client that begins a TLS handshake gets an answer in plain text, from which
        it knows its mistake; the line that HTTP waits for would never end.
        """
        if self._speaks_http is None:
            self._speaks_http = data[:1] != _HANDSHAKE
            if not self._speaks_http:
                self.transport.write(_BAD_REQUEST)
                self.loseConnection()
        if self._idle:
            self._idle = False
            self.setTimeout(self.site.bounds.headers_time)  # type: ignore[no-untyped-call]
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
        self._idle = True
        self._savedTimeOut = self.site.bounds.idle_time
        super().requestDone(request)  # type: ignore[no-untyped-call]

    def resetTimeout(self) -> None:
        """Keep the present deadline: a client that sends byte after byte does not move it."""

    def lineReceived(self, line: bytes) -> None:
        """See ``LineReceiver``."""
        known = len(self.requests)
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

    def loseConnection(self) -> None:
        """
        End the connection once the client has received the response, or after a time.

        Closing a socket with unread data would reset the connection, and the client might lose the
        response; therefore the rest of a refused body is received first.
        """
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
        self.closed()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]


class BoundedSite(Site):
    """
    A site whose connections are bounded.  It speaks HTTP/1.1 only.

    :param reads_body: decides whether a request's body is read; a request whose body is not read
        is answered as if it had none.
    """

    protocol = BoundedChannel  # type: ignore[assignment]

    def __init__(
        self,
        resource: IResource,
        reactor: IReactorTime,
        reads_body: ReadsBody,
        bounds: ConnectionBounds = BOUNDS,
    ) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            resource, requestFactory=BoundedRequest, reactor=reactor, timeout=bounds.headers_time
        )
        self.bounds = bounds
        self.reads_body = reads_body
        self._open: Counter[str] = Counter()
        self._refusing = False

    def acceptableProtocols(self) -> list[bytes]:
        """See ``IProtocolNegotiationFactory``."""
        return [b"http/1.1"]

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Make the channel of a connection, or return ``None`` to close it at once."""
        address = str(getattr(addr, "host", ""))
        if (
            self._open[address] >= self.bounds.connections_by_address
            or sum(self._open.values()) >= self.bounds.connections
        ):
            if not self._refusing:
                _log.warn("Too many connections; refused one from {address}", address=address)
            self._refusing = True
            return None
        self._refusing = False
        self._open[address] += 1
        channel = super().buildProtocol(addr)  # type: ignore[no-untyped-call]
        channel.closed = lambda: self._ended(address)
        return channel

    def _ended(self, address: str) -> None:
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

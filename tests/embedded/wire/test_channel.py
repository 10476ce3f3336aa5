"""Tests of the bounds of connections."""

from __future__ import annotations

import tempfile
from typing import Any

import attr
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Request

from txstorage.embedded.bounds import BOUNDS
from txstorage.embedded.wire.channel import BoundedRequest
from txstorage.embedded.wire.exchange import APIResponse, Service

from ..support import CloudTests

#: Cinder 29's refusal of a body over its limit, as received.
TOO_LARGE = (
    b'{"message": "Request is too large. Larger than max_request_body_size (%s).<br /><br />\\n\\n'
    b'\\n", "code": "413 Request Entity Too Large", "title": "Request Entity Too Large"}'
)


class ChannelTests(CloudTests):
    """Tests with connections in memory."""

    def setUp(self) -> None:
        super().setUp()
        self.site = self.cloud.application.site()
        self.patch(tempfile, "TemporaryFile", self.spooled)
        self.path = f"/volume/v3/{self.project}/volumes"

    def spooled(self, *_: Any, **__: Any) -> Any:
        """Fail: a body must not reach the disk."""
        raise AssertionError("a body was spooled")

    def connect(self, address: str = "192.0.2.1") -> Any:
        """Open a connection, or return ``None`` when it is refused."""
        channel = self.site.buildProtocol(IPv4Address("TCP", address, 1000))
        if channel is not None:
            self.transport = StringTransport()
            channel.makeConnection(self.transport)
        return channel

    def head(self, method: str = "POST", path: str = "", token: str = "", **headers: str) -> bytes:
        """The request line and the headers of a request."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["X-Auth-Token"] = token
        lines = [f"{method} {path or self.path} HTTP/1.1", "Host: cloud.example"]
        lines += ["{}: {}".format(*each) for each in sent.items()]
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    def status(self) -> int:
        """The status of the response; 0 without one."""
        return int((self.transport.value().split(b" ", 2) + [b"0"])[1] or 0)

    def patch_list(self) -> Any:
        """Let the list of volumes wait for the test."""
        waiting: Deferred[None] = Deferred()

        async def answer(*_: Any) -> APIResponse:
            await waiting
            return APIResponse(200, {})

        self.patch(Service, "answer", answer)
        return waiting


class HandshakeTests(ChannelTests):
    """Tests of a client that speaks TLS to a port without TLS."""

    def test_handshake(self) -> None:
        """The client gets an answer in plain text at once, and the rest of its data is ignored."""
        channel = self.connect()
        channel.dataReceived(b"\x16\x03\x01\x02\x00\x01")
        self.assertEqual(self.status(), 400)
        self.assertTrue(self.transport.disconnecting)
        channel.dataReceived(self.head())
        self.assertEqual(self.transport.value().count(b"HTTP/1.1"), 1)

    def test_later_byte(self) -> None:
        """The same byte is data like any other once the client has spoken HTTP."""
        body = b"\x16" * 10
        channel = self.connect()
        channel.dataReceived(self.head(token=self.token or "", Content_Length=str(len(body))))
        channel.dataReceived(body)
        self.assertEqual(self.status(), 400)
        self.assertIn(b"Malformed request body", self.transport.value())


class SeveralTests(ChannelTests):
    """Tests of several requests on one connection."""

    def test_kept(self) -> None:
        """A connection carries one request after the other, also when they come in one piece."""
        channel = self.connect()
        request = self.head("GET", "/")
        for data, answers in ((request, 1), (request[:9], 0), (request[9:], 1), (request * 3, 3)):
            self.transport.clear()
            channel.dataReceived(data)
            self.assertEqual(self.transport.value().count(b"HTTP/1.1 200 "), answers)
            self.assertNotIn(b"Connection: close", self.transport.value())
        self.assertFalse(self.transport.disconnecting)

    def test_close(self) -> None:
        """A client that asks for it gets a connection for one request."""
        self.connect().dataReceived(self.head("GET", "/", Connection="close") * 2)
        self.assertEqual(self.transport.value().count(b"HTTP/1.1 200 "), 1)
        self.assertIn(b"Connection: close", self.transport.value())
        self.assertTrue(self.transport.disconnecting)

    def test_no_reader(self) -> None:
        """
        A client that does not receive its responses gets no more of them, however many requests it
        sends; after it has received all of one, it gets the next.
        """
        finish = Request.finish

        def filling(request: Any) -> None:
            request.channel.pauseProducing()
            finish(request)

        self.patch(Request, "finish", filling)
        for received, answers in ((False, 1), (True, 2)):
            channel = self.connect()
            channel.dataReceived(self.head("GET", "/"))
            if received:
                channel.resumeProducing()
            channel.dataReceived(self.head("GET", "/") * 5)
            self.assertEqual(self.transport.value().count(b"HTTP/1.1 200 "), answers)
            self.assertTrue(self.transport.disconnecting)

    def test_after_end(self) -> None:
        """A request on a connection whose end has begun is not carried out, also in pieces."""
        for pieces in (False, True):
            channel = self.connect()
            request = self.head("GET", "/")
            channel.dataReceived(request)
            self.clock.advance(5.1)
            self.transport.clear()
            for data in request.splitlines(keepends=True) if pieces else [request]:
                channel.dataReceived(data)
            self.assertEqual(self.transport.value(), b"")

    def test_refused(self) -> None:
        """A request whose body is not read is the last of its connection, and says so."""
        body = b" " * 10
        for headers in ({"Content_Length": "10"}, {"Transfer_Encoding": "chunked"}):
            channel = self.connect()
            channel.dataReceived(self.head("GET", "/"))
            self.transport.clear()
            channel.dataReceived(self.head(**headers) + body)
            self.assertEqual(self.status(), 401)
            self.assertIn(b"Connection: close", self.transport.value())


class LengthTests(ChannelTests):
    """Tests of the bound of a body."""

    def test_declared(self) -> None:
        """
        A body that is declared too long is refused before any of it arrives, with the real
        services' words, to every client.
        """
        for path in (self.path, "/identity/v3/auth/tokens", "/compute/v2.1/servers"):
            for token in (self.token or "", ""):
                channel = self.connect()
                channel.dataReceived(self.head(path=path, token=token, Content_Length="114689"))
                self.assertEqual(self.status(), 413, path)
                self.assertTrue(self.transport.value().endswith(b"\r\n\r\n" + TOO_LARGE))

    def test_longest(self) -> None:
        """A body of exactly the bound is read."""
        body = b'{"volume": {"size": 1}}'.ljust(114688)
        channel = self.connect()
        channel.dataReceived(self.head(token=self.token or "", Content_Length="114688") + body)
        self.assertEqual(self.status(), 202)

    def test_chunked(self) -> None:
        """A body without a declared length is refused at the bound, and no more of it is kept."""
        channel = self.connect()
        channel.dataReceived(self.head(token=self.token or "", Transfer_Encoding="chunked"))
        chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
        kept: list[int] = []
        real = BoundedRequest.process
        self.patch(
            BoundedRequest,
            "process",
            lambda request: (kept.append(len(request.content.getvalue())), real(request)),
        )
        for _ in range(3):
            channel.dataReceived(chunk)
            self.assertEqual(self.status(), 0)
        channel.dataReceived(chunk)
        self.assertEqual((self.status(), kept), (413, [114689]))
        for _ in range(31):
            channel.dataReceived(chunk)
            self.assertFalse(self.transport.disconnecting)
        channel.dataReceived(chunk)
        self.assertTrue(self.transport.disconnecting)

    def test_chunked_within(self) -> None:
        """A body in chunks within the bound is read."""
        body = b'{"volume": {"size": 1}}'
        channel = self.connect()
        channel.dataReceived(self.head(token=self.token or "", Transfer_Encoding="chunked"))
        channel.dataReceived(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        self.assertEqual(self.status(), 202)

    def test_absurd(self) -> None:
        """A length of more digits than Python converts is a bad request."""
        channel = self.connect()
        channel.dataReceived(self.head(Content_Length="9" * 5000))
        self.assertEqual((self.status(), self.transport.disconnecting), (400, True))

    def test_headers(self) -> None:
        """Headers beyond the bounds, in bytes or number, are a bad request."""
        for lines in (b"X: " + b"x" * 4000 + b"\r\n",) * 5, (b"X: x\r\n",) * 101:
            channel = self.connect()
            channel.dataReceived(b"GET / HTTP/1.1\r\n")
            for line in lines:
                channel.dataReceived(line)
            channel.dataReceived(b"\r\n")
            self.assertEqual((self.status(), self.transport.disconnecting), (400, True))


class SenderTests(ChannelTests):
    """Tests of the bodies of clients without a token."""

    def test_no_token(self) -> None:
        """Without a valid token, a request is refused before its body arrives."""
        for token in ("", "wrong"):
            for method, path in (
                ("POST", self.path),
                ("PUT", self.path + "/x/metadata"),
                ("POST", "/compute/v2.1/servers/x/action"),
            ):
                channel = self.connect()
                channel.dataReceived(self.head(method, path, token, Content_Length="1000"))
                self.assertEqual(self.status(), 401, path)

    def test_token(self) -> None:
        """With a valid token, and in a request for one, the body is waited for."""
        for path, token in ((self.path, self.token or ""), ("/identity/v3/auth/tokens", "")):
            channel = self.connect()
            channel.dataReceived(self.head(path=path, token=token, Content_Length="2") + b"{")
            self.assertEqual(self.status(), 0)
            channel.dataReceived(b"}")
            self.assertEqual(self.status(), 400)

    def test_expected(self) -> None:
        """A client that waits for ``100 Continue`` gets it only for a body that is read."""
        for token, status in ((self.token or "", 100), ("", 401)):
            channel = self.connect()
            channel.dataReceived(
                self.head(token=token, Content_Length="1000", Expect="100-continue")
            )
            self.assertEqual(self.status(), status)


class DiscardTests(ChannelTests):
    """Tests of the rest of a refused body."""

    def refused(self) -> Any:
        """Begin a request that is refused while 1000 bytes of its body are to come."""
        channel = self.connect()
        channel.dataReceived(self.head(Content_Length="1010") + b" " * 10)
        self.assertEqual((self.status(), self.transport.disconnecting), (401, False))
        return channel

    def test_rest(self) -> None:
        """
        The connection is closed after the last byte of a refused body, so that the response is not
        lost.
        """
        channel = self.refused()
        channel.dataReceived(b" " * 999)
        self.assertFalse(self.transport.disconnecting)
        channel.dataReceived(b" ")
        self.assertTrue(self.transport.disconnecting)

    def test_whole(self) -> None:
        """A refused body that has arrived with its headers delays nothing."""
        channel = self.connect()
        channel.dataReceived(self.head(Content_Length="1000") + b" " * 1000)
        self.assertEqual((self.status(), self.transport.disconnecting), (401, True))

    def test_too_much(self) -> None:
        """Of a long refused body, a part is received; then the connection is closed."""
        channel = self.connect()
        channel.dataReceived(self.head(Content_Length=str(10**9)))
        channel.dataReceived(b" " * (2**20 - 1))
        self.assertEqual((self.status(), self.transport.disconnecting), (413, False))
        channel.dataReceived(b" ")
        self.assertTrue(self.transport.disconnecting)
        # More of it does not move the last deadline.
        self.clock.advance(59)
        channel.dataReceived(b" ")
        self.clock.advance(1)
        self.assertTrue(self.transport.disconnected)

    def test_no_end(self) -> None:
        """A refused body that does not end is received for a time only."""
        channel = self.refused()
        for _ in range(4):
            self.clock.advance(1)
            channel.dataReceived(b" ")
        self.assertFalse(self.transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(self.transport.disconnecting)


class TimeTests(ChannelTests):
    """Tests of slow clients."""

    def drip(self, channel: Any, seconds: float) -> None:
        """Send one byte each 5 s for a time, which must not end the connection."""
        for _ in range(int(seconds / 5) - 1):
            self.clock.advance(5)
            channel.dataReceived(b"x")
            self.assertFalse(self.transport.disconnecting)
        self.clock.advance(4.9)
        self.assertFalse(self.transport.disconnecting)

    def test_headers(self) -> None:
        """A client whose headers are not complete in time is dropped, however often it sends."""
        self.drip(self.connect(), 30)
        self.clock.advance(0.2)
        self.assertTrue(self.transport.disconnecting)

    def test_nothing(self) -> None:
        """A client that sends nothing is dropped."""
        self.connect()
        self.clock.advance(30)
        self.assertTrue(self.transport.disconnecting)

    def test_body(self) -> None:
        """A client whose body is not complete in time is dropped, however often it sends."""
        channel = self.connect()
        self.clock.advance(20)
        channel.dataReceived(self.head(token=self.token or "", Content_Length="1000"))
        self.drip(channel, 60)
        self.clock.advance(0.2)
        self.assertEqual((self.status(), self.transport.disconnecting), (0, True))

    def test_response(self) -> None:
        """A client that does not receive its response is dropped."""
        self.connect().dataReceived(self.head("GET", "/", Connection="close"))
        self.assertEqual((self.status(), self.transport.disconnecting), (200, True))
        self.clock.advance(59.9)
        self.assertFalse(self.transport.disconnected)
        self.clock.advance(0.2)
        self.assertTrue(self.transport.disconnected)

    def test_idle(self) -> None:
        """A connection without another request is closed after a time."""
        channel = self.connect()
        for _ in range(3):
            channel.dataReceived(self.head("GET", "/"))
            self.clock.advance(4.9)
            self.assertFalse(self.transport.disconnecting)
        self.clock.advance(0.2)
        self.assertTrue(self.transport.disconnecting)

    def test_later_headers(self) -> None:
        """The headers of a later request have their time, from the first byte."""
        channel = self.connect()
        channel.dataReceived(self.head("GET", "/"))
        self.clock.advance(4)
        channel.dataReceived(b"G")
        self.drip(channel, 30)
        self.clock.advance(0.2)
        self.assertTrue(self.transport.disconnecting)

    def test_later_body(self) -> None:
        """The body of a later request has its time, and the response has none."""
        waiting = self.patch_list()
        channel = self.connect()
        channel.dataReceived(self.head("GET", "/"))
        self.clock.advance(4)
        channel.dataReceived(self.head(token=self.token or "", Content_Length="15"))
        self.drip(channel, 60)
        self.transport.clear()
        channel.dataReceived(b"x" * 4)
        self.clock.advance(1000)
        self.assertFalse(self.transport.disconnecting)
        waiting.callback(None)
        self.assertEqual(self.status(), 200)

    def test_service(self) -> None:
        """A request that the service has received waits for its response without a deadline."""
        waiting = self.patch_list()
        channel = self.connect()
        channel.dataReceived(self.head("GET", token=self.token or ""))
        self.clock.advance(1000)
        self.assertFalse(self.transport.disconnecting)
        waiting.callback(None)
        self.assertEqual(self.status(), 200)

    def test_ended(self) -> None:
        """A connection that has ended leaves no delayed call."""
        for data in (b"", self.head("GET", "/"), self.head(Content_Length="1000"), b"GET"):
            channel = self.connect()
            channel.dataReceived(data)
            channel.connectionLost(Failure(ConnectionDone()))
            self.assertEqual(self.clock.getDelayedCalls(), [])


class TableTests(ChannelTests):
    """Tests of the table of bounds."""

    def test_values(self) -> None:
        """The bounds have these values; the body's is the real services'."""
        self.assertEqual(
            attr.asdict(BOUNDS),
            {
                "body": 114688,
                "headers": 16384,
                "header_lines": 100,
                "headers_time": 30.0,
                "body_time": 60.0,
                "idle_time": 5.0,
                "answer_time": 60.0,
                "discard": 1048576,
                "discard_time": 5.0,
                "connections": 512,
                "connections_by_address": 256,
            },
        )

"""Tests of hostile clients, on real sockets."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import TestCase

from txstorage.embedded.service import EmbeddedService, ServiceOptions

from .support import temporary_directory


class Flood(Protocol):
    """
    A client that sends a body until the connection ends.

    :ivar ended: fires with the received bytes.
    """

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._received = b""
        self.sent = 0
        self.ended: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        """Begin to send."""
        self.transport.write(self._head)
        self.transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        """Send more, once the last part has left."""
        self.transport.write(b" " * 65536)
        self.sent += 65536

    def stopProducing(self) -> None:
        """See ``IPullProducer``."""

    def dataReceived(self, data: bytes) -> None:
        """Keep the response."""
        self._received += data

    def connectionLost(self, reason: Any = None) -> None:
        """Hand the response on."""
        self.ended.callback(self._received)


class FloodTests(TestCase):
    """Tests of endless bodies."""

    timeout = 60.0

    async def setUp(self) -> None:
        directory = temporary_directory(self)
        self.temporary = os.path.join(directory, "temporary")
        os.mkdir(self.temporary)
        self.patch(tempfile, "tempdir", self.temporary)
        state = os.path.join(directory, "state")
        self.service = EmbeddedService(reactor, ServiceOptions(state_dir=state, devices="file"))
        self.addCleanup(lambda: Deferred.fromCoroutine(self.service.stop()))
        auth_url, _ = await self.service.start()
        self.port = int(auth_url.split(":")[2].split("/")[0])

    async def flood(self, path: str, length: str) -> bytes:
        """Send a body without an end; :return: the response."""
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode("ascii")
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        client = await connectProtocol(endpoint, Flood(head))
        received = await client.ended
        # What the sockets' buffers hold is sent without being received.
        self.assertLess(client.sent, 32 * 2**20)
        return received

    async def test_endless(self) -> None:
        """
        The client gets its refusal and loses its connection, after a small part of the body; none
        of it reaches the directory for temporary files.
        """
        long, chunked = f"Content-Length: {10**12}", "Transfer-Encoding: chunked"
        for path, length, status in (
            ("/volume/v3/volumes", long, b"413"),
            ("/identity/v3/auth/tokens", long, b"413"),
            ("/volume/v3/volumes", chunked, b"401"),
            ("/volume/v3/volumes", chunked + "\r\nExpect: 100-continue", b"401"),
        ):
            received = await self.flood(path, length)
            self.assertEqual(received.split(b" ")[1], status, (path, length))
            head, _, body = received.partition(b"\r\n\r\n")
            self.assertIn(b"Content-Length: %d" % len(body), head)
            self.assertEqual(os.listdir(self.temporary), [])

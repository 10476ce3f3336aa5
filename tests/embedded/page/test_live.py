"""Tests of the page of a running service, on the real reactor."""

from __future__ import annotations

import json
import os
import socket
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

import treq
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage.embedded import service as serving
from txstorage.embedded.accounts.declarations import parse_option
from txstorage.embedded.page.live import settled
from txstorage.embedded.service import EmbeddedService, ServiceOptions

from ..support import temporary_directory
from .test_state import ATTACHED, BACKUP, SERVER, SNAPSHOT


class SettledTests(SynchronousTestCase):
    """Tests of :func:`settled`."""

    def test_volume(self) -> None:
        """A volume's transition has its statuses and its node."""
        found = settled(ATTACHED, "available", "", 5.0)
        self.assertEqual((found.kind, found.subject_id), ("volume", "volume-id"))
        self.assertEqual(found.name, "data")
        self.assertEqual((found.begin, found.end), ("in-use", "available"))
        self.assertEqual((found.time, found.server_id), (5.0, "server-id"))

    def test_snapshot(self) -> None:
        """A snapshot's transition has its reason."""
        found = settled(SNAPSHOT, "error", "full", 5.0)
        self.assertEqual((found.kind, found.subject_id), ("snapshot", "snapshot-id"))
        self.assertEqual((found.begin, found.end, found.reason), ("creating", "error", "full"))
        self.assertIsNone(found.server_id)

    def test_others(self) -> None:
        """A server's and a backup's transition have their kinds, and no node."""
        for subject, kind, subject_id in (
            (SERVER, "server", "made-id"),
            (BACKUP, "backup", "backup-id"),
        ):
            found = settled(subject, "gone", "", 5.0)
            self.assertEqual((found.kind, found.subject_id, found.end), (kind, subject_id, "gone"))
            self.assertIsNone(found.server_id)


class Listening(Protocol):
    """
    A connection that asks for the events.

    :ivar received: everything until now.
    :ivar ended: fires with ``None`` when the service has closed it.
    """

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.received = b""
        self.ended: Deferred[None] = Deferred()
        self._waiting: list[tuple[bytes, Deferred[None]]] = []

    def connectionMade(self) -> None:
        """See ``Protocol``."""
        self.transport.write(self._request)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        """See ``Protocol``."""
        self.received += data
        for each in list(self._waiting):
            if each[0] in self.received:
                self._waiting.remove(each)
                each[1].callback(None)

    def until(self, text: bytes) -> Deferred[None]:
        """:return: fires when a text has come."""
        found: Deferred[None] = Deferred()
        self._waiting.append((text, found))
        self.dataReceived(b"")
        return found

    def connectionLost(self, reason: Any = None) -> None:
        """See ``Protocol``."""
        self.ended.callback(None)


class LiveTests(TestCase):
    """Tests with a service that is served on a port."""

    timeout = 60

    async def serve(self, **options: Any) -> EmbeddedService:
        """Start a service, which is stopped after the test."""
        directory = os.path.join(temporary_directory(self), "state")
        service = EmbeddedService(
            reactor,  # type: ignore[arg-type]
            ServiceOptions(state_dir=directory, devices="file", **options),
        )
        self.addCleanup(lambda: Deferred.fromCoroutine(service.stop()))
        url, self.agent = await service.start()
        self.place = urlsplit(url)
        with open(os.path.join(directory, "password"), encoding="ascii") as opened:
            self.password = opened.read().strip()
        return service

    async def listen(self, *headers: str) -> Listening:
        """Ask for the events."""
        port = self.place.port
        assert port is not None
        lines = ["GET /page/events HTTP/1.1", f"Host: localhost:{port}", *headers, "", ""]
        listening = Listening("\r\n".join(lines).encode("ascii"))
        await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), listening)
        return listening

    async def ask(self, method: str, path: str, token: str = "", body: Any = None) -> Any:
        """Send a request to an API, and return the response."""
        return await treq.request(
            method,
            f"http://127.0.0.1:{self.place.port}{path}",
            persistent=False,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Auth-Token": token} if token else {},
        )

    async def token(self) -> str:
        """Request a token."""
        user = {"name": "txstorage", "domain": {"id": "default"}, "password": self.password}
        identity = {"methods": ["password"], "password": {"user": user}}
        got = await self.ask(
            "POST", "/identity/v3/auth/tokens", body={"auth": {"identity": identity}}
        )
        await got.content()
        token: str = got.headers.getRawHeaders("x-subject-token")[0]
        return token

    async def test_events(self) -> None:
        """A change by a client reaches the browser, and the end of the service ends the feed."""
        service = await self.serve()
        listening = await self.listen()
        await listening.until(b'"volumes":')
        body = {"volume": {"size": 1, "name": "from-a-client"}}
        got = await self.ask("POST", "/volume/v3/volumes", await self.token(), body)
        await got.content()
        self.assertEqual(got.code, 202)
        await listening.until(b"from-a-client")
        await listening.until(b'"from": "creating", "to": "available"')
        self.assertNotIn(self.password.encode(), listening.received)
        await service.stop()
        await listening.ended
        self.assertTrue(listening.received.endswith(b"0\r\n\r\n"))

    async def test_other_machines(self) -> None:
        """A service that other machines can reach asks for a login, which may be given."""
        self.patch(serving, "is_loopback", lambda host: False)
        await self.serve()
        refused = await self.listen("Connection: close")
        await refused.ended
        self.assertIn(b"401 Unauthorized", refused.received)
        login = b64encode(f"txstorage:{self.password}".encode()).decode()
        listening = await self.listen("Authorization: Basic " + login)
        await listening.until(b'"volumes":')
        self.assertNotIn(self.password.encode(), listening.received)

    async def test_several_users(self) -> None:
        """With more users than one, whose projects are separate, the loopback needs the login."""
        await self.serve(users=(parse_option("alice:art:member"),))
        refused = await self.listen("Connection: close")
        await refused.ended
        self.assertIn(b"401 Unauthorized", refused.received)

    async def test_no_reader(self) -> None:
        """A browser that reads nothing neither grows the memory nor delays the service's end."""
        service = await self.serve()
        port = self.place.port
        assert port is not None and service._application is not None
        feed = service._application._page._feed
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", port))
            deaf.sendall(b"GET /page/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while not feed._listeners:
                await deferLater(reactor, 0)
            (listener,) = feed._listeners
            written = 0
            while listener._paused_at is None:
                # One long member, another one each time.
                written += 1
                listener.offer({"disk": json.dumps(str(written) * 2**17)})
                await deferLater(reactor, 0)
            transport = listener._request.channel.transport
            kept = len(transport.dataBuffer) + sum(map(len, transport._tempDataBuffer))
            for number in range(100):
                listener.offer({"disk": json.dumps(str(number) * 2**17)})
            after = len(transport.dataBuffer) + sum(map(len, transport._tempDataBuffer))
            self.assertEqual(after, kept)
            await service.stop()
        self.assertEqual(feed._listeners, {})

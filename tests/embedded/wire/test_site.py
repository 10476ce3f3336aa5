"""Tests of the number of connections, and of their end."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.python.failure import Failure

from txstorage.embedded.bounds import ConnectionBounds
from txstorage.embedded.machine.turns import ReactorTurns
from txstorage.embedded.wire.channel import BoundedChannel
from txstorage.embedded.wire.exchange import APIResponse, Service

from .test_channel import ChannelTests


class NumberTests(ChannelTests):
    """Tests of the number of connections."""

    def setUp(self) -> None:
        super().setUp()
        self.site.bounds = ConnectionBounds(connections=5, connections_by_address=3)

    def test_by_address(self) -> None:
        """An address has a number of connections; others still have theirs."""
        opened = [self.connect("192.0.2.1") for _ in range(3)]
        self.assertIs(self.connect("192.0.2.1"), None)
        self.assertIsNot(self.connect("192.0.2.2"), None)
        opened[1].connectionLost(Failure(ConnectionDone()))
        self.assertIsNot(self.connect("192.0.2.1"), None)
        self.assertIs(self.connect("192.0.2.1"), None)

    def test_all(self) -> None:
        """All addresses together have a number of connections."""
        opened = [self.connect(f"192.0.2.{number}") for number in range(5)]
        self.assertIs(self.connect("192.0.2.9"), None)
        opened[0].connectionLost(Failure(ConnectionDone()))
        self.assertIsNot(self.connect("192.0.2.9"), None)

    def test_forgotten(self) -> None:
        """An address without connections takes no memory."""
        for number in range(50):
            channel = self.connect(f"192.0.2.{number}")
            channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(len(self.site._open), 0)

    def idle(self, address: str) -> tuple[Any, Any]:
        """Open a connection, and use it; :return: it, and its transport."""
        channel = self.connect(address)
        channel.dataReceived(self.head("GET", "/"))
        return channel, self.transport

    def test_room_by_address(self) -> None:
        """The longest idle connection of an address makes room for another of that address."""
        others = self.idle("192.0.2.2")[1]
        idle = [self.idle("192.0.2.1")[1] for _ in range(3)]
        for ended in (1, 2, 3):
            self.assertIsNot(self.connect("192.0.2.1"), None)
            self.assertEqual(
                [each.disconnected for each in idle], [True] * ended + [False] * (3 - ended)
            )
        self.assertIs(self.connect("192.0.2.1"), None)
        self.assertFalse(others.disconnected)

    def test_room(self) -> None:
        """The longest idle connection of all makes room; one with a request does not."""
        self.connect("192.0.2.0").dataReceived(b"GET")
        idle = [self.idle(f"192.0.2.{number}")[1] for number in range(1, 5)]
        for number in range(4):
            self.assertIsNot(self.connect(f"192.0.2.{number}"), None)
            self.assertEqual([each.disconnected for each in idle].count(True), number + 1)
        self.assertIs(self.connect("192.0.2.9"), None)

    def test_room_once(self) -> None:
        """A connection that made room is counted once when it ends."""
        channel, _ = self.idle("192.0.2.1")
        for _ in range(3):
            self.connect("192.0.2.1")
        channel.connectionLost(Failure(ConnectionAborted()))
        self.assertIs(self.connect("192.0.2.1"), None)


class TurnTests(ChannelTests):
    """Tests of connections whose data waits for the reactor's next turn."""

    def setUp(self) -> None:
        super().setUp()
        self.site.turns = ReactorTurns(self.clock, bound=-1.0)

    def turn(self) -> None:
        """Let the data that waits have its turn."""
        self.site.turns._bound = 1.0
        self.clock.advance(0)
        self.site.turns._bound = -1.0

    def test_waits(self) -> None:
        """Data is processed in its turn and in its order; meanwhile, a second piece is the last."""
        channel = self.connect()
        request = self.head("GET", "/")
        for piece in (request[:3], request[3:5]):
            channel.dataReceived(piece)
        self.turn()
        self.assertEqual(self.transport.producerState, "producing")
        channel.dataReceived(request[5:])
        self.turn()
        for pieces in ([request], [request[:9], request[9:]]):
            self.transport.clear()
            for piece in pieces:
                channel.dataReceived(piece)
            self.assertEqual(self.transport.value(), b"")
            paused = self.transport.producerState == "paused"
            self.assertEqual(paused, len(pieces) > 1)
            self.turn()
            self.assertEqual(self.transport.value().count(b"HTTP/1.1 200 "), 1)
            self.assertEqual(self.transport.producerState, "producing")

    def test_precedence(self) -> None:
        """A request that only reads waits for those that change something."""
        order: list[str] = []

        async def answer(service: Any, request: Any, *_: Any) -> APIResponse:
            order.append(request.method.decode())
            return APIResponse(200, {})

        self.patch(Service, "answer", answer)
        token = self.token or ""
        for method in ("GET", "GET", "POST", "POST"):
            self.connect().dataReceived(self.head(method, token=token, Content_Length="0"))
        self.turn()
        self.assertEqual(order, ["GET", "POST", "POST", "GET"])

    def test_lost(self) -> None:
        """Data of a connection that ends before its turn is forgotten."""
        channel = self.connect()
        channel.dataReceived(self.head("GET", "/"))
        channel.connectionLost(Failure(ConnectionDone()))
        self.turn()
        self.assertEqual(self.transport.value(), b"")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_idle(self) -> None:
        """A connection with a request that waits for its turn is not idle."""
        channel = self.connect()
        channel.dataReceived(self.head("GET", "/"))
        self.turn()
        self.assertEqual(list(self.site.idle), [channel])
        channel.dataReceived(self.head("GET", "/"))
        self.assertEqual(list(self.site.idle), [])

    def test_failure(self) -> None:
        """A fault of the service itself is logged, and ends the connection."""
        channel = self.connect()
        self.patch(BoundedChannel, "lineReceived", lambda *_: 1 / 0)
        channel.dataReceived(self.head("GET", "/"))
        self.turn()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertTrue(self.transport.disconnected)


class EndTests(ChannelTests):
    """Tests of the end of all connections."""

    def test_responses(self) -> None:
        """Connections end at once, one with a request after its response."""
        waiting = self.patch_list()
        busy, busy_transport = self.connect(), self.transport
        busy.dataReceived(self.head("GET", token=self.token or ""))
        others = []
        for data in (b"", b"GET", self.head("GET", "/")):
            self.connect().dataReceived(data)
            others.append(self.transport)
        self.site.end_after_responses()
        self.assertEqual([each.disconnecting for each in others], [True] * 3)
        self.assertFalse(busy_transport.disconnecting)
        waiting.callback(None)
        self.assertIn(b"200 OK", busy_transport.value())
        self.assertTrue(busy_transport.disconnecting)

    def test_end(self) -> None:
        """Every connection is aborted, and the end waits for all of them."""
        channels = []
        for data in (b"", b"GET", self.head("GET", "/")):
            channels.append((self.connect(), self.transport))
            channels[-1][0].dataReceived(data)
        ended = self.site.end()
        for channel, transport in channels:
            self.assertNoResult(ended)
            self.assertTrue(transport.disconnected)
            channel.connectionLost(Failure(ConnectionAborted()))
        self.assertIs(self.successResultOf(ended), None)
        self.assertIs(self.successResultOf(self.site.end()), None)


class ProtocolTests(ChannelTests):
    """Tests of the protocols of connections."""

    def test_protocol(self) -> None:
        """A client with TLS can't choose HTTP/2, which has no bounds here."""
        self.assertEqual(self.site.acceptableProtocols(), [b"http/1.1"])

"""
The counting of answers as received, and the connections that end.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet import reactor
from twisted.internet.defer import succeed
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.test.proto_helpers import StringTransport
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage._http.bounds import Bounds, OutOfBounds
from txstorage._http.client import HTTPClient, agent_for
from txstorage._http.wire_bounds import AnswerCounter, BoundedEndpoint, is_interim

from ..helpers.wire import RawServer
from .support import whole

HEAD = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connected(object):
    """An endpoint that has a connection already."""

    def __init__(self, transport):
        self.transport = transport

    def connect(self, factory):
        """See ``IStreamClientEndpoint``."""
        protocol = factory.buildProtocol(None)
        protocol.makeConnection(self.transport)
        return succeed(protocol)


class CounterTests(SynchronousTestCase):
    """Bytes and lines."""

    def counted(self, data, step, **limits):
        """The reason why data in pieces are refused, or ``None``."""
        counter = AnswerCounter(Bounds(**limits))
        try:
            for at in range(0, len(data), step):
                counter.add(data[at : at + step])
        except OutOfBounds as error:
            return error.reason

    def test_in_pieces(self):
        """The bounds are exact, whatever the pieces and the ends of lines."""
        for head in (HEAD, HEAD.replace(b"\r", b""), INTERIM + HEAD, INTERIM + INTERIM + HEAD):
            for step in range(1, len(head) + 1):
                size, lines = len(head), head.count(b"\n")
                body = head + b"\n" * 50
                self.assertIs(
                    None, self.counted(body, step, head_bytes=size, head_lines=lines), (head, step)
                )
                fewer = self.counted(head, step, head_bytes=size - 1)
                self.assertIn(u"head of the answer", fewer or u"", (head, step))
                fewer = self.counted(head, step, head_lines=lines - 1)
                self.assertIn(u"lines", fewer or u"", (head, step))
                self.assertIs(None, self.counted(body, step, wire_bytes=size + 50))
                self.assertIn(u"the answer", self.counted(body, step, wire_bytes=size + 49))

    def test_interim(self):
        """A head is interim exactly when Twisted reads another one after it."""
        for line in (b"HTTP/1.1 100 Continue", b"HTTP/1.1 199", b"HTTP/1.1 0103 x", b"x 100 y"):
            self.assertTrue(is_interim(line), line)
        for line in (b"HTTP/1.1 200 OK", b"HTTP/1.1", b"", b"HTTP/1.1  100", b"HTTP/1.1 1oo x"):
            self.assertFalse(is_interim(line), line)


class ConnectionTests(TestCase):
    """Kept connections."""

    timeout = 20

    def client(self, **limits):
        """A client with bounds of its own."""
        agent = agent_for(reactor, bounds=Bounds(**limits))
        http = HTTPClient(reactor, agent, jitter=lambda: -0.5)
        self.addCleanup(http.close)
        return http

    def test_each_answer(self):
        """The bounds are those of one answer, not of a kept connection."""
        server, http = RawServer(self, whole(b"{}")), self.client(wire_bytes=50, head_lines=3)
        d = http.request(u"GET", server.url)
        for _ in range(4):
            d.addCallback(lambda ignored: http.request(u"GET", server.url))
        return d.addCallback(lambda ignored: self.assertEqual(1, len(server.connections)))

    def test_no_cookies(self):
        """A cookie is neither kept nor sent back, over a kept connection or a fresh one."""
        answer = whole(b"{}").replace(b"\r\n", b"\r\nSet-Cookie: a=b; Path=/\r\n", 1)
        server, http = RawServer(self, answer), self.client()
        d = http.request(u"GET", server.url)
        d.addCallback(lambda ignored: http.request(u"GET", server.url))
        d.addCallback(lambda ignored: http.request(u"POST", server.url, json={}))
        return d.addCallback(
            lambda ignored: self.assertNotIn(b"cookie", b"".join(server.received).lower())
        )

    def test_reads(self):
        """A turn of the reactor receives a bounded number of bytes, whatever stands in between."""
        for levels in range(3):
            socket = transport = StringTransport()
            for _ in range(levels):
                # As TLS is a protocol on one transport, and the transport of another protocol.
                wrapper = ProtocolWrapper(WrappingFactory(Factory()), Protocol())
                wrapper.makeConnection(transport)
                transport = wrapper
            bounded = BoundedEndpoint(Connected(transport))
            protocol = self.successResultOf(bounded.connect(Factory.forProtocol(Protocol)))
            self.assertIsInstance(protocol, Protocol)
            self.assertEqual(16384, socket.bufferSize, levels)

"""
Tests for :mod:`txstorage._http.resolution.endpoints`, on the reactor's own resolver.
"""

from __future__ import absolute_import, division, print_function

import socket

from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import TestCase

from txstorage._http.resolution import NamedEndpoint, RememberedNames


class NamedEndpointTests(TestCase):
    """Connections by name."""

    timeout = 20

    def setUp(self):
        self.names = RememberedNames(reactor)
        self.questions = []
        self.answers = [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        ]
        self.real = socket.getaddrinfo
        self.patch(socket, "getaddrinfo", self.getaddrinfo)
        self.patch(NamedEndpoint, "_getaddrinfo", staticmethod(self.getaddrinfo))
        resolver = getattr(reactor, "nameResolver", None)
        if resolver is not None:
            self.patch(resolver, "_getaddrinfo", self.getaddrinfo)
        self.port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
        self.addCleanup(self.port.stopListening)

    def getaddrinfo(self, host, port, *options):
        """Answer with both families; only the second answer's address accepts connections."""
        if host != "cloud.example":
            return self.real(host, port, *options)
        self.questions.append(host)
        if not self.answers:
            raise socket.gaierror("no such name")
        return [each[:4] + ((each[4][0], port) + each[4][2:],) for each in self.answers]

    def connect(self, port=None):
        number = self.port.getHost().port if port is None else port
        endpoint = NamedEndpoint(reactor, self.names, "cloud.example", number, 5)
        return endpoint.connect(Factory.forProtocol(Protocol)).addCallback(self.connected)

    def connected(self, protocol):
        self.assertEqual("127.0.0.1", protocol.transport.getPeer().host)
        protocol.transport.abortConnection()

    def test_remembered(self):
        """
        The resolver is asked once for connections of one moment and those that follow; each of
        these tries the addresses of both families.
        """
        d = gatherResults([self.connect() for _ in range(3)])
        d.addCallback(lambda _: self.connect())
        return d.addCallback(lambda _: self.assertEqual(1, len(self.questions)))

    def test_forgotten(self):
        """A name to whose addresses no connection can be made is resolved again."""
        number = self.port.getHost().port
        d = self.connect()
        d.addCallback(lambda _: self.port.stopListening())
        d.addCallback(lambda _: self.assertFailure(self.connect(number), ConnectError))
        d.addCallback(lambda _: self.assertEqual(1, len(self.questions)))
        d.addCallback(lambda _: self.assertFailure(self.connect(number), ConnectError))
        return d.addCallback(lambda _: self.assertEqual(2, len(self.questions)))

    def test_unknown(self):
        """A name without an address fails as with Twisted's own endpoint, and is not remembered."""
        self.answers = []
        d = self.assertFailure(self.connect(), DNSLookupError)
        d.addCallback(lambda _: self.assertFailure(self.connect(), DNSLookupError))
        return d.addCallback(lambda _: self.assertEqual(2, len(self.questions)))

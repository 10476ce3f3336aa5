"""
Tests of services at IPv6 addresses, on real sockets.
"""

from __future__ import absolute_import, division, print_function

import socket

from twisted.internet import reactor
from twisted.trial.unittest import SkipTest, TestCase

from txstorage import errors
from txstorage._http.client import HTTPClient
from txstorage._http.connections import agent_for

from ..helpers.wire import RawServer, certificate_for
from .support import whole


class IPv6Tests(TestCase):
    """Exchanges with a server at an IPv6 address."""

    timeout = 20

    def setUp(self):
        """Skip where the machine has no IPv6."""
        probe = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        self.addCleanup(probe.close)
        try:
            probe.bind(("::1", 0))
        except EnvironmentError as error:
            raise SkipTest("no IPv6 here: {}".format(error))

    def exchange(self, url, method=u"GET", **options):
        """Send a request, and return a ``Deferred`` of its response."""
        http = HTTPClient(reactor, agent_for(reactor, **options), jitter=lambda: -0.5)
        self.addCleanup(http.close)
        return http.request(method, url, json=None if method == u"GET" else {})

    def trusting(self, certificate):
        """A file with a certificate."""
        path = self.mktemp()
        with open(path, "wb") as opened:
            opened.write(certificate.dumpPEM())
        return path

    def test_plain(self):
        """Reading and changing requests arrive, with the address in brackets as the host."""
        server = RawServer(self, whole(b'{"a": 1}'), host=u"::1")
        d = self.exchange(server.url)
        d.addCallback(lambda response: self.assertEqual(response.body, {u"a": 1}))
        d.addCallback(lambda ignored: self.exchange(server.url, u"POST"))

        def sent(ignored):
            host = "Host: [::1]:{}\r\n".format(server.port).encode("ascii")
            for received in server.received:
                self.assertIn(host, received)
            self.assertEqual(len(server.received), 2)

        return d.addCallback(sent)

    def test_trusted(self):
        """A certificate for the address, in any of its forms, is accepted."""
        certificate = certificate_for(u"::1")
        server = RawServer(self, whole(b"{}"), certificate=certificate, host=u"::1")
        path = self.trusting(certificate)
        d = self.exchange(server.url, verify_ca_path=path)
        d.addCallback(
            lambda ignored: self.exchange(
                server.url.replace(u"[::1]", u"[0:0:0:0:0:0:0:1]"), verify_ca_path=path
            )
        )
        return d.addCallback(lambda response: self.assertEqual(response.status, 200))

    def test_not_trusted(self):
        """A certificate for another address, or for a name, is rejected; nothing is sent."""
        def rejected(ignored, name):
            certificate = certificate_for(name)
            server = RawServer(self, whole(b"{}"), certificate=certificate, host=u"::1")
            asked = self.exchange(server.url, verify_ca_path=self.trusting(certificate))
            d = self.assertFailure(asked, errors.CertificateRejected)

            def check(caught):
                self.assertIn(u"does not name the address (::1)", caught.reason)
                self.assertEqual(server.received, [])

            return d.addCallback(check)

        return rejected(None, u"::2").addCallback(rejected, u"localhost")

    def test_not_verified(self):
        """Without verification any certificate is accepted for an address."""
        server = RawServer(self, whole(b"{}"), certificate=certificate_for(u"else"), host=u"::1")
        d = self.exchange(server.url, verify_peer=False)
        return d.addCallback(lambda response: self.assertEqual(response.status, 200))

    def test_refused(self):
        """A port without a server is unreachable, and the error shows the address."""
        asked = self.exchange(u"http://[::1]:1/v3")
        d = self.assertFailure(asked, errors.Unreachable)
        return d.addCallback(lambda caught: self.assertIn(u"http://[::1]:1/v3", caught.message))

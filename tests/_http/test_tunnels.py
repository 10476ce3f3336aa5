# -*- coding: utf-8 -*-
"""
Tests of proxies, on real sockets.
"""

from __future__ import absolute_import, division, print_function

from base64 import b64encode

from eliot import MemoryLogger
from eliot.testing import capture_logging
from twisted.internet import reactor
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage import errors
from txstorage._configuration.environment.proxies import Proxies, read_proxy
from txstorage._http.bounds import Bounds
from txstorage._http.client import HTTPClient
from txstorage._http.connections import agent_for
from txstorage._http.tunnels import (
    ConnectAnswer,
    ProxyFailure,
    ProxyRefusal,
    ProxyUnauthorized,
    ProxyUnreachable,
)

from ..helpers.proxies import TUNNEL, ProxyServer
from ..helpers.wire import RawServer, certificate_for
from .support import whole

PROXY = read_proxy(u"http://proxy:3128", u"https_proxy")


class AnswerTests(SynchronousTestCase):
    """The answer to CONNECT."""

    def add(self, *pieces):
        """:return: the last result of the pieces of an answer."""
        answer = ConnectAnswer(PROXY, 1000)
        return [answer.add(piece) for piece in pieces][-1]

    def test_tunnel(self):
        """Any 2xx makes a tunnel; bytes after the head come through the tunnel."""
        for head in (
            b"HTTP/1.1 200 Connection established\r\n\r\n",
            b"HTTP/1.0 200\r\nContent-Length: 5\r\n\r\n",
            b"HTTP/1.1 204 \xff\r\nA: b\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ):
            self.assertEqual(self.add(head), b"")
            self.assertEqual(self.add(head + b"\x16rest"), b"\x16rest")
            for cut in range(1, len(head)):
                self.assertEqual(self.add(head[:cut], head[cut:] + b"x"), b"x")
                self.assertIs(self.add(head[:cut]), None)

    def test_failures(self):
        """Any other answer is a failure, with the status and the phrase in its reason."""
        for answer, kind, words in (
            (b"HTTP/1.1 403 Forbidden\r\n\r\n", ProxyRefusal, u"HTTP 403 Forbidden"),
            (b"HTTP/1.1 301 Moved\r\n\r\n", ProxyRefusal, u"HTTP 301 Moved"),
            (b"HTTP/1.1 502 Bad\x1b[2J Gateway\r\n\r\n", ProxyUnreachable, u"502 Bad [2J Gateway"),
            (b"HTTP/1.1 503\r\n\r\n", ProxyUnreachable, u"HTTP 503"),
            (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", ProxyRefusal, u"is not HTTP"),
            (b"HTTP/1.1 200OK\r\n\r\n", ProxyRefusal, u"is not HTTP"),
            (
                b"HTTP/1.1 407 Authenticate\r\nProxy-Authenticate: Negotiate\r\n"
                b"proxy-authenticate: Basic realm=x\r\n\r\n",
                ProxyUnauthorized,
                u"407 Authenticate; it requires Negotiate, Basic",
            ),
        ):
            caught = self.assertRaises(ProxyFailure, self.add, answer)
            self.assertIs(type(caught), kind)
            self.assertIn(words, caught.reason)
            self.assertTrue(caught.remedy)

    def test_endless(self):
        """An answer whose head exceeds the limit is a failure, in any number of heads."""
        interim = b"HTTP/1.1 100 Continue\r\n\r\n"
        for pieces in ([b"x" * 1001], [b"x\r\n"] * 400, [interim] * 50):
            caught = self.assertRaises(ProxyRefusal, self.add, *pieces)
            self.assertIn(u"longer than 1000 bytes", caught.reason)
        # Bytes that come through the tunnel do not count.
        self.assertEqual(len(self.add(TUNNEL + b"x" * 5000)), 5000)


class ProxyTestCase(TestCase):
    """Requests through a proxy."""

    timeout = 20

    def request(self, url, proxy, method=u"GET", timeout=10.0, **options):
        """Send a request through a proxy, or a list of proxies' addresses, one for each scheme."""
        address = proxy if isinstance(proxy, type(u"")) else proxy.url
        proxies = Proxies(read_proxy(address, u"https_proxy"))
        agent = agent_for(reactor, proxy_for=proxies.for_url, **options)
        http = HTTPClient(
            reactor, agent, timeout, jitter=lambda: -0.5, proxy_for=proxies.for_url
        )
        self.addCleanup(http.close)
        self.http = http
        return http.request(method, url, json=None if method == u"GET" else {u"b": u"2"})

    def trusting(self, *certificates):
        """A file with certificates."""
        path = self.mktemp()
        with open(path, "wb") as opened:
            for each in certificates:
                opened.write(each.dumpPEM())
        return path

    def fails(self, asked, kind, *words):
        """The request fails with an error that has certain words and no credentials."""
        def check(caught):
            for word in words:
                self.assertIn(word, str(caught))
            for secret in (u"s3cr3t", b64encode(b"user:s3cr3t").decode("ascii")):
                self.assertNotIn(secret, str(caught))
            return caught

        return self.assertFailure(asked, kind).addCallback(check)


class TunnelTests(ProxyTestCase):
    """Requests to https URLs."""

    def service(self, name=u"127.0.0.1"):
        """A service that has a certificate for a name, and the path of the certificate."""
        certificate = certificate_for(name)
        server = RawServer(self, whole(b'{"a": 1}'), certificate=certificate)
        return server, self.trusting(certificate)

    def test_through(self):
        """A request goes through a tunnel; its contents are encrypted on the way."""
        server, path = self.service()
        proxy = ProxyServer(self)
        d = self.request(server.url, proxy, u"POST", verify_ca_path=path)

        def answered(response):
            self.assertEqual(response.body, {u"a": 1})
            place = u"127.0.0.1:{}".format(server.port)
            self.assertEqual(
                proxy.heads, [u"CONNECT {0} HTTP/1.1\r\nHost: {0}".format(place)]
            )
            self.assertIn(b"POST /v3 HTTP/1.1", b"".join(server.received))
            self.assertNotIn(b"HTTP/1.1", b"".join(proxy.relayed))

        return d.addCallback(answered)

    def test_verified_from_end_to_end(self):
        """A certificate that is not the service's is rejected, although a proxy is between."""
        server, path = self.service(u"elsewhere.example")
        asked = self.request(server.url, ProxyServer(self), verify_ca_path=path)
        d = self.fails(asked, errors.CertificateRejected, "does not name the address (127.0.0.1)")
        return d.addCallback(lambda _: self.assertEqual(server.received, []))

    def test_credentials(self):
        """The proxy gets the credentials, decoded, and the service does not."""
        server, path = self.service()
        proxy = ProxyServer(self, user=u"us%65r:p%40s%3As")
        d = self.request(server.url, proxy, verify_ca_path=path)

        def answered(ignored):
            expected = b64encode(b"user:p@s:s").decode("ascii")
            self.assertIn(u"Proxy-Authorization: Basic " + expected, proxy.heads[0])
            self.assertNotIn(b"roxy-", b"".join(server.received))

        return d.addCallback(answered)

    @capture_logging(None)
    def test_not_logged(self, logger):
        """Neither the log nor a repr nor an error shows a proxy's credentials."""
        proxy = ProxyServer(self, b"HTTP/1.1 407 No\r\n\r\n", user=u"user:s3cr3t")
        asked = self.request(u"https://cloud.example/v3", proxy)
        d = self.fails(asked, errors.ProxyUnauthenticated, "through the proxy http://127.0.0.1:")

        def logged(ignored):
            self.assertIsInstance(logger, MemoryLogger)
            text = repr(logger.messages) + repr(read_proxy(proxy.url, u"x"))
            self.assertIn("of https_proxy", text)
            self.assertNotIn("s3cr3t", text)
            self.assertNotIn(b64encode(b"user:s3cr3t").decode("ascii"), text)

        return d.addCallback(logged)

    def test_several_pieces(self):
        """The proxy's answer may come in pieces, with the first bytes of the tunnel."""
        server, path = self.service()
        proxy = ProxyServer(self)
        proxy.pieces = lambda: [b"HTTP/1.1 100 Continue\r\n", b"\r\n" + TUNNEL[:20], TUNNEL[20:]]
        d = self.request(server.url, proxy, verify_ca_path=path)
        return d.addCallback(lambda response: self.assertEqual(response.status, 200))

    def test_kept(self):
        """Reading requests share one tunnel."""
        server, path = self.service()
        proxy = ProxyServer(self)
        d = self.request(server.url, proxy, verify_ca_path=path)
        d.addCallback(lambda _: self.http.request(u"GET", server.url))
        return d.addCallback(lambda _: self.assertEqual(len(proxy.heads), 1))

    def test_ipv6(self):
        """An IPv6 address of the service stands in brackets."""
        proxy = ProxyServer(self, b"HTTP/1.1 403 Forbidden\r\n\r\n", close=True)
        d = self.fails(self.request(u"https://[::1]:8/v3", proxy), errors.ProxyRefused)
        return d.addCallback(lambda _: self.assertIn(u"CONNECT [::1]:8 HTTP", proxy.heads[0]))

    def refused(self, answer, kind, tries, *words):
        """An answer to CONNECT becomes an error after some tries; nothing else is sent."""
        proxy = ProxyServer(self, answer, close=True)
        asked = self.request(u"https://cloud.example/v3", proxy, u"POST")
        d = self.fails(asked, kind, "(through the proxy http://127.0.0.1:", *words)

        def tried(ignored):
            self.assertEqual(len(proxy.heads), tries)
            self.assertEqual(proxy.relayed, [])

        return d.addCallback(tried)

    def test_forbidden(self):
        """A proxy that forbids the connection is an error of its own, with its advice."""
        answer = b"HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n"
        return self.refused(answer, errors.ProxyRefused, 1, "HTTP 403 Forbidden", "no_proxy")

    def test_unauthenticated(self):
        """407 is an error of its own, which names the variable and is not retried."""
        answer = b"HTTP/1.1 407 Required\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"
        return self.refused(
            answer, errors.ProxyUnauthenticated, 1, "it requires Basic", "into https_proxy"
        )

    def test_behind_the_proxy(self):
        """A service that the proxy does not reach is unreachable: POST is retried, too."""
        answer = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
        return self.refused(answer, errors.Unreachable, 3, "HTTP 503", "the proxy can reach")

    def test_not_a_proxy(self):
        """A server of another kind is not a proxy."""
        return self.refused(b"220 mail ESMTP\r\n\r\n", errors.ProxyRefused, 1, "is not HTTP")

    def test_closed(self):
        """A proxy that closes the connection without an answer is unreachable."""
        return self.refused(b"", errors.Unreachable, 3, "closed the connection without an answer")

    def test_endless_head(self):
        """An endless answer to CONNECT ends the connection."""
        proxy = ProxyServer(self, b"HTTP/1.1 200 OK".replace(b"200", b"20x") + b"x" * 3000)
        asked = self.request(
            u"https://cloud.example/v3", proxy, bounds=Bounds(head_bytes=2000)
        )
        return self.fails(asked, errors.ProxyRefused, "longer than 2000 bytes")

    def test_silent(self):
        """A proxy that never answers is given up, and the connection ends."""
        proxy = ProxyServer(self, None)
        asked = self.request(u"https://cloud.example/v3", proxy, connect_timeout=0.2)
        return self.fails(asked, errors.Unreachable, "no answer to CONNECT within 0.2 seconds")

    def test_silent_service(self):
        """A service behind the proxy that does not answer a handshake is named, and the proxy."""
        server = RawServer(self)
        proxy = ProxyServer(self)
        asked = self.request(
            server.url.replace(u"http:", u"https:"), proxy, verify_peer=False,
            bounds=Bounds(handshake_seconds=0.3),
        )
        words = "127.0.0.1:{} accepts connections".format(server.port)
        d = self.fails(asked, errors.NoHandshake, words, "(through the proxy http://127.0.0.1:")
        return d.addCallback(lambda _: self.assertEqual(len(proxy.heads), 1))

    def test_silent_https_proxy(self):
        """A proxy that does not answer a handshake is named; the advice is about the proxy."""
        server = RawServer(self)
        url = server.url.replace(u"http:", u"https:")
        words = "the proxy 127.0.0.1:{} accepts connections".format(server.port)

        def fails(scheme):
            asked = self.request(
                scheme + u"://cloud.example/v3", url, verify_peer=False,
                bounds=Bounds(handshake_seconds=0.3),
            )
            return self.fails(
                asked, errors.NoHandshake, words, "begin its address, in https_proxy"
            )

        return fails(u"https").addCallback(lambda _: fails(u"http"))

    def test_timeout_of_the_request(self):
        """A request whose time ends while the proxy is silent was certainly not processed."""
        proxy = ProxyServer(self, None)
        asked = self.request(u"https://cloud.example/v3", proxy, timeout=0.2)
        return self.fails(asked, errors.Unreachable, "no connection in time")

    def test_no_proxy_there(self):
        """A proxy that does not listen is unreachable; the advice is about the proxy."""
        port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
        url = u"http://127.0.0.1:{}".format(port.getHost().port)

        def stopped(ignored):
            asked = self.request(u"https://cloud.example/v3", url)
            return self.fails(
                asked, errors.Unreachable, "no connection to the proxy", "https_proxy, is correct"
            )

        return port.stopListening().addCallback(stopped)

    def test_https_proxy(self):
        """A proxy may itself speak TLS; its certificate is verified, too."""
        server, _ = self.service()
        certificate = certificate_for(u"127.0.0.1", common_name=u"proxy")
        proxy = ProxyServer(self, certificate=certificate)
        service = server.certificate
        d = self.request(
            server.url, proxy, verify_ca_path=self.trusting(certificate, service)
        )
        d.addCallback(lambda response: self.assertEqual(response.body, {u"a": 1}))

        def untrusted(ignored):
            asked = self.request(server.url, proxy, verify_ca_path=self.trusting(service))
            return self.fails(asked, errors.CertificateRejected, "through the proxy https://")

        return d.addCallback(untrusted)


class PlainTests(ProxyTestCase):
    """Requests to http URLs."""

    def test_through(self):
        """The proxy gets the whole URL, and the credentials; the host's port may be any."""
        proxy = ProxyServer(self, whole(b'{"a": 1}'), user=u"user:s3cr3t")
        d = self.request(u"http://cloud.example:8776/v3", proxy)
        d.addCallback(lambda response: self.assertEqual(response.body, {u"a": 1}))

        def sent(ignored):
            [head] = proxy.heads
            self.assertTrue(head.startswith(u"GET http://cloud.example:8776/v3 HTTP/1.1\r\n"), head)
            self.assertIn(u"\r\nHost: cloud.example:8776", head)
            basic = b64encode(b"user:s3cr3t").decode("ascii")
            self.assertIn(u"\r\nProxy-Authorization: Basic " + basic, head)

        return d.addCallback(sent)

    def test_kept(self):
        """Reading requests share a connection to the proxy, changing ones do not."""
        proxy = ProxyServer(self, whole(b"{}"))
        d = self.request(u"http://cloud.example/v3", proxy)
        d.addCallback(lambda _: self.http.request(u"GET", u"http://other.example/v2"))
        d.addCallback(lambda _: self.assertEqual(len(proxy.open), 1))
        d.addCallback(lambda _: self.http.request(u"POST", u"http://cloud.example/v3", json={}))
        return d.addCallback(lambda _: self.assertEqual(len(proxy.open), 2))

    def test_errors(self):
        """An error of the proxy, or of the service, says that a proxy was used."""
        proxy = ProxyServer(self, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        asked = self.request(u"http://cloud.example/v3", proxy)
        through = "(through the proxy {} of https_proxy)".format(proxy.url)
        return self.fails(asked, errors.PermissionDenied, through)

    def test_unauthenticated(self):
        """407 is an error of its own; credentials that the proxy echoes are not shown."""
        body = b"Denied: Basic " + b64encode(b"user:s3cr3t") + b" s3cr3t"
        head = "HTTP/1.1 407 Required\r\nContent-Length: {}\r\n\r\n".format(len(body))
        proxy = ProxyServer(self, head.encode("ascii") + body, user=u"user:s3cr3t")
        asked = self.request(u"http://cloud.example/v3", proxy)
        words = ("requires authentication: Denied", "into https_proxy")
        return self.fails(asked, errors.ProxyUnauthenticated, *words)

    def test_bad_variable(self):
        """A wrong variable fails the requests that would use it, without a connection."""
        proxies = Proxies(given={u"http": (u"http_proxy", u"socks5://user:s3cr3t@proxy")})
        agent = agent_for(reactor, proxy_for=proxies.for_url)
        http = HTTPClient(reactor, agent, proxy_for=proxies.for_url)
        self.addCleanup(http.close)
        asked = http.request(u"GET", u"http://cloud.example/v3")
        return self.fails(asked, errors.InvalidConfiguration, "http_proxy is not the address")

    def test_bounded(self):
        """The bounds of answers hold through a proxy, too."""
        proxy = ProxyServer(self, b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n")
        asked = self.request(u"http://cloud.example/v3", proxy)
        return self.fails(asked, errors.NotTheService, "longer than 256 lines")

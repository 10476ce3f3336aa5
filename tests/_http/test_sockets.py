"""
Tests of the HTTP client on real sockets.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet import reactor
from twisted.internet.defer import succeed
from twisted.internet.protocol import Factory
from twisted.trial.unittest import TestCase

from txstorage import errors
from txstorage._http import connections
from txstorage._http.bounds import Bounds
from txstorage._http.client import HTTPClient
from txstorage._http.connections import agent_for

from ..helpers.wire import RawServer, certificate_for
from .support import whole


class SocketTests(TestCase):
    """Real connections."""

    timeout = 20

    def client(self, timeout=10.0, jitter=lambda: -0.5, **options):
        """An HTTP client that is closed at the end, and does not wait between tries."""
        http = HTTPClient(reactor, agent_for(reactor, **options), timeout, jitter=jitter)
        self.addCleanup(http.close)
        return http

    def pem(self, certificate):
        """A file with a certificate."""
        path = self.mktemp()
        with open(path, "wb") as opened:
            opened.write(certificate.dumpPEM())
        return path

    def test_exchange(self):
        """A real server's response arrives."""
        server = RawServer(self, whole(b'{"a": 1}'))
        asked = self.client().request(u"POST", server.url, json={u"b": 2})
        asked.addCallback(lambda response: self.assertEqual(response.body, {u"a": 1}))

        def sent(ignored):
            received = b"".join(server.received)
            self.assertTrue(received.startswith(b"POST /v3 HTTP/1.1\r\n"), received)
            self.assertTrue(received.endswith(b'\r\n\r\n{"b": 2}'), received)

        return asked.addCallback(sent)

    def test_refused(self):
        """A port without a server is unreachable."""
        port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
        number = port.getHost().port
        stopped = port.stopListening()
        stopped.addCallback(
            lambda ignored: self.assertFailure(
                self.client().request(u"POST", u"http://127.0.0.1:{}/".format(number)),
                errors.Unreachable,
            )
        )
        return stopped

    def test_unknown_scheme_and_host(self):
        """A URL that can't be one is an error of its own."""
        http = self.client()
        d = self.assertFailure(http.request(u"GET", u"ftp://127.0.0.1/"), errors.NotTheService)
        return d.addCallback(
            lambda ignored: self.assertFailure(
                # Some versions of Twisted take the port for a part of the name.
                http.request(u"GET", u"http://127.0.0.1:port/"), errors.TransportError
            )
        )

    def broken(self, method, expected, tries, **options):
        """A server's misbehaviour becomes an error after some tries."""
        server = RawServer(self, **options)
        json = None if method == u"GET" else {}
        asked = self.assertFailure(
            self.client().request(method, server.url, json=json), expected
        )

        def tried(caught):
            self.assertEqual(len(server.connections), tries)
            return caught

        return asked.addCallback(tried)

    def test_dropped(self):
        """After a connection without a response a GET is tried three times, and a POST once."""
        d = self.broken(u"GET", errors.ResponseLost, 3, close=True)
        return d.addCallback(
            lambda ignored: self.broken(u"POST", errors.ResponseLost, 1, close=True)
        )

    def test_truncated(self):
        """A body that is shorter than announced is lost, in either encoding."""
        short = b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"a": 1}'
        chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"a": 1}\r\n'
        d = self.broken(u"POST", errors.ResponseLost, 1, answer=short, close=True)
        d.addCallback(
            lambda ignored: self.broken(u"POST", errors.ResponseLost, 1, answer=chunked, close=True)
        )
        return d.addCallback(lambda caught: self.assertIn(u"broke off", caught.message))

    def test_malformed_chunk(self):
        """A malformed response counts as a response: the request may have been processed."""
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        return self.broken(u"POST", errors.ResponseLost, 1, answer=answer, close=True)

    def test_not_http(self):
        """A server that does not speak HTTP is reported as not the service."""
        return self.broken(
            u"GET", errors.NotTheService, 1, answer=b"SSH-2.0-OpenSSH_9.6\r\nxx\r\n\r\n", close=True
        )

    def test_https_to_plain_http(self):
        """TLS to a port that does not speak it is not the service."""
        server = RawServer(self, b"HTTP/1.1 400 Bad Request\r\n\r\n", close=True)
        url = server.url.replace(u"http:", u"https:")
        return self.assertFailure(
            self.client(verify_peer=False).request(u"GET", url), errors.NotTheService
        )

    def test_https_to_silent_http(self):
        """A port that answers no handshake is named, and is not tried again."""
        server = RawServer(self)
        url = server.url.replace(u"http:", u"https:")
        http = self.client(verify_peer=False, bounds=Bounds(handshake_seconds=0.2))
        asked = self.assertFailure(http.request(u"GET", url), errors.NoHandshake)

        def failed(caught):
            self.assertTrue(caught.certainly_unprocessed)
            self.assertIn(
                u"127.0.0.1:{} accepts connections, but does not answer a TLS handshake within 0.2 "
                u"seconds".format(server.port),
                caught.reason,
            )
            self.assertIn(u"begin the address with http:", caught.remedy)
            [hello] = server.received
            self.assertEqual(hello[:1], b"\x16")
            return server.closed

        return asked.addCallback(failed)

    def test_handshake_that_stops(self):
        """A server that begins to answer a handshake does not stop the clock."""
        # The head of a record of 64 bytes, which never come.
        server = RawServer(self, b"\x16\x03\x03\x00\x40")
        http = self.client(verify_peer=False, bounds=Bounds(handshake_seconds=0.2))
        asked = http.request(u"POST", server.url.replace(u"http:", u"https:"), json={})
        return self.assertFailure(asked, errors.NoHandshake)

    def test_after_the_handshake(self):
        """The time of the handshake ends with the handshake: a kept connection has no timer."""
        certificate = certificate_for(u"127.0.0.1")
        server = RawServer(self, whole(b"{}"), certificate=certificate)
        http = self.client(
            verify_ca_path=self.pem(certificate), bounds=Bounds(handshake_seconds=1000.0)
        )

        def answered(ignored):
            [connection] = server.connections
            self.assertTrue(connection.transport.connected)
            until = [each.getTime() - reactor.seconds() for each in reactor.getDelayedCalls()]
            self.assertEqual([seconds for seconds in until if seconds > 900], [])

        return http.request(u"GET", server.url).addCallback(answered)

    def test_http_to_tls(self):
        """Plain HTTP to a port that speaks TLS suggests https."""
        server = RawServer(self, certificate=certificate_for(u"127.0.0.1"))
        url = server.url.replace(u"https:", u"http:")
        asked = self.assertFailure(
            self.client().request(u"GET", url), errors.TransportError
        )
        return asked.addCallback(
            lambda caught: self.assertIn(u"begin the address with https:", caught.remedy)
        )

    def test_hanging(self):
        """A request to a server that does not respond fails after the timeout."""
        server = RawServer(self)
        asked = self.client(timeout=0.2).request(u"POST", server.url, json={})
        return self.assertFailure(asked, errors.ResponseLost)

    def test_hanging_over_tls(self):
        """Over TLS, a timeout within the body does not wait for the end of the TLS session."""
        server = RawServer(
            self,
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
            certificate=certificate_for(u"127.0.0.1"),
        )
        asked = self.client(timeout=0.5, verify_peer=False).request(u"POST", server.url, json={})
        asked = self.assertFailure(asked, errors.ResponseLost)
        return asked.addCallback(lambda ignored: server.closed)

    def test_self_signed_is_rejected(self):
        """A certificate of unknown origin is rejected, with the reason, and not retried."""
        server = RawServer(self, whole(b"{}"), certificate=certificate_for(u"127.0.0.1"))
        asked = self.assertFailure(
            self.client().request(u"GET", server.url), errors.CertificateRejected
        )

        def rejected(caught):
            self.assertIn(u"self-signed", caught.reason)
            self.assertEqual(len(server.connections), 1)
            self.assertEqual(server.received, [])

        return asked.addCallback(rejected)

    def test_trusted_address(self):
        """A certificate in verify_ca_path is accepted for the address it names."""
        certificate = certificate_for(u"127.0.0.1")
        server = RawServer(self, whole(b'{"a": 1}'), certificate=certificate)
        http = self.client(verify_ca_path=self.pem(certificate))
        asked = http.request(u"GET", server.url)
        return asked.addCallback(lambda response: self.assertEqual(response.body, {u"a": 1}))

    def test_certificate_for_another_address(self):
        """A trusted certificate is rejected for an address that it does not name."""
        certificate = certificate_for(u"127.0.0.2")
        server = RawServer(self, whole(b"{}"), certificate=certificate)
        http = self.client(verify_ca_path=self.pem(certificate))
        asked = self.assertFailure(
            http.request(u"GET", server.url), errors.CertificateRejected
        )
        return asked.addCallback(lambda caught: self.assertIn(u"127.0.0.1", caught.reason))

    def test_trusted_host(self):
        """A certificate in verify_ca_path is accepted for the host it names."""
        certificate = certificate_for(u"localhost")
        server = RawServer(self, whole(b'{"a": 1}'), certificate=certificate)
        http = self.client(verify_ca_path=self.pem(certificate))
        asked = http.request(u"GET", server.url.replace(u"127.0.0.1", u"localhost"))
        return asked.addCallback(lambda response: self.assertEqual(response.body, {u"a": 1}))

    def test_other_host(self):
        """A certificate of another host, and one of unknown origin, are rejected."""
        certificate = certificate_for(u"cloud.example")
        server = RawServer(self, whole(b"{}"), certificate=certificate)
        url = server.url.replace(u"127.0.0.1", u"localhost")
        asked = self.assertFailure(
            self.client(verify_ca_path=self.pem(certificate)).request(u"GET", url),
            errors.CertificateRejected,
        )
        return asked.addCallback(
            lambda ignored: self.assertFailure(
                self.client().request(u"GET", url), errors.CertificateRejected
            )
        )

    def test_unverified(self):
        """Without verification every certificate is accepted, for names and addresses."""
        names = []
        server = RawServer(self, whole(b'{"a": 1}'), certificate=certificate_for(u"else"))
        server.context.set_tlsext_servername_callback(
            lambda connection: names.append(connection.get_servername())
        )
        http = self.client(verify_peer=False)
        d = http.request(u"GET", server.url)
        d.addCallback(
            lambda ignored: http.request(
                u"GET", server.url.replace(u"127.0.0.1", u"localhost")
            )
        )
        d.addCallback(lambda response: self.assertEqual(response.body, {u"a": 1}))
        # A server of several names has to know which one is meant.
        return d.addCallback(lambda ignored: self.assertEqual(names[-1], b"localhost"))

    def requests(self, http, server, *methods):
        """:return: a ``Deferred`` that fires when requests have been answered, one by one."""
        d = succeed(None)
        for method in methods:
            d.addCallback(lambda _, method=method: http.request(method, server.url))
        return d

    def test_connections_are_kept(self):
        """Reading requests share a connection, and mutations share another."""
        server = RawServer(self, whole(b"{}"))
        d = self.requests(self.client(), server, u"GET", u"POST", u"GET", u"DELETE", u"PUT")
        return d.addCallback(lambda _: self.assertEqual(2, len(server.connections)))

    def test_idle_connection(self):
        """A mutation does not use a connection that has been idle for longer than a moment."""
        self.patch(connections, "_KEPT_FOR", {True: 30, False: 0})
        server = RawServer(self, whole(b"{}"))
        http = self.client()
        d = self.requests(http, server, u"POST")
        d.addCallback(lambda _: server.closed)
        d.addCallback(lambda _: self.requests(http, server, u"POST"))
        return d.addCallback(lambda _: self.assertEqual(2, len(server.connections)))

    def test_mutation_over_a_closed_connection(self):
        """
        A mutation is sent once, also over a kept connection that the server closes without an
        answer, when it may have been processed.
        """

        def once(_, method):
            server = RawServer(self, whole(b"{}"))
            http = self.client()
            d = self.requests(http, server, u"POST")

            def closing(_):
                [first] = server.connections
                answer = first.dataReceived

                def close(data):
                    server.answer = b""
                    answer(data)
                    first.transport.loseConnection()

                first.dataReceived = close
                del server.received[:]
                return self.assertFailure(http.request(method, server.url), errors.ResponseLost)

            d.addCallback(closing)
            return d.addCallback(
                lambda _: self.assertEqual(
                    (1, 1), (len(server.connections), len(server.received))
                )
            )

        d = succeed(None)
        for method in (u"POST", u"PUT", u"DELETE"):
            d.addCallback(once, method)
        return d

    def test_no_resolver_for_addresses(self):
        """An address is connected to without a resolver, which would occupy a thread."""
        self.patch(connections, "NamedEndpoint", None)
        server = RawServer(self, whole(b"{}"))
        return self.requests(self.client(), server, u"GET", u"POST")

    def test_kept_connection_that_was_closed(self):
        """A GET over a kept connection that the server closes meanwhile is repeated."""
        server = RawServer(self, whole(b"{}"))
        http = self.client(jitter=lambda: 1000.0)
        d = http.request(u"GET", server.url)

        def closing(ignored):
            # From now on the first connection ends when a request comes.
            first = server.connections[0]
            first.dataReceived = lambda data: first.transport.loseConnection()
            return http.request(u"GET", server.url)

        d.addCallback(closing)
        d.addCallback(lambda response: self.assertEqual(response.body, {}))
        return d.addCallback(lambda ignored: self.assertEqual(len(server.connections), 2))

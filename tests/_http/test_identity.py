"""
The verification of host names and addresses, over real handshakes.

A certificate of a trusted authority may have any names, malformed ones too.  A connection to a host
that the certificate does not name ends before a byte of the request leaves.
"""

from __future__ import absolute_import, division, print_function

import struct
from ipaddress import ip_address

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.defer import succeed
from twisted.internet.ssl import trustRootFromCertificates
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage import errors
from txstorage._http.client import HTTPClient, agent_for
from txstorage._http.trust import HTTPSPolicy, Untrusted
from txstorage._support.compat import PY2

from ..helpers.wire import RawServer, certificate_for
from .support import whole

#: A handshake takes milliseconds, and some longer; the old Hypothesis counts in its own way.
RELAXED = {} if PY2 else {"deadline": None}

HOST = u"localhost"
ADDRESS = u"127.0.0.1"


def der(tag, content):
    """A value in DER."""
    length = len(content)
    head = struct.pack("B", length) if length < 128 else b"\x82" + struct.pack(">H", length)
    return struct.pack("B", tag) + head + content


def alternatives(*names):
    """Subject alternative names from pairs of a tag and bytes."""
    return der(0x30, b"".join(der(tag, content) for tag, content in names))


OTHER, EMAIL, DNS, DIRECTORY, EDI, URI, IP, REGISTERED = (
    0xA0, 0x81, 0x82, 0xA4, 0xA5, 0x86, 0x87, 0x88,
)

#: DNS names that no certificate may have.
MALFORMED_DNS = [
    b"", b" ", b".", b"..", b"*", b"*.", b"*.*", b"*.com", b"*.localhost", b"*localhost", b"l*",
    b"*.*.example.org", b"www.*.example.org", b"w*.example.org", b"*..org", b"a..b", b".localhost",
    b"localhost.", b" localhost", b"localhost ", b"loc alhost", b"localhost\n", b"1.2.3.4",
    b"127.0.0.1", b"127.0.0.*", b"::1", b"2130706433", b"localhost\0.example.org", b"\0",
    b"localhost:443", b"https://localhost", b"\xff\xfe", b"l\xc3\xb6calhost", b"-localhost",
    b"a" * 64, b"a." * 127 + b"aa", b"*.xn--", b"localhost/", b"localhost,example.org",
]

#: Subject alternative names that can't be read.
UNREADABLE = [
    b"", b"\x30", b"\x30\x05", b"\x04\x02ab", b"\x30\x03\x82\x05a", alternatives() + b"x",
    alternatives((IP, b"")), alternatives((IP, b"\x7f\0\0\1\0")), alternatives((IP, b"\x7f\0\0")),
    alternatives((DNS, b"\xff")), alternatives((DIRECTORY, b"\x01")), alternatives((0x9F, b"x")),
]


class Handshake(object):
    """
    A handshake in memory between a client and a server whose authority the client trusts.

    :param text host: the host that the client connects to.
    :param certificate: the server's ``PrivateCertificate``.
    :ivar failures: the exceptions with which the client refused the certificate.
    :ivar bool done: whether the client would send its request.
    """

    def __init__(self, host, certificate):
        self.failures = []
        policy = HTTPSPolicy(True, lambda: trustRootFromCertificates([certificate]))
        creator = policy.creatorForNetloc(host.encode("ascii"), 443)
        client = creator.clientConnectionForTLS(self)
        server = SSL.Connection(certificate.options().getContext(), None)
        client.set_connect_state()
        server.set_accept_state()
        sides = [(client, server), (server, client)]
        complete = [False, False]
        for _ in range(10):
            for side, (one, other) in enumerate(sides):
                complete[side] = complete[side] or _shaken(one)
                _carry(one, other)
        self.done = all(complete) and not self.failures

    def failVerification(self, reason):
        """As ``TLSMemoryBIOProtocol`` does, refuse the certificate."""
        self.failures.append(reason.value)


def _shaken(connection):
    try:
        connection.do_handshake()
    except SSL.WantReadError:
        return False
    except SSL.Error:
        return False
    return True


def _carry(one, other):
    try:
        other.bio_write(one.bio_read(2 ** 16))
    except SSL.WantReadError:
        pass


#: One label of a DNS name, well-formed or not.
LABELS = st.sampled_from(
    [u"*", u"", u"localhost", u"cloud", u"example", u"org", u"com", u"127", u"0", u"1", u"w*", u" "]
)
NAMES = st.one_of(
    st.lists(LABELS, max_size=5).map(lambda labels: u".".join(labels).encode("ascii")),
    st.sampled_from(MALFORMED_DNS),
    st.binary(max_size=12),
)
ADDRESSES = st.one_of(
    st.binary(max_size=17),
    st.sampled_from([ip_address(u"127.0.0.2").packed, ip_address(u"::1").packed, b"\x7f\0\0\1\0"]),
)
GENERAL_NAMES = st.one_of(
    st.tuples(st.just(DNS), NAMES),
    st.tuples(st.just(IP), ADDRESSES),
    st.tuples(st.sampled_from([EMAIL, URI, REGISTERED, OTHER, DIRECTORY, EDI]), NAMES),
)


class PropertyTests(SynchronousTestCase):
    """Certificates with any names."""

    @settings(max_examples=150, **RELAXED)
    @given(names=st.lists(GENERAL_NAMES, max_size=4), host=st.sampled_from([HOST, ADDRESS]))
    def test_never_another_host(self, names, host):
        """A client shakes hands only with a server whose certificate has the host's exact name."""
        assume((DNS, HOST.encode("ascii")) not in names)
        assume((IP, ip_address(ADDRESS).packed) not in names)
        handshake = Handshake(host, certificate_for(None, alternatives(*names)))
        self.assertFalse(handshake.done)
        self.assertIsInstance(handshake.failures[0], Untrusted)

    @settings(max_examples=50, **RELAXED)
    @given(malformed=st.sampled_from(MALFORMED_DNS), last=st.booleans())
    def test_beside_the_right_name(self, malformed, last):
        """A malformed name makes the other host names worthless, before and after it."""
        names = [(DNS, HOST.encode("ascii")), (DNS, malformed)]
        sent = alternatives(*(names if last else reversed(names)))
        self.assertFalse(Handshake(HOST, certificate_for(None, sent)).done)

    @settings(max_examples=50, **RELAXED)
    @given(encoded=st.one_of(st.binary(max_size=40), st.sampled_from(UNREADABLE)))
    def test_any_bytes(self, encoded):
        """An extension of any bytes is refused for names and addresses."""
        for host in (HOST, ADDRESS):
            self.assertFalse(Handshake(host, certificate_for(None, encoded)).done)


class NamesTests(SynchronousTestCase):
    """Certificates with well-formed names."""

    def accepted(self, host, *names):
        """The outcome of a handshake."""
        return Handshake(host, certificate_for(None, alternatives(*names))).done

    def test_right(self):
        """The exact name, in any case, and a wildcard for one label are accepted."""
        for host, name in [
            (u"localhost", b"localhost"),
            (u"localhost", b"LocalHost"),
            (u"cloud.example.org", b"cloud.example.org"),
            (u"cloud.example.org", b"*.example.org"),
            (u"a_b.example.org", b"a_b.example.org"),
            (u"xn--bcher-kva.example", b"xn--bcher-kva.example"),
        ]:
            self.assertTrue(self.accepted(host, (DNS, b"other.example.org"), (DNS, name)), name)

    def test_wildcard(self):
        """A wildcard stands for one label only, and never for an internationalised one."""
        for host in (u"example.org", u"a.b.example.org", HOST, u"xn--bcher-kva.example.org"):
            self.assertFalse(self.accepted(host, (DNS, b"*.example.org")), host)

    def test_beside_a_wildcard(self):
        """A wildcard does not hide the name of one label beside it."""
        self.assertTrue(self.accepted(HOST, (DNS, b"*.example.org"), (DNS, b"localhost")))

    def test_addresses(self):
        """An address counts only as an IP address, also beside a malformed DNS name."""
        packed = ip_address(ADDRESS).packed
        six = ip_address(u"::1").packed
        self.assertTrue(self.accepted(ADDRESS, (IP, packed)))
        self.assertTrue(self.accepted(ADDRESS, (DNS, b"127.0.0.1"), (IP, packed)))
        self.assertTrue(self.accepted(u"::1", (IP, packed), (IP, six)))
        self.assertFalse(self.accepted(ADDRESS, (DNS, b"127.0.0.1")))
        self.assertFalse(self.accepted(ADDRESS, (IP, six), (DNS, b"localhost")))
        self.assertFalse(self.accepted(HOST, (IP, packed)))

    def test_common_name(self):
        """The common name does not count."""
        for host in (HOST, ADDRESS):
            self.assertFalse(Handshake(host, certificate_for(None, common_name=host)).done)


class RequestTests(TestCase):
    """Requests with a password to servers with malformed certificates."""

    timeout = 60

    def refused(self, host, names):
        """
        The error of a request, of which the server received nothing.  OpenSSL refuses some
        certificates itself, with a reason of its own.
        """
        certificate = certificate_for(None, names)
        server = RawServer(self, whole(b"{}"), certificate=certificate)
        path = self.mktemp()
        with open(path, "wb") as opened:
            opened.write(certificate.dumpPEM())
        http = HTTPClient(reactor, agent_for(reactor, verify_ca_path=path), jitter=lambda: -0.5)
        url = server.url.replace(ADDRESS, host)
        asked = http.request(u"POST", url, json={u"password": u"secret"}, token=u"secret")
        asked = self.assertFailure(asked, errors.CertificateRejected)

        def checked(caught):
            self.assertEqual([], server.received)
            self.assertEqual(1, len(server.connections))
            self.assertIn(host, caught.message)
            self.assertIn(u"certificate", caught.reason)
            return http.close().addCallback(lambda ignored: caught)

        return asked.addCallback(checked)

    def each(self, cases):
        """Requests one after the other."""
        d = succeed(None)
        for host, names in cases:
            d.addCallback(lambda ignored, host=host, names=names: self.refused(host, names))
        return d

    def test_malformed_names(self):
        """A malformed DNS name ends the connection, whatever the host."""
        return self.each(
            (host, alternatives((DNS, name))) for name in MALFORMED_DNS for host in (HOST, ADDRESS)
        )

    def test_unreadable(self):
        """Names that can't be read end the connection."""
        return self.each((host, names) for names in UNREADABLE for host in (HOST, ADDRESS))

    def test_reason(self):
        """The error has the malformed name, printable and not too long."""
        d = self.refused(HOST, alternatives((DNS, b"\x1b]52;" + b"a" * 1000)))
        d.addCallback(lambda caught: self.assertIn(u"'\\x1b]52;aaa", caught.reason))
        d.addCallback(lambda ignored: self.refused(HOST, alternatives((DNS, b"a" * 1000))))
        d.addCallback(lambda caught: self.assertLess(len(caught.reason), 200))
        d.addCallback(lambda ignored: self.refused(HOST, alternatives((DNS, b"cloud.example"))))

        def described(caught):
            self.assertIn(u"does not name the host (localhost)", caught.reason)
            self.assertIn(u"issued for localhost", caught.remedy)

        return d.addCallback(described)

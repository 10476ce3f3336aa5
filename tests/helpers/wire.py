"""
Fakes that sit behind the wire, for the tests of what talks over it.
"""

from __future__ import absolute_import, division, print_function

import datetime
import json
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from treq.testing import RequestTraversalAgent
from twisted.internet import reactor as real_reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.task import Clock
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from txstorage._http import client as http
from txstorage._http.client import HTTPClient
from txstorage._support.compat import native
from txstorage._support.notations.addresses import in_brackets
from txstorage.clouds.openstack.session import Credentials, Session


def retry_soon(test_case):
    """Have what failed tried again at once, or nearly, instead of after half a second."""
    test_case.patch(http, "_FIRST_DELAY", 0.02)


class Seen(object):
    """
    A request that arrived.

    :ivar text method: the HTTP method.
    :ivar text target: path and query exactly as they were sent.
    :ivar headers: a function from name to text or ``None``.
    :ivar bytes content: the body.
    :ivar body: decoded JSON or ``None``.
    """

    def __init__(self, request):
        self.content = request.content.read()
        self.method = request.method.decode("ascii")
        self.target = request.uri.decode("ascii")
        self._headers = request.requestHeaders

    @property
    def body(self):
        """The body, decoded."""
        return json.loads(self.content.decode("utf-8")) if self.content else None

    def __repr__(self):
        return "<{} {}>".format(self.method, self.target)

    def header(self, name):
        """The one value of a header, text, or ``None``."""
        values = self._headers.getRawHeaders(name.encode("ascii"))
        return values[0].decode("ascii") if values else None


class Answer(object):
    """The response of a fake service."""

    def __init__(self, status=200, body=None, headers=()):
        self.status = status
        self.body = body
        self.headers = dict(headers)

    def write(self, request):
        """:return: the body's bytes."""
        request.setResponseCode(self.status)
        for name, value in self.headers.items():
            request.setHeader(name.encode("ascii"), value.encode("ascii"))
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        request.setHeader(b"content-type", b"application/json")
        return json.dumps(self.body).encode("ascii")


HANG = object()


class FakeService(Resource):
    """
    Responds to requests from a script, in order, and records them.

    :param script: a list of :class:`Answer`, of :data:`HANG` for no response, or of callables from
    :class:`Seen` to one of these, which are never used up.
    """

    isLeaf = True

    def __init__(self, *script):
        Resource.__init__(self)
        self.script = list(script)
        self.seen = []
        self.hanging = []

    def render(self, request):
        """See ``IResource``."""
        seen = Seen(request)
        self.seen.append(seen)
        if callable(self.script[0]):
            answer = self.script[0](seen)
        else:
            answer = self.script.pop(0)
        if answer is HANG:
            request.notifyFinish().addErrback(lambda reason: None)
            self.hanging.append(request)
            return NOT_DONE_YET
        return answer.write(request)

    def targets(self):
        """:return: the requests, as a list of ``"METHOD target"`` texts."""
        return [u"{} {}".format(seen.method, seen.target) for seen in self.seen]


class Wire(object):
    """
    An in-memory HTTP client and the service behind it.

    :ivar clock: a ``Clock``, the client's reactor.
    :ivar service: the :class:`FakeService`.
    :ivar http: the :class:`~txstorage._http.client.HTTPClient`.
    """

    def __init__(self, *script, **options):
        self.clock = Clock()
        self.service = FakeService(*script)
        self.agent = RequestTraversalAgent(self.service)
        self.http = HTTPClient(self.clock, self.agent, jitter=lambda: 0.5, **options)

    def session(self, endpoints):
        """A :class:`~txstorage.clouds.openstack.session.Session` that needs no Keystone."""
        return Session(self.clock, self.http, None, Credentials.none(), endpoints=endpoints)

    def finish(self, answer):
        """Respond to the oldest hanging request."""
        request = self.service.hanging.pop(0)
        request.write(answer.write(request))
        request.finish()
        self.agent.flush()


def error(status, kind, message, headers=()):
    """An error in the form of Cinder and Nova."""
    return Answer(status, {kind: {u"code": status, u"message": message}}, headers)


class Misbehaving(Protocol):
    """A server that sends its factory's response, and then misbehaves."""

    def connectionMade(self):
        """See ``IProtocol``."""
        self.factory.connections.append(self)
        if self.factory.greeting:
            self.transport.write(self.factory.greeting)

    def dataReceived(self, data):
        """See ``IProtocol``."""
        self.factory.received.append(data)
        self.transport.write(self.factory.answer)
        if self.factory.close:
            self.transport.loseConnection()

    def connectionLost(self, reason):
        """See ``IProtocol``."""
        self.factory.lost(self)


class RawServer(Factory):
    """
    Listens on a real port, and answers any bytes with fixed ones.

    :param test: the ``TestCase``, which waits for all to be closed.
    :param bytes answer: sent for every piece of data that comes.
    :param bool close: whether to close the connection then.
    :param bytes greeting: sent at once.
    :param certificate: a ``PrivateCertificate`` for TLS, or ``None``.
    :param clients: certificates; a client must show one of these.
    :param text host: the address to listen on.
    :ivar closed: a ``Deferred`` that fires when all connections have ended.
    """

    protocol = Misbehaving

    def __init__(
        self,
        test,
        answer=b"",
        close=False,
        greeting=b"",
        certificate=None,
        clients=(),
        host=u"127.0.0.1",
    ):
        self.answer, self.close, self.greeting = answer, close, greeting
        self.received, self.connections = [], []
        self.certificate = certificate
        self._lost, self.closed = [], Deferred()
        if certificate is None:
            port = real_reactor.listenTCP(0, self, interface=native(host))
        else:
            options = certificate.options(*clients)
            self.context = options.getContext()
            port = real_reactor.listenSSL(0, self, options, interface=native(host))
        scheme = u"http" if certificate is None else u"https"
        self.port = port.getHost().port
        self.url = u"{}://{}:{}/v3".format(scheme, in_brackets(host), self.port)
        test.addCleanup(self._all_lost)
        test.addCleanup(port.stopListening)

    def lost(self, connection):
        """A connection ended."""
        self._lost.append(connection)
        self._check()

    def _check(self):
        if len(self._lost) == len(self.connections) and not self.closed.called:
            self.closed.callback(None)

    def _all_lost(self):
        self.closed = Deferred()
        for connection in self.connections:
            if connection not in self._lost:
                connection.transport.abortConnection()
        self._check()
        return self.closed


def _alternative(name):
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def certificate_for(name, alternatives=None, common_name=u"txstorage test"):
    """
    A self-signed certificate that is valid for an hour.

    :param name: a host name or an IP address (text), or ``None`` for neither.
    :param alternatives: the DER of the subject alternative names (bytes) instead, well-formed or
        not.
    :param text common_name: the subject's.
    :return: ``PrivateCertificate``.
    """
    key = ec.generate_private_key(ec.SECP256R1(), default_backend())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.utcfromtimestamp(real_reactor.seconds())
    hour = datetime.timedelta(hours=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - hour)
        .not_valid_after(now + hour)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    if name is not None:
        names = x509.SubjectAlternativeName([_alternative(name)])
        builder = builder.add_extension(names, critical=False)
    if alternatives is not None:
        oid = x509.ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        raw = x509.UnrecognizedExtension(oid, alternatives)
        builder = builder.add_extension(raw, critical=False)
    signed = builder.sign(key, hashes.SHA256(), default_backend())
    pem = signed.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return PrivateCertificate.loadPEM(pem)


PROJECT = u"58de79bcc9d84d7db16e6805936dd8d3"
VOLUMES = u"/v3/" + PROJECT


def catalog(*services):
    """
    A catalog as Keystone gives it.

    :param services: ``(type, interface, region, url)`` texts.
    """
    return [
        {
            u"type": service_type,
            u"name": service_type,
            u"endpoints": [
                {u"interface": interface, u"region": region, u"region_id": region, u"url": url}
            ],
        }
        for service_type, interface, region, url in services
    ]


def versions_answer(status, *versions):
    """
    A version document as Cinder and Nova give it.

    :param int status: 300 where there are several to choose from.
    :param versions: ``(id, path, minimum, maximum)`` texts.
    """
    return Answer(
        status,
        {
            u"versions": [
                {
                    u"id": name,
                    u"status": u"CURRENT",
                    u"version": maximum,
                    u"min_version": minimum,
                    u"links": [
                        {u"rel": u"describedby", u"href": u"https://docs.openstack.org/"},
                        {u"rel": u"self", u"href": u"http://inside:8776" + path},
                    ],
                }
                for name, path, minimum, maximum in versions
            ]
        },
    )


VOLUME_VERSIONS = versions_answer(200, (u"v3.0", u"/v3/", u"3.0", u"3.71"))

CATALOG = catalog(
    (u"identity", u"public", u"RegionOne", u"http://cloud/identity/v3"),
    (u"block-storage", u"public", u"RegionOne", u"http://cloud" + VOLUMES),
    (u"compute", u"public", u"RegionOne", u"http://cloud/v2.1"),
)


def token_answer(secret, seconds=3600, services=None):
    """Keystone's response to valid credentials, with a token that is valid for some seconds."""
    expires = u"2026-11-22T{:02d}:{:02d}:{:02d}.000000Z".format(
        16 + seconds // 3600, seconds // 60 % 60, seconds % 60
    )
    return Answer(
        201,
        {
            u"token": {
                u"methods": [u"password"],
                u"user": {u"id": u"u1", u"name": u"flocker", u"domain": {u"id": u"default"}},
                u"project": {u"id": PROJECT, u"name": u"demo", u"domain": {u"id": u"default"}},
                u"issued_at": u"2026-11-22T16:00:00.000000Z",
                u"expires_at": expires,
                u"catalog": CATALOG if services is None else services,
            }
        },
        {"X-Subject-Token": secret},
    )

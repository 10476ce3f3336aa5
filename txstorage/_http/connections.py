# -*- test-case-name: tests._http.test_sockets -*-
"""Connections: their reuse and their trust."""

from __future__ import absolute_import, division, print_function

from functools import partial

try:
    from hyperlink import EncodedURL
except ImportError:
    # treq 16.12 works without it, and sends a native string as it is.
    EncodedURL = None  # type: ignore[assignment,misc]

from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.web.client import Agent, HTTPConnectionPool, ProxyAgent
from twisted.web.error import SchemeNotSupported
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory
from zope.interface import implementer

from .._support.compat import as_text, native
from .._support.deferreds import all_of
from .._support.notations.addresses import as_ip_address, in_brackets
from .._support.old_twisted import TLSEndpoint
from .bounds import BOUNDS
from .resolution import NamedEndpoint, RememberedNames
from .throttle import LIMITS
from .trust import https_policy
from .tunnels import ProxyEndpoint, TunnelEndpoint, handshake_remedy
from .wire_bounds import BoundedEndpoint, TimedHandshake

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from .._configuration.environment.proxies import Proxy  # noqa: F401
    from .bounds import Bounds  # noqa: F401
    from .client_certificates import ClientCertificate  # noqa: F401
    from .trust import HTTPSPolicy  # noqa: F401

    ProxyFor = Callable[[Text], Optional[Proxy]]

CONNECT_TIMEOUT = 10.0
"""Seconds until an address that does not answer is given up."""

SAFE_METHODS = frozenset([u"GET", u"HEAD"])
"""The methods that only read."""

def no_proxy(url):
    # type: (Text) -> None
    """Reach a URL without a proxy."""


_ENDPOINTS = {4: TCP4ClientEndpoint, 6: TCP6ClientEndpoint}

# Seconds for which an idle connection is kept.  Apache closes one after 5, gunicorn after 2, others
# after minutes.  A reading request that meets the closing is sent again; a mutation is not, so it
# uses only a connection that was in use a moment ago.
_KEPT_FOR = {True: 30, False: 1}


@implementer(IAgentEndpointFactory)
class _Endpoints(object):
    """
    The endpoints of URLs.

    :param reactor: makes the connections.
    :param policy: an ``IPolicyForHTTPS``.
    :param float timeout: seconds until an address is given up.
    :param bounds: a :class:`~txstorage._http.bounds.Bounds`.
    :param proxy_for: called with a URL (text); returns the proxy, or ``None``.
    """

    def __init__(self, reactor, policy, timeout, bounds=BOUNDS, proxy_for=no_proxy):
        # type: (Any, HTTPSPolicy, float, Bounds, ProxyFor) -> None
        self._reactor = reactor
        self._policy = policy
        self._proxy_policy = policy.without_client()
        self._timeout = timeout
        self._bounds = bounds
        self._proxy_for = proxy_for
        self._names = RememberedNames(reactor)
        # Each request needs an endpoint, although few make a connection.
        self._places = {}  # type: Dict[Any, Any]

    def endpointForURI(self, uri):  # noqa: N802 (Twisted's name)
        # type: (Any) -> Any
        """See ``IAgentEndpointFactory``."""
        if uri.scheme not in (b"http", b"https"):
            raise SchemeNotSupported("Unsupported scheme: {!r}".format(uri.scheme))
        host = as_text(uri.host)
        if uri.scheme == b"http":
            return BoundedEndpoint(self._to(host, uri.port), self._bounds)
        proxy = self._proxy_for(as_text(uri.toBytes()))
        if proxy is None:
            endpoint = self._to(host, uri.port)
        else:
            endpoint = TunnelEndpoint(
                self._reactor, self._to_proxy(proxy), proxy, (host, uri.port),
                self._timeout, self._bounds.head_bytes,
            )
        endpoint = self._over_tls(self._policy, endpoint, host, uri.port)
        return BoundedEndpoint(endpoint, self._bounds)

    def of_proxy(self, proxy):
        # type: (Proxy) -> Any
        """:return: the endpoint for requests of http URLs, which the proxy reads itself."""
        return BoundedEndpoint(self._to_proxy(proxy), self._bounds)

    def _to(self, host, port):
        # type: (Text, int) -> Any
        if (host, port) not in self._places:
            self._places[host, port] = self._place(host, port)
        return self._places[host, port]

    def _place(self, host, port):
        # type: (Text, int) -> Any
        # An address needs no resolver, which would occupy a thread.
        address = as_ip_address(host)
        if address is None:
            return NamedEndpoint(self._reactor, self._names, native(host), port, self._timeout)
        kind = _ENDPOINTS[address.version]  # type: Any
        return kind(self._reactor, native(host), port, timeout=self._timeout)

    def _over_tls(self, policy, endpoint, host, port, proxy=None):
        # type: (HTTPSPolicy, Any, Text, int, Optional[Proxy]) -> Any
        creator = policy.creatorForNetloc(host.encode("ascii"), port)
        server = u"{}:{}".format(in_brackets(host), port)
        timed = partial(
            TimedHandshake,
            reactor=self._reactor,
            seconds=self._bounds.handshake_seconds,
            server=server if proxy is None else u"the proxy " + server,
            remedy=u"" if proxy is None else handshake_remedy(proxy),
        )
        return TLSEndpoint(self._reactor, endpoint, creator, timed)

    def _to_proxy(self, proxy):
        # type: (Proxy) -> Any
        address = proxy.address
        endpoint = ProxyEndpoint(self._to(address.host, address.port), proxy)
        if address.scheme == u"http":
            return endpoint
        return self._over_tls(self._proxy_policy, endpoint, address.host, address.port, proxy)


@implementer(IAgent)
class _Agents(object):
    """
    Sends reading requests and mutations over kept connections of their own.

    The service may close a kept connection at the very moment a request is sent.  A reading request
    is sent again at once; but whether a mutation was processed is unknown then, so it fails.
    """

    def __init__(self, reactor, endpoints, proxy_for):
        # type: (Any, _Endpoints, ProxyFor) -> None
        self._reactor = reactor
        self._endpoints = endpoints
        self._proxy_for = proxy_for
        self._pools = {reads: _pool(reactor, reads) for reads in (True, False)}
        self._agents = {
            reads: Agent.usingEndpointFactory(reactor, endpoints, pool)
            for reads, pool in self._pools.items()
        }
        # A proxy's agent shares connections only with itself, so it is kept.
        self._through_proxies = {}  # type: Dict[Any, IAgent]

    def request(self, method, uri, headers=None, bodyProducer=None):  # noqa: N803
        # type: (bytes, bytes, Optional[Headers], Any) -> Deferred[Any]
        """See ``IAgent``."""
        reads = as_text(method) in SAFE_METHODS
        proxy = self._proxy_for(as_text(uri)) if uri[:5].lower() == b"http:" else None
        agent = self._agents[reads]  # type: Any
        if proxy is not None:
            agent = self._through(proxy, reads)
            headers = _with_authorization(headers, proxy)
        answered = agent.request(method, uri, headers, bodyProducer)  # type: Deferred[Any]
        return answered

    def _through(self, proxy, reads):
        # type: (Proxy, bool) -> Any
        if (proxy, reads) not in self._through_proxies:
            endpoint = self._endpoints.of_proxy(proxy)
            agent = ProxyAgent(endpoint, self._reactor, self._pools[reads])
            self._through_proxies[proxy, reads] = agent
        return self._through_proxies[proxy, reads]

    def close(self):
        # type: () -> Any
        """
        :return: a ``Deferred`` that fires when the kept connections are closed.
        """
        return all_of([pool.closeCachedConnections() for pool in self._pools.values()])


def _pool(reactor, reads):
    # type: (Any, bool) -> HTTPConnectionPool
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = LIMITS.at_once(reads)
    pool.cachedConnectionTimeout = _KEPT_FOR[reads]
    pool.retryAutomatically = reads
    return pool


def _with_authorization(headers, proxy):
    # type: (Optional[Headers], Proxy) -> Optional[Headers]
    if proxy.authorization is None:
        return headers
    headers = Headers() if headers is None else headers.copy()
    headers.setRawHeaders(b"Proxy-Authorization", [proxy.authorization.encode("ascii")])
    return headers


def agent_for(
    reactor,
    verify_peer=True,
    verify_ca_path=None,
    connect_timeout=CONNECT_TIMEOUT,
    client=None,
    bounds=BOUNDS,
    proxy_for=no_proxy,
):
    # type: (Any, bool, Optional[Text], float, Optional[ClientCertificate], Bounds, ProxyFor) -> _Agents
    """
    :param reactor: provides ``IReactorTCP`` and the interfaces that Twisted's ``Agent`` needs.
    :param bool verify_peer: whether TLS certificates are verified.
    :param verify_ca_path: a PEM file of the only authorities to trust (text); ``None`` for the
        system's.
    :param float connect_timeout: seconds.
    :param client: the :class:`~txstorage._http.client_certificates.ClientCertificate` for services
        that require one, or ``None``.
    :param bounds: the :class:`~txstorage._http.bounds.Bounds` of answers.
    :param proxy_for: called with a URL (text); returns the proxy, or ``None``.
    :return: an ``IAgent`` that also has ``close()``.
    :raises InvalidConfiguration: ``verify_ca_path`` is invalid.
    """
    policy = https_policy(verify_peer, verify_ca_path, client=client)
    endpoints = _Endpoints(reactor, policy, connect_timeout, bounds, proxy_for)
    return _Agents(reactor, endpoints, proxy_for)


def plain_agent(reactor):
    # type: (Any) -> Any
    """
    :param reactor: as for :func:`agent_for`.
    :return: an ``IAgent`` that keeps no connections.
    """
    return Agent.usingEndpointFactory(
        reactor, _Endpoints(reactor, https_policy(), CONNECT_TIMEOUT)
    )


@implementer(IAgent)
class BareAgent(object):
    """
    An agent for treq, without the headers of responses that treq acts upon without bounds.

    treq keeps every cookie and sends it back, and decompresses a body before its size can be
    limited.  So no response has a ``Set-Cookie``, and the content encoding ``gzip`` gets its other
    name, ``x-gzip`` (RFC 9110, section 8.4.1.3), which treq leaves to
    :func:`~txstorage._http.bodies.decoder_for`.

    :param agent: provides ``IAgent``.
    """

    def __init__(self, agent):
        # type: (IAgent) -> None
        self._agent = agent

    def request(
        self,
        method,  # type: bytes
        uri,  # type: bytes
        headers=None,  # type: Optional[Headers]
        bodyProducer=None,  # type: Any  # noqa: N803 (Twisted's name)
    ):
        # type: (...) -> Deferred[Any]
        """See ``IAgent``."""
        answered = self._agent.request(method, uri, headers, bodyProducer)  # type: Deferred[Any]
        return answered.addCallback(_bare)


def _bare(response):
    # type: (Any) -> Any
    response.headers.removeHeader(b"set-cookie")
    encodings = response.headers.getRawHeaders(b"content-encoding")
    if encodings:
        renamed = [each.lower().replace(b"gzip", b"x-gzip") for each in encodings]
        response.headers.setRawHeaders(b"content-encoding", renamed)
    return response


class _Verbatim(EncodedURL or object):  # type: ignore[misc]
    """
    A URL that treq sends as it is.

    treq passes each URL through hyperlink's ``to_uri``, which takes an IPv6 address for an
    international host name and fails; no release up to treq 26.7 does otherwise.  And to take each
    URL apart and to put it together again takes a fifth of treq's time for a request.

    :param text text: an encoded URL.
    """

    __slots__ = ("_verbatim",)

    def __init__(self, text):
        # type: (Text) -> None
        self._verbatim = text

    def to_uri(self):
        # type: () -> _Verbatim
        """See ``hyperlink.URL``."""
        return self

    def to_text(self, with_password=False):
        # type: (bool) -> Text
        """See ``hyperlink.URL``."""
        return self._verbatim


def url_for_treq(url):
    # type: (Text) -> Any
    """
    :param text url: an encoded URL.
    :return: the URL in the form in which treq sends it as it is.
    """
    return native(url) if EncodedURL is None else _Verbatim(url)


__all__ = ["CONNECT_TIMEOUT", "SAFE_METHODS", "agent_for", "no_proxy", "plain_agent"]

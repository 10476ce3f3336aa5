# -*- test-case-name: tests._http.test_sockets -*-
"""Connections: their reuse and their trust."""

from __future__ import absolute_import, division, print_function

from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.error import SchemeNotSupported
from twisted.web.iweb import IAgent, IAgentEndpointFactory
from zope.interface import implementer

from .._support.compat import as_text, native
from .._support.old_twisted import OwnReactorEndpoint, TLSEndpoint
from .bounds import BOUNDS
from .trust import https_policy
from .wire_bounds import BoundedEndpoint

MYPY = False
if MYPY:
    from typing import Any, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.web.http_headers import Headers  # noqa: F401

    from .bounds import Bounds  # noqa: F401
    from .client_certificates import ClientCertificate  # noqa: F401
    from .trust import HTTPSPolicy  # noqa: F401

CONNECT_TIMEOUT = 10.0
"""Seconds until an address that does not answer is given up."""

SAFE_METHODS = frozenset([u"GET", u"HEAD"])
"""The methods that only read."""

# Seconds; Apache drops an idle connection after 5, others after minutes.
_KEPT_FOR = 30


@implementer(IAgentEndpointFactory)
class _Endpoints(object):
    """
    The endpoints of URLs.

    :param reactor: makes the connections.
    :param policy: an ``IPolicyForHTTPS``.
    :param float timeout: seconds until an address is given up.
    :param bounds: a :class:`~txstorage._http.bounds.Bounds`.
    """

    def __init__(self, reactor, policy, timeout, bounds=BOUNDS):
        # type: (Any, HTTPSPolicy, float, Bounds) -> None
        self._reactor = reactor
        self._policy = policy
        self._timeout = timeout
        self._bounds = bounds

    def endpointForURI(self, uri):  # noqa: N802 (Twisted's name)
        # type: (Any) -> Any
        """See ``IAgentEndpointFactory``."""
        if uri.scheme not in (b"http", b"https"):
            raise SchemeNotSupported("Unsupported scheme: {!r}".format(uri.scheme))
        host = native(as_text(uri.host))
        endpoint = OwnReactorEndpoint(
            self._reactor, host, uri.port, timeout=self._timeout
        )  # type: Any
        if uri.scheme == b"https":
            creator = self._policy.creatorForNetloc(uri.host, uri.port)
            endpoint = TLSEndpoint(self._reactor, endpoint, creator)
        return BoundedEndpoint(endpoint, self._bounds)


@implementer(IAgent)
class _Agents(object):
    """
    Sends reading requests over kept connections, and the rest over fresh ones.

    The service may close a kept connection at the very moment a request is sent.  A reading request
    is sent again; but whether a mutation was processed is unknown then, so a mutation avoids that
    risk.
    """

    def __init__(self, kept, fresh, pool):
        # type: (IAgent, IAgent, HTTPConnectionPool) -> None
        self._kept = kept
        self._fresh = fresh
        self._pool = pool

    def request(self, method, uri, headers=None, bodyProducer=None):  # noqa: N803
        # type: (bytes, bytes, Optional[Headers], Any) -> Deferred[Any]
        """See ``IAgent``."""
        agent = self._kept if as_text(method) in SAFE_METHODS else self._fresh
        return agent.request(method, uri, headers, bodyProducer)

    def close(self):
        # type: () -> Any
        """
        :return: a ``Deferred`` that fires when the kept connections are closed.
        """
        return self._pool.closeCachedConnections()


def agent_for(
    reactor,
    verify_peer=True,
    verify_ca_path=None,
    connect_timeout=CONNECT_TIMEOUT,
    client=None,
    bounds=BOUNDS,
):
    # type: (Any, bool, Optional[Text], float, Optional[ClientCertificate], Bounds) -> _Agents
    """
    :param reactor: provides ``IReactorTCP`` and the interfaces that Twisted's ``Agent`` needs.
    :param bool verify_peer: whether TLS certificates are verified.
    :param verify_ca_path: a PEM file of the only authorities to trust (text); ``None`` for the
        system's.
    :param float connect_timeout: seconds.
    :param client: the :class:`~txstorage._http.client_certificates.ClientCertificate` for services
        that require one, or ``None``.
    :param bounds: the :class:`~txstorage._http.bounds.Bounds` of answers.
    :return: an ``IAgent`` that also has ``close()``.
    :raises InvalidConfiguration: ``verify_ca_path`` is invalid.
    """
    policy = https_policy(verify_peer, verify_ca_path, client=client)
    pool = HTTPConnectionPool(reactor)
    pool.cachedConnectionTimeout = _KEPT_FOR
    endpoints = _Endpoints(reactor, policy, connect_timeout, bounds)
    kept = Agent.usingEndpointFactory(reactor, endpoints, pool)
    return _Agents(kept, Agent.usingEndpointFactory(reactor, endpoints), pool)


def plain_agent(reactor):
    # type: (Any) -> Any
    """
    :param reactor: as for :func:`agent_for`.
    :return: an ``IAgent`` that keeps no connections.
    """
    return Agent.usingEndpointFactory(
        reactor, _Endpoints(reactor, https_policy(), CONNECT_TIMEOUT)
    )


__all__ = ["CONNECT_TIMEOUT", "SAFE_METHODS", "agent_for", "plain_agent"]

# -*- test-case-name: tests._support.test_old_twisted -*-
"""
Workarounds for Twisted and Eliot as pinned by Flocker 1.15.

Each workaround names the release that makes it unnecessary.
"""

from __future__ import absolute_import, division, print_function

import twisted
from OpenSSL import SSL
from twisted.internet import interfaces
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IStreamClientEndpoint
from twisted.internet.threads import deferToThreadPool
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from twisted.python.versions import Version
from zope.interface import Interface, implementer

from .compat import PY2

try:
    from service_identity.hazmat import DNS_ID, DNSPattern

    _dns_pattern = DNSPattern.from_bytes
except ImportError:  # pragma: no cover
    # service_identity 23.1.0 made these public.
    from service_identity._common import (  # type: ignore[import-not-found,no-redef]
        DNS_ID,
        DNSPattern,
    )

    _dns_pattern = getattr(DNSPattern, "from_bytes", DNSPattern)

try:
    from twisted.internet.epollreactor import EPollReactor as PlatformReactor
except ImportError:  # pragma: no cover (only outside Linux, for development)
    from twisted.internet.selectreactor import SelectReactor as PlatformReactor

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Optional, Text  # noqa: F401

    from eliot import Action  # noqa: F401
    from OpenSSL.crypto import X509  # noqa: F401
    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IProtocol, IProtocolFactory  # noqa: F401
    from twisted.internet.ssl import CertificateOptions  # noqa: F401

    CertificateCheck = Callable[[X509, int, int, bool], Optional[Exception]]

if PY2:  # pragma: no cover (each interpreter runs one side)
    # Eliot 0.11 keeps a stack of its own. On Python 3, Eliot uses contextvars.
    from eliot._action import _context

    class _ActionContext(object):
        """The part of Python 3's ``contextvars.Context`` that txstorage uses."""

        def __init__(self, action):
            # type: (Optional[Action]) -> None
            self._action = action

        def run(self, function, *args, **kwargs):
            # type: (Callable[..., Any], *Any, **Any) -> Any
            """Call a function in the context."""
            _context.push(self._action)
            try:
                return function(*args, **kwargs)
            finally:
                _context.pop()

    def copy_context():
        # type: () -> _ActionContext
        """:return: the current Eliot action, as a context to run functions in."""
        return _ActionContext(_context.current())

else:  # pragma: no cover
    from contextvars import copy_context

# Twisted before 17.1.0 has no pluggable resolver, and none of its interfaces.
IHostnameResolver = getattr(interfaces, "IHostnameResolver", Interface)
IHostResolution = getattr(interfaces, "IHostResolution", Interface)
IReactorPluggableNameResolver = getattr(interfaces, "IReactorPluggableNameResolver", Interface)
IResolutionReceiver = getattr(interfaces, "IResolutionReceiver", Interface)

# Twisted 23.10.0 and later collect small TLS writes until the reactor's next iteration, and
# schedule that on the global reactor unless the factory is given a clock.
_TLS_HAS_CLOCK = twisted.version >= Version(  # type: ignore[attr-defined]
    "Twisted", 23, 10, 0
)


class OwnReactorEndpoint(HostnameEndpoint):
    """
    A ``HostnameEndpoint`` that resolves the host name on its own reactor.

    Twisted before 17.5.0 resolves host names in the thread pool of the global reactor; 17.5.0 and
    later use the resolver of the endpoint's reactor.
    """

    def _deferToThread(  # type: ignore[override]  # noqa: N802 (Twisted's name)
        self, f, *args
    ):
        # type: (Callable[..., Any], *Any) -> Deferred[Any]
        pool = self._reactor.getThreadPool()
        return deferToThreadPool(self._reactor, pool, f, *args)


@implementer(IStreamClientEndpoint)
class TLSEndpoint(object):
    """
    TLS over another endpoint, with both on one reactor.

    Twisted's ``wrapClientTLS`` accepts a clock only since 26.4.0; on 23.10.0 to 25.5.0 the small
    writes of its connections wait for the global reactor.

    :param reactor: the endpoint's reactor.
    :param endpoint: an ``IStreamClientEndpoint``.
    :param creator: an ``IOpenSSLClientConnectionCreator``.
    :param build: called with the factory and the protocol over TLS for a ``TLSMemoryBIOProtocol``.
    """

    def __init__(self, reactor, endpoint, creator, build=TLSMemoryBIOProtocol):
        # type: (Any, IStreamClientEndpoint, IOpenSSLClientConnectionCreator, Callable[[Any, Any], TLSMemoryBIOProtocol]) -> None
        self._clock = {"clock": reactor} if _TLS_HAS_CLOCK else {}  # type: Dict[str, Any]
        self._endpoint = endpoint
        self._creator = creator
        self._build = build

    def connect(self, protocolFactory):  # noqa: N803 (Twisted's name)
        # type: (IProtocolFactory) -> Deferred[IProtocol]
        """See ``IStreamClientEndpoint``."""
        tls = TLSMemoryBIOFactory(self._creator, True, protocolFactory, **self._clock)
        tls.protocol = self._build  # type: ignore[assignment]
        return self._endpoint.connect(tls).addCallback(_wrapped_protocol)


def _wrapped_protocol(tls):
    # type: (Any) -> IProtocol
    protocol = tls.wrappedProtocol  # type: IProtocol
    return protocol


def dns_name_matches(name, host):
    # type: (bytes, Text) -> bool
    """
    Compare a DNS name of a certificate with a host name.

    :param bytes name: the DNS name, which may have a wildcard.
    :param text host: the host name.
    :return: whether the name is of the host.
    :raises service_identity.CertificateError: the name is malformed.
    """
    pattern, service = _dns_pattern(name), DNS_ID(host)
    try:
        return bool(service.verify(pattern))
    # service_identity before 17.0.0, for a wildcard and a host name of one label.
    except ValueError:
        return False


@implementer(IOpenSSLClientConnectionCreator)
class CheckedConnections(object):
    """
    TLS connections whose certificates are checked by a function.

    Twisted has no public way to check a certificate.  ``optionsForClientTLS`` of Twisted 26.10 logs
    every exception but a ``VerificationError`` and keeps the connection; before 19.2.0, it supports
    host names only.

    :param options: a Twisted ``CertificateOptions``.
    :param check: called with a certificate (``OpenSSL.crypto.X509``), OpenSSL's error number,
        the certificate's depth in the chain, and whether OpenSSL trusts the certificate; returns
        the exception that ends the connection, or ``None``. Must not raise.
    :param server_name: the host name (bytes) for servers with several certificates, or ``None``.
    """

    def __init__(self, options, check, server_name=None):
        # type: (CertificateOptions, CertificateCheck, Optional[bytes]) -> None
        self._check = check
        self._server_name = server_name
        self._context = options.getContext()
        self._context.set_verify(
            SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._verify
        )

    def _verify(self, connection, certificate, error_number, depth, ok):
        # type: (SSL.Connection, X509, int, int, int) -> bool
        problem = self._check(certificate, error_number, depth, bool(ok))
        if problem is not None:
            connection.get_app_data().failVerification(Failure(problem))
        return problem is None

    def clientConnectionForTLS(self, protocol):  # noqa: N802 (Twisted's name)
        # type: (TLSMemoryBIOProtocol) -> SSL.Connection
        """See ``IOpenSSLClientConnectionCreator``."""
        connection = SSL.Connection(self._context, None)
        connection.set_app_data(protocol)
        if self._server_name is not None:
            connection.set_tlsext_host_name(self._server_name)
        return connection


class SecondReactor(PlatformReactor):
    """
    A reactor that runs beside the installed one, in another thread.

    Twisted has no public way to run a second reactor: ``_registerAsIOThread`` keeps it from
    registering its thread as the I/O thread of the process. Still so in Twisted 26.10.
    """

    _registerAsIOThread = False

    def close(self):
        # type: () -> None
        """Close the file descriptors that a stopped reactor keeps open."""
        for reader in list(self._internalReaders):
            self.removeReader(reader)  # type: ignore[no-untyped-call]
            reader.connectionLost(None)
        if hasattr(self, "_poller"):
            self._poller.close()


__all__ = [
    "CheckedConnections",
    "IHostResolution",
    "IHostnameResolver",
    "IReactorPluggableNameResolver",
    "IResolutionReceiver",
    "OwnReactorEndpoint",
    "SecondReactor",
    "TLSEndpoint",
    "copy_context",
    "dns_name_matches",
]

# -*- test-case-name: tests._support.test_old_twisted -*-
"""
Workarounds for Twisted and Eliot as Flocker 1.15 pins them; each names the release that ends it.
"""

from __future__ import absolute_import, division, print_function

import twisted
from OpenSSL import SSL
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IStreamClientEndpoint
from twisted.internet.threads import deferToThreadPool
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.python.versions import Version
from zope.interface import implementer

try:
    from twisted.internet.epollreactor import EPollReactor as PlatformReactor
except ImportError:  # pragma: no cover (not Linux: for development elsewhere)
    from twisted.internet.selectreactor import SelectReactor as PlatformReactor

try:
    from contextvars import copy_context
except ImportError:
    # Python 2 only: Eliot 0.11 keeps a stack of its own; Eliot 1.8 uses contextvars.
    from eliot._action import _context

    def copy_context():
        """:return: the current Eliot action, as a context to run functions in."""
        return _ActionContext(_context.current())

    class _ActionContext(object):
        """The part of Python 3's ``contextvars.Context`` that the driver uses."""

        def __init__(self, action):
            self._action = action

        def run(self, function, *args, **kwargs):
            _context.push(self._action)
            try:
                return function(*args, **kwargs)
            finally:
                _context.pop()


# From 23.10 on, Twisted gathers small writes until the reactor's next turn, by the global
# reactor's clock unless it is given another.
_TLS_HAS_CLOCK = twisted.version >= Version("Twisted", 23, 10, 0)


class OwnReactorEndpoint(HostnameEndpoint):
    """
    A host, by name, whose address the endpoint's own reactor looks up.

    Twisted before 17.5 looks names up in the global reactor's threads.
    """

    def __init__(self, reactor, *args, **kwargs):
        HostnameEndpoint.__init__(self, reactor, *args, **kwargs)
        self._deferToThread = lambda function, *rest: deferToThreadPool(
            reactor, reactor.getThreadPool(), function, *rest
        )


@implementer(IStreamClientEndpoint)
class TLSEndpoint(object):
    """
    TLS over another endpoint, all of it on one reactor.

    Twisted's own ``wrapClientTLS`` has no argument for the reactor.

    :param reactor: that of the endpoint.
    :param endpoint: an ``IStreamClientEndpoint``.
    :param creator: an ``IOpenSSLClientConnectionCreator``.
    """

    def __init__(self, reactor, endpoint, creator):
        self._clock = {"clock": reactor} if _TLS_HAS_CLOCK else {}
        self._endpoint = endpoint
        self._creator = creator

    def connect(self, protocolFactory):  # noqa: N803
        """See ``IStreamClientEndpoint``."""
        tls = TLSMemoryBIOFactory(self._creator, True, protocolFactory, **self._clock)
        return self._endpoint.connect(tls).addCallback(lambda outer: outer.wrappedProtocol)


@implementer(IOpenSSLClientConnectionCreator)
class CheckedConnections(object):
    """
    TLS connections whose certificates a function checks.

    Twisted before 18.4 can't verify that a certificate is valid for an IP address.

    :param options: a Twisted ``CertificateOptions``.
    :param check: called with a certificate (``OpenSSL.crypto.X509``), OpenSSL's error number,
        the certificate's depth in the chain, and whether OpenSSL trusts the certificate; returns
        the exception to end the connection with, or ``None``.  Must not raise.
    """

    def __init__(self, options, check):
        self._check = check
        self._context = options.getContext()
        self._context.set_verify(
            SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._verify
        )

    def _verify(self, connection, certificate, error_number, depth, ok):
        problem = self._check(certificate, error_number, depth, ok)
        if problem is not None:
            connection.get_app_data().failVerification(Failure(problem))
        return problem is None

    def clientConnectionForTLS(self, protocol):  # noqa: N802 (Twisted's name)
        """See ``IOpenSSLClientConnectionCreator``."""
        connection = SSL.Connection(self._context, None)
        connection.set_app_data(protocol)
        return connection


class SecondReactor(PlatformReactor):
    """
    A reactor beside the one that is installed.

    Twisted has no public way to run one: ``_registerAsIOThread`` keeps it from taking the place of
    the installed reactor's thread.  Still so in Twisted 26.10.
    """

    _registerAsIOThread = False

    def close(self):
        """Close what a stopped reactor keeps open; nobody wakes it any more."""
        for reader in list(self._internalReaders):
            self.removeReader(reader)
            reader.connectionLost(None)
        if hasattr(self, "_poller"):
            self._poller.close()


__all__ = [
    "CheckedConnections",
    "OwnReactorEndpoint",
    "SecondReactor",
    "TLSEndpoint",
    "copy_context",
]

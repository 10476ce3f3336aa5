# -*- test-case-name: tests.testing.test_proxy -*-
"""
The ports that a proxy listens on.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred, succeed
from twisted.protocols.policies import WrappingFactory
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from ..._support.notations.addresses import in_brackets

MYPY = False
if MYPY:
    from typing import Any, Callable, Optional, Set, Text  # noqa: F401


class Door(Resource, object):
    """
    The port for one origin.

    :param text origin: the origin.
    :param handle: called with the origin and each ``IRequest``; finishes the request.
    """

    isLeaf = True

    def __init__(self, origin, handle):
        # type: (Text, Callable[[Text, Any], None]) -> None
        Resource.__init__(self)
        self._origin = origin
        self._handle = handle
        site = _QuietSite(self)  # type: ignore[no-untyped-call]
        self._factory = _Connections(site)  # type: ignore[no-untyped-call]
        self._port = None  # type: Any
        self._number = 0
        self._shutting = succeed(None)  # type: Deferred[Any]
        # The connections with a request.
        self._busy = set()  # type: Set[Any]

    def open(self, reactor, host):
        # type: (Any, Text) -> None
        """Listen, on the same port as before."""
        self._port = reactor.listenTCP(self._number, self._factory, interface=host)
        self._number = self._port.getHost().port

    def shut(self):
        # type: () -> None
        """Refuse further connections, and end those without a request."""
        port, self._port = self._port, None
        if port is not None:
            self._shutting = maybeDeferred(port.stopListening)
        for connection in set(self._factory.protocols) - self._busy:
            connection.transport.abortConnection()

    def close(self):
        # type: () -> Deferred[Any]
        """Shut, and end all connections; fires with ``None`` when nothing is left."""
        self.shut()
        return DeferredList([self._shutting, self._factory.end()])

    def disconnect(self):
        # type: () -> Deferred[Any]
        """End all connections, and stay open; fires with ``None`` when none is left."""
        return self._factory.end()

    def url(self, host):
        # type: (Text) -> Text
        """:return: text: the origin's replacement."""
        return u"http://{}:{}".format(in_brackets(host), self._number)

    def render(self, request):
        # type: (Any) -> Any
        """See ``IResource``."""
        connection = request.channel.transport
        self._busy.add(connection)
        request.notifyFinish().addBoth(lambda _: self._busy.discard(connection))
        self._handle(self._origin, request)
        return NOT_DONE_YET


class _QuietSite(Site):
    """A site without a log."""

    def log(self, request):
        # type: (Any) -> None
        """Log nothing."""


class _Connections(WrappingFactory, object):
    """A factory that can end all of its connections."""

    noisy = False
    _ended = None  # type: Optional[Deferred[Any]]

    def end(self):
        # type: () -> Deferred[Any]
        """:return: a ``Deferred`` that fires with ``None`` when no connection is left."""
        if not self.protocols:
            return succeed(None)
        self._ended = Deferred()
        for protocol in list(self.protocols):
            protocol.transport.abortConnection()
        return self._ended

    def unregisterProtocol(self, p):  # noqa: N802 (Twisted's name)
        # type: (Any) -> None
        """See ``WrappingFactory``."""
        super(_Connections, self).unregisterProtocol(p)  # type: ignore[no-untyped-call]
        if not self.protocols and self._ended is not None:
            ended, self._ended = self._ended, None
            ended.callback(None)


__all__ = ["Door"]

# -*- test-case-name: tests._http.test_tunnels -*-
"""
Connections through an HTTP proxy: tunnels for https, made with CONNECT (RFC 9110, section 9.3.6).

TLS runs through a tunnel from end to end, so a proxy can read and change no https request.
"""

from __future__ import absolute_import, division, print_function

import re

from twisted.internet.defer import Deferred
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
)
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from .._support.compat import as_text, native
from .._support.notations.addresses import in_brackets
from .wire_bounds import is_interim

MYPY = False
if MYPY:
    from typing import Any, Callable, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.interfaces import IProtocol, IProtocolFactory  # noqa: F401

    from .._configuration.environment.proxies import Proxy  # noqa: F401

_STATUS = re.compile(b"HTTP/[0-9]\\.[0-9] ([0-9]{3})(?: (.*))?\\Z")
_UNPRINTABLE = re.compile(u"[^ -~]+")
_SCHEMES = re.compile(u"^proxy-authenticate:\\s*([A-Za-z-]+)", re.I | re.M)
_END = b"\r\n\r\n"
_SHOWN = 100

_CHECK = u"check that the proxy is running and that its address, in {}, is correct"
_PLAIN = (
    u"if the proxy speaks plain HTTP there, begin its address, in {}, with http:; otherwise see "
    u"why the proxy does not answer"
)
_ALLOW = (
    u"have the proxy allow CONNECT to this host and port, or reach the host without a proxy: add "
    u"the host to the variable no_proxy, or set the key proxy"
)
_CREDENTIALS = (
    u"write the proxy's user and password into {}, percent-encoded, as in "
    u"http://USER:PASSWORD@HOST:PORT; txstorage can authenticate by Basic only"
)


class ProxyFailure(Exception):
    """
    A connection through a proxy failed.

    :param text reason: the reason.
    :param text remedy: the solution.
    """

    def __init__(self, reason, remedy):
        # type: (Text, Text) -> None
        Exception.__init__(self, native(reason))
        self.reason = reason
        self.remedy = remedy


class ProxyUnreachable(ProxyFailure):
    """The proxy, or the service behind the proxy, can't be reached, perhaps only at the moment."""


class ProxyRefusal(ProxyFailure):
    """The proxy does not make the connection."""


class ProxyUnauthorized(ProxyFailure):
    """The proxy requires other credentials."""


def handshake_remedy(proxy):
    # type: (Proxy) -> Text
    """:return: the remedy of a proxy that does not answer a TLS handshake, text."""
    return _PLAIN.format(proxy.origin)


def credentials_remedy(proxy):
    # type: (Proxy) -> Text
    """:return: the remedy of credentials that a proxy rejects, text."""
    return _CREDENTIALS.format(proxy.origin)


def _answer_problem(head, proxy):
    # type: (bytes, Proxy) -> Optional[ProxyFailure]
    """
    Return the failure that a proxy's answer to CONNECT means, or ``None`` for a tunnel.

    :param bytes head: the status line and the headers.
    """
    line = head.split(b"\r\n", 1)[0]
    match = _STATUS.match(line)
    if match is None:
        return ProxyRefusal(
            u"the answer to CONNECT is not HTTP", _CHECK.format(proxy.origin)
        )
    status = int(match.group(1))
    if 200 <= status < 300:
        return None
    phrase = _UNPRINTABLE.sub(u" ", as_text(match.group(2) or b""))[:_SHOWN].strip()
    reason = u"the proxy answered CONNECT with HTTP {}".format(status)
    reason += u" {}".format(phrase) if phrase else u""
    if status == 407:
        schemes = u", ".join(_SCHEMES.findall(head.decode("latin-1"))[:8])
        reason += u"; it requires {}".format(schemes) if schemes else u""
        return ProxyUnauthorized(reason, credentials_remedy(proxy))
    if status >= 500:
        return ProxyUnreachable(
            reason, u"check that the service is running and that the proxy can reach the address"
        )
    return ProxyRefusal(reason, _ALLOW)


class ConnectAnswer(object):
    """
    The answer of a proxy to CONNECT, as it arrives.

    :param proxy: the :class:`Proxy`.
    :param int limit: bytes of the status line and the headers, with those of interim answers.
    """

    def __init__(self, proxy, limit):
        # type: (Proxy, int) -> None
        self._proxy = proxy
        self._limit = limit
        self._bytes = 0
        self._head = b""

    def add(self, data):
        # type: (bytes) -> Optional[bytes]
        """
        :param bytes data: a piece of the answer.
        :return: the bytes after the answer, which come through the tunnel; ``None`` until the
            answer is complete.
        :raises ProxyFailure: the answer is not the beginning of a tunnel.
        """
        begin = max(0, len(self._head) - len(_END) + 1)
        self._bytes += len(data)
        self._head += data
        while True:
            end = self._head.find(_END, begin)
            rest = b"" if end < 0 else self._head[end + len(_END) :]
            if self._bytes - len(rest) > self._limit:
                raise ProxyRefusal(
                    u"the head of the answer to CONNECT is longer than {} bytes".format(
                        self._limit
                    ),
                    _CHECK.format(self._proxy.origin),
                )
            if end < 0:
                return None
            head, self._head, begin = self._head[:end], rest, 0
            if not is_interim(head.split(b"\r\n", 1)[0]):
                problem = _answer_problem(head, self._proxy)
                if problem is not None:
                    raise problem
                return rest


class _Tunnel(Protocol):
    """
    A connection to a proxy, which becomes another protocol's once the tunnel stands.

    :param TunnelEndpoint endpoint: the endpoint that makes the connection.
    :param factory: of the other protocol.
    :ivar done: a ``Deferred`` that fires with the other protocol, or fails with
        :class:`ProxyFailure`.
    """

    def __init__(self, endpoint, factory):
        # type: (TunnelEndpoint, IProtocolFactory) -> None
        self.done = Deferred(self._cancel)  # type: Deferred[IProtocol]
        self._endpoint = endpoint
        self._factory = factory
        self._answer = ConnectAnswer(endpoint.proxy, endpoint.head_bytes)
        self._inner = None  # type: Optional[IProtocol]
        self._timer = None  # type: Any

    def connectionMade(self):  # noqa: N802 (Twisted's name)
        # type: () -> None
        """See ``IProtocol``."""
        endpoint = self._endpoint
        self._timer = endpoint.reactor.callLater(endpoint.timeout, self._time_out)
        self.transport.write(endpoint.request())  # type: ignore[union-attr]

    def dataReceived(self, data):  # noqa: N802 (Twisted's name)
        # type: (bytes) -> None
        """See ``IProtocol``."""
        if self._inner is not None:
            self._inner.dataReceived(data)
            return
        if self.done.called:
            return
        try:
            rest = self._answer.add(data)
        except ProxyFailure:
            self._give_up(Failure())
            return
        if rest is not None:
            self._open(rest)

    def connectionLost(  # type: ignore[override]  # noqa: N802 (Twisted's name)
        self, reason
    ):
        # type: (Any) -> None
        """See ``IProtocol``."""
        if self._inner is not None:
            self._inner.connectionLost(reason)
            return
        if reason.check(ConnectionClosed):
            reason = Failure(
                ProxyUnreachable(
                    u"the proxy closed the connection without an answer to CONNECT",
                    _CHECK.format(self._endpoint.proxy.origin),
                )
            )
        # Another reason is TLS's, of an https proxy.
        self._give_up(reason)

    def _open(self, rest):
        # type: (bytes) -> None
        self._timer.cancel()
        inner = self._factory.buildProtocol(self.transport.getPeer())  # type: ignore[union-attr]
        self._inner = inner
        inner.makeConnection(self.transport)  # type: ignore[union-attr,arg-type]
        if rest:
            inner.dataReceived(rest)  # type: ignore[union-attr]
        self.done.callback(inner)  # type: ignore[arg-type]

    def _time_out(self):
        # type: () -> None
        seconds = self._endpoint.timeout
        self._give_up(
            Failure(
                ProxyUnreachable(
                    u"no answer to CONNECT within {:g} seconds".format(seconds),
                    _CHECK.format(self._endpoint.proxy.origin),
                )
            )
        )

    def _cancel(self, done):
        # type: (Deferred[IProtocol]) -> None
        self._give_up(Failure(ConnectingCancelledError(self.transport.getPeer())))  # type: ignore[union-attr]

    def _give_up(self, failure):
        # type: (Failure) -> None
        if self._timer.active():
            self._timer.cancel()
        if not self.done.called:
            self.transport.abortConnection()  # type: ignore[union-attr]
            self.done.errback(failure)


class _TunnelFactory(Factory):
    """
    Makes connections that become tunnels.

    :param build: called without arguments for a :class:`_Tunnel`.
    """

    noisy = False

    def __init__(self, build):
        # type: (Callable[[], _Tunnel]) -> None
        self._build = build

    def buildProtocol(self, addr):  # noqa: N802 (Twisted's name)
        # type: (Any) -> _Tunnel
        """See ``IProtocolFactory``."""
        return self._build()


@implementer(IStreamClientEndpoint)
class ProxyEndpoint(object):
    """
    An endpoint of a proxy, whose failures name the proxy as their cause.

    :param endpoint: the proxy's ``IStreamClientEndpoint``.
    :param proxy: the :class:`Proxy`.
    """

    def __init__(self, endpoint, proxy):
        # type: (IStreamClientEndpoint, Proxy) -> None
        self._endpoint = endpoint
        self._proxy = proxy

    def connect(self, protocolFactory):  # noqa: N803 (Twisted's name)
        # type: (IProtocolFactory) -> Deferred[IProtocol]
        """See ``IStreamClientEndpoint``."""
        return self._endpoint.connect(protocolFactory).addErrback(self._failed)

    def _failed(self, failure):
        # type: (Failure) -> Failure
        if failure.check(ConnectError, DNSLookupError):
            problem = as_text(failure.getErrorMessage()).rstrip(u".")
            raise ProxyUnreachable(
                u"no connection to the proxy: {}".format(problem),
                _CHECK.format(self._proxy.origin),
            )
        return failure


@implementer(IStreamClientEndpoint)
class TunnelEndpoint(object):
    """
    An endpoint that connects to a service through a proxy.

    :param reactor: provides ``IReactorTime``.
    :param endpoint: the proxy's ``IStreamClientEndpoint``.
    :param proxy: the :class:`Proxy`.
    :param place: the host (text, without brackets) and the port of the service.
    :param float timeout: seconds until a proxy that does not answer is given up.
    :param int head_bytes: the limit of the answer's head.
    """

    def __init__(self, reactor, endpoint, proxy, place, timeout, head_bytes):
        # type: (Any, IStreamClientEndpoint, Proxy, Tuple[Text, int], float, int) -> None
        self.reactor = reactor
        self.proxy = proxy
        self.timeout = timeout
        self.head_bytes = head_bytes
        self._endpoint = endpoint
        self._place = place

    def connect(self, protocolFactory):  # noqa: N803 (Twisted's name)
        # type: (IProtocolFactory) -> Deferred[IProtocol]
        """See ``IStreamClientEndpoint``."""
        # Not before: a factory makes as many protocols as there are attempts.
        factory = _TunnelFactory(lambda: _Tunnel(self, protocolFactory))
        return self._endpoint.connect(factory).addCallback(_opened)

    def request(self):
        # type: () -> bytes
        """:return: the request for a tunnel, bytes, with the proxy's credentials."""
        place = u"{}:{}".format(in_brackets(self._place[0]), self._place[1])
        lines = [u"CONNECT {} HTTP/1.1".format(place), u"Host: " + place]
        if self.proxy.authorization is not None:
            lines.append(u"Proxy-Authorization: " + self.proxy.authorization)
        return u"\r\n".join(lines + [u"", u""]).encode("ascii")


def _opened(tunnel):
    # type: (Any) -> Deferred[IProtocol]
    done = tunnel.done  # type: Deferred[IProtocol]
    return done


__all__ = [
    "ConnectAnswer",
    "ProxyEndpoint",
    "ProxyFailure",
    "ProxyRefusal",
    "ProxyUnauthorized",
    "ProxyUnreachable",
    "TunnelEndpoint",
    "credentials_remedy",
    "handshake_remedy",
]

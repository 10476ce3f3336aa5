# -*- test-case-name: tests._http.test_wire_bounds -*-
"""
The bounds of answers as received: connections that count bytes and lines, and time handshakes.

Twisted bounds one line of the headers, and neither their number nor the length of an answer, nor
the duration of a TLS handshake.
"""

from __future__ import absolute_import, division, print_function

import re

from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from .bounds import BOUNDS, HandshakeTimeout, OutOfBounds

MYPY = False
if MYPY:
    from typing import Any, Iterable, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import (  # noqa: F401
        IDelayedCall,
        IProtocol,
        IProtocolFactory,
    )

    from .bounds import Bounds  # noqa: F401

# Bytes that are received in one turn of the reactor: those of an answer in chunks of one byte take
# some ten microseconds each.
_READ = 16 * 1024

# Twisted ends a line at a line feed, and removes one carriage return before it.
_END_OF_HEAD = re.compile(b"(?:^|\n)\r?\n")


def is_interim(status_line):
    # type: (bytes) -> bool
    """
    :param bytes status_line: the first line of a head.
    :return: whether Twisted reads another head after this one.
    """
    parts = status_line.split(b" ", 2)
    try:
        return 100 <= int(parts[1]) < 200
    except (IndexError, ValueError):
        return False


class AnswerCounter(object):
    """
    Counts the bytes and lines of one answer.

    :param bounds: a :class:`~txstorage._http.bounds.Bounds`.
    """

    def __init__(self, bounds):
        # type: (Bounds) -> None
        self._bounds = bounds
        self._bytes = self._lines = 0
        # The head received so far; None once it is complete.
        self._head = b""  # type: Optional[bytes]
        self._head_bytes = 0

    def add(self, data):
        # type: (bytes) -> None
        """
        Count the next bytes.

        :param bytes data: a piece of the answer.
        :raises OutOfBounds: the answer exceeds a bound.
        """
        self._bytes += len(data)
        if self._head is not None:
            self._add_to_head(data)
        self._check(self._bytes, self._bounds.wire_bytes, u"the answer", u"bytes")

    def _add_to_head(self, data):
        # type: (bytes) -> None
        seen = self._head or b""
        head, begin = seen + data, max(0, len(seen) - 2)
        while True:
            end = _END_OF_HEAD.search(head, begin)
            length = len(head) if end is None else end.end()
            lines = self._lines + head.count(b"\n", 0, length)
            headers = u"the head of the answer"
            self._check(self._head_bytes + length, self._bounds.head_bytes, headers, u"bytes")
            self._check(lines, self._bounds.head_lines, headers, u"lines")
            if end is None:
                self._head = head
                return
            if not is_interim(head.partition(b"\n")[0]):
                self._head = None
                return
            self._head_bytes += length
            self._lines, head, begin = lines, head[length:], 0

    def _check(self, count, limit, what, unit):
        # type: (int, int, Text, Text) -> None
        if count > limit:
            raise OutOfBounds(u"{} is longer than {} {}".format(what, limit, unit))


class _BoundedConnection(ProtocolWrapper):
    """
    A connection that ends when an answer exceeds a bound.

    Requests follow each other on a connection, and an answer follows its request, so that whatever
    is sent begins the next answer.
    """

    def __init__(self, factory, wrapped):
        # type: (_BoundedFactory, IProtocol) -> None
        ProtocolWrapper.__init__(self, factory, wrapped)
        self._bounds = factory.bounds
        self._counter = AnswerCounter(factory.bounds)
        self._refused = None  # type: Optional[Failure]

    def makeConnection(self, transport):  # noqa: N802 (Twisted's name)
        # type: (Any) -> None
        """See ``IProtocol``."""
        ProtocolWrapper.makeConnection(self, transport)
        socket = transport
        # A TLS connection has another transport below it.
        while getattr(socket, "transport", None) is not None:
            socket = socket.transport
        socket.bufferSize = _READ

    def write(self, data):
        # type: (bytes) -> None
        """See ``ITransport``."""
        self._counter = AnswerCounter(self._bounds)
        ProtocolWrapper.write(self, data)

    def writeSequence(self, data):  # noqa: N802 (Twisted's name)
        # type: (Iterable[bytes]) -> None
        """See ``ITransport``."""
        self._counter = AnswerCounter(self._bounds)
        ProtocolWrapper.writeSequence(self, data)

    def dataReceived(self, data):  # noqa: N802 (Twisted's name)
        # type: (bytes) -> None
        """See ``IProtocol``."""
        if self._refused is not None:
            return
        try:
            self._counter.add(data)
        except OutOfBounds:
            self._refused = Failure()
            self.transport.abortConnection()  # type: ignore[union-attr]
        else:
            ProtocolWrapper.dataReceived(self, data)

    def connectionLost(self, reason):  # type: ignore[override]  # noqa: N802 (Twisted's name)
        # type: (Any) -> None
        """See ``IProtocol``."""
        ProtocolWrapper.connectionLost(self, self._refused or reason)


class _BoundedFactory(WrappingFactory):
    """
    Makes bounded connections.

    :ivar bounds: a :class:`~txstorage._http.bounds.Bounds`.
    """

    protocol = _BoundedConnection
    noisy = False

    def __init__(self, wrapped, bounds):
        # type: (Any, Bounds) -> None
        WrappingFactory.__init__(self, wrapped)  # type: ignore[arg-type]
        self.bounds = bounds


@implementer(IStreamClientEndpoint)
class BoundedEndpoint(object):
    """
    An endpoint whose connections bound the answers of an HTTP server.

    :param endpoint: an ``IStreamClientEndpoint``.
    :param bounds: a :class:`~txstorage._http.bounds.Bounds`.
    """

    def __init__(self, endpoint, bounds=BOUNDS):
        # type: (IStreamClientEndpoint, Bounds) -> None
        self._endpoint = endpoint
        self._bounds = bounds

    def connect(self, protocolFactory):  # noqa: N803 (Twisted's name)
        # type: (IProtocolFactory) -> Deferred[IProtocol]
        """See ``IStreamClientEndpoint``."""
        connected = self._endpoint.connect(_BoundedFactory(protocolFactory, self._bounds))
        return connected.addCallback(_inner)


class TimedHandshake(TLSMemoryBIOProtocol):
    """
    A TLS connection of a client, which ends when the handshake takes too long.

    :param factory: the ``TLSMemoryBIOFactory``.
    :param wrapped: the protocol over TLS.
    :param reactor: provides ``IReactorTime``.
    :param float seconds: the bound.
    :param text server: the server in the error, with its host and port.
    :param text remedy: the error's remedy; empty for the usual one.
    """

    def __init__(self, factory, wrapped, reactor, seconds, server, remedy=u""):
        # type: (Any, Any, Any, float, Text, Text) -> None
        TLSMemoryBIOProtocol.__init__(self, factory, wrapped)
        self._clock = reactor
        self._seconds = seconds
        self._too_long = HandshakeTimeout(
            u"{} accepts connections, but does not answer a TLS handshake within {:g} "
            u"seconds".format(server, seconds),
            remedy,
        )
        self._timer = None  # type: Optional[IDelayedCall]

    def makeConnection(self, transport):  # noqa: N802 (Twisted's name)
        # type: (Any) -> None
        """See ``IProtocol``."""
        self._timer = self._clock.callLater(self._seconds, self._time_out)
        TLSMemoryBIOProtocol.makeConnection(self, transport)

    def dataReceived(self, data):  # noqa: N802 (Twisted's name)
        # type: (bytes) -> None
        """See ``IProtocol``."""
        TLSMemoryBIOProtocol.dataReceived(self, data)
        # The connection may have ended within.
        if self._timer is not None:
            handle = self.getHandle()  # type: ignore[no-untyped-call]
            if handle.get_peer_finished() is not None:
                self._stop()

    def connectionLost(self, reason):  # type: ignore[override]  # noqa: N802 (Twisted's name)
        # type: (Any) -> None
        """See ``IProtocol``."""
        self._stop()
        TLSMemoryBIOProtocol.connectionLost(self, reason)

    def _stop(self):
        # type: () -> None
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _time_out(self):
        # type: () -> None
        self.failVerification(Failure(self._too_long))  # type: ignore[no-untyped-call]


def _inner(wrapper):
    # type: (Any) -> IProtocol
    protocol = wrapper.wrappedProtocol  # type: IProtocol
    return protocol


__all__ = ["AnswerCounter", "BoundedEndpoint", "TimedHandshake", "is_interim"]

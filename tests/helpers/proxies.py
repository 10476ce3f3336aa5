"""
An HTTP proxy on a real port.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet import reactor as real_reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.protocol import Factory, Protocol

#: The answer that makes a tunnel.
TUNNEL = b"HTTP/1.1 200 Connection established\r\nProxy-Agent: test\r\n\r\n"


class _Side(Protocol):
    """One of the two connections of a tunnel."""

    def __init__(self, proxy, other=None):
        self._proxy = proxy
        self._other = other
        self._head = b""

    def connectionMade(self):
        """See ``IProtocol``."""
        self._proxy.open.append(self)

    def dataReceived(self, data):
        """See ``IProtocol``."""
        if self._other is not None:
            self._proxy.relayed.append(data)
            self._other.transport.write(data)
            return
        self._head += data
        head, separator, rest = self._head.partition(b"\r\n\r\n")
        if separator:
            self._head = b""
            self._proxy.heads.append(head.decode("latin-1"))
            self._answer(head)

    def _answer(self, head):
        answer = self._proxy.answer
        if answer is None:
            return
        if not head.startswith(b"CONNECT ") or b" 200 " not in answer:
            self.transport.write(answer)
            if self._proxy.close:
                self.transport.loseConnection()
            return
        host, _, port = head.split(b" ")[1].rpartition(b":")
        endpoint = HostnameEndpoint(
            real_reactor, str(host.decode("ascii").strip("[]")), int(port)
        )
        side = _Side(self._proxy, self)
        made = endpoint.connect(Factory.forProtocol(lambda: side))
        made.addCallback(lambda _: self._join(side))

    def _join(self, side):
        self._other = side
        for piece in self._proxy.pieces():
            self.transport.write(piece)

    def connectionLost(self, reason):
        """See ``IProtocol``."""
        self._proxy.open.remove(self)
        if self._other is not None and self._other in self._proxy.open:
            self._other.transport.loseConnection()
        self._proxy.check()


class ProxyServer(Factory):
    """
    Listens on a real port of the loopback address.

    :param test: the ``TestCase``, which waits until all connections have ended.
    :param answer: the answer to each request (bytes); with the status 200 CONNECT makes a tunnel;
        ``None`` for no answer.
    :param bool close: whether an answer ends its connection.
    :param certificate: a ``PrivateCertificate`` for TLS, or ``None``.
    :ivar list heads: the heads of the requests, text.
    :ivar list relayed: the data that went through tunnels, bytes.
    """

    noisy = False

    def __init__(self, test, answer=TUNNEL, close=False, certificate=None, user=u""):
        self.answer, self.close = answer, close
        self.heads, self.relayed, self.open = [], [], []
        self._idle = None
        if certificate is None:
            port = real_reactor.listenTCP(0, self, interface="127.0.0.1")
        else:
            port = real_reactor.listenSSL(0, self, certificate.options(), interface="127.0.0.1")
        self.port = port.getHost().port
        scheme = u"http" if certificate is None else u"https"
        self.url = u"{}://{}127.0.0.1:{}".format(scheme, user and user + u"@", self.port)
        test.addCleanup(self._end)
        test.addCleanup(port.stopListening)

    def buildProtocol(self, addr):
        """See ``IProtocolFactory``."""
        return _Side(self)

    def pieces(self):
        """The pieces in which the answer for a tunnel is sent."""
        return [self.answer]

    def check(self):
        """Report the end of the last connection to the test that waits for it."""
        if self._idle is not None and not self.open:
            idle, self._idle = self._idle, None
            idle.callback(None)

    def _end(self):
        ended = self._idle = Deferred()
        for side in list(self.open):
            side.transport.abortConnection()
        self.check()
        return ended

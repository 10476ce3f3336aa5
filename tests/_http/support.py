"""
Agents and responses for the tests of the HTTP client.
"""

from __future__ import absolute_import, division, print_function

from twisted.python.failure import Failure
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers

from txstorage import errors

URL = u"http://cloud/v3/volumes"


def refusal(kind=errors.Unreachable, **attributes):
    """An error as :func:`retry_delay` gets it."""
    if issubclass(kind, errors.TransportError):
        return kind(u"GET", URL, u"reason")
    return kind(u"GET", URL, 500, u"detail", **attributes)


class AgentStub(object):
    """
    An agent that responds from a list of functions.

    :ivar list seen: the methods of the requests.
    """

    def __init__(self, *results):
        self.results = list(results)
        self.seen = []

    def request(self, method, uri, headers=None, bodyProducer=None):
        """See ``IAgent``."""
        self.seen.append(method)
        return self.results.pop(0)()


class RawResponse(object):
    """
    A response without a length, which only the connection's end ends.

    :ivar bool stopped: whether the reader had enough.
    """

    version = (b"HTTP", 1, 0)
    code = 200
    phrase = b"OK"
    length = -1
    headers = Headers({})
    stopped = False

    def __init__(self, *pieces):
        self.pieces = pieces

    def stopProducing(self):
        """See ``IPushProducer``."""
        self.stopped = True

    def deliverBody(self, protocol):
        """See ``IResponse``."""
        protocol.makeConnection(self)
        for piece in self.pieces:
            protocol.dataReceived(piece)
        protocol.connectionLost(Failure(PotentialDataLoss()))


class Paths(object):
    """As ``ssl.get_default_verify_paths()`` returns it."""

    def __init__(self, cafile=None, capath=None):
        self.cafile = cafile
        self.capath = capath


def whole(body):
    """An HTTP response whose connection stays open."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

# -*- test-case-name: tests.testing.test_faults -*-
"""
The conversion between the responses of Twisted's HTTP client and the values of this wing.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone, ResponseFailed, readBody
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse
from zope.interface import implementer

from .exchanges import Answer, Ending

MYPY = False
if MYPY:
    from typing import Any  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from .exchanges import Outcome  # noqa: F401

#: The headers that are about one connection, or that would make a body unreadable.
OF_CONNECTION = frozenset(
    [b"accept-encoding", b"connection", b"content-length", b"host", b"transfer-encoding"]
)


def read_answer(response):
    # type: (Any) -> Deferred[Answer]
    """
    :param response: an ``IResponse``.
    :return: a ``Deferred`` that fires with the :class:`Answer` when the body is complete.
    """
    headers = tuple(
        (name, value)
        for name, values in response.headers.getAllRawHeaders()
        for value in values
        if name.lower() not in OF_CONNECTION
    )
    d = readBody(response)
    return d.addCallback(lambda body: Answer(response.code, headers, body))


@implementer(IResponse)
class CannedResponse(object):
    """
    An ``IResponse`` that delivers an outcome.

    :param Outcome outcome: has an answer; the body is cut if it ends so.
    """

    version = (b"HTTP", 1, 1)
    phrase = b"An injected fault"
    request = None
    previousResponse = None  # noqa: N815 (Twisted's name)

    def __init__(self, outcome):
        # type: (Outcome) -> None
        answer = outcome.answer  # type: Any
        self.code = answer.status
        self.length = len(answer.body)
        self.headers = Headers()
        for name, value in answer.headers:
            self.headers.addRawHeader(name, value)
        self._body = answer.body
        self._cut = outcome.ending is Ending.CUT

    def deliverBody(self, protocol):  # noqa: N802 (Twisted's name)
        # type: (Any) -> None
        """See ``IResponse``."""
        body = self._body[: len(self._body) // 2] if self._cut else self._body
        lost = ResponseFailed([Failure(ConnectionLost())])
        if body:
            protocol.dataReceived(body)
        protocol.connectionLost(Failure(lost if self._cut else ResponseDone()))

    def setPreviousResponse(self, response):  # noqa: N802 (Twisted's name)
        # type: (Any) -> None
        """See ``IResponse``."""
        self.previousResponse = response  # noqa: N815


__all__ = ["OF_CONNECTION", "CannedResponse", "read_answer"]

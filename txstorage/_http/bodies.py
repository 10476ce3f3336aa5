# -*- test-case-name: tests._http.test_sockets -*-
"""The bodies of HTTP messages: sending and receiving."""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Protocol
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

MYPY = False
if MYPY:
    from typing import Any, List, Tuple  # noqa: F401

# A list of 1000 volumes, Cinder's limit for a page, takes about 1.5 MB.
MAX_BODY = 16 * 1024 * 1024


class BodyTooLarge(Exception):
    """A body is longer than any that a service would send."""


@implementer(IBodyProducer)
class BytesProducer(object):
    """
    A request's body, written at once: treq's own producer waits for the global reactor, which never
    runs in memory-only tests.

    :param bytes body: the whole body.
    """

    def __init__(self, body):
        # type: (bytes) -> None
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer):  # noqa: N802 (Twisted's name)
        # type: (Any) -> Deferred[None]
        """See ``IBodyProducer``."""
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self):  # noqa: N802 (Twisted's name)
        # type: () -> None
        """Do nothing: the whole body is written already."""

    resumeProducing = stopProducing = pauseProducing


class _BodyCollector(Protocol):
    """
    Collects a body up to a limit.

    :ivar done: fires with ``(bytes, complete)``.  ``complete`` is ``False`` when only the end of
        the connection ended the body, so that a part may be missing.
    """

    def __init__(self, limit):
        # type: (int) -> None
        self.done = Deferred(self._cancel)  # type: Any
        self._limit = limit
        self._pieces = []  # type: List[bytes]
        self._size = 0

    def dataReceived(self, data):  # noqa: N802 (Twisted's name)
        # type: (bytes) -> None
        """See ``IProtocol``."""
        self._size += len(data)
        if self._size <= self._limit:
            self._pieces.append(data)
        elif self.done is not None:
            done = self._stop()
            done.errback(BodyTooLarge(u"the answer is longer than {} bytes".format(self._limit)))

    def connectionLost(  # type: ignore[override]  # noqa: N802 (Twisted's name)
        self, reason
    ):
        # type: (Any) -> None
        """See ``IProtocol``."""
        done, self.done = self.done, None
        if done is None:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            done.callback((b"".join(self._pieces), bool(reason.check(ResponseDone))))
        else:
            done.errback(reason)

    def _cancel(self, ignored):
        # type: (object) -> None
        self._stop()

    def _stop(self):
        # type: () -> Any
        done, self.done = self.done, None
        # stopProducing is the one way to end a response in every Twisted; it
        # closes the socket itself, without a farewell that a silent TLS peer
        # would not return.
        self.transport.stopProducing()  # type: ignore[union-attr]
        return done


def collect(response, limit=MAX_BODY):
    # type: (Any, int) -> Deferred[Tuple[bytes, bool]]
    """
    :param response: treq's response, whose body has not been read.
    :param int limit: bytes.
    :return: a ``Deferred`` that fires with ``(bytes, complete)``, and fails with
        :class:`BodyTooLarge` or with the error that ended the connection; cancelling it ends the
        connection.
    """
    collector = _BodyCollector(limit)
    done = collector.done  # type: Deferred[Tuple[bytes, bool]]
    response.deliverBody(collector)
    return done


__all__ = ["BodyTooLarge", "BytesProducer", "MAX_BODY", "collect"]

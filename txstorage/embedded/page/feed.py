# -*- test-case-name: tests.embedded.page.test_feed -*-
"""
The feed of the page: server-sent events with what has changed in the state.

A listener gets the whole state first, and then the members that changed, at most ten times a
second.  While a listener does not read, nothing is kept for it but the state that it has; when it
reads again, it gets the members that differ by then.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Callable, cast

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.web.iweb import IRequest
from zope.interface import implementer

from .overview import Source

_log = Logger()
#: Listeners at a time, at most.
LISTENERS = 16
#: Seconds from one look at the state to the next, at least.
INTERVAL = 0.1
#: The part of the reactor's time that the page takes, at most.
_SHARE = 0.1
#: Seconds until the next look after a fault of the service itself.
_AFTER_FAULT = 1.0
#: Seconds without an event after which a comment shows that the connection is alive.
HEARTBEAT = 15.0
#: Seconds after which a listener that does not read is dropped.
PATIENCE = 30.0
_HEARTBEAT = b":\n\n"
#: Milliseconds after which a browser connects again.
_BEGIN = b"retry: 2000\n\n"


@implementer(IPushProducer)
class EventStream:
    """
    A browser that listens.

    :ivar text: its filter.
    :param seconds: returns the time.
    :param ended: called when it has gone.
    """

    def __init__(
        self,
        request: IRequest,
        text: str,
        seconds: Callable[[], float],
        ended: Callable[[EventStream], object],
    ) -> None:
        self.text = text
        self._request = cast(Any, request)
        self._seconds = seconds
        self._ended = ended
        self._has: dict[str, str] = {}
        self._paused_at: float | None = None
        self._wrote_at = seconds()
        self._request.notifyFinish().addBoth(lambda _: self._end())
        self._request.registerProducer(self, True)
        self._write(_BEGIN)

    def offer(self, state: Mapping[str, str]) -> None:
        """
        Send the members that the browser does not have yet, or nothing while it does not read.

        :param state: JSON by the names of the members.
        """
        if self._paused_at is not None:
            if self._seconds() - self._paused_at >= PATIENCE:
                self.drop()
            return
        new = {name: text for name, text in state.items() if self._has.get(name) != text}
        if new:
            members = ",".join(f'"{name}":{text}' for name, text in new.items())
            self._has.update(new)
            self._write(f"data: {{{members}}}\n\n".encode("ascii"))
        elif self._seconds() - self._wrote_at >= HEARTBEAT:
            self._write(_HEARTBEAT)

    def _write(self, data: bytes) -> None:
        self._wrote_at = self._seconds()
        self._request.write(data)

    def finish(self) -> None:
        """End the response."""
        self._request.unregisterProducer()
        self._request.finish()

    def drop(self) -> None:
        """End the connection."""
        self._request.loseConnection()
        self._end()

    def _end(self) -> None:
        self._has.clear()
        self._ended(self)

    def pauseProducing(self) -> None:
        """See ``IPushProducer``."""
        self._paused_at = self._seconds()

    def resumeProducing(self) -> None:
        """See ``IPushProducer``."""
        self._paused_at = None

    def stopProducing(self) -> None:
        """See ``IPushProducer``; the request's own end follows."""


class Feed:
    """
    The listeners, and the look at the state as long as there are any.

    :param reactor: for time.
    """

    def __init__(self, reactor: IReactorTime, source: Source) -> None:
        self._reactor = reactor
        self._source = source
        self._listeners: dict[EventStream, None] = {}
        self._states: dict[str, dict[str, str]] = {}
        self._version: Hashable = None
        self._next: IDelayedCall | None = None
        self._stopped = False

    @property
    def has_room(self) -> bool:
        """``True`` while another listener is accepted."""
        return not self._stopped and len(self._listeners) < LISTENERS

    def listen(self, request: IRequest, text: str) -> None:
        """
        Send the state to a browser from now on.

        :param request: its headers are set already.
        :param text: see :meth:`~txstorage.embedded.page.overview.Source.state`.
        """
        listener = EventStream(request, text, self._reactor.seconds, self._forget)
        self._listeners[listener] = None
        if self._next is not None:
            self._next.cancel()
        self._look()

    def _forget(self, listener: EventStream) -> None:
        self._listeners.pop(listener, None)
        # Nobody may use its filter any more.
        self._states.clear()
        if not self._listeners and self._next is not None:
            self._next.cancel()
            self._next = None

    def _look(self) -> None:
        """Offer the state to each listener, and look again later."""
        self._next = None
        begun = self._reactor.seconds()
        try:
            self._offer()
        except Exception:
            _log.failure("The page's state could not be read, and is read again")
            begun -= _AFTER_FAULT * _SHARE
        if self._listeners and self._next is None:
            spent = self._reactor.seconds() - begun
            self._next = self._reactor.callLater(max(INTERVAL, spent / _SHARE), self._look)

    def _offer(self) -> None:
        version = self._source.version()
        if version != self._version:
            self._version = version
            self._states.clear()
        for listener in list(self._listeners):
            if listener.text not in self._states:
                self._states[listener.text] = self._source.state(listener.text)
            listener.offer(self._states[listener.text])

    def stop(self) -> None:
        """End all responses, and accept no more listeners."""
        self._stopped = True
        for listener in list(self._listeners):
            listener.finish()

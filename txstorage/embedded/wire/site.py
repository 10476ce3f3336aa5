# -*- test-case-name: tests.embedded.wire.test_site -*-
"""The connections of a port, within a bound of their number."""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.logger import Logger
from twisted.web.http import Request
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource
from twisted.web.server import Site

from ..bounds import BOUNDS, ConnectionBounds
from ..machine.turns import ReactorTurns
from .channel import BoundedChannel, BoundedRequest

_log = Logger()

#: Decides from the method, the path and the headers of a request whether its body is read.
ReadsBody = Callable[[bytes, bytes, IRequest], bool]


class BoundedSite(Site):
    """
    A site whose connections are bounded.  It speaks HTTP/1.1 only.

    :ivar idle: the connections without a request, the longest idle first.
    :param reads_body: decides whether a request's body is read; a request whose body is not read
        is answered as if it had none.
    :param turns: divides the reactor's time among the connections.
    """

    protocol = BoundedChannel  # type: ignore[assignment]

    def __init__(
        self,
        resource: IResource,
        reactor: IReactorTime,
        reads_body: ReadsBody,
        bounds: ConnectionBounds = BOUNDS,
        turns: ReactorTurns | None = None,
    ) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            resource, requestFactory=BoundedRequest, reactor=reactor, timeout=bounds.headers_time
        )
        self.bounds = bounds
        self.reads_body = reads_body
        self.turns = ReactorTurns(reactor) if turns is None else turns
        self.idle: dict[BoundedChannel, None] = {}
        self._open: set[BoundedChannel] = set()
        self._by_address: Counter[str] = Counter()
        self._refusing = False
        self._none_left: Deferred[None] | None = None

    def acceptableProtocols(self) -> list[bytes]:
        """See ``IProtocolNegotiationFactory``."""
        return [b"http/1.1"]

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Make the channel of a connection, or return ``None`` to close it at once."""
        address = str(getattr(addr, "host", ""))
        if not self._has_room(address):
            if not self._refusing:
                _log.warn("Too many connections; refused one from {address}", address=address)
            self._refusing = True
            return None
        self._refusing = False
        channel = super().buildProtocol(addr)  # type: ignore[no-untyped-call]
        channel.address = address
        self._open.add(channel)
        self._by_address[address] += 1
        return channel

    def log(self, request: Request) -> None:
        """Log nothing: :data:`~txstorage._log.SERVER_REQUEST` records each request."""

    def _has_room(self, address: str) -> bool:
        """Check for room for another connection; an idle one makes room for it."""
        if self._by_address[address] >= self.bounds.connections_by_address:
            same = (channel for channel in self.idle if channel.address == address)
            return self._abort(next(same, None))
        if len(self._open) >= self.bounds.connections:
            return self._abort(next(iter(self.idle), None))
        return True

    def _abort(self, channel: BoundedChannel | None) -> bool:
        if channel is None:
            return False
        channel.transport.abortConnection()
        self.ended(channel)
        return True

    def ended(self, channel: BoundedChannel) -> None:
        """Forget a connection."""
        self.idle.pop(channel, None)
        if channel not in self._open:
            return
        self._open.remove(channel)
        self._by_address[channel.address] -= 1
        if not self._by_address[channel.address]:
            del self._by_address[channel.address]
        if not self._open and self._none_left is not None:
            none_left, self._none_left = self._none_left, None
            none_left.callback(None)

    # -- the end -------------------------------------------------------------

    def end_after_responses(self) -> None:
        """End every connection: now, or after the response to its request in progress."""
        for channel in list(self._open):
            channel.end_after_response()

    def end(self) -> Deferred[None]:
        """
        End every connection now.

        :return: fires with ``None`` when none is left.
        """
        if not self._open:
            return succeed(None)
        none_left: Deferred[None] = Deferred()
        self._none_left = none_left
        for channel in list(self._open):
            channel.transport.abortConnection()
        return none_left

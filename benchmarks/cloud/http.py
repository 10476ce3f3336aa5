"""
A small HTTP/1.1 server on asyncio, which counts connections and can limit its own rate.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import responses
from typing import Any
from urllib.parse import parse_qsl

_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Request:
    """
    A request.

    :ivar target: the path with the query, as it was sent.
    :ivar headers: by their names in lower case.
    """

    method: str
    target: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """A response, whose body is JSON unless it is empty."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def encoded(self) -> bytes:
        """The bytes to send."""
        lines = [f"HTTP/1.1 {self.status} {responses.get(self.status, '')}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            lines.append("Content-Type: application/json")
        if self.status != 204:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode() + _END + self.body


@dataclass
class Counters:
    """
    The traffic since the last reset.

    :ivar requests: by route.
    :ivar connections: the number of connections that were accepted; with TLS, after a handshake.
    :ivar resumed: the number of handshakes that resumed a session.
    :ivar peak: the maximum number of connections at a time.
    """

    requests: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    handshakes: int = 0
    resumed: int = 0
    peak: int = 0
    open: int = 0
    sent: int = 0

    def reset(self) -> None:
        """Begin to count anew."""
        self.requests.clear()
        self.connections = self.handshakes = self.resumed = self.sent = 0
        self.peak = self.open


class Rate:
    """
    The times at which requests are processed, in the order of their arrival.

    :param per_second: requests per second; 0 for any number.
    """

    def __init__(self, per_second: float) -> None:
        self._between = 1 / per_second if per_second else 0.0
        self._next = 0.0

    def slot(self, now: float) -> float:
        """The time at which the next request is processed."""
        if not self._between:
            return now
        slot = max(now, self._next)
        self._next = slot + self._between
        return slot


class Connection(asyncio.Protocol):
    """
    One connection.

    :param answer: called with a :class:`Request`; returns the :class:`Response`.
    :param idle: seconds after which a connection without requests is closed.
    """

    def __init__(
        self,
        answer: Callable[[Request], Response],
        counters: Counters,
        rate: Rate,
        idle: float = 900.0,
    ) -> None:
        self._answer, self._counters, self._rate, self._idle = answer, counters, rate, idle
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._transport: Any = None
        self._used = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport, counters = transport, self._counters
        counters.connections += 1
        counters.open += 1
        counters.peak = max(counters.peak, counters.open)
        encrypted = transport.get_extra_info("ssl_object")
        if encrypted is not None:
            counters.handshakes += 1
            counters.resumed += bool(encrypted.session_reused)
        self._loop.call_later(self._idle, self._end_idle)

    def connection_lost(self, exception: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._counters.open -= 1
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._buffer += data
        while (request := self._next_request()) is not None:
            now = self._loop.time()
            self._used = slot = self._rate.slot(now)
            if slot > now:
                self._loop.call_at(slot, self._process, request)
            else:
                self._process(request)

    def _next_request(self) -> Request | None:
        end = self._buffer.find(_END)
        if end < 0:
            return None
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        begin = end + len(_END)
        finish = begin + int(headers.get("content-length", 0))
        if len(self._buffer) < finish:
            return None
        body = bytes(self._buffer[begin:finish])
        del self._buffer[:finish]
        method, target, _ = first.split(" ", 2)
        path, _, query = target.partition("?")
        return Request(method, target, path, dict(parse_qsl(query, True)), headers, body)

    def _process(self, request: Request) -> None:
        # A real service also processes the request of a client that has left.
        answered = self._answer(request).encoded()
        self._counters.sent += len(answered)
        if self._transport is not None:
            self._transport.write(answered)
            if request.headers.get("connection", "").lower() == "close":
                self._transport.close()

    def _end_idle(self) -> None:
        if self._transport is None:
            return
        left = self._used + self._idle - self._loop.time()
        if left > 0:
            self._loop.call_later(left, self._end_idle)
        else:
            self._transport.close()

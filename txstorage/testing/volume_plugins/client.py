# -*- test-case-name: tests.testing.volume_plugins.test_suite -*-
"""
A client of a plugin's socket that sends what engines send, and what they do not.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import attr
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure


@attr.s(auto_attribs=True, frozen=True)
class PluginAnswer:
    """
    The answer to a request.

    :ivar status: the HTTP status; 0 when the connection ended without an answer.
    :ivar content_type: of the body, in lower case.
    :ivar body: the body's bytes.
    """

    status: int = 0
    content_type: str = ""
    body: bytes = b""

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the JSON object in the body; none without an answer."""
        found: dict[str, Any] = json.loads(self.body) if self.status else {}
        return found


class _PluginExchange(Protocol):
    """One request, and everything until the end of the connection."""

    def __init__(self) -> None:
        self.received = b""
        self.ended: Deferred[bytes] = Deferred(self._abort)

    def _abort(self, ended: Deferred[bytes]) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        """See ``IProtocol``."""
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See ``IProtocol``."""
        if not self.ended.called:
            self.ended.callback(self.received)


async def exchange(path: str, call: str, body: bytes, method: str = "POST") -> PluginAnswer:
    """
    Send a request as an engine does.

    :param path: the socket's.
    :param call: with its interface, such as ``VolumeDriver.Mount``.
    :return: a coroutine of the :class:`PluginAnswer`; cancelling it closes the connection.
    """
    # Importing a suite must not install a reactor.
    endpoint = UNIXClientEndpoint(import_module("twisted.internet.reactor"), path)
    try:
        protocol = await connectProtocol(endpoint, _PluginExchange())
    except ConnectError:
        return PluginAnswer()
    # Docker 20.10 sends an empty Host; no version sends a Content-Type.
    protocol.transport.write(
        b"%s /%s HTTP/1.1\r\nHost: \r\nUser-Agent: Go-http-client/1.1\r\n"
        b"Accept: application/vnd.docker.plugins.v1.2+json\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (method.encode(), call.encode(), len(body), body)
    )
    return parsed(await protocol.ended)


def parsed(received: bytes) -> PluginAnswer:
    """:return: the :class:`PluginAnswer` in the bytes of a connection."""
    if not received:
        return PluginAnswer()
    head, _, content = received.partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    if headers.get("transfer-encoding") == "chunked":
        content = _joined(content)
    return PluginAnswer(int(lines[0].split()[1]), headers.get("content-type", ""), content)


def _joined(chunks: bytes) -> bytes:
    found = b""
    while chunks:
        length, _, rest = chunks.partition(b"\r\n")
        size = int(length, 16)
        found, chunks = found + rest[:size], rest[size + 2 :] if size else b""
    return found


def encoded(fields: dict[str, Any]) -> bytes:
    """:return: the body of a request, as engines send it."""
    return json.dumps(fields).encode("utf-8") + b"\n"


__all__ = ["PluginAnswer", "encoded", "exchange", "parsed"]

"""
A client of the plugin's socket that sends what engines send, and what they do not.
"""

from __future__ import annotations

import json
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure


class _Exchange(Protocol):
    """One request, and everything until the end of the connection."""

    def __init__(self) -> None:
        self.received = b""
        self.ended: Deferred[bytes] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        """See ``IProtocol``."""
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See ``IProtocol``."""
        self.ended.callback(self.received)


async def exchange(path: str, call: str, body: bytes) -> tuple[int, str, bytes]:
    """
    Send a request as an engine does.

    :param path: the socket's.
    :return: a coroutine of the status, the content type and the body; of zero and nothing when the
        connection ends without an answer.
    """
    protocol = await connectProtocol(UNIXClientEndpoint(reactor, path), _Exchange())
    # Docker 20.10 sends an empty Host; no version sends a Content-Type.
    protocol.transport.write(
        b"POST /%s HTTP/1.1\r\nHost: \r\nUser-Agent: Go-http-client/1.1\r\n"
        b"Accept: application/vnd.docker.plugins.v1.2+json\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (call.encode(), len(body), body)
    )
    received = await protocol.ended
    if not received:
        return 0, "", b""
    head, _, content = received.partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    if headers.get("transfer-encoding") == "chunked":
        content = content.split(b"\r\n")[1]
    return int(lines[0].split()[1]), headers.get("content-type", ""), content


async def ask(path: str, call: str, **fields: Any) -> dict[str, Any]:
    """
    :param call: of the volume driver, such as ``Mount``.
    :return: a coroutine of the answer's fields; empty when there is no answer.
    """
    body = json.dumps(fields).encode("utf-8") + b"\n"
    status, _, content = await exchange(path, "VolumeDriver." + call, body)
    answer: dict[str, Any] = json.loads(content) if status else {}
    return answer

"""The common parts of the page's tests: connections in memory, and the events on them."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport

from txstorage.embedded.page.state import DiskUse

from ..support import CloudTests


def messages(response: bytes) -> list[dict[str, Any]]:
    """
    :param response: a chunked response, as received.
    :return: the decoded events.
    """
    rest, body = response.partition(b"\r\n\r\n")[2], b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        body, rest = body + rest[:length], rest[length + 2 :]
    return [
        json.loads(line[len(b"data: ") :])
        for line in body.split(b"\n")
        if line.startswith(b"data: ")
    ]


class Browser:
    """
    A connection to the service, in memory.

    :param case: has a site.
    """

    def __init__(self, case: Any) -> None:
        address = IPv4Address("TCP", "127.0.0.1", 1000)
        self.transport = StringTransport(peerAddress=address)
        self.channel = case.site.buildProtocol(address)
        self.channel.makeConnection(self.transport)

    def ask(self, path: str, method: str = "GET", **headers: str) -> None:
        """Send a request."""
        sent = {"Host": "localhost", **{key.replace("_", "-"): headers[key] for key in headers}}
        lines = [f"{method} {path} HTTP/1.1", *(f"{key}: {sent[key]}" for key in sent), "", ""]
        self.channel.dataReceived("\r\n".join(lines).encode("ascii"))

    @property
    def status(self) -> int:
        """The status of the response."""
        return int(self.transport.value().split(b" ", 2)[1])

    def take(self) -> list[dict[str, Any]]:
        """Return the events that came since the response began, or since the last call."""
        value = self.transport.value()
        self.transport.clear()
        return messages(value if value.startswith(b"HTTP/") else b"\r\n\r\n" + value)


class FeedTests(CloudTests):
    """Tests with browsers that listen."""

    settings = {"local": True}

    def setUp(self) -> None:
        super().setUp()
        self.site = self.cloud.application.site()
        self.feed = self.cloud.application._page._feed
        # The room on a real disk changes at any time.
        disk = self.feed._source._disk
        disk.use = DiskUse(4096, 2**40)
        self.patch(disk, "look", lambda: None)

    def listen(self, path: str = "/page/events", **headers: str) -> Browser:
        """Open a connection and ask for the events."""
        browser = Browser(self)
        browser.ask(path, **headers)
        return browser

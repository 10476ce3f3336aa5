"""
A proxy before the embedded service, which records the exchanges and can answer 404 to almost all.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

#: The answer of a service without the route.
MISSING = json.dumps(
    {
        "message": "The resource could not be found.<br /><br />\n\n\n",
        "code": "404 Not Found",
        "title": "Not Found",
    }
).encode("ascii")
#: The paths without which no client gets as far as its first request: the versions, and tokens.
FIRST = frozenset(
    [
        "/",
        "/identity",
        "/identity/v3",
        "/identity/v3/auth/tokens",
        "/volume",
        "/volume/v3",
        "/compute",
        "/compute/v2.1",
    ]
)
_HOP_BY_HOP = frozenset(["connection", "keep-alive", "transfer-encoding", "content-length"])


class _Exchange(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server: Between

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path.rstrip("/") or "/"
        if self.server.empty and path not in FIRST:
            self._answer(404, [("Content-Type", "application/json")], MISSING)
        else:
            self._forward(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _forward(self, body: bytes) -> None:
        # The headers keep the client's Host, so that links name the proxy.
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=120)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        self._answer(answer.status, answer.getheaders(), content)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.server.record(self.command, self.path, status, content)
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


class Between(ThreadingHTTPServer):
    """
    The proxy, which runs in a thread from its creation until its end as a context manager.

    :ivar empty: whether all but :data:`FIRST` is 404.
    :ivar behind: the service's port.
    :ivar exchanges: dicts with ``at``, ``method``, ``path``, ``status`` and, of an error,
        ``message``.
    """

    daemon_threads = True

    def __init__(self, behind: int, empty: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.behind = behind
        self.empty = empty
        self.exchanges: list[dict[str, Any]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """The port."""
        return int(self.server_address[1])

    def record(self, method: str, path: str, status: int, content: bytes) -> None:
        """Remember an exchange."""
        found: dict[str, Any] = {"at": time.time(), "method": method, "path": path}
        found["status"] = status
        if status >= 400:
            found["message"] = content.decode("utf-8", "replace")[:300]
        self.exchanges.append(found)

    def __exit__(self, *args: Any) -> None:
        self.shutdown()
        super().__exit__(*args)

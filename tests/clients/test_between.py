"""Tests of the proxy before the service."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from twisted.trial.unittest import SynchronousTestCase

from .between import Between


class _Echo(BaseHTTPRequestHandler):
    """Answers with the request."""

    def do_POST(self) -> None:
        """Answer."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
        content = json.dumps([self.path, self.headers["Host"], body]).encode("ascii")
        self.send_response(202)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


class BetweenTests(SynchronousTestCase):
    """Tests with a service that answers with the request."""

    def setUp(self) -> None:
        self.behind = HTTPServer(("127.0.0.1", 0), _Echo)
        serving = threading.Thread(target=self.behind.serve_forever)
        serving.start()
        self.addCleanup(self.behind.server_close)
        self.addCleanup(serving.join)
        self.addCleanup(self.behind.shutdown)

    def _between(self, empty: bool) -> Between:
        between = Between(self.behind.server_address[1], empty)
        self.addCleanup(between.__exit__)
        return between

    def test_forwards(self) -> None:
        """A request reaches the service, with the Host that the client sent."""
        between = self._between(empty=False)
        url = f"http://127.0.0.1:{between.port}/volume/v3/volumes?limit=1"
        with urlopen(Request(url, b"body")) as answer:
            self.assertEqual(answer.status, 202)
            expected = ["/volume/v3/volumes?limit=1", f"127.0.0.1:{between.port}", "body"]
            self.assertEqual(json.load(answer), expected)
        [exchange] = between.exchanges
        self.assertEqual((exchange["method"], exchange["status"]), ("POST", 202))

    def test_empty(self) -> None:
        """An empty service has the routes for tokens and versions, and no other."""
        between = self._between(empty=True)
        root = f"http://127.0.0.1:{between.port}"
        with urlopen(Request(root + "/identity/v3/auth/tokens", b"body")) as answer:
            self.assertEqual(answer.status, 202)
        with self.assertRaises(HTTPError) as raised:
            urlopen(Request(root + "/volume/v3/volumes", b"body"))
        self.assertEqual(raised.exception.code, 404)
        self.assertIn("could not be found", raised.exception.read().decode("ascii"))
        self.assertEqual([each["status"] for each in between.exchanges], [202, 404])
        self.assertIn("could not be found", between.exchanges[1]["message"])

"""
A stub of Neutron: the lists that Nova requests for a server without networks, all empty.

    python neutron_stub.py HOST PORT
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSIONS = {"versions": [{"id": "v2.0", "status": "CURRENT", "links": []}]}


class Handler(BaseHTTPRequestHandler):
    """Every list is empty."""

    def do_GET(self):
        kind = self.path.partition("?")[0].rstrip("/").rpartition("/")[2]
        body = json.dumps({kind.replace("-", "_"): []} if kind else VERSIONS).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()

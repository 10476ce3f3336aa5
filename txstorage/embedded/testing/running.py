# -*- test-case-name: tests.embedded.testing.test_running -*-
"""
A double that runs elsewhere, such as ``txstorage serve --test-routes`` in a container.
"""

from __future__ import annotations

import http.client
import json
import ssl
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

from .double import ControlRefused, OpenStackDouble

#: Seconds that an answer may take; the answer to an advance or a reset waits for the disk.
_PATIENCE = 60.0


def decoded(status: int, content: bytes) -> Any:
    """
    :return: the JSON value of an answer of the controls; ``None`` for an empty one.
    :raises ControlRefused: the answer is an error.
    """
    try:
        document = json.loads(content) if content else None
    except ValueError:
        document = None
    if status < 400:
        return document
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, dict) and "message" in error:
        raise ControlRefused(status, error["message"])
    raise ControlRefused(status, f"status {status}; does it serve the routes for tests?")


class RunningOpenStack(OpenStackDouble):
    """
    A double that runs elsewhere, and stays when this object is closed.

    :param auth_url: the address of Identity, such as ``http://127.0.0.1:8780/identity/v3``.
    :param password: of the user; clients on other machines need it for the controls, too.
    :param context: of TLS, for a certificate that this machine does not trust.
    """

    def __init__(self, auth_url: str, password: str, context: ssl.SSLContext | None = None) -> None:
        self.auth_url = auth_url
        self.password = password
        self._context = context

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """See :class:`OpenStackDouble`."""
        url = urlsplit(self.auth_url)
        connection: http.client.HTTPConnection
        if url.scheme == "https":
            connection = http.client.HTTPSConnection(
                url.hostname or "", url.port, timeout=_PATIENCE, context=self._context
            )
        else:
            connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=_PATIENCE)
        credentials = b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")
        headers = {"Content-Type": "application/json", "Authorization": "Basic " + credentials}
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return decoded(answer.status, answer.read())
        finally:
            connection.close()

    def close(self) -> None:
        """Do nothing: the double stays."""

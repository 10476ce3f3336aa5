"""
One request and one response, in bytes, with no layer that would hide a header; and the properties
of every response.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import attr

JSON = "application/json"
#: The content type of Compute's errors.
JSON_UTF8 = "application/json; charset=UTF-8"
#: The content type of a response without a body.
EMPTY = "text/html; charset=UTF-8"


@attr.s(frozen=True, auto_attribs=True)
class Answer:
    """
    A response.

    :ivar headers: by name in lower case; repeated ones joined with commas.
    :ivar body: decoded JSON; ``None`` when the response has no body.
    """

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    body: Any

    @property
    def type(self) -> str:
        """The content type."""
        return self.headers.get("content-type", "")

    @property
    def message(self) -> str:
        """The message of an error, in any of its formats; empty without one."""
        body = self.body
        if not isinstance(body, dict):
            return ""
        if isinstance(body.get("message"), str):
            # The services' framework adds line breaks.
            text: str = body["message"].partition("<br />")[0]
            return text
        inner = [value for value in body.values() if isinstance(value, dict)]
        found = [str(value["message"]) for value in inner if "message" in value]
        # Keystone appends the violated schema.
        return found[0].partition("\n\n")[0] if found else ""


def request_bytes(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """A whole HTTP/1.1 request, the last of its connection."""
    parts = urlsplit(url)
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", "Host: " + parts.netloc, "Connection: close"]
    lines += ["{}: {}".format(*each) for each in headers.items()]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines + ["", ""]).encode("ascii") + (body or b"")


class _Socket:
    """The source from which ``http.client`` reads a response."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def makefile(self, mode: str) -> io.BytesIO:
        return self._file


def answer_from(method: str, url: str, content: bytes) -> Answer:
    """
    Parse a response.

    :param content: everything received until the service closed the connection.
    :raises ValueError: the content is not exactly one response.
    """
    response = HTTPResponse(_Socket(content), method=method)  # type: ignore[arg-type]
    response.begin()
    body = response.read()
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        name = name.lower()
        headers[name] = headers[name] + ", " + value if name in headers else value
    decoded = None
    if body:
        decoded = json.loads(body) if headers["content-type"].startswith(JSON) else body.decode()
    return Answer(method, url, response.status, headers, body, decoded)

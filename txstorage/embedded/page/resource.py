# -*- test-case-name: tests.embedded.page.test_resource -*-
"""
The resource of the page, its files and its feed.  It answers GET and HEAD only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qs

from twisted.web.iweb import IRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from ..accounts.attempts import Attempts
from .access import CheckLogin, Visit, is_local, is_own_site, login, may_enter
from .feed import Feed

_DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "static")
#: The files by path, with their types.
_FILES = {
    b"/": ("index.html", "text/html; charset=utf-8"),
    b"/page/style.css": ("style.css", "text/css; charset=utf-8"),
    b"/page/script.js": ("script.js", "text/javascript; charset=utf-8"),
    b"/page/icon.svg": ("icon.svg", "image/svg+xml"),
}
_EVENTS = b"/page/events"
#: Characters of the filter, at most.
_FILTER = 100
#: The page consists of its own files, and its script never writes HTML.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept, Authorization, Host",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_TEXT = "text/plain; charset=utf-8"


def _read(name: str) -> bytes:
    with open(os.path.join(_DIRECTORY, name), "rb") as opened:
        return opened.read()


class PageResource(Resource):
    """
    The page, its files and its feed.

    :param local_service: whether only this machine can reach the service.
    :param check: checks the login of a visitor who is not on this machine.
    :param attempts: counts wrong logins.
    """

    isLeaf = True

    def __init__(
        self, feed: Feed, local_service: bool, check: CheckLogin, attempts: Attempts
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._feed = feed
        self._local_service = local_service
        self._check = check
        self._attempts = attempts

    def render(self, request: IRequest) -> bytes | int:
        """See ``IResource``."""
        for name, value in _HEADERS.items():
            request.setHeader(name, value)

        def header(name: str) -> str | None:
            value: bytes | None = request.getHeader(name.encode("ascii"))
            return None if value is None else value.decode("utf-8", "replace")

        client = cast(Any, request.getClientAddress())
        visit = Visit.of(str(getattr(client, "host", "")), header)
        if request.method not in (b"GET", b"HEAD"):
            request.setHeader("Allow", "GET, HEAD")
            return _refuse(request, 405, "This page can only be read.")
        return self._stopped(request, visit) or self._answer(request, visit)

    def _stopped(self, request: IRequest, visit: Visit) -> bytes | None:
        """:return: the answer to a visitor who may not enter; ``None`` for one who may."""
        given = login(visit.authorization) is not None
        if given and not is_local(visit, self._local_service):
            wait = self._attempts.wait(visit.client)
            if wait:
                request.setHeader("Retry-After", str(wait))
                return _refuse(request, 429, "Too many wrong passwords; wait a minute.")
        if may_enter(visit, self._local_service, self._check):
            return None
        if given:
            self._attempts.failed(visit.client)
        request.setHeader("WWW-Authenticate", 'Basic realm="txstorage", charset="UTF-8"')
        return _refuse(request, 401, "Log in as the service's user.")

    def _answer(self, request: IRequest, visit: Visit) -> bytes | int:
        """Answer a visitor who may enter."""
        path = b"/" + b"/".join([*request.prepath, *request.postpath]).rstrip(b"/")
        if path in _FILES:
            name, kind = _FILES[path]
            return _send(request, 200, kind, _read(name))
        if path != _EVENTS:
            return _refuse(request, 404, "There is no such page.")
        if not is_own_site(visit.site):
            return _refuse(request, 403, "Only the page itself may read this.")
        if not self._feed.has_room:
            request.setHeader("Retry-After", "5")
            return _refuse(request, 503, "Too many browsers show this page.")
        request.setHeader("Content-Type", "text/event-stream; charset=utf-8")
        if request.method == b"HEAD":
            return b""
        self._feed.listen(request, _filter(request))
        return NOT_DONE_YET


def _filter(request: IRequest) -> str:
    query = request.uri.partition(b"?")[2].decode("utf-8", "replace")
    given: list[str] = parse_qs(query, keep_blank_values=True).get("filter", [""])
    return given[0].strip()[:_FILTER]


def _refuse(request: IRequest, status: int, why: str) -> bytes:
    return _send(request, status, _TEXT, why.encode("ascii") + b"\n")


def _send(request: IRequest, status: int, kind: str, body: bytes) -> bytes:
    request.setResponseCode(status)
    request.setHeader("Content-Type", kind)
    request.setHeader("Content-Length", str(len(body)))
    return body

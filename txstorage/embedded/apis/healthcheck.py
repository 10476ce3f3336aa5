# -*- test-case-name: tests.embedded.apis.test_healthcheck -*-
"""
``/healthcheck``, in the form of OpenStack's middleware of that name, for monitors without a token.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from ..wire.exchange import JSON, APIResponse

_OK = "OK"
_STATUS = {True: 200, False: 503}
_STATUS_OF_HEAD = {True: 204, False: 503}
_TEXT = "text/plain; charset=UTF-8"


class HealthCheck(Resource):
    """
    The page.

    :param problem: returns a ``Deferred`` of the reason why the service is unable to work; empty
        when it is able.
    """

    isLeaf = True

    def __init__(self, problem: Callable[[], Deferred[str]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._problem = problem

    def render(self, request: IRequest) -> int:
        """See ``IResource``."""
        problem = self._problem()
        problem.addErrback(_fault)
        problem.addCallback(lambda reason: _send(request, reason))
        return NOT_DONE_YET


def _fault(failure: Failure) -> str:
    return f"UNAVAILABLE: {failure.getErrorMessage()}"


def _send(request: IRequest, problem: str) -> None:
    answer = health(request.method == b"HEAD", request.getHeader(b"accept") or b"", problem)
    body = answer.send(request)
    if not request._disconnected:  # type: ignore[attr-defined]  # no interface has it
        request.write(body)
        request.finish()


def health(head: bool, accept: bytes, problem: str) -> APIResponse:
    """
    Make the response.

    :param head: whether only headers are wanted.
    :param accept: the content types that the client prefers.
    :param problem: empty when there is none.
    """
    if head:
        return APIResponse(_STATUS_OF_HEAD[not problem], "", content_type=_TEXT)
    reason = problem or _OK
    if b"application/json" in accept:
        text = json.dumps({"detailed": False, "reasons": [reason]}, indent=4)
        return APIResponse(_STATUS[not problem], text, content_type=JSON)
    return APIResponse(_STATUS[not problem], reason, content_type=_TEXT)

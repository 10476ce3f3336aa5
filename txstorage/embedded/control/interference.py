# -*- test-case-name: tests.embedded.control.test_interference -*-
"""
The answers of routes that have a fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.web.iweb import IRequest

from ..wire.exchange import APIResponse, faulty
from ..wire.versions import COMPUTE
from .faults import Faults, RouteFault
from .routes import Route

#: The names of errors in the bodies of Block Storage and Compute.
_KINDS = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}
_OTHER_KIND = "computeFault"
#: The statuses whose body repeats the header Retry-After.
_OVER_LIMIT = (413, 429)
_CONVERTER = re.compile(r"<(?:[^<>:]*:)?([^<>]*)>")
#: An action's name is the first member of a body; longer bodies have none.
_ACTIONS = re.compile(r"/action\Z")


def route_of(method: str, service: str, rule: str) -> Route:
    """
    :param service: the first segment of the path.
    :param rule: of Werkzeug, for the rest.
    """
    return Route.of(method, "/" + service + _CONVERTER.sub(r"{\1}", rule))


def error_of(fault: RouteFault, status: int, service: str) -> APIResponse:
    """:return: the error of a fault, in the form of a service."""
    title = HTTPStatus(status).phrase if status in _STATUSES else "Error"
    message = fault.message or f"{title}, as a test has requested."
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if service == "identity":
        error = {"code": status, "message": message, "title": title}
        return APIResponse(status, {"error": error}, headers)
    kind = _KINDS.get(status, _OTHER_KIND)
    made = faulty(status, kind, message, *([COMPUTE.error_type] if service == "compute" else []))
    if status in _OVER_LIMIT:
        made.answer.body[kind]["retryAfter"] = str(fault.retry_after or 0)
    return made.answer.with_headers(headers)


_STATUSES = {status.value for status in HTTPStatus}


def _action_of(request: IRequest) -> str:
    """:return: the action in a request's body, or an empty text."""
    if not _ACTIONS.search(request.path.decode("utf-8", "replace")):
        return ""
    content = request.content.read()
    request.content.seek(0)
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    return next(iter(body), "") if isinstance(body, dict) else ""


class Interferer:
    """
    Answers the requests to the service, with the faults that a test wants.

    :param clock: delays answers.
    """

    def __init__(self, clock: IReactorTime, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self._delayed: set[Deferred[None]] = set()

    def stop(self) -> None:
        """End the connections of the answers that are delayed."""
        for delayed in list(self._delayed):
            delayed.cancel()

    def __call__(
        self,
        method: str,
        service: str,
        rule: str,
        request: IRequest,
        carry_out: Callable[[], Deferred[APIResponse]],
    ) -> Deferred[APIResponse | None]:
        """See :data:`~txstorage.embedded.wire.exchange.Interference`."""
        path = request.path.decode("utf-8", "replace")
        fault = self._faults.take(route_of(method, service, rule), path, _action_of(request))
        if fault is None:
            answered: Deferred[Any] = carry_out()
            return answered
        if fault.lost == "request":
            return succeed(None)
        return Deferred.fromCoroutine(self._answer(fault, service, carry_out))

    async def _answer(
        self, fault: RouteFault, service: str, carry_out: Callable[[], Deferred[APIResponse]]
    ) -> APIResponse | None:
        answer = None
        if fault.status is None or fault.carried_out:
            answer = await carry_out()
        if fault.status is not None:
            answer = error_of(fault, fault.status, service)
        if fault.delay:
            delayed: Deferred[None] = deferLater(self._clock, fault.delay)
            self._delayed.add(delayed)
            try:
                await delayed
            except CancelledError:
                return None
            finally:
                self._delayed.discard(delayed)
        return None if fault.lost == "answer" else answer

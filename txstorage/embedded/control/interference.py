# -*- test-case-name: tests.embedded.control.test_interference -*-
"""
The answers of routes that have a fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
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
#: Makes the error of a fault, with this status, in a service's form.
FaultError = Callable[[RouteFault, int], APIResponse]
_CONVERTER = re.compile(r"<(?:[^<>:]*:)?([^<>]*)>")
#: An action's name is the first member of a body; longer bodies have none.
_ACTIONS = re.compile(r"/action\Z")


def route_of(method: str, service: str, rule: str) -> Route:
    """
    :param service: the first segment of the path.
    :param rule: of Werkzeug, for the rest.
    """
    return Route.of(method, "/" + service + _CONVERTER.sub(r"{\1}", rule))


def _title(status: int) -> str:
    return HTTPStatus(status).phrase if status in _STATUSES else "Error"


def message_of(fault: RouteFault, status: int) -> str:
    """:return: the message of the error of a fault."""
    return fault.message or f"{_title(status)}, as a test has requested."


def error_of(fault: RouteFault, status: int, service: str) -> APIResponse:
    """:return: the error of a fault, in the form of a service."""
    message = message_of(fault, status)
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if service == "identity":
        error = {"code": status, "message": message, "title": _title(status)}
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
        route, action = route_of(method, service, rule), _action_of(request)
        return self.answer(route, path, action, partial(error_of, service=service), carry_out)

    def answer(
        self,
        route: Route,
        path: str,
        action: str,
        error: FaultError,
        carry_out: Callable[[], Deferred[APIResponse]],
    ) -> Deferred[APIResponse | None]:
        """
        Answer a request.

        :param action: the first member of its body, or an empty text.
        :param error: makes the error of a fault in the service's form.
        :return: fires with ``None`` to end the connection without an answer.
        """
        fault = self._faults.take(route, path, action)
        if fault is None:
            answered: Deferred[Any] = carry_out()
            return answered
        if fault.lost == "request":
            return succeed(None)
        return Deferred.fromCoroutine(self._answer(fault, error, carry_out))

    async def _answer(
        self, fault: RouteFault, error: FaultError, carry_out: Callable[[], Deferred[APIResponse]]
    ) -> APIResponse | None:
        answer = None
        if fault.status is None or fault.carried_out:
            answer = await carry_out()
        if fault.status is not None:
            answer = error(fault, fault.status)
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

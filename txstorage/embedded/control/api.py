# -*- test-case-name: tests.embedded.control.test_api -*-
"""
The routes for tests: faults, the log of requests, the clock, and the way back to the beginning.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any

import attr
from twisted.web.iweb import IRequest
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from ..accounts.attempts import Attempts
from ..bounds import BOUNDS
from ..machine.devices import DeviceFailure
from ..page.access import Visit, is_local
from ..wire.exchange import (
    APIRequest,
    APIResponse,
    Service,
    UnreadableBody,
    Version,
    WireError,
    endpoint,
)
from ..wire.requests.routes import Routes
from ..wire.times import identity_time
from .controls import Controls
from .faults import MOST_FAULTS
from .requests import BadRequest, advance_of, fault_of

#: The first segments of the paths.
PATHS = (b"faults", b"requests", b"clock", b"reset")
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    507: "Insufficient Storage",
}


def refused(status: int, message: str, **headers: str) -> WireError:
    """An error of these routes, in the form of Identity's."""
    error = {"code": status, "title": _TITLES[status], "message": message}
    return WireError(APIResponse(status, {"error": error}, headers))


def _address(request: IRequest) -> str:
    return str(getattr(request.getClientAddress(), "host", ""))


def _headers(request: IRequest) -> Callable[[str], str | None]:
    def header(name: str) -> str | None:
        value: bytes | None = request.getHeader(name.encode("ascii"))
        return None if value is None else value.decode("utf-8", "replace")

    return header


class ControlAPI(Service):
    """
    The routes for tests.

    :param password: of clients on other machines, in HTTP's basic authentication, with any user.
    :param attempts: counts wrong passwords.
    """

    app = Routes()

    def __init__(self, controls: Controls, password: str, attempts: Attempts) -> None:
        self._controls = controls
        self._password = password
        self._attempts = attempts

    def admit(self, call: APIRequest, segments: dict[str, str], since: Version) -> APIRequest:
        """
        Admit clients on this machine, and others with the password; no web page of another site,
        also none whose name has this machine's address.
        """
        request = call.request
        if call.header("Origin") is not None:
            raise refused(403, "no web page may use this route")
        if self.admits(request):
            return call
        wait = self._attempts.wait(_address(request))
        if wait:
            hint = "too many wrong passwords; wait a minute"
            raise refused(429, hint, **{"Retry-After": str(wait)})
        if request.getPassword():
            self._attempts.failed(_address(request))
        hint = "clients on other machines, and those of a proxy, need the service's password"
        raise refused(401, hint, **{"WWW-Authenticate": 'Basic realm="txstorage"'})

    def admits(self, request: IRequest) -> bool:
        """Check whether a request's client may use the routes."""
        if is_local(Visit.of(_address(request), _headers(request)), True):
            return True
        if self._attempts.wait(_address(request)):
            return False
        given: bytes = request.getPassword() or b""
        return hmac.compare_digest(given, self._password.encode("utf-8"))

    def headers(self, call: APIRequest) -> Mapping[str, str]:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return {}

    def too_large(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refused(413, f"a body has at most {BOUNDS.body} bytes")

    def unreadable(self, problem: UnreadableBody) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refused(400, "the body must be a JSON object")

    def misplaced(self, call: APIRequest, problem: HTTPException) -> APIResponse:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        if isinstance(problem, MethodNotAllowed):
            allowed = ", ".join(sorted(problem.valid_methods or ()))
            return refused(405, f"this path has the methods {allowed}", Allow=allowed).answer
        return refused(404, "no route for tests has this path").answer

    def fault(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refused(500, "the service has a fault; its log has the traceback")

    def disk_full(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refused(507, "the disk is full; make room for the state directory")

    @endpoint(app, "/faults", "POST")
    def add_fault(self, call: APIRequest) -> APIResponse:
        """Put a fault in force."""
        try:
            fault, times = fault_of(call.json(), self._controls.routes)
        except BadRequest as error:
            raise refused(400, str(error)) from error
        if not self._controls.faults.has_room:
            raise refused(409, f"{MOST_FAULTS} faults are in force; remove some")
        number = self._controls.faults.add(fault, times)
        document = {"id": number, "times": times, **fault.as_document()}
        return APIResponse(201, {"fault": document})

    @endpoint(app, "/faults", "GET")
    def list_faults(self, call: APIRequest) -> APIResponse:
        """List the faults that will still happen or that keep transitions, and all routes."""
        controls = self._controls
        faults, routes = controls.faults.documents(), controls.routes.names
        return APIResponse(200, {"faults": faults, "routes": routes})

    @endpoint(app, "/faults", "DELETE")
    def remove_faults(self, call: APIRequest) -> APIResponse:
        """End all faults; the transitions that they keep are carried out."""
        self._controls.faults.clear()
        return APIResponse(204)

    @endpoint(app, "/faults/<number>", "DELETE")
    def remove_fault(self, call: APIRequest, number: str) -> APIResponse:
        """End one fault."""
        if not number.isdecimal() or not self._controls.faults.remove(int(number)):
            raise refused(404, f"no fault has the id {number}")
        return APIResponse(204)

    @endpoint(app, "/requests", "GET")
    def list_requests(self, call: APIRequest) -> APIResponse:
        """List the last requests to the service, the oldest first, after the one given."""
        since = call.query().get("since", "0")
        if not since.isdecimal():
            raise refused(400, f"'since' is {since!r}, and must be the number of a request")
        found = self._controls.requests.since(int(since))
        listed = [{"number": number, **attr.asdict(each)} for number, each in found]
        return APIResponse(200, {"requests": listed, "number": self._controls.requests.number})

    @endpoint(app, "/clock", "GET")
    def show_clock(self, call: APIRequest) -> APIResponse:
        """Show the service's time, and by how many seconds it was advanced."""
        return APIResponse(200, {"clock": self._clock()})

    @endpoint(app, "/clock", "POST")
    async def advance_clock(self, call: APIRequest) -> APIResponse:
        """Advance the clock; the answer comes when what is due has happened."""
        try:
            seconds = advance_of(call.json())
        except BadRequest as error:
            raise refused(400, str(error)) from error
        await self._controls.advance(seconds)
        return APIResponse(200, {"clock": self._clock()})

    def _clock(self) -> dict[str, Any]:
        controls = self._controls
        return {"now": identity_time(controls.now()), "advanced": controls.clock.advanced}

    @endpoint(app, "/reset", "POST")
    async def reset(self, call: APIRequest) -> APIResponse:
        """
        Forget all resources but the nodes, the faults and the log; set the clock back.
        """
        try:
            await self._controls.reset()
        except DeviceFailure as error:
            raise refused(409, f"a volume's device stays: {error}") from error
        return APIResponse(204)

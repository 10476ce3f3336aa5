# -*- test-case-name: tests.embedded.wire.test_exchange -*-
"""Requests and responses as values, and the connection of the services' handlers to Twisted."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Iterator, Mapping
from functools import partial
from inspect import isawaitable
from traceback import format_exc
from typing import Any, Callable, Optional, Union
from urllib.parse import parse_qs

import attr
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.web.http import NO_CONTENT
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET
from werkzeug.exceptions import HTTPException

from ..._log import SERVER_FAULT
from ..._support.notations.addresses import in_brackets
from ..accounts.requester import NOBODY, Requester
from ..bounds import BOUNDS
from ..disk import is_full
from .requests.routes import Routes, ServiceRoute

JSON = "application/json"
#: The framework's message about a missing body.
EMPTY = "text/html; charset=UTF-8"

Version = tuple[int, int]
Handler = Callable[..., Union["APIResponse", Awaitable["APIResponse"]]]

_log = Logger()


class Encoded(str):
    """A JSON value that is encoded already."""


def _encode(body: Any) -> str:
    """Encode a JSON value, or an object whose members may be encoded already."""
    if not isinstance(body, dict) or not any(isinstance(each, Encoded) for each in body.values()):
        return json.dumps(body)
    members = (
        f"{json.dumps(name)}: {each if isinstance(each, Encoded) else json.dumps(each)}"
        for name, each in body.items()
    )
    return "{" + ", ".join(members) + "}"


@attr.s(frozen=True, auto_attribs=True)
class APIResponse:
    """
    A response.

    :ivar body: any JSON value, or an object with :class:`Encoded` members; text and bytes are sent
        as they are; ``None``: no body.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = attr.Factory(dict)
    content_type: str = JSON

    def with_headers(self, headers: Mapping[str, str]) -> APIResponse:
        """The same response with more headers; its own take precedence."""
        return attr.evolve(self, headers={**headers, **self.headers})

    def send(self, request: IRequest) -> bytes:
        """
        Set the request's status and headers.

        :return: the encoded body.
        """
        request.setResponseCode(self.status)
        request.setHeader("Content-Type", self.content_type)
        for name, value in self.headers.items():
            request.setHeader(name, value)
        if isinstance(self.body, (str, bytes)):
            body = self.body.encode("utf-8") if isinstance(self.body, str) else self.body
        else:
            body = b"" if self.body is None else _encode(self.body).encode("ascii")
        if self.status != NO_CONTENT:
            request.setHeader("Content-Length", str(len(body)))
        return body


class WireError(Exception):
    """
    The request is refused.

    :ivar APIResponse answer: the response.
    """

    def __init__(self, answer: APIResponse) -> None:
        super().__init__(answer.status, answer.body)
        self.answer = answer


def faulty(status: int, kind: str, message: str, content_type: str = JSON) -> WireError:
    """An error in the format that Cinder and Nova share."""
    body: dict[str, Any] = {kind: {"code": status, "message": message}}
    return WireError(APIResponse(status, body, content_type=content_type))


def web_error(status: int, title: str, message: str) -> APIResponse:
    """An error in the format of the services' web framework."""
    text = message + "<br /><br />\n\n\n"
    code = f"{status} {title}"
    return APIResponse(status, {"message": text, "code": code, "title": title})


class UnreadableBody(Exception):
    """
    A request's body is not a JSON object.

    :ivar kind: ``empty``, ``malformed`` (not JSON), or ``other`` (JSON, but not an object).
    :ivar value: the JSON value instead.
    """

    def __init__(self, kind: str, value: Any = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.value = value


@attr.s(frozen=True, auto_attribs=True, eq=False)
class APIRequest:
    """
    One request.

    :ivar base: the beginning of links: scheme, host and port.
    :ivar request_id: this service's id of the request.
    :ivar version: the negotiated microversion.
    :ivar route: the method and the path of its route, as the policy has them.
    :ivar requester: the sender, once the request is admitted.
    """

    request: IRequest
    base: str
    request_id: str
    version: Version = (0, 0)
    route: str = ""
    requester: Requester = NOBODY

    def header(self, name: str) -> str | None:
        """A header's value; undecodable bytes are replaced."""
        value: bytes | None = self.request.getHeader(name.encode("ascii"))
        return None if value is None else value.decode("utf-8", "replace")

    def query(self) -> dict[str, str]:
        """The query's parameters; the first value of a repeated one."""
        return {name: values[0] for name, values in self.every_query().items()}

    def every_query(self) -> dict[str, list[str]]:
        """All values of the query's parameters; empty text for a parameter without a value."""
        uri: bytes = self.request.uri
        query = uri.partition(b"?")[2].decode("utf-8", "replace")
        # Twisted's own parser leaves out what has no equals sign.
        return parse_qs(query, keep_blank_values=True)

    def too_large(self) -> bool:
        """Check whether the body is longer than any service reads, as received or as declared."""
        content = self.request.content
        length: int = content.seek(0, 2)
        content.seek(0)
        declared = int(self.header("Content-Length") or 0)
        return max(length, declared) > BOUNDS.body

    def json(self, empty: dict[str, Any] | None = None) -> dict[str, Any]:
        """
        The body, which must be a JSON object.

        :param empty: the value of a missing body, if any.
        :raises UnreadableBody: it is not one.
        """
        content = self.request.content.read()
        if not content and empty is not None:
            return empty
        if not content:
            raise UnreadableBody("empty")
        try:
            body = json.loads(content.decode("utf-8"))
            # A lone surrogate could not be stored.
            json.dumps(body, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError):
            raise UnreadableBody("malformed") from None
        if not isinstance(body, dict):
            raise UnreadableBody("other", body)
        return body


def call_from(request: IRequest, base_url: str | None) -> APIRequest:
    """
    :param base_url: the beginning of links, or ``None`` for the address that the request was sent
        to.
    """
    return APIRequest(
        request=request,
        base=base_url or _sent_to(request),
        request_id=request.responseHeaders.getRawHeaders("x-openstack-request-id", [""])[0],
    )


def _sent_to(request: IRequest) -> str:
    scheme = "https" if request.isSecure() else "http"
    host = request.getHeader(b"host")
    if host is None:
        address = request.getHost()
        return f"{scheme}://{in_brackets(address.host)}:{address.port}"
    return "{}://{}".format(scheme, host.decode("utf-8", "replace"))


class Service:
    """
    The common part of the services: from a request to an :class:`APIResponse` and back.  A
    service defines how a request is admitted.
    """

    app: Routes
    base_url: str | None = None

    def resource(self) -> IResource:
        """Return the resource of the service's paths."""
        return Endpoints(self)

    def admit(self, call: APIRequest, segments: dict[str, str], since: Version) -> APIRequest:
        """
        Authenticate the request and negotiate its version; removes segments that the handlers don't
        need.

        :raises WireError: the request is not admitted.
        """
        raise NotImplementedError()

    def headers(self, call: APIRequest) -> Mapping[str, str]:
        """Headers of every response to an admitted request."""
        raise NotImplementedError()

    def outer_headers(self, call: APIRequest) -> Mapping[str, str]:
        """Headers of every response."""
        return {}

    def completed(self, call: APIRequest, answer: APIResponse) -> APIResponse:
        """Complete the response to a request for a known path."""
        return answer

    def too_large(self) -> WireError:
        """The refusal of a body that is longer than any service reads."""
        raise NotImplementedError()

    def unreadable(self, problem: UnreadableBody) -> WireError:
        """The refusal of a body that is not a JSON object."""
        raise NotImplementedError()

    def misplaced(self, call: APIRequest, problem: HTTPException) -> APIResponse:
        """The response to a request for an unknown path or with an unknown method."""
        raise NotImplementedError()

    def fault(self) -> WireError:
        """The response to a fault of the service itself."""
        raise NotImplementedError()

    def disk_full(self) -> WireError:
        """The response to a change for which the disk has no room."""
        raise NotImplementedError()

    async def answer(
        self,
        request: IRequest,
        handler: Handler,
        segments: dict[str, str],
        since: Version,
        path: str = "",
    ) -> APIResponse:
        """
        Everything from a request to its response; never raises.

        :param path: of the route.
        """
        call = call_from(request, self.base_url)
        method = request.method.decode("utf-8", "replace").replace("HEAD", "GET")
        call = attr.evolve(call, route=f"{method} {path}")
        outer = self.outer_headers(call)
        headers: Mapping[str, str] = {}
        try:
            if call.too_large():
                raise self.too_large()
            call = self.admit(call, segments, since)
            headers = self.headers(call)
            answer = handler(self, call, **segments)
            if isawaitable(answer):
                answer = await answer
        except UnreadableBody as problem:
            answer = self.unreadable(problem).answer
        except WireError as error:
            answer = error.answer
        except Exception as error:
            answer = (self.disk_full() if is_full(error) else self._broken(call)).answer
        return self.completed(call, answer.with_headers({**outer, **headers}))

    def _broken(self, call: APIRequest) -> WireError:
        """Log a fault of the service itself."""
        _log.failure("Request {request_id} could not be answered", request_id=call.request_id)
        SERVER_FAULT.log(request_id=call.request_id, traceback=format_exc())
        return self.fault()


def endpoint(
    app: Routes, path: str, *methods: str, since: Version = (0, 0)
) -> Callable[[Handler], Handler]:
    """
    Make a service's method the handler of a path.

    :param app: the service's routes.
    :param since: the first microversion that has it.
    """

    def decorate(handler: Handler) -> Handler:
        def view(
            self: Service, request: IRequest, segments: dict[str, str]
        ) -> Deferred[APIResponse]:
            return Deferred.fromCoroutine(self.answer(request, handler, segments, since, path))

        app.add(ServiceRoute(path, methods, handler.__name__, view))
        return handler

    return decorate


#: Answers a request: called with its method, the first segment of its path, the rule of the rest,
#: the request itself, and the function that carries it out.  Fires with ``None`` to end the
#: connection without an answer.
Interference = Callable[
    [str, str, str, IRequest, Callable[[], "Deferred[APIResponse]"]],
    "Deferred[Optional[APIResponse]]",
]


class Endpoints(Resource):
    """
    The handlers of a service.

    :ivar interference: answers the requests in place of the handlers, if a test wants it.
    """

    isLeaf = True
    interference: Interference | None = None

    def __init__(self, service: Service) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._service = service

    def rules(self) -> Iterator[tuple[str, str]]:
        """See :meth:`~txstorage.embedded.wire.requests.routes.Routes.rules`."""
        return self._service.app.rules()

    def render(self, request: IRequest) -> int:
        """Answer the request, later."""
        ended: Deferred[None] = request.notifyFinish()  # type: ignore[attr-defined]
        # The client may go away; the handler ends nevertheless.
        ended.addErrback(lambda _: None)
        sent = self._answer(request).addCallback(_send, request, ended)
        sent.addErrback(lambda why: _log.failure("A response could not be sent", why))
        return NOT_DONE_YET

    def _answer(self, request: IRequest) -> Deferred[APIResponse | None]:
        path = (b"/" + b"/".join(request.postpath)).decode("utf-8")
        method = request.method.decode("utf-8", "replace")
        try:
            found, segments = self._service.app.find(method, path)
        except HTTPException as problem:
            call = call_from(request, self._service.base_url)
            answer = self._service.misplaced(call, problem)
            return succeed(answer.with_headers(self._service.outer_headers(call)))
        execute = partial(found.view, self._service, request, segments)
        if self.interference is None:
            return execute()
        service = request.prepath[0].decode("utf-8")
        return self.interference(method, service, found.path, request, execute)


def _send(answer: APIResponse | None, request: IRequest, ended: Deferred[None]) -> None:
    """
    :param answer: ``None`` to end the connection without one.
    :param ended: fired if the client has gone away.
    """
    if ended.called:
        return
    if answer is None:
        request.channel.loseConnection()  # type: ignore[attr-defined]  # no interface has it
        return
    request.write(answer.send(request))
    request.finish()

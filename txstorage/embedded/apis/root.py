# -*- test-case-name: tests.embedded.test_application -*-
"""The first step of a request's way: the choice of the service, and the request's id."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Callable

from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource

from ..control import api
from ..page.access import prefers_html
from ..wire import refusals
from ..wire.exchange import APIRequest, APIResponse, WireError, call_from
from ..wire.versions import VOLUME, announcements, as_version
from .healthcheck import HealthCheck
from .identity.bearers import Bearers
from .versioned import negotiate

#: Cinder's condition for a project id.
_PROJECT = re.compile(rb"[0-9a-f-]+\Z")
#: The documents of Compute's own middleware.
_COMPUTE = ("/compute/v2", "/compute/v2.1")
_READ = (b"GET", b"HEAD")


class Document(Resource):
    """A version document; or a 404 for any other path."""

    isLeaf = True

    def __init__(self, path: str, base_url: str | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._path = path
        self._base_url = base_url

    def render(self, request: IRequest) -> bytes:
        """The document with this request's links."""
        call = call_from(request, self._base_url)
        try:
            answer = self._answer(call, request.method in _READ)
        except WireError as error:
            answer = error.answer
        return answer.send(request)

    def _answer(self, call: APIRequest, safe: bool) -> APIResponse:
        if self._path == "/volume":
            negotiate(VOLUME, call)
            if not safe:
                error = refusals.INCORRECT()
                oldest = VOLUME.headers(as_version(VOLUME.minimum))
                raise WireError(error.answer.with_headers(oldest))
        found = announcements(call.base)
        if safe and self._path in found:
            own_id = {"x-compute-request-id": call.request_id}
            return found[self._path].with_headers(own_id if self._path in _COMPUTE else {})
        # Below no service's path, any service may refuse.
        service = (self._path.split("/") + [""])[1]
        raise refusals.NO_ROUTE.get(service, refusals.NO_ROUTE["volume"])()


class Root(Resource):
    """
    Chooses the service, and gives every request its id.

    :param services: resources by the first segment of their paths; a part of a service by the first
        and the kind of resource, the third one or, in Block Storage, the fourth, which follows the
        project; and possibly the one after the resource's id.
    :param bearers: finds the projects of tokens.
    :param health: of the path ``/healthcheck``.
    :param page: of the path ``/``, for a browser.
    :param observe: called with each request and its id.
    :param control: of the paths for tests, if they are served.
    """

    def __init__(
        self,
        services: Mapping[bytes, IResource],
        bearers: Bearers,
        base_url: str | None,
        health: HealthCheck,
        page: IResource,
        observe: Callable[[IRequest, str], object],
        control: IResource | None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._services = services
        self._bearers = bearers
        self._base_url = base_url
        self._documents = set(announcements(""))
        self._health = health
        self._page = page
        self._observe = observe
        self._control = control

    def getChildWithDefault(self, path: bytes, request: IRequest) -> IResource:
        """See ``IResource``."""
        request_id = f"req-{uuid.uuid4()}"
        request.setHeader("x-openstack-request-id", request_id)
        if self._control is not None and path in api.PATHS:
            request.postpath.insert(0, path)
            return self._control
        self._observe(request, request_id)
        segments = b"/".join([path] + request.postpath)
        try:
            whole = "/" + segments.decode("utf-8").rstrip("/")
        except UnicodeDecodeError:
            return Document("", self._base_url)
        if whole == "/healthcheck":
            return self._health
        if whole == "/" and request.method in _READ and _from_browser(request):
            return self._page
        if path == b"volume":
            request.postpath = _in_project(request.postpath, self._project_of(request))
        if path == b"compute" and request.postpath[:1] == [b"v2"]:
            request.postpath[:1] = [b"v2.1"]
        found = self._part(path, request.postpath)
        if found is None or whole in self._documents:
            return Document(whole, self._base_url)
        return found

    def _part(self, path: bytes, rest: list[bytes]) -> IResource | None:
        """Return the resource of a path, which is the part of a service, if it has parts."""
        kind = 2 if path == b"volume" else 1
        own = [path, *rest[kind : kind + 1]]
        parts = [[*own, *rest[kind + 2 : kind + 3]], own]
        found = (self._services.get(b"/".join(part)) for part in [*parts, [path]])
        return next((each for each in found if each is not None), None)

    def _project_of(self, request: IRequest) -> str:
        """Return the project of a request whose path omits it."""
        token: bytes = request.getHeader(b"X-Auth-Token") or b""
        # Whether the token is still valid is checked later.
        record = self._bearers.signer.record(token.decode("utf-8", "replace"))
        own = self._bearers.directory.ids.project
        return own if record is None or record.project_id is None else record.project_id


def _from_browser(request: IRequest) -> bool:
    accept: bytes | None = request.getHeader(b"accept")
    return accept is not None and prefers_html(accept.decode("utf-8", "replace"))


def _in_project(segments: list[bytes], project_id: str) -> list[bytes]:
    """
    Insert the project into a path of Cinder's that omits it, whatever the microversion.

    :param segments: after ``/volume``.
    """
    version, others = segments[:1], segments[1:]
    if version != [b"v3"] or others in ([], [b""]) or _PROJECT.match(others[0]):
        return segments
    return version + [project_id.encode("ascii")] + others


__all__ = ["Root"]

# -*- test-case-name: tests.embedded.test_application -*-
"""
The embedded service: three OpenStack APIs under one root.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource

from .._log import SERVER_REQUEST
from .apis.attachments import AttachmentsAPI
from .apis.block_storage import features, project
from .apis.block_storage.features import FeaturesAPI
from .apis.block_storage.project import ProjectAPI
from .apis.block_storage.snapshots import SnapshotsAPI
from .apis.compute import ComputeAPI
from .apis.ec2.call import EC2Context
from .apis.ec2.resources.snapshots import delete_abandoned
from .apis.identity import IdentityAPI
from .apis.servers.flavors import FlavorsAPI
from .apis.versioned import negotiate
from .apis.volumes import BlockStorageAPI
from .machine.devices import IDeviceBackend
from .machine.reconcile import reconcile
from .machine.snapshot_transitions import Snapshots
from .machine.transitions import Engine
from .machine.turns import ReactorTurns
from .settings import Settings
from .store.store import Store
from .wire import refusals
from .wire.exchange import APIRequest, APIResponse, WireError, call_from
from .wire.healthcheck import HealthCheck
from .wire.site import BoundedSite
from .wire.versions import VOLUME, announcements, as_version

#: Cinder's condition for a project id.
_PROJECT = re.compile(rb"[0-9a-f-]+\Z")
#: The documents of Compute's own middleware.
_COMPUTE = ("/compute/v2", "/compute/v2.1")
#: The segment after a service's name that names a part of it.
_PARTS = {b"volume": 2, b"compute": 1}
#: The one path whose requests need no token and have a body that matters.
_TOKENS = b"/identity/v3/auth/tokens"


class _Document(Resource):
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
            answer = self._answer(call, request.method in (b"GET", b"HEAD"))
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


class _Root(Resource):
    """
    Chooses the service, and gives every request its id.

    :param services: resources by the first segment of their paths; a part of a service by the first
        and the one that follows the version, and the project if there is one.
    :param health: of the path ``/healthcheck``.
    """

    def __init__(
        self,
        services: Mapping[bytes, IResource],
        project_id: str,
        base_url: str | None,
        health: HealthCheck,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._services = services
        self._project_id = project_id
        self._base_url = base_url
        self._documents = set(announcements(""))
        self._health = health

    def getChildWithDefault(self, path: bytes, request: IRequest) -> IResource:
        """See ``IResource``."""
        request_id = f"req-{uuid.uuid4()}"
        request.setHeader("x-openstack-request-id", request_id)
        ended = request.notifyFinish()  # type: ignore[attr-defined]  # no interface has it
        ended.addBoth(_log_request, request, request_id)
        segments = b"/".join([path] + request.postpath)
        try:
            whole = "/" + segments.decode("utf-8").rstrip("/")
        except UnicodeDecodeError:
            return _Document("", self._base_url)
        if whole == "/healthcheck":
            return self._health
        if path == b"volume":
            request.postpath = _in_project(request.postpath, self._project_id)
        index = _PARTS.get(path, 2)
        part = b"/".join([path] + request.postpath[index : index + 1])
        found = self._services.get(part, self._services.get(path))
        if found is None or whole in self._documents:
            return _Document(whole, self._base_url)
        return found


def _log_request(result: object, request: IRequest, request_id: str) -> None:
    """
    :param result: a ``Failure`` when the client left before the response.
    """
    SERVER_REQUEST(
        request_id=request_id,
        method=request.method,
        path=request.path,
        status=None if isinstance(result, Failure) else request.code,  # type: ignore[attr-defined]
    ).write()


def _in_project(segments: list[bytes], project_id: str) -> list[bytes]:
    """
    Insert the project into a path of Cinder's that omits it, whatever the microversion.

    :param segments: after ``/volume``.
    """
    version, others = segments[:1], segments[1:]
    if version != [b"v3"] or others in ([], [b""]) or _PROJECT.match(others[0]):
        return segments
    return version + [project_id.encode("ascii")] + others


class Application:
    """
    The embedded service, ready to be served.

    :ivar ec2: the parts of the EC2 face.
    :param reactor: for time.  The object itself opens no port.
    :param store: the durable state.
    :param devices: an ``IDeviceBackend``.
    :param wall_time: returns seconds since the epoch; by default the reactor's time.
    :param turns: divides the reactor's time.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        store: Store,
        devices: IDeviceBackend,
        settings: Settings,
        wall_time: Callable[[], float] | None = None,
        turns: ReactorTurns | None = None,
    ) -> None:
        self._reactor = reactor
        self._turns = ReactorTurns(reactor) if turns is None else turns
        self._store = store
        self._devices = devices
        self._settings = settings
        self._wall_time = wall_time or reactor.seconds
        self._identity = IdentityAPI(store, settings, reactor.seconds, wall_time)
        delay = settings.transition_delay
        self._engine = Engine(reactor, store, devices, delay, self._turns)
        self._snapshot_engine = Engine(reactor, store, devices, delay, self._turns, Snapshots())
        self.ec2 = EC2Context.of(
            reactor,
            store,
            settings,
            self._wall_time,
            self._engine,
            snapshot_engine=self._snapshot_engine,
            turns=self._turns,
            files=devices.files,
        )

    def start(self) -> Deferred[list[str]]:
        """
        Reconcile store, files and devices after a stop or a crash, and resume transitions.

        :return: fires, when requests may come, with the problems that remain, for people.
        """
        return Deferred.fromCoroutine(self._start())

    async def _start(self) -> list[str]:
        problems = await reconcile(self._store, self._devices)
        self._engine.resume()
        self._snapshot_engine.resume()
        self.ec2.detaches.start()
        await delete_abandoned(self.ec2)
        return problems

    def stop(self) -> Deferred[None]:
        """
        Begin no more transitions.

        :return: fires with ``None`` when none runs any more.
        """
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self.ec2.detaches.stop()
        self._devices.files.copies.stop()
        ended = self._snapshot_engine.stop()
        await self._engine.stop()
        await ended

    def site(self) -> BoundedSite:
        """Return the factory for a port, which bounds the connections."""
        return BoundedSite(self.resource(), self._reactor, self._reads_body, turns=self._turns)

    def ec2_site(self, resource: IResource) -> BoundedSite:
        """Return the factory for a port of the EC2 face, whose bodies are all short enough."""
        return BoundedSite(resource, self._reactor, lambda *_: True, turns=self._turns)

    def _reads_body(self, method: bytes, path: bytes, request: IRequest) -> bool:
        """
        Check whether a request's response depends on its body: without a valid token, only that
        to a request for one does.
        """
        if (method, path.rstrip(b"/")) == (b"POST", _TOKENS):
            return True
        token: bytes = request.getHeader(b"X-Auth-Token") or b""
        return self._identity.valid_token(token.decode("utf-8", "replace")) is not None

    def resource(self) -> IResource:
        """The resource for a ``Site``."""
        parts = (self._store, self._identity, self._engine, self._settings, self._turns)
        files = self._devices.files
        volumes = BlockStorageAPI(*parts, self._snapshot_engine, files)
        snapshots = SnapshotsAPI(
            self._store, self._identity, self._snapshot_engine, self._settings, self._turns, files
        )
        services = {
            b"identity": self._identity.resource(),
            b"volume": volumes.resource(),
            b"compute": ComputeAPI(*parts).resource(),
            b"compute/flavors": FlavorsAPI(*parts).resource(),
            b"volume/attachments": AttachmentsAPI(*parts, self._devices).resource(),
            b"volume/snapshots": snapshots.resource(),
        }
        others = ProjectAPI(*parts, files).resource()
        services.update((f"volume/{name}".encode("ascii"), others) for name in project.PATHS)
        described = FeaturesAPI(*parts, self._wall_time).resource()
        services.update((f"volume/{name}".encode("ascii"), described) for name in features.PATHS)
        health = HealthCheck(lambda: Deferred.fromCoroutine(self._problem()))
        return _Root(services, self._identity.ids.project, self._settings.base_url, health)

    async def _problem(self) -> str:
        """Return the reason why no volume can be made; empty when one can."""
        self._store.usage()
        files = self._devices.files
        return "" if await files.aside(files.has_room) else "DISK FULL"

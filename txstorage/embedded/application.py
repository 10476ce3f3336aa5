# -*- test-case-name: tests.embedded.test_application -*-
"""
The embedded service: three OpenStack APIs under one root.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource

from .._log import SERVER_REQUEST
from .apis.attachments import AttachmentsAPI
from .apis.block_storage import features, project
from .apis.block_storage.backups.service import BackupsAPI
from .apis.block_storage.features import FeaturesAPI
from .apis.block_storage.project import ProjectAPI
from .apis.block_storage.quotas import QuotasAPI
from .apis.block_storage.snapshots import SnapshotsAPI
from .apis.block_storage.transfers import service as transfers
from .apis.block_storage.transfers.service import TransfersAPI
from .apis.block_storage.types import TypesAPI
from .apis.block_storage.without import service as without
from .apis.block_storage.without.service import AbsentAPI
from .apis.compute import ComputeAPI
from .apis.ec2.call import EC2Context
from .apis.ec2.resources.snapshots import delete_abandoned
from .apis.healthcheck import HealthCheck
from .apis.identity import accounts
from .apis.identity.accounts import AccountsAPI
from .apis.identity.application_credentials import ApplicationCredentialsAPI
from .apis.identity.authentication import IdentityAPI
from .apis.identity.bearers import Bearers
from .apis.identity.credentials import CredentialsAPI
from .apis.images.service import ImagesAPI
from .apis.servers import members, surroundings
from .apis.servers import project as compute_project
from .apis.servers.flavors import FlavorsAPI
from .apis.servers.members import MembersAPI
from .apis.servers.project import ComputeProjectAPI
from .apis.servers.surroundings import SurroundingsAPI
from .apis.versioned import negotiate
from .apis.volumes import BlockStorageAPI
from .control import api
from .control.actions import ActionControls
from .control.api import ControlAPI
from .control.controls import Controls
from .control.recent import RecentLog, ServedRequest, served
from .machine.backup_transitions import Backups
from .machine.devices import IDeviceBackend
from .machine.engine import Engine
from .machine.reconcile import reconcile
from .machine.server_transitions import Servers
from .machine.snapshot_transitions import Snapshots
from .machine.turns import ReactorTurns
from .page.access import prefers_html
from .page.live import LivePage
from .settings import Settings
from .store.store import Store
from .wire import refusals
from .wire.exchange import APIRequest, APIResponse, Service, WireError, call_from
from .wire.site import BoundedSite
from .wire.versions import VOLUME, announcements, as_version

#: Cinder's condition for a project id.
_PROJECT = re.compile(rb"[0-9a-f-]+\Z")
#: The documents of Compute's own middleware.
_COMPUTE = ("/compute/v2", "/compute/v2.1")
#: The one path whose requests need no token and have a body that matters.
_TOKENS = b"/identity/v3/auth/tokens"
_READ = (b"GET", b"HEAD")


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


class _Root(Resource):
    """
    Chooses the service, and gives every request its id.

    :param services: resources by the first segment of their paths; a part of Block Storage by the
        first and the fourth one, which follows the project; a part of Identity by the first and the
        third one, and possibly the fifth.
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
            return _Document("", self._base_url)
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
            return _Document(whole, self._base_url)
        return found

    def _part(self, path: bytes, rest: list[bytes]) -> IResource | None:
        """Return the resource of a path, which is the part of a service, if it has parts."""
        if path == b"volume":
            parts = [[path, *rest[2:3]]]
        else:
            parts = [[path, *rest[1:2], *rest[3:4]], [path, *rest[1:2]]]
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


class Application:
    """
    The embedded service, ready to be served.

    :ivar ec2: the parts of the EC2 face.
    :ivar requests: the last requests.
    :param reactor: for time.  The object itself opens no port.
    :param store: the durable state.
    :param devices: an ``IDeviceBackend``.
    :param wall_time: returns seconds since the epoch; by default the reactor's time.
    :param turns: divides the reactor's time.
    :param controls: of a test, if the routes for tests are served.  Their time is the service's.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        store: Store,
        devices: IDeviceBackend,
        settings: Settings,
        wall_time: Callable[[], float] | None = None,
        turns: ReactorTurns | None = None,
        controls: Controls | None = None,
    ) -> None:
        self._reactor = reactor
        self._turns = ReactorTurns(reactor) if turns is None else turns
        self._store = store
        self._devices = devices
        self._settings = settings
        self._controls = controls
        clock = reactor if controls is None else controls.clock
        mishaps = None if controls is None else controls.faults
        self._wall_time = wall_time or clock.seconds
        self.requests: RecentLog[ServedRequest] = RecentLog()
        self._bearers = Bearers(store, settings, clock.seconds, wall_time)
        parts = (clock, store, devices, settings.transition_delay, self._turns)
        self._engine = Engine(*parts, mishaps=mishaps)
        self._snapshot_engine = Engine(*parts, Snapshots(), mishaps)
        self._backup_engine = Engine(*parts, Backups(), mishaps)
        self._server_engine = Engine(*parts, Servers(self._engine.begin), mishaps)
        volumes = (self._engine, self._snapshot_engine, self._backup_engine)
        self._engines = (*volumes, self._server_engine)
        if controls is not None:
            controls.control(store, devices, self._engines, self.requests)
        self._control = None if controls is None else ControlAPI(controls, settings.password)
        self.ec2 = EC2Context.of(
            clock,
            store,
            settings,
            self._engine,
            ActionControls(self._wall_time, self._record, controls),
            snapshot_engine=self._snapshot_engine,
            turns=self._turns,
            files=devices.files,
        )
        self._page = LivePage(
            reactor, store, settings, devices.files, self._wall_time, self.requests
        )
        self._page.observe(*self._engines)

    def start(self) -> Deferred[list[str]]:
        """
        Reconcile store, files and devices after a stop or a crash, and resume transitions.

        :return: fires, when requests may come, with the problems that remain, for people.
        """
        return Deferred.fromCoroutine(self._start())

    async def _start(self) -> list[str]:
        problems = await reconcile(self._store, self._devices)
        for engine in self._engines:
            engine.resume()
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
        self._page.stop()
        self.ec2.detaches.stop()
        if self._controls is not None:
            self._controls.stop()
        self._devices.files.copies.stop()
        # All of them begin to stop at once.
        ended = [Deferred.fromCoroutine(engine.stop()) for engine in reversed(self._engines)]
        for each in ended:
            await each

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
        if self._control is not None and path.strip(b"/").split(b"/")[0] in api.PATHS:
            return self._control.admits(request)
        token: bytes = request.getHeader(b"X-Auth-Token") or b""
        return self._bearers.record(token.decode("utf-8", "replace")) is not None

    def resource(self) -> IResource:
        """The resource for a ``Site``."""
        bearers, base_url = self._bearers, self._settings.base_url
        parts = (self._store, bearers, self._engine, self._settings, self._turns)
        files = self._devices.files
        volumes = BlockStorageAPI(*parts, self._snapshot_engine, files)
        rest = (self._settings, self._turns, files)
        snapshots = SnapshotsAPI(self._store, bearers, self._snapshot_engine, *rest)
        backups = BackupsAPI(self._store, bearers, self._backup_engine, *rest)
        services = {
            b"page": self._page.resource,
            b"volume/backups": backups.resource(),
            b"identity": IdentityAPI(self._store, self._settings, bearers).resource(),
            b"identity/users/application_credentials": ApplicationCredentialsAPI(
                self._store, bearers, base_url
            ).resource(),
            b"volume": volumes.resource(),
            b"image": ImagesAPI(bearers, self._settings).resource(),
            b"compute": ComputeAPI(*parts, self._server_engine).resource(),
            b"compute/flavors": FlavorsAPI(*parts).resource(),
            b"volume/attachments": AttachmentsAPI(*parts, self._devices).resource(),
            b"volume/snapshots": snapshots.resource(),
            b"volume/types": TypesAPI(*parts).resource(),
            b"volume/os-quota-sets": QuotasAPI(*parts).resource(),
        }
        wings: list[tuple[str, Iterable[str], Service]] = [
            ("volume", project.PATHS, ProjectAPI(*parts, files)),
            ("volume", features.PATHS, FeaturesAPI(*parts)),
            ("volume", transfers.PATHS, TransfersAPI(*parts)),
            ("volume", without.PATHS, AbsentAPI(*parts)),
            ("identity", accounts.PATHS, AccountsAPI(bearers, base_url)),
            ("identity", ("credentials", "users/credentials"), CredentialsAPI(bearers, base_url)),
            ("compute", compute_project.PATHS, ComputeProjectAPI(*parts)),
            ("compute/servers", members.PATHS, MembersAPI(*parts)),
            ("compute/servers", surroundings.PATHS, SurroundingsAPI(*parts)),
        ]
        for prefix, paths, service in wings:
            resource = service.resource()
            services.update((f"{prefix}/{name}".encode("ascii"), resource) for name in paths)
        health = HealthCheck(lambda: Deferred.fromCoroutine(self._problem()))
        control = None if self._control is None else self._control.resource()
        if self._controls is not None:
            self._controls.interfere(services)
        page = self._page.resource
        return _Root(services, bearers, base_url, health, page, self._observe, control)

    def _observe(self, request: IRequest, request_id: str) -> None:
        """Record a request when it has ended."""
        end = served(request, request_id, self._wall_time, self._controls is not None)
        ended = request.notifyFinish()  # type: ignore[attr-defined]  # no interface has it
        ended.addBoth(lambda result: self._record(end(not isinstance(result, Failure))))

    def _record(self, request: ServedRequest) -> None:
        SERVER_REQUEST.log(
            request_id=request.request_id,
            method=request.method,
            path=request.path,
            status=request.status,
        )
        self.requests.add(request)

    async def _problem(self) -> str:
        """Return the reason why no volume can be made; empty when one can."""
        self._store.usage()
        files = self._devices.files
        return "" if await files.aside(files.has_room) else "DISK FULL"

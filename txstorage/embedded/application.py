# -*- test-case-name: tests.embedded.test_application -*-
"""
The embedded service: three OpenStack APIs under one root.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource

from .._log import SERVER_REQUEST
from .accounts.attempts import Attempts
from .apis.attachments import AttachmentsAPI
from .apis.block_storage import features, project
from .apis.block_storage.administration import default_types, pools, processes
from .apis.block_storage.administration.default_types import DefaultTypesAPI
from .apis.block_storage.administration.pools import PoolsAPI
from .apis.block_storage.administration.processes import ProcessesAPI
from .apis.block_storage.backups.service import BackupsAPI
from .apis.block_storage.features import FeaturesAPI
from .apis.block_storage.kinds import encryption, qos
from .apis.block_storage.kinds.encryption import EncryptionAPI
from .apis.block_storage.kinds.qos import QosAPI
from .apis.block_storage.project import ProjectAPI
from .apis.block_storage.quotas import QuotasAPI
from .apis.block_storage.snapshots import SnapshotsAPI
from .apis.block_storage.transfers import service as transfers
from .apis.block_storage.transfers.service import TransfersAPI
from .apis.block_storage.types import TypesAPI
from .apis.block_storage.without import others
from .apis.block_storage.without import service as without
from .apis.block_storage.without.others import OthersAPI
from .apis.block_storage.without.service import AbsentAPI
from .apis.compute import ComputeAPI
from .apis.ec2.call import EC2Context
from .apis.ec2.resources.snapshots import delete_abandoned
from .apis.healthcheck import HealthCheck
from .apis.identity import accounts, projects
from .apis.identity.accounts import AccountsAPI
from .apis.identity.application_credentials import ApplicationCredentialsAPI
from .apis.identity.authentication import IdentityAPI
from .apis.identity.bearers import Bearers
from .apis.identity.credentials import CredentialsAPI
from .apis.identity.projects import ProjectsAPI
from .apis.images.service import ImagesAPI
from .apis.root import Root
from .apis.servers import groups, members, surroundings
from .apis.servers import project as compute_project
from .apis.servers.flavors import FlavorsAPI
from .apis.servers.groups import ServerGroupsAPI
from .apis.servers.hosts import service as compute_hosts
from .apis.servers.hosts.service import HostsAPI
from .apis.servers.members import MembersAPI
from .apis.servers.project import ComputeProjectAPI
from .apis.servers.surroundings import SurroundingsAPI
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
from .page.live import LivePage
from .settings import Settings
from .store.store import Store
from .wire.exchange import Service
from .wire.site import BoundedSite

#: The one path whose requests need no token and have a body that matters.
_TOKENS = b"/identity/v3/auth/tokens"


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
            reload = self._bearers.reload
            controls.control(store, devices, self._engines, self.requests, reload)
        # Without a clock that tests advance, which would end the wait.
        attempts = Attempts(reactor.seconds)
        self._control = (
            None if controls is None else ControlAPI(controls, settings.password, attempts)
        )
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
            reactor, store, settings, devices.files, self._wall_time, self.requests, attempts
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
        volumes = BlockStorageAPI(*parts, files, self._snapshot_engine)
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
            ("volume", project.PATHS, ProjectAPI(*parts)),
            ("volume", pools.PATHS, PoolsAPI(*parts, files)),
            ("volume", features.PATHS, FeaturesAPI(*parts)),
            ("volume", processes.PATHS, ProcessesAPI(*parts)),
            ("volume", default_types.PATHS, DefaultTypesAPI(*parts)),
            ("volume", transfers.PATHS, TransfersAPI(*parts)),
            ("volume", without.PATHS, AbsentAPI(*parts)),
            ("volume", others.PATHS, OthersAPI(*parts)),
            ("volume", qos.PATHS, QosAPI(*parts)),
            ("volume", encryption.PATHS, EncryptionAPI(*parts)),
            ("identity", accounts.PATHS, AccountsAPI(bearers, base_url)),
            ("identity", projects.PATHS, ProjectsAPI(self._store, bearers, base_url)),
            ("identity", ("credentials", "users/credentials"), CredentialsAPI(bearers, base_url)),
            ("compute", compute_project.PATHS, ComputeProjectAPI(*parts)),
            ("compute", compute_hosts.PATHS, HostsAPI(*parts)),
            ("compute", groups.PATHS, ServerGroupsAPI(*parts)),
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
        return Root(services, bearers, base_url, health, page, self._observe, control)

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

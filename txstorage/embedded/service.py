# -*- test-case-name: tests.embedded.test_service -*-
"""The embedded service with all its parts: from its options to an open port, and back."""

from __future__ import annotations

import os
import re
import sqlite3
import time
import uuid
from collections.abc import Iterator
from typing import Any, cast

import attr
from twisted.internet.address import IPv4Address
from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IListeningPort,
    IReactorSSL,
    IReactorTCP,
    IReactorThreads,
    IReactorTime,
)
from twisted.internet.task import deferLater
from twisted.web.resource import IResource

from .._support.monotonic import use_monotonic_time
from .._support.notations.addresses import is_loopback
from .accounts.declarations import Account, Declaration
from .accounts.openrc import Login, first_login, login
from .accounts.passwords import with_passwords
from .agent_yml import Access, AgentFiles, reachable
from .apis.ec2.ports import EC2Ports, open_ports, write_credentials
from .application import Application
from .control.controls import Controls
from .disk import Reserve, is_full
from .machine.devices import DeviceFailure, FileDevices, LoopDevices
from .machine.files import VolumeFiles, in_threads
from .machine.turns import ReactorTurns
from .memory import FACTS
from .opening import no_port, open_store
from .recovery import refuse_lost, unknown_files
from .settings import USER, EC2Settings, Settings
from .state_directory import ServeError, StateDirectory
from .store.sidecars import Sidecars
from .store.store import Store
from .tls import context_factory, self_signed
from .wire.site import BoundedSite

DEFAULT_NODES = ("node-1", "node-2")
_NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class ServiceOptions:
    """
    The options of ``txstorage serve``.

    :ivar nodes: names to declare besides those of earlier starts.
    :ivar devices: ``auto``, ``loop`` or ``file``.
    :ivar root_volumes: whether nodes have root volumes, and Block Storage lists them: ``shown``,
        ``hidden`` or ``none``.
    :ivar behaviour: of :class:`~txstorage.embedded.settings.Settings`.
    :ivar ec2_port: of the EC2 face, whose nodes' metadata have the next ones; ``None`` for none.
    :ivar ec2: of :class:`~txstorage.embedded.settings.EC2Settings`.
    :ivar users: beside the first one.
    :ivar test_routes: whether to serve the routes for tests.
    """

    state_dir: str
    host: str = "127.0.0.1"
    port: int = 0
    nodes: tuple[str, ...] = ()
    tls: bool = False
    tls_cert: str | None = None
    tls_key: str | None = None
    devices: str = "auto"
    root_volumes: str = "shown"
    behaviour: dict[str, Any] = attr.Factory(dict)
    ec2_port: int | None = None
    ec2: dict[str, Any] = attr.Factory(dict)
    users: tuple[Declaration, ...] = ()
    test_routes: bool = False


def exposure(options: ServiceOptions) -> str:
    """A warning when other machines can reach the service."""
    if is_loopback(options.host):
        return ""
    warning = f"--host {options.host} lets other machines use the volumes of this one"
    if options.tls or options.tls_cert:
        return warning
    return warning + ", and without TLS the password can be read on the way"


def wall_time() -> float:
    """Return the wall clock's seconds since the epoch, for the times that clients see."""
    return time.time()


async def choose_devices(
    wanted: str, recorded: str, loop: LoopDevices, regular: FileDevices
) -> tuple[LoopDevices | FileDevices, str]:
    """
    :param wanted: ``auto``, ``loop`` or ``file``.
    :param recorded: the kind of device of the attached volumes; empty when none is attached.
    :return: the backend, and the reason for it, for people.
    :raises ServeError: that kind is not possible.
    """
    if recorded and wanted not in ("auto", recorded):
        raise ServeError(
            f"volumes are attached with --devices {recorded}",
            f"detach them first, or keep --devices {recorded}",
        )
    kind = recorded or wanted
    if kind == "file":
        return regular, "as the attached volumes have" if recorded else "as asked for"
    try:
        if os.geteuid() != 0:
            raise DeviceFailure("they require root")
        await loop.probe()
    except (DeviceFailure, OSError) as error:
        if kind == "auto":
            return regular, f"loop devices can't be used: {error}"
        raise ServeError(
            f"loop devices can't be used: {error}",
            "run as root, or with --devices file when no volume is attached",
        ) from error
    return loop, "they work here"


class IServiceReactor(IReactorTime, IReactorSSL, IReactorTCP, IReactorThreads):
    """A reactor that listens, keeps time, and starts threads."""


class EmbeddedService:
    """
    The service on a port.

    :param reactor: listens, and provides the time, which becomes monotonic.
    """

    def __init__(self, reactor: IServiceReactor, options: ServiceOptions) -> None:
        use_monotonic_time(reactor)
        self._reactor = reactor
        self._options = options
        self._state: StateDirectory | None = None
        self._store: Store | None = None
        self._application: Application | None = None
        self._ports: list[IListeningPort] = []
        self._sites: list[BoundedSite] = []
        #: Warnings and explanations, for people.
        self.remarks: list[str] = []
        #: The addresses of the EC2 face, if there is one.
        self.ec2: EC2Ports | None = None

    async def start(self) -> tuple[str, str]:
        """
        :return: the URL for tokens, and the text of the first node's ``agent.yml``, when requests
            are answered.
        :raises ServeError: the service can't start; nothing is left open.
        """
        try:
            return await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close everything.  Attached volumes stay attached: they are the node's."""
        ports, self._ports = self._ports, []
        for port in ports:
            await maybeDeferred(port.stopListening)
        sites, self._sites = self._sites, []
        for site in sites:
            site.end_after_responses()
        application, self._application = self._application, None
        if application is not None:
            await application.stop()
        if self._store is not None:
            self._store.close()
        if sites:
            # The last responses leave in the second turn of the reactor.
            for _ in range(2):
                await deferLater(self._reactor, 0, lambda: None)
        for site in sites:
            await site.end()
        if self._state is not None:
            self._state.close()

    async def _start(self) -> tuple[str, str]:
        options = self._options
        if "%" in options.host:
            raise ServeError(
                f"can't serve at {options.host}: clients can't use an IPv6 address with a zone, "
                "the part from % on, because only one machine knows the zone",
                "give another --host, for example :: for all addresses",
            )
        for name in options.nodes:
            if _NODE_NAME.match(name) is None:
                raise ServeError(
                    f"{name!r} can't be a node's name",
                    "begin with a letter or a digit, and use at most 63 letters, digits, dots, "
                    "hyphens and underscores",
                )
        self._state = state = StateDirectory(options.state_dir)
        if state.exposure():
            self.remarks.append("warning: " + state.exposure())
        refuse_lost(state)
        state.make_database()
        reserve = Reserve(state.reserve)
        controls = Controls(self._reactor, wall_time) if options.test_routes else None
        if controls is not None:
            routes = "/faults, /requests, /clock, and /reset, which destroys every volume"
            self.remarks.append("routes for tests: " + routes)
        now = wall_time if controls is None else controls.now
        self._store = store = open_store(state.database, reserve, now)
        nodes = self._declare(store)
        files = VolumeFiles(state.volumes, in_threads(self._reactor), reserve)
        devices = await self._choose_devices(state, store, files)
        settings = Settings(
            password=state.password(),
            application_secret=state.application_secret(),
            ec2=self._ec2_settings(state),
            accounts=self._accounts(state),
            hide_root_volumes=self._options.root_volumes == "hidden",
            local=is_loopback(options.host) and not options.users,
            **options.behaviour,
        )
        cluster_id = store.fact("cluster_id", lambda: str(uuid.uuid4()))
        turns = ReactorTurns(self._reactor)
        self._application = Application(
            self._reactor, store, devices, settings, now, turns, controls
        )
        facts = {name: store.fact(name, str) for name in FACTS}
        sidecars = Sidecars(state.volumes, facts["project_id"], cluster_id)
        self._keep_room(state, store, files, sidecars)
        store.write_in_thread(self._reactor, sidecars, reserve.release, turns)
        self.remarks.extend(await self._application.start())
        certificate = self._certificate(state)
        port = self._listen(options.port, self._application.site(), certificate)
        if options.ec2_port is not None:
            self._serve_ec2(state, self._application, options.ec2_port, certificate)
        address = cast(IPv4Address, port.getHost())
        access = Access(
            host=options.host,
            port=address.port,
            password_file=state.password_file,
            cluster_id=cluster_id,
            certificate=None if certificate is None else certificate[0],
            device_directory=state.devices if devices.kind == "file" else None,
        )
        agents = AgentFiles(state, access, nodes)
        text = agents.write(facts)
        agents.write_logins(self._logins(state))
        self.remarks.extend(agents.remarks)
        return access.auth_url, text

    def _keep_room(
        self, state: StateDirectory, store: Store, files: VolumeFiles, sidecars: Sidecars
    ) -> None:
        """Take room for when the disk is full, and bring the sidecars up to date."""
        kept = False
        try:
            store.make_room()
            records = store.volumes(), store.snapshots.every(), store.backups.every()
            sidecars.reconcile(*records)
            self.remarks.extend(unknown_files(state, *records))
            kept = files.has_room()
        except (sqlite3.Error, OSError) as error:
            if not is_full(error):
                raise
        if not kept:
            self.remarks.append(
                f"warning: disk full: {state.path} has no room for new volumes; destroy some, or "
                "make room"
            )

    def _declare(self, store: Store) -> dict[str, str]:
        """Server ids by name, the first declared first."""
        known = [server.name for server in reversed(store.servers.every())]
        names = self._options.nodes or known or DEFAULT_NODES
        root = self._options.root_volumes != "none"
        declared = {name: store.declare_server(name, root=root).server_id for name in names}
        for server in store.servers.every():
            store.keep_root(server, root)
        # Those of earlier starts that this one does not name.
        declared.update(
            (server.name, server.server_id) for server in reversed(store.servers.every())
        )
        return declared

    async def _choose_devices(
        self, state: StateDirectory, store: Store, files: VolumeFiles
    ) -> LoopDevices | FileDevices:
        attached = any(volume.attachment and not volume.root for volume in store.volumes())
        recorded = store.fact("devices", lambda: "") if attached else ""
        devices, why = await choose_devices(
            self._options.devices,
            recorded,
            LoopDevices(self._reactor, files),
            FileDevices(files, state.devices),
        )
        store.set_fact("devices", devices.kind)
        what = {"loop": "loop devices", "file": "regular files in " + state.devices}
        self.remarks.append(f"devices: {what[devices.kind]} ({why})")
        return devices

    def _certificate(self, state: StateDirectory) -> tuple[str, str] | None:
        """:return: the paths of the certificate and its key; ``None`` without TLS."""
        options = self._options
        if options.tls_cert is not None and options.tls_key is not None:
            return os.path.abspath(options.tls_cert), os.path.abspath(options.tls_key)
        return self_signed(state.path, reachable(options.host)) if options.tls else None

    def _listen(
        self,
        number: int,
        site: BoundedSite,
        certificate: tuple[str, str] | None,
        host: str | None = None,
        option: str = "--port",
    ) -> IListeningPort:
        """
        :param number: of the port; 0 for any free one.
        :param option: the name of the option that chose the port.
        :param certificate: see :meth:`_certificate`.
        :param host: by default the options'.
        """
        host, factory = host or self._options.host, cast(Any, site)
        try:
            if certificate is None:
                port = self._reactor.listenTCP(number, factory, interface=host)
            else:
                context = context_factory(*certificate)
                port = self._reactor.listenSSL(number, factory, context, interface=host)
        except (CannotListenError, OSError) as error:
            raise no_port(option, host, number, error) from error
        self._ports.append(port)
        self._sites.append(site)
        return port

    def _accounts(self, state: StateDirectory) -> tuple[Account, ...]:
        accounts, remarks = with_passwords(self._options.users, state)
        self.remarks.extend(remarks)
        return accounts

    def _logins(self, state: StateDirectory) -> Iterator[Login]:
        yield first_login(state.password_file)
        for user in self._options.users:
            if user.name != USER:
                yield login(user, state.password_file_of(user.name))

    def _ec2_settings(self, state: StateDirectory) -> EC2Settings:
        if self._options.ec2_port is None:
            return EC2Settings()
        return EC2Settings(secret_access_key=state.ec2_secret(), **self._options.ec2)

    def _serve_ec2(
        self,
        state: StateDirectory,
        application: Application,
        number: int,
        certificate: tuple[str, str] | None,
    ) -> None:
        host = self._options.host

        def listen(port: int, resource: IResource, public: bool) -> IListeningPort:
            site = application.ec2_site(resource)
            private = None if public else host if is_loopback(host) else "127.0.0.1"
            trust = certificate if public else None
            return self._listen(port, site, trust, private, "--ec2-port")

        settings = application.ec2.ec2
        write_credentials(state.ec2_credentials, settings)
        self.ec2 = open_ports(application.ec2, listen, reachable(host), number, certificate)
        self.remarks.extend(self.ec2.remarks(state.ec2_credentials, settings.region))

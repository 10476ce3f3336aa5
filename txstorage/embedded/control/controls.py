# -*- test-case-name: tests.embedded.control.test_controls -*-
"""
The parts of a running service that a test controls.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource

from ..machine.devices import IDeviceBackend
from ..machine.engine import Engine
from ..store.store import Store
from ..wire.exchange import Endpoints
from .clock import AdvancingClock
from .faults import Faults
from .interference import Interferer, route_of
from .recent import RecentLog, ServedRequest
from .routes import Route, RouteNames

#: The ids of all volumes, snapshots and backups.
_Ids = tuple[list[str], list[str], list[str]]


def _ids(store: Store) -> _Ids:
    return (
        [each.volume_id for each in store.volumes() if not each.root],
        [each.snapshot_id for each in store.snapshots.every()],
        [each.backup_id for each in store.backups.every()],
    )


def delete_all(store: Store) -> None:
    """Set the status of everything that has a file to ``deleting``."""
    volumes, snapshots, backups = _ids(store)
    with store.transaction():
        for volume_id in volumes:
            store.set_status(volume_id, "deleting")
        for snapshot_id in snapshots:
            store.snapshots.set_status(snapshot_id, "deleting")
        for backup_id in backups:
            store.backups.change(backup_id, status="deleting")


def begin_anew(store: Store) -> _Ids:
    """
    Forget everything but the facts and the nodes, which keep their names, their ids, and whether
    they have root volumes.

    :return: the ids of the volumes, snapshots and backups that were there.
    """
    ids = _ids(store)
    servers = store.servers.every()
    roots = [each.attachment for each in store.volumes() if each.root]
    with_root = {attachment.server_id for attachment in roots if attachment is not None}
    with store.transaction():
        store.clear()
        for server in reversed(servers):
            store.declare_server(server.name, server.server_id, server.server_id in with_root)
    return ids


class Controls:
    """
    The faults, the clock, the log and the state of a service.

    :ivar clock: of transitions, tokens and delayed answers.
    :ivar faults: those in force.
    :ivar routes: the names of the service's routes.
    :ivar interferer: answers requests with the faults in force.
    :param reactor: a reactor, or a ``Clock``.
    :param wall_time: returns seconds since the epoch; by default the reactor's time.
    """

    #: The log of requests, once the controls have a service.
    requests: RecentLog[ServedRequest]

    def __init__(self, reactor: IReactorTime, wall_time: Callable[[], float] | None = None) -> None:
        self.clock = AdvancingClock(reactor)
        self.faults = Faults()
        self.routes = RouteNames([])
        self._resets: list[Callable[[], None]] = []
        self._wall_time = wall_time or reactor.seconds
        self.interferer = Interferer(self.clock, self.faults)
        self._one = DeferredLock()
        self._engines: Collection[Engine] = ()

    def now(self) -> float:
        """:return: the service's time, in seconds since the epoch."""
        return self._wall_time() + self.clock.advanced

    def control(
        self,
        store: Store,
        devices: IDeviceBackend,
        engines: Collection[Engine],
        requests: RecentLog[ServedRequest],
        reload: Callable[[], object],
    ) -> None:
        """
        Control a service.

        :param engines: of its transitions.
        :param requests: its log.
        :param reload: reads what the service remembers of the store anew.
        """
        self._reload = reload
        self._store, self._devices, self._engines = store, devices, engines
        self.requests = requests

    def interfere(self, services: Mapping[bytes, IResource]) -> None:
        """
        Let faults happen.

        :param services: the resources of the service's parts; the name of each begins with the
            first segment of its paths.
        """
        # Several names may have one resource.
        parts = {(name.partition(b"/")[0], resource) for name, resource in services.items()}
        found = set()
        for prefix, resource in parts:
            if isinstance(resource, Endpoints):
                resource.interference = self.interferer
                service = prefix.decode("ascii")
                found |= {route_of(method, service, rule) for method, rule in resource.rules()}
        self.add_routes(found)

    def add_routes(self, added: Iterable[Route]) -> None:
        """Make the names of routes known."""
        self.routes = self.routes.with_routes(added)

    def on_reset(self, forget: Callable[[], None]) -> None:
        """Call a function at each reset."""
        self._resets.append(forget)

    def stop(self) -> None:
        """End the connections of the answers that are delayed."""
        self.interferer.stop()

    def advance(self, seconds: float) -> Deferred[None]:
        """
        Advance the clock.

        :return: fires with ``None`` when everything that is due has happened.
        """
        return self._one.run(self._later, self.clock.advance, seconds, self._catch_up)

    def reset(self) -> Deferred[None]:
        """
        Return to the beginning: without volumes, snapshots, backups, clients' servers, faults and
        recorded requests, at the real time.

        :return: fires with ``None``, or fails with a ``DeviceFailure`` when a device is in use.
        """
        return self._one.run(self._later, self._reset)

    @staticmethod
    def _later(function: Callable[..., Any], *args: object) -> Deferred[None]:
        return Deferred.fromCoroutine(function(*args))

    async def _catch_up(self) -> None:
        for engine in self._engines:
            await engine.catch_up()

    async def _reset(self) -> None:
        self.faults.clear()
        self.interferer.stop()
        for engine in self._engines:
            await engine.reset()
        self.clock.reset()
        for volume_id in self._devices.attached():
            await self._devices.detach(volume_id)
        # Files go before their rows; a service that is killed meanwhile deletes the rest when it
        # starts again.
        await self._store.write(delete_all)
        await self._remove(_ids(self._store))
        late = await self._store.write(begin_anew)
        self._reload()
        await self._remove(late)
        for forget in self._resets:
            forget()
        self.requests.clear()

    async def _remove(self, ids: _Ids) -> None:
        """Remove the files of volumes, snapshots and backups."""
        files = self._devices.files
        removers = (files.remove, files.remove_snapshot, files.remove_backup)
        for remove, keys in zip(removers, ids):
            for key in keys:
                await files.aside(remove, key)

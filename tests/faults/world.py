"""
The world of one schedule: a driver of each node and cluster, each behind a proxy of its own, and
the judges' notes on their operations.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import attr
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, DeferredList, maybeDeferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from tests.helpers.child import GIB, NOBODY, EmbeddedService
from txstorage._assembly import block_device_driver
from txstorage._http.connections import agent_for
from txstorage.errors import StorageError
from txstorage.interfaces import VolumeException
from txstorage.testing import NO_FAULTS, FaultProxy, SeededFaults

from .judges import MARK_AT, MARK_LENGTH, Machine, device_backing, mutation_of
from .schedule import CLUSTERS, NODES, Dataset, Schedule

#: Seconds: the deadline of an operation, and the time that the machine may take beyond it.
TIMEOUT, SLACK = 4.0, 4.0
#: Seconds for which a request of an ended operation may still be under way.
AFTERMATH = 2.0

LOADING = ("detach", "destroy")


def sleep(seconds: float) -> Deferred[None]:
    """:return: fires after some seconds."""
    return deferLater(reactor, seconds, lambda: None)


@attr.s(auto_attribs=True, eq=False)
class Running:
    """
    An operation, begun and perhaps ended.

    :ivar driver: the driver's node and cluster.
    :ivar subject: a volume id; for a create, the dataset's id; empty for a list.
    """

    operation: str
    driver: tuple[str, int]
    dataset: Dataset
    subject: str
    server: str
    deferred: Any = None
    begun: float = attr.Factory(time.monotonic)
    ended: float | None = None
    cancelled: bool = False

    def recent(self) -> bool:
        """:return: whether a request of the operation may still be under way."""
        return self.ended is None or time.monotonic() - self.ended < AFTERMATH


@attr.s(auto_attribs=True)
class Tally:
    """The figures of a run."""

    schedules: int = 0
    operations: Counter[str] = attr.Factory(Counter)
    outcomes: Counter[str] = attr.Factory(Counter)
    requests: int = 0
    faults: Counter[str] = attr.Factory(Counter)
    paths: int = 0
    duplicates: int = 0
    violations: list[str] = attr.Factory(list)
    report: Callable[[str], object] = len

    def violate(self, text: str) -> None:
        """Record a violation, and report it at once: the run may take hours more, or hang."""
        self.violations.append(text)
        self.report(text)


class World:
    """
    :param service: a running :class:`EmbeddedService`.
    :param tally: the figures to add to.
    :param name: a prefix for violations, such as the seed.
    """

    def __init__(
        self, service: EmbeddedService, tally: Tally, name: str, schedule: Schedule | None = None
    ) -> None:
        self.service = service
        self.machine = Machine(service.state)
        self.tally = tally
        self.name = name
        self.clusters = [uuid4() for _ in range(CLUSTERS)]
        self.datasets = {
            Dataset(cluster, number): uuid4() for cluster in range(CLUSTERS) for number in range(3)
        }
        self.ids: dict[Dataset, str] = {}
        self.marks: dict[str, bytes] = {}
        self.doubtful: set[str] = set()
        self.operations: list[Running] = []
        self.drivers: dict[tuple[str, int], Any] = {}
        self.servers: dict[str, str] = {}
        self._agents: list[Any] = []
        self.proxies: list[FaultProxy] = []
        for node in NODES:
            for cluster in range(CLUSTERS):
                self._add_driver(node, cluster, schedule)

    def _add_driver(self, node: str, cluster: int, schedule: Schedule | None) -> None:
        key = (node, cluster)
        faults: Any = NO_FAULTS
        if schedule is not None:
            seed = f"{schedule.seed}/{node}/{cluster}"
            faults = SeededFaults(seed, schedule.rate, schedule.kinds)
        proxy = FaultProxy(
            reactor,
            faults,
            agent=None,
            observe=lambda question: self._judge_mutation(key, question),
        )
        self.proxies.append(proxy)
        configuration = self.service.configuration(node)
        configuration.update(
            cluster_id=self.clusters[cluster],
            auth_url=proxy.listen(configuration["auth_url"]),
            timeout=TIMEOUT,
            poll_interval=0.05,
        )
        self.servers[node] = configuration["instance_id"]
        agent = agent_for(reactor)
        self._agents.append(agent)
        cluster_id = configuration.pop("cluster_id")
        self.drivers[key] = block_device_driver(reactor, cluster_id, agent=agent, **configuration)

    def calm(self) -> None:
        """Stop injecting faults."""
        for proxy in self.proxies:
            proxy.faults = NO_FAULTS

    async def close(self) -> None:
        """Close all connections, and add the proxies' figures."""
        for proxy in self.proxies:
            self.tally.requests += proxy.requests
            self.tally.faults.update(proxy.injected)
        closing = [agent.close() for agent in self._agents]
        await DeferredList(closing + [proxy.stop() for proxy in self.proxies])

    def violation(self, text: str) -> None:
        """Note a violation."""
        self.tally.violate(f"{self.name}: {text}")

    # -- operations ------------------------------------------------------------------

    def begin(
        self, operation: str, driver: tuple[str, int], dataset: Dataset, target: str = NODES[0]
    ) -> Running:
        """
        Begin an operation, whose outcome is judged when it ends.

        :return: the :class:`Running`, whose ``deferred`` never fails.
        """
        api = self.drivers[driver]
        volume_id = self.ids.get(dataset, NOBODY)
        server = self.servers[target]
        calls: dict[str, tuple[str, Any]] = {
            "create": (str(self.datasets[dataset]), lambda: self._create(api, dataset)),
            "destroy": (volume_id, lambda: api.destroy_volume(volume_id)),
            "attach": (volume_id, lambda: api.attach_volume(volume_id, server)),
            "detach": (volume_id, lambda: api.detach_volume(volume_id)),
            "path": (volume_id, lambda: api.get_device_path(volume_id)),
            "list": ("", api.list_volumes),
        }
        subject, call = calls[operation]
        running = Running(operation, driver, dataset, subject, server)
        self.operations.append(running)
        self.tally.operations[operation] += 1
        running.deferred = maybeDeferred(call)
        watchdog = reactor.callLater(self._limit(running), self._stuck, running)  # type: ignore
        running.deferred.addBoth(self._ended, running, watchdog)
        return running

    def _create(self, api: Any, dataset: Dataset) -> Any:
        return api.create_volume(self.datasets[dataset], GIB)

    def _limit(self, running: Running) -> float:
        """:return: seconds; attaches queue by server, and their deadline begins at the head."""
        ahead = (
            sum(
                other.operation == "attach" and other.ended is None and other is not running
                for other in self.operations
            )
            if running.operation == "attach"
            else 0
        )
        return TIMEOUT * (1 + ahead) + SLACK

    def _stuck(self, running: Running) -> None:
        elapsed = time.monotonic() - running.begun
        if elapsed < TIMEOUT + SLACK:
            return  # the clock has stepped
        self.violation(
            f"deadline: {running.operation} of {running.subject} runs for {elapsed:.1f} s"
        )
        running.cancelled = True
        running.deferred.cancel()

    def _ended(self, result: Any, running: Running, watchdog: Any) -> Any:
        running.ended = time.monotonic()
        if watchdog.active():
            watchdog.cancel()
        if isinstance(result, Failure):
            self._judge_failure(result, running)
            return result.value
        self.tally.outcomes["success"] += 1
        judge = getattr(self, f"_judge_{running.operation}", None)
        if judge is not None:
            judge(result, running)
        return None

    # -- judges ----------------------------------------------------------------------

    def _judge_failure(self, failure: Failure, running: Running) -> None:
        self.tally.outcomes[failure.type.__name__] += 1
        if failure.check(CancelledError) and running.cancelled:
            return
        if not failure.check(StorageError, VolumeException):
            trace = failure.getTraceback().strip().splitlines()[-6:]
            self.violation(
                f"errors: {running.operation} raises {failure.type.__name__}: "
                f"{failure.getErrorMessage()} {trace}"
            )

    def _judge_create(self, volume: Any, running: Running) -> None:
        volume_id = volume.blockdevice_id
        if volume.dataset_id != self.datasets[running.dataset]:
            self.violation(f"one volume: create returned a volume of {volume.dataset_id}")
            return
        self._judge_used(volume_id, running.dataset)
        self.ids[running.dataset] = volume_id

    def _judge_used(self, volume_id: str, dataset: Dataset) -> None:
        """A dataset has one used volume, as long as that volume exists."""
        before = self.ids.get(dataset)
        if before not in (None, volume_id):
            row = self.machine.row(str(before))
            if row is not None and row.status != "deleting" and not self._blinded(dataset.cluster):
                self.violation(f"one volume: {volume_id} is used beside {before} ({row.status})")

    def _blinded(self, cluster: int) -> bool:
        """
        :return: whether the cluster's drivers were shown two stale lists, after which no client can
            know that a dataset has a volume.
        """
        shown = [
            proxy.injected.get("stale-list", 0)
            for proxy, (_, of) in zip(self.proxies, self.drivers)
            if of == cluster
        ]
        return sum(shown) > 1

    def _judge_list(self, volumes: Any, running: Running) -> None:
        cluster = running.driver[1]
        names = {id: dataset for dataset, id in self.datasets.items()}
        seen: Counter[UUID] = Counter(volume.dataset_id for volume in volumes)
        for dataset_id, number in seen.items():
            if number > 1:
                self.violation(f"one volume: a list has {number} volumes of {dataset_id}")
            dataset = names.get(dataset_id)
            if dataset is None or dataset.cluster != cluster:
                self.violation(f"isolation: cluster {cluster}'s list has {dataset_id}")

    def _judge_path(self, path: Any, running: Running) -> None:
        self.tally.paths += 1
        volume_id = running.subject
        row = self.machine.row(volume_id)
        if row is not None and row.cluster != str(self.clusters[running.driver[1]]):
            self.violation(f"isolation: a path of another cluster's volume {volume_id}")
        try:
            opened = os.open(path.path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return  # detached in this moment; the path leads to nothing
        try:
            # An open device can't be bound to another file.
            backing = device_backing(path.path)
            if backing == self.machine.file(volume_id):
                self._write_mark(opened, volume_id)
            elif backing is not None and not self._unloading(volume_id, running):
                self.violation(f"path: {path.path} of {volume_id} is {backing}")
        finally:
            os.close(opened)

    def _unloading(self, volume_id: str, running: Running) -> bool:
        """:return: whether a detach may have happened during an operation."""
        return any(
            other.operation in LOADING
            and other.subject == volume_id
            and (other.ended is None or other.cancelled or other.ended > running.begun - AFTERMATH)
            for other in self.operations
        )

    def _write_mark(self, opened: int, volume_id: str) -> None:
        if volume_id not in self.marks:
            mark = (volume_id.encode() + os.urandom(MARK_LENGTH))[:MARK_LENGTH]
            os.lseek(opened, MARK_AT, os.SEEK_SET)
            self.marks[volume_id] = mark
            try:
                os.write(opened, mark)
                os.fsync(opened)
            except OSError:
                # Nobody knows whether a failed write reached the file.
                self.doubtful.add(volume_id)

    def _judge_mutation(self, driver: tuple[str, int], question: Any) -> None:
        """Nothing is changed that no operation of that driver asked for."""
        mutation = mutation_of(question)
        if mutation is None:
            return
        recent = [each for each in self.operations if each.driver == driver and each.recent()]
        if mutation.operation == "destroy" and self._abandons(mutation.subject, recent):
            return
        if mutation.operation == "mark" and mutation.subject not in self.ids.values():
            # Lists label the second volume that a lost answer may leave.
            return
        for each in recent:
            if each.operation == mutation.operation and each.subject == mutation.subject:
                if mutation.server in (None, each.server):
                    return
        self.violation(f"mutation: {driver} sent {mutation}, which nobody asked for")

    def _abandons(self, volume_id: str, recent: list[Running]) -> bool:
        """:return: whether a create deletes a volume of its own, which failed or lost."""
        row = self.machine.row(volume_id)
        return (
            any(
                each.operation == "create" and row is not None and each.subject == row.dataset
                for each in recent
            )
            and volume_id not in self.ids.values()
        )

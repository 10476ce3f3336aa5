"""
txstorage as a client: the driver with its defaults.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import UUID, uuid4

from twisted.internet.defer import DeferredList, DeferredSemaphore, ensureDeferred, gatherResults
from twisted.internet.task import react

from txstorage._assembly import block_device_driver, volume_service
from txstorage._configuration.configuration import Configuration

from .measuring import Measurement, spec

GIB = 2**30


def configuration(described: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a driver: the cloud's own, or that of the fake OpenStack."""
    if "dataset" in described:
        return dict(described["dataset"])
    found: dict[str, Any] = {
        "auth_url": described["auth_url"],
        # Nothing is attached to this node, so that no devices are needed.
        "instance_id": described["node"],
        "username": "bench",
        "password": "bench",
        "project_name": "bench",
    }
    if described["authority"]:
        found["verify_ca_path"] = described["authority"]
    return {**found, **described.get("configuration", {})}


async def all_of(work: list[Coroutine[Any, Any, Any]]) -> list[Exception]:
    """Wait for all; :return: the exceptions of those that failed."""
    ends = await DeferredList([ensureDeferred(each) for each in work], consumeErrors=True)
    return [failure.value for success, failure in ends if not success]


async def life_cycle(driver: Any, server: str) -> None:
    """Create, attach, detach and destroy a volume."""
    volume = await driver.create_volume(uuid4(), GIB)
    await driver.attach_volume(volume.blockdevice_id, server)
    await driver.detach_volume(volume.blockdevice_id)
    await driver.destroy_volume(volume.blockdevice_id)


class Work:
    """The work of a client, prepared by its constructor and :meth:`prepare`."""

    def __init__(self, reactor: Any, described: dict[str, Any]) -> None:
        self._described, self._count = described, described["count"]
        self._servers = described["servers"]
        cluster = UUID(described["cluster"])
        self._driver = block_device_driver(reactor, cluster, **configuration(described))
        checked = Configuration.from_mapping({**configuration(described), "cluster_id": cluster})
        self._service = volume_service(reactor, checked)
        self._volumes: list[Any] = []

    def _server(self, index: int) -> str:
        return str(self._servers[index % len(self._servers)])

    async def prepare(self) -> None:
        """Log in, and create the volumes that the work needs."""
        await self._driver.compute_instance_id()
        await self._driver.list_volumes()
        if self._described["job"] == "attaches":
            create = self._driver.create_volume
            made = [create(uuid4(), GIB) for _ in range(self._count)]
            self._volumes = await gatherResults(made)
        if self._described["job"] == "posts":
            await self._service.list_volumes({"none": "has it"})

    async def life_cycles(self) -> list[Exception]:
        """Whole life cycles, all at once."""
        cycle, server = life_cycle, self._server
        return await all_of([cycle(self._driver, server(index)) for index in range(self._count)])

    async def creates(self) -> list[Exception]:
        """Creations, all at once."""

        async def create() -> None:
            await self._driver.create_volume(uuid4(), GIB)

        return await all_of([create() for _ in range(self._count)])

    async def attaches(self) -> list[Exception]:
        """Attaches of volumes that exist, all at once."""

        async def attach(index: int, volume: Any) -> None:
            await self._driver.attach_volume(volume.blockdevice_id, self._server(index))

        return await all_of([attach(*each) for each in enumerate(self._volumes)])

    async def list(self) -> list[Exception]:
        """One list of all volumes of the cluster."""
        found = await self._driver.list_volumes()
        return [] if len(found) == self._count else [ValueError(f"{len(found)} volumes")]

    async def posts(self) -> list[Exception]:
        """POST requests that create volumes, ten at a time, and nothing else."""
        turns = DeferredSemaphore(10)

        async def post(index: int) -> None:
            labels = {"flocker-dataset-id": str(uuid4())}
            await turns.run(self._service.create_volume, f"volume-{index}", GIB, labels)

        return await all_of([post(index) for index in range(self._count)])


async def perform(reactor: Any, make: Callable[..., Any]) -> None:
    """
    Do the described work, and print its figures.

    :param make: called with the reactor and the description; returns an object with a method
        ``prepare``, and one for each job.
    """
    described = spec()
    measurement = Measurement(reactor)
    work = make(reactor, described)
    await work.prepare()
    job: Callable[[], Awaitable[Any]] = getattr(work, described["job"])
    measurement.begin()
    failures = await job()
    measurement.end(failures, described["count"])


if __name__ == "__main__":
    react(lambda reactor: ensureDeferred(perform(reactor, Work)))

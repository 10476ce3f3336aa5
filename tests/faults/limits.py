"""Shortages: a full disk, a read-only disk, few file descriptors, and hundreds of devices."""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.threads import deferToThread

from tests.helpers.child import GIB, EmbeddedService
from tests.progress import say
from txstorage._assembly import block_device_driver
from txstorage._http.connections import agent_for

from .judges import Machine, device_backing
from .kills import start_client
from .schedule import NODES, schedule_from
from .schedules import perform
from .world import Tally, World, sleep

#: Seconds that a shortage lasts.
LASTING = 0.4


async def run_limits(
    options: argparse.Namespace, tally: Tally, show: Callable[[str], object] = say
) -> list[str]:
    """
    Run schedules under each shortage.

    :param show: called with each line as soon as its part has ended.
    :return: the lines of figures.
    """
    lines: list[str] = []
    for shortage in (disk_full, read_only, few_descriptors, few_descriptors_of_client, devices):
        begun, before = time.monotonic(), len(tally.violations)
        figures = await shortage(options, tally)
        lines.append(
            f"  {shortage.__name__.replace('_', ' ')}: {figures}, "
            f"{len(tally.violations) - before} violations, {time.monotonic() - begun:.0f} s"
        )
        show(lines[-1])
    return lines


@contextmanager
def on_small_disk() -> Iterator[EmbeddedService]:
    """A service, not started, whose state directory is a file system of 16 MiB."""
    service = EmbeddedService("--max-volumes", "-1")
    subprocess.check_call(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", service.state])
    os.chmod(service.state, 0o700)
    try:
        yield service
    finally:
        with suppress(OSError):
            os.unlink(os.path.join(service.state, "filler"))
        service.remove()
        subprocess.check_call(["umount", service.state])
        os.rmdir(service.state)


def fill(path: str) -> None:
    """Write a file until the disk is full."""
    with suppress(OSError), open(path, "wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))


async def disk_full(options: argparse.Namespace, tally: Tally) -> str:
    """The state directory's disk is full, again and again."""
    with on_small_disk() as service:
        service.start()
        filler = os.path.join(service.state, "filler")
        for seed in range(options.seed, options.seed + options.shortages):
            source = random.Random(seed)

            async def disturb(world: World, source: random.Random = source) -> None:
                for _ in range(2):
                    await sleep(source.uniform(0, LASTING))
                    fill(filler)
                    await sleep(LASTING)
                    os.unlink(filler)

            await perform(service, schedule_from(seed, ()), tally, disturb)
    return f"{options.shortages} schedules, the disk was full {2 * options.shortages} times"


async def read_only(options: argparse.Namespace, tally: Tally) -> str:
    """The service does not start on a read-only disk, says why, and loses nothing."""
    with on_small_disk() as service:
        service.start()
        world = World(service, tally, "read-only")
        machine = Machine(service.state)
        # A disk with an attached volume's file does not become read-only.
        for dataset in world.datasets:
            await world.begin("create", (NODES[0], dataset.cluster), dataset).deferred
        before = machine.rows(*map(str, world.clusters))
        service.kill()
        subprocess.check_call(["mount", "-o", "remount,ro", service.state])
        try:
            refused = await deferToThread(_refusal, service)
        finally:
            subprocess.check_call(["mount", "-o", "remount,rw", service.state])
        if refused is None or "Traceback" in refused:
            tally.violate(f"read-only: the service said {refused!r}")
        service.start()
        if machine.rows(*map(str, world.clusters)) != before:
            tally.violate("read-only: the volumes changed")
        await world.close()
    return "1 start refused"


def _refusal(service: EmbeddedService) -> str | None:
    """:return: the text with which a start is refused."""
    log = tempfile.TemporaryFile("w+")
    command = ["serve", "--state-dir", service.state, "--port", "0", "--devices", "loop"]
    from tests.helpers.child import python_3

    process = subprocess.Popen(
        [python_3(), "-m", "txstorage.cli", *command], stdout=log, stderr=subprocess.STDOUT
    )
    with log:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None
        log.seek(0)
        return log.read()


def limit(pid: int, spare: int) -> tuple[int, int]:
    """Leave a process a number of descriptors; :return: its former limits."""
    opened = len(os.listdir(f"/proc/{pid}/fd"))
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (opened + spare, hard))
    return soft, hard


async def few_descriptors(options: argparse.Namespace, tally: Tally) -> str:
    """The service has few descriptors left, again and again."""
    service = EmbeddedService("--max-volumes", "-1")
    service.start()
    try:
        pid = service.pid
        for seed in range(options.seed, options.seed + options.shortages):
            source = random.Random(seed)

            async def disturb(world: World, source: random.Random = source) -> None:
                for _ in range(2):
                    await sleep(source.uniform(0, LASTING))
                    former = limit(pid, source.randint(0, 3))
                    await sleep(LASTING)
                    resource.prlimit(pid, resource.RLIMIT_NOFILE, former)

            await perform(service, schedule_from(seed, ()), tally, disturb)
    finally:
        service.remove()
    return f"{options.shortages} schedules, {2 * options.shortages} shortages"


#: The errors of later operations on a volume whose attach or detach was carried out, although the
#: client got an error.
_CONSEQUENCES = ("AlreadyAttachedVolume", "UnattachedVolume")


async def few_descriptors_of_client(options: argparse.Namespace, tally: Tally) -> str:
    """A client without descriptors fails with the driver's errors, and then works again."""
    service = EmbeddedService("--max-volumes", "-1")
    service.start()
    world = World(service, tally, "few descriptors of a client")
    client: Any = start_client(world, NODES[0], str(options.seed))
    try:
        await _operations(client, 20)
        former = limit(client.pid, 0)
        during = await _operations(client, 40)
        resource.prlimit(client.pid, resource.RLIMIT_NOFILE, former)
        await _operations(client, 60)
        after = await _operations(client, 60)
        if "success" not in after or not set(after) <= {"success", *during, *_CONSEQUENCES}:
            tally.violate(f"few descriptors: {during}, then {after}")
        odd = {name for name in during if name in ("OSError", "TypeError", "ValueError")}
        if odd:
            tally.violate(f"errors: few descriptors: {odd}")
    finally:
        client.kill()
        client.stdout.close()
        client.wait()
        await world.close()
        service.remove()
    failed = sum(name != "success" for name in during)
    return f"{failed} of {len(during)} operations failed in the shortage"


async def _operations(client: Any, number: int) -> list[str]:
    """:return: the outcomes of a client's next operations."""
    lines = [await deferToThread(client.stdout.readline) for _ in range(number)]
    return [line.split()[-1] for line in lines if line.strip() not in ("", "ready")]


async def devices(options: argparse.Namespace, tally: Tally) -> str:
    """Hundreds of volumes on one node, each at its own device."""
    service = EmbeddedService("--max-volumes", "-1")
    service.start()
    agent = agent_for(reactor)
    try:
        machine = Machine(service.state)
        configuration = service.configuration()
        configuration.update(cluster_id=uuid4(), timeout=110, poll_interval=0.2)
        driver: Any = block_device_driver(
            reactor, configuration.pop("cluster_id"), agent=agent, **configuration
        )
        node = await driver.compute_instance_id()
        many = range(options.devices)
        volumes = await gatherResults([driver.create_volume(uuid4(), GIB) for _ in many])
        ids = [volume.blockdevice_id for volume in volumes]
        # Attaches queue by server, each with its own deadline.
        await gatherResults([driver.attach_volume(volume_id, node) for volume_id in ids])
        for volume_id in ids:
            path = await driver.get_device_path(volume_id)
            if device_backing(path.path) != machine.file(volume_id):
                tally.violate(f"path: {path.path} is not {volume_id}")
        await gatherResults([driver.detach_volume(volume_id) for volume_id in ids])
        await gatherResults([driver.destroy_volume(volume_id) for volume_id in ids])
        left = machine.loop_devices(*ids)
        if left or await driver.list_volumes():
            tally.violate(f"leak: {left}")
    finally:
        await agent.close()
        service.remove()
    return f"{options.devices} volumes on one node, each path judged"

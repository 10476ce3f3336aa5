"""``kill -9`` of the service, and of clients, at random moments of random operations."""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from typing import Any

from twisted.internet.defer import DeferredList, ensureDeferred
from twisted.internet.threads import deferToThread

from tests.helpers.child import EmbeddedService
from tests.run import ROOT

from .schedule import CLUSTERS, DATASETS, NODES, Dataset, schedule_from, wishes_from
from .schedules import clear, judge_marks, reach
from .schedules import perform as perform_schedule
from .world import Tally, World, sleep

#: Kills in one schedule, or of clients of one world.
KILLS = 3
#: The longest time, in seconds, between two kills.
APART = 0.4


async def run_kills(options: argparse.Namespace, tally: Tally) -> list[str]:
    """
    Kill the service, and clients, as often as asked.

    :return: the lines of figures.
    """
    seeds = iter(range(options.seed, options.seed + -(-options.kills // KILLS)))
    killed = [0]
    workers = [ensureDeferred(_kill_services(seeds, tally, killed)) for _ in range(2)]
    for success, result in await DeferredList(workers, consumeErrors=True):
        if not success:
            result.raiseException()
    clients = await _kill_clients(options, tally)
    return [
        f"  {killed[0]} kills of the service, {clients} kills of clients; "
        f"{len(tally.violations)} violations"
    ]


async def _kill_services(seeds: Any, tally: Tally, killed: list[int]) -> None:
    service = EmbeddedService("--max-volumes", "-1")
    service.start()
    try:
        for seed in seeds:
            source = random.Random(seed)

            async def kill(world: World, source: random.Random = source) -> None:
                for _ in range(KILLS):
                    await sleep(source.uniform(0, APART))
                    service.kill()
                    killed[0] += 1
                    await deferToThread(service.start)

            await perform_schedule(service, schedule_from(seed, ()), tally, kill)
    finally:
        service.remove()


async def _kill_clients(options: argparse.Namespace, tally: Tally) -> int:
    """:return: the number of killed clients."""
    service = EmbeddedService("--max-volumes", "-1")
    service.start()
    killed = 0
    try:
        for number in range(-(-options.client_kills // KILLS)):
            seed = options.seed + number
            source = random.Random(seed)
            world = World(service, tally, f"clients of seed {seed}")
            tally.schedules += 1
            try:
                for round in range(KILLS):
                    await _kill_client(world, source, f"{seed}/{round}")
                    killed += 1
                wishes = wishes_from(source)
                for index, wish in enumerate(wishes):
                    await reach(world, Dataset(*divmod(index, DATASETS)), wish)
                judge_marks(world)
                await clear(world)
            finally:
                await world.close()
    finally:
        service.remove()
    return killed


async def _kill_client(world: World, source: random.Random, seed: str) -> None:
    """Start a client of both clusters on a random node, and kill it."""
    client = start_client(world, source.choice(NODES), seed)
    try:
        await deferToThread(client.stdout.readline)
        await sleep(source.uniform(0, 2 * APART))
    finally:
        client.kill()
        client.stdout.close()
        client.wait()


def start_client(world: World, node: str, seed: str) -> Any:
    """:return: a process of :mod:`tests.faults.client`, which prints a line when it begins."""
    configuration = world.service.configuration(node)
    configuration["timeout"] = 4.0
    configuration["poll_interval"] = 0.05
    plan = {
        "configuration": configuration,
        "clusters": [str(world.clusters[cluster]) for cluster in range(CLUSTERS)],
        "datasets": [[d.cluster, str(i)] for d, i in world.datasets.items()],
        "seed": seed,
    }
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.faults.client", json.dumps(plan)],
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

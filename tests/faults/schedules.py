"""
The execution of a schedule, and the judgement of its end: after the faults stop, repeating the
operations reaches the wishes, and nothing else has changed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import DeferredList, ensureDeferred

from tests.helpers.child import EmbeddedService

from .judges import MARK_LENGTH, Machine, Row, backing_file
from .schedule import NODES, Dataset, Schedule
from .world import Running, Tally, World, sleep

#: Repetitions, without faults, within which a wish must be reached.
REPETITIONS = 6
#: Seconds that batched timers and closed connections may take to go.
SETTLING = 12.0

Disturb = Callable[[World], Awaitable[None]]


async def perform(
    service: EmbeddedService,
    schedule: Schedule,
    tally: Tally,
    disturb: Disturb | None = None,
    mutate: Callable[[World], object] = lambda world: None,
) -> None:
    """
    Run a schedule, and judge it.

    :param tally: the figures, to which violations are added.
    :param disturb: called with the world when the steps begin; the schedule waits for its end.
    :param mutate: called with the world; breaks its drivers, for the tests of the judges.
    """
    world = World(service, tally, f"seed {schedule.seed}", schedule)
    mutate(world)
    tally.schedules += 1
    try:
        await run_steps(world, schedule, disturb)
        world.calm()
        wishes = zip(sorted(world.datasets, key=lambda d: (d.cluster, d.number)), schedule.wishes)
        for dataset, wish in wishes:
            await reach(world, dataset, wish)
        judge_marks(world)
        await clear(world)
    finally:
        await world.close()


async def run_steps(world: World, schedule: Schedule, disturb: Disturb | None = None) -> None:
    """Run the steps, and wait for all operations."""
    disturbing = [] if disturb is None else [ensureDeferred(disturb(world))]
    for step in schedule.steps:
        running = world.begin(step.operation, (step.node, step.cluster), step.dataset, step.target)
        if step.cancelled is not None:
            _cancel_later(running, step.cancelled)
        if step.pause is None:
            await _end_of(running)
        elif step.pause:
            await sleep(step.pause)
    await DeferredList([running.deferred for running in world.operations] + disturbing)


def _cancel_later(running: Running, seconds: float) -> None:
    def cancel() -> None:
        if running.ended is None:
            running.cancelled = True
            running.deferred.cancel()

    reactor.callLater(seconds, cancel)  # type: ignore[attr-defined]


async def _end_of(running: Running) -> Any:
    """:return: the error of an operation, or ``None``; later callers get the same."""
    return await DeferredList([running.deferred])


async def done(
    world: World, operation: str, driver: tuple[str, int], dataset: Dataset, target: str = NODES[0]
) -> Exception | None:
    """:return: the error of an operation, or ``None``."""
    [(_, error)] = await _end_of(world.begin(operation, driver, dataset, target))
    return error  # type: ignore[no-any-return]


# -- wishes --------------------------------------------------------------------------


async def reach(world: World, dataset: Dataset, wish: str) -> None:
    """Repeat the operations of a wish until the service's state is the wish."""
    errors: list[str] = []
    for _ in range(REPETITIONS):
        errors += await _towards(world, dataset, wish)
        row = world.machine.row(world.ids[dataset]) if dataset in world.ids else None
        if _reached(world, row, wish):
            await _check_device(world, dataset, wish)
            break
    else:
        world.violation(f"wish: {wish} is not reached; the volume is {row}: {errors[-3:]}")
    rows = world.machine.rows(str(world.clusters[dataset.cluster]))
    same = [row for row in rows if row.dataset == str(world.datasets[dataset])]
    world.tally.duplicates += max(0, len(same) - 1)


async def _towards(world: World, dataset: Dataset, wish: str) -> list[str]:
    """:return: the errors of one repetition."""
    node = wish if wish in NODES else NODES[0]
    driver = (node, dataset.cluster)
    operations = {
        "absent": ("detach", "destroy"),
        "detached": ("create", "detach"),
    }.get(wish, ("create", "attach"))
    errors = []
    if operations[-1] == "attach" and dataset in world.ids:
        row = world.machine.row(world.ids[dataset])
        if row is not None and row.server not in (None, world.servers[node]):
            operations = ("create", "detach", "attach")
    for operation in operations:
        error = await done(world, operation, driver, dataset, node)
        if error is not None:
            errors.append(f"{operation}: {error}")
    return errors


def _reached(world: World, row: Row | None, wish: str) -> bool:
    if wish == "absent":
        return row is None
    if row is None:
        return False
    if wish == "detached":
        return (row.status, row.server) == ("available", None)
    return (row.status, row.server) == ("in-use", world.servers[wish])


async def _check_device(world: World, dataset: Dataset, wish: str) -> None:
    """An attached volume has one device, and its node gets the path."""
    volume_id = world.ids.get(dataset, "")
    devices = world.machine.loop_devices(volume_id)
    if wish not in NODES:
        if devices:
            world.violation(f"leak: the {wish} volume {volume_id} has {devices}")
        return
    if len(devices) != 1:
        world.violation(f"device: the attached volume {volume_id} has {devices}")
    paths = world.tally.paths
    error = await done(world, "path", (wish, dataset.cluster), dataset)
    if error is not None or world.tally.paths == paths:
        world.violation(f"path: none of the attached volume {volume_id}: {error}")


def judge_marks(world: World) -> None:
    """Each volume has the mark that was written through its own device, or none."""
    for row in world.machine.rows(*map(str, world.clusters)):
        if row.id in world.doubtful:
            continue
        mark = world.machine.mark(row.id)
        if mark is None and row.status not in ("creating", "deleting", "error"):
            world.violation(f"data: {row} has no file")
        elif mark is not None and mark != world.marks.get(row.id, bytes(MARK_LENGTH)):
            world.violation(f"data: {row.id} has the mark {mark[:36]!r}")


async def clear(world: World) -> None:
    """Destroy all volumes; none is left, neither file nor device."""
    rows: list[Row] = []
    seen = set()
    for _ in range(REPETITIONS):
        rows = world.machine.rows(*map(str, world.clusters))
        seen.update(row.id for row in rows)
        if not rows:
            break
        for row in rows:
            cluster = [str(each) for each in world.clusters].index(row.cluster)
            dataset = next(d for d, i in world.datasets.items() if str(i) == row.dataset)
            world.ids[dataset] = row.id
            for operation in ("detach", "destroy"):
                await done(world, operation, (NODES[0], cluster), dataset)
    if rows:
        world.violation(f"wish: volumes that can't be destroyed: {rows}")
        return
    left = [path for path in map(world.machine.file, seen) if os.path.exists(path)]
    left += world.machine.loop_devices(*seen)
    if left:
        world.violation(f"leak: left of destroyed volumes: {left}")


# -- leaks ---------------------------------------------------------------------------


class Leaks:
    """
    The descriptors, delayed calls and loop devices of this process and a service, now and later.

    :param state: the service's state directory.
    """

    def __init__(self, state: str) -> None:
        self._machine = Machine(state)
        self._before = self._now()

    def _now(self) -> dict[str, int]:
        prefix = os.path.join(self._machine.state, "")
        loops = [
            name
            for name in os.listdir("/sys/block")
            if (backing_file(name) or "").startswith(prefix)
        ]
        calls = [c for c in reactor.getDelayedCalls() if c.active()]  # type: ignore
        return {
            "descriptors": len(os.listdir("/proc/self/fd")),
            "delayed calls": len(calls),
            "loop devices": len(loops),
            "readers": len(reactor.getReaders()),  # type: ignore[attr-defined]
        }

    async def judge(self, tally: Tally, name: str) -> None:
        """Wait until everything is gone; what stays is a violation."""
        deadline = time.monotonic() + SETTLING
        while True:
            now = self._now()
            more = {
                key: now[key] - self._before[key] for key in now if now[key] > self._before[key]
            }
            if not more:
                return
            if time.monotonic() > deadline:
                break
            await sleep(0.1)
        calls = [str(call) for call in reactor.getDelayedCalls()][:3]  # type: ignore
        links = [_link(name) for name in os.listdir("/proc/self/fd")][-10:]
        tally.violate(f"{name}: leak: {more} {calls} {links}")
        self._before = now


def _link(name: str) -> str:
    try:
        return os.readlink("/proc/self/fd/" + name)
    except OSError:
        return ""

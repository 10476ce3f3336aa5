"""
Run random schedules with two nodes, and judge them::

    python -m tests.docker.schedules --schedules 100 --seed 0
    python -m tests.docker.schedules --schedules 1 --seed 4711 --verbose

Each violation names its seed, which repeats the schedule: kills are tied to the number of requests
that the cloud has got, not to times.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

from twisted.internet import reactor, task
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from tests.helpers.child import EmbeddedService
from tests.run import apart, concluded
from txstorage.docker.options import NEW
from txstorage.testing.volume_plugins import client

from .schedule import WITH_CONTAINER, Step, schedule_from
from .world import Node, Tally, Volume, World

#: Seconds within which all that was given back must be detached.
PATIENCE = 30.0
#: The variable of a program that has a mount namespace of its own already.
APART = "TXSTORAGE_APART"


# -- actions ---------------------------------------------------------------------------------


async def start(world: World, node: Node, step: Step) -> None:
    """Run a container with a volume, as ``docker run`` does."""
    await run(world, node, world.volumes[step.volume])


async def run(world: World, node: Node, volume: Volume, claim: str | None = None) -> bool:
    """:return: a coroutine of whether a container runs."""
    if not node.up:
        return False
    other = world.nodes[1 - node.index]
    excused = not node.reachable or other.has(volume) or volume.exists is None
    # A plugin may not yet know that another node has removed the volume.
    excused = excused or volume.exists is False
    found = await world.get(node, volume)
    if found is False:
        found = await world.create(node, volume)
    claim = claim or world.new_claim()
    fields = {"Name": volume.name, "ID": claim}
    answer = await world.ask(node, "Mount", **fields) if found else None
    if answer is not None and answer["Err"] == "":
        world.tally.outcomes["mounted" if other.up else "mounted, other node off"] += 1
        world.run_container(node, volume, claim, answer["Mountpoint"])
        return True
    world.tally.outcomes["not mounted"] += 1
    if found:
        node.doubtful.add(volume.name)
    if not (excused or world.struck or world.step is not None and world.step.strike):
        world.violation(f"{volume.name} is refused on node {node.index}: {answer}")
    return False


async def start_on_both(world: World, node: Node, step: Step) -> None:
    """Run containers with one volume on both nodes at once."""
    volume = world.volumes[step.volume]
    for each in world.nodes:
        # Either may get it.
        each.doubtful.add(volume.name)
    runs = [Deferred.fromCoroutine(run(world, each, volume)) for each in world.nodes]
    if all(await gatherResults(runs)):
        world.violation(f"{volume.name} is in use on both nodes")


async def stop(world: World, node: Node, step: Step) -> None:
    """Stop a container, as ``docker stop`` does."""
    if node.uses:
        use = node.uses.pop(int(step.choice * len(node.uses)))
        use.container.stop()
        await world.unmount(node, use.volume, use.claim)


async def write(world: World, node: Node, step: Step) -> None:
    """Let a container write."""
    if node.uses:
        world.write(node.uses[int(step.choice * len(node.uses))])


async def copy(world: World, node: Node, step: Step) -> None:
    """Copy into a running container, as ``docker cp`` does: with the container's own ID."""
    if not node.uses:
        return
    use = node.uses[int(step.choice * len(node.uses))]
    for _ in range(2):
        await world.ask(node, "Mount", Name=use.volume.name, ID=use.claim)
        await world.ask(node, "Unmount", Name=use.volume.name, ID=use.claim)
    world.judge_files(use.volume, use.container.folder)
    world.write(use)


async def remove(world: World, node: Node, step: Step) -> None:
    """Remove a volume."""
    volume = world.volumes[step.volume]
    if not node.up:
        return
    in_use = any(use.volume is volume for each in world.nodes for use in each.uses)
    answer = await world.ask(node, "Remove", Name=volume.name)
    if answer is not None and answer["Err"] == "":
        if in_use:
            world.violation(f"{volume.name} is removed while it is in use")
        volume.exists, volume.files = False, {}
    elif not in_use:
        # It may be removed later.
        volume.exists = None


async def kill_plugin(world: World, node: Node, step: Step) -> None:
    """Kill a plugin, and start it again."""
    node.plugin.kill()


async def kill_service(world: World, node: Node, step: Step) -> None:
    """Kill the service, and start it again."""
    world.service.kill()
    world.service.start()


async def activate(world: World, node: Node, step: Step) -> None:
    """Begin as an engine does."""
    await client.exchange(node.plugin.socket, "Plugin.Activate", b"")


async def kill_engine(world: World, node: Node, step: Step) -> None:
    """Kill an engine, whose containers end without an Unmount, and start it again."""
    world.end_containers(node)
    await activate(world, node, step)


async def restart_engine(world: World, node: Node, step: Step) -> None:
    """Kill an engine that starts its containers again, with the same IDs."""
    former = [(use.volume, use.claim) for use in node.uses]
    await kill_engine(world, node, step)
    for volume, claim in former:
        await run(world, node, volume, claim)


async def reboot(world: World, node: Node, step: Step) -> None:
    """Reboot a node."""
    world.die(node)


async def power_off(world: World, node: Node, step: Step) -> None:
    """Power a node off, unless the other one is off."""
    if all(each.up for each in world.nodes):
        world.die(node)
        await world.power(node, False)


async def power_on(world: World, node: Node, step: Step) -> None:
    """Power a node on, which is off."""
    for each in world.nodes:
        await world.power(each, True)


async def cloud_off(world: World, node: Node, step: Step) -> None:
    """Let a node's plugin lose its cloud."""
    await world.reach(node, False, step.choice)


async def cloud_on(world: World, node: Node, step: Step) -> None:
    """Let a node's plugin have its cloud again."""
    await world.reach(node, True)


ACTIONS = {
    "start": start,
    "stop": stop,
    "write": write,
    "copy": copy,
    "start-on-both": start_on_both,
    "kill-plugin": kill_plugin,
    "kill-service": kill_service,
    "kill-engine": kill_engine,
    "restart-engine": restart_engine,
    "activate": activate,
    "reboot": reboot,
    "power-off": power_off,
    "power-on": power_on,
    "cloud-off": cloud_off,
    "cloud-on": cloud_on,
    "remove": remove,
}
#: Those that need a node that is powered on.
_ANYWHERE = frozenset(["power-off", "power-on", "cloud-off", "cloud-on", "kill-service",
                       "start-on-both"])  # fmt: skip


# -- schedules ---------------------------------------------------------------------------------


async def perform(service: Any, seed: int, tally: Tally, verbose: bool = False) -> None:
    """Run the schedule of a seed, and judge it; violations are added to the tally."""
    world = World(service, seed, tally)
    tally.schedules += 1
    await world.open()
    try:
        for step in schedule_from(seed):
            await perform_step(world, step, verbose)
        await judge_end(world)
    finally:
        await world.close()


async def perform_step(world: World, step: Step, verbose: bool = False) -> None:
    """Run a step, and judge the state after it."""
    world.step = step
    node = world.nodes[step.node]
    if step.action in WITH_CONTAINER and not node.uses:
        node = world.nodes[1 - step.node]
    if not node.up and step.action not in _ANYWHERE:
        return
    world.tally.actions[step.action] += 1
    began = time.monotonic()
    world.arm(step.strike)
    await ACTIONS[step.action](world, node, step)
    await world.calm()
    world.judge()
    if verbose:
        print(f"{time.monotonic() - began:6.2f} s {step}", flush=True)
        for each in await world.driver.list_labelled_volumes():
            print(f"         {each}", flush=True)


async def judge_end(world: World) -> None:
    """Everything is given back, and found: no attachment is left, and no file is lost."""
    world.step = None
    for node in world.nodes:
        await world.reach(node, True)
        await world.power(node, True)
    await world.calm()
    for node in world.nodes:
        while node.uses:
            use = node.uses.pop()
            use.container.stop()
            await world.unmount(node, use.volume, use.claim)
    for node in world.nodes:
        # The grace period is over.
        node.plugin.kill()
        node.plugin.changes["grace"] = 0.0
        node.plugin.start()
    await _judge_leaks(world)
    node = world.nodes[0]
    for volume in world.volumes:
        if volume.exists:
            claim = world.new_claim()
            answer = await world.ask(node, "Mount", Name=volume.name, ID=claim)
            if answer is None or answer["Err"]:
                world.violation(f"{volume.name} can't be mounted at the end: {answer}")
                continue
            world.judge_files(volume, answer["Mountpoint"])
            await world.unmount(node, volume, claim)
        answer = await world.ask(node, "Remove", Name=volume.name)
        if answer != {"Err": ""}:
            world.violation(f"{volume.name} can't be removed at the end: {answer}")
    for left in await world.driver.list_labelled_volumes():
        if NEW in left.labels:
            # Of two volumes that two nodes made at once, one is never used; the driver reports it.
            world.tally.outcomes["unused second volume"] += 1
        else:
            world.violation(f"a volume is left: {left}")


async def _judge_leaks(world: World) -> None:
    end = time.monotonic() + PATIENCE
    left: Any = True
    while left and time.monotonic() < end:
        for node in world.nodes:
            await client.exchange(node.plugin.socket, "Plugin.Activate", b"")
        await deferLater(reactor, 0.1)
        left = await world.attached()
    if left:
        world.violation(f"attachments are left: {left}")
    world.judge()


async def run_all(options: argparse.Namespace, tally: Tally) -> None:
    """Run schedules one after the other."""
    service = EmbeddedService("--max-volumes", "-1")
    service.start()
    end = time.monotonic() + options.minutes * 60
    try:
        for seed in range(options.seed, options.seed + options.schedules):
            if options.minutes and time.monotonic() > end:
                break
            known = len(tally.violations)
            try:
                await perform(service, seed, tally, options.verbose)
            finally:
                for violation in tally.violations[known:]:
                    print("VIOLATION", violation, flush=True)
    finally:
        service.remove()


def figures(tally: Tally) -> str:
    """:return: the figures, in lines."""
    lines = [f"{tally.schedules} schedules, {sum(tally.actions.values())} steps"]
    for name, counts in [("actions", tally.actions), ("outcomes", tally.outcomes),
                         ("killed during an action", tally.strikes)]:  # fmt: skip
        lines.append(f"  {name}: " + ", ".join(f"{n} {each}" for each, n in counts.most_common()))
    lines.append(f"  {tally.files} files written, {len(tally.violations)} violations")
    return "\n".join(lines)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schedules", type=int, default=100, help="their number")
    parser.add_argument("--minutes", type=float, default=0.0, help="after which no more begin")
    parser.add_argument("--seed", type=int, default=0, help="of the first one")
    parser.add_argument("--verbose", action="store_true", help="print each step")
    options = parser.parse_args()
    if os.getuid() != 0:
        print("loop devices and mounts need root", flush=True)
        return concluded({"passed": 0, "failed": 0, "skipped": 1})
    if APART not in os.environ:
        words = [*apart(), sys.executable, "-m", "tests.docker.schedules", *sys.argv[1:]]
        os.execvpe(words[0], words, dict(os.environ, **{APART: "1"}))
    tally = Tally()
    try:
        task.react(lambda _: Deferred.fromCoroutine(run_all(options, tally)))
    except SystemExit as end:
        print(figures(tally), flush=True)
        failed = bool(end.code or tally.violations)
        return concluded({"passed": int(not failed), "failed": int(failed), "skipped": 0})
    return 1


if __name__ == "__main__":
    sys.exit(main())

"""
Two nodes with a plugin and an engine each, and the model of what must be true of them.
"""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
from collections import Counter
from contextlib import suppress
from typing import Any
from uuid import uuid4

import attr
from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.task import deferLater

from txstorage.docker.options import NAME
from txstorage.errors import StorageError
from txstorage.filesystem.holders import mounts_of
from txstorage.testing import detach_destroy_volumes
from txstorage.testing.volume_plugins import CloudTrouble, Container, client

from .processes import PluginProcess
from .schedule import NODES, VOLUMES, Step, Strike


@attr.s(auto_attribs=True)
class Volume:
    """
    A volume, as far as it is certain.

    :ivar exists: ``None`` when nobody can know.
    :ivar files: the acknowledged files' names and digests.
    """

    name: str
    exists: bool | None = False
    files: dict[str, str] = attr.Factory(dict)


@attr.s(auto_attribs=True)
class Use:
    """A container that uses a volume."""

    volume: Volume
    claim: str
    container: Container
    device: int
    backing: str


@attr.s(auto_attribs=True)
class Node:
    """
    A node.

    :ivar up: whether it is powered on.
    :ivar reachable: whether its plugin reaches the cloud.
    :ivar uses: its containers.
    :ivar doubtful: the names of volumes that its plugin may still have, because the engine or the
        plugin was interrupted.
    """

    index: int
    plugin: PluginProcess
    server_id: str
    up: bool = True
    reachable: bool = True
    uses: list[Use] = attr.Factory(list)
    doubtful: set[str] = attr.Factory(set)

    def has(self, volume: Volume) -> bool:
        """:return: whether it may keep a volume from the other node, rightly."""
        used = any(each.volume is volume for each in self.uses)
        return self.up and (used or volume.name in self.doubtful)


@attr.s(auto_attribs=True)
class Tally:
    """The figures of all schedules."""

    schedules: int = 0
    actions: Counter[str] = attr.Factory(Counter)
    outcomes: Counter[str] = attr.Factory(Counter)
    strikes: Counter[str] = attr.Factory(Counter)
    files: int = 0
    violations: list[str] = attr.Factory(list)


class World:
    """
    All that a schedule happens to.

    :param service: a running embedded service, of which no other schedule uses the nodes.
    :param seed: of the contents of files.
    """

    def __init__(self, service: Any, seed: int, tally: Tally) -> None:
        self.service = service
        self.tally = tally
        self.seed = seed
        self.step: Step | None = None
        self.directory = tempfile.mkdtemp(prefix="txstorage-test-")
        self.cluster_id = uuid4()
        self.volumes = [Volume(f"v{number}-{seed}") for number in range(VOLUMES)]
        self.nodes: list[Node] = []
        self._source = random.Random(seed)
        self._claims = 0
        self._strike: Strike | None = None
        self._requests = 0
        self._cleanups: list[Any] = []
        self.struck = False

    def addCleanup(self, function: Any, *arguments: Any) -> None:
        """Have something called at the end, as a ``TestCase`` does."""
        self._cleanups.append((function, arguments))

    def patch(self, where: Any, name: str, value: Any) -> None:
        """Set an attribute until the end, as a ``TestCase`` does."""
        self.addCleanup(setattr, where, name, getattr(where, name))
        setattr(where, name, value)

    async def open(self) -> None:
        """Make the nodes and the volumes."""
        for index in range(NODES):
            name = f"node-{index + 1}"
            driver, _ = self.service.driver(self, self.cluster_id, name)
            self.driver = driver
            plugin = PluginProcess(
                os.path.join(self.directory, name),
                self.service,
                name,
                self.cluster_id,
                driver,
                lambda question, index=index: self._observe(index),
            )
            self.nodes.append(Node(index, plugin, await driver.compute_instance_id()))
            plugin.start()
        for volume in self.volumes:
            await self.create(self.nodes[0], volume)

    async def close(self) -> None:
        """Remove everything."""
        for node in self.nodes:
            self.end_containers(node)
            await self.power(node, True)
            await node.plugin.remove()
        if self.nodes:
            await detach_destroy_volumes(self.driver)
        os.rmdir(self.directory)
        for function, arguments in reversed(self._cleanups):
            await maybeDeferred(function, *arguments)

    def violation(self, text: str) -> None:
        """Note a property that does not hold."""
        self.tally.violations.append(f"seed {self.seed}, {self.step}: {text}")

    # -- strikes -----------------------------------------------------------------------

    def arm(self, strike: Strike | None) -> None:
        """Have something killed at one of the next requests."""
        self._strike, self._requests, self.struck = strike, 0, False

    def _observe(self, index: int) -> None:
        self._requests += 1
        strike = self._strike
        if strike is not None and strike.request == self._requests:
            self._strike = None
            reactor.callLater(strike.delay, self._strike_now, strike, index)

    def _strike_now(self, strike: Strike, index: int) -> None:
        self.struck = True
        self.tally.strikes[strike.victim] += 1
        if strike.victim == "plugin":
            self.nodes[index].plugin.kill()
        else:
            self.service.kill()
            self.service.start()

    async def calm(self) -> None:
        """Let a strike happen that is due, and start what was killed."""
        if self._strike is None and self.step is not None and self.step.strike is not None:
            await deferLater(reactor, self.step.strike.delay)
        self._strike = None
        for node in self.nodes:
            if node.up and not node.plugin.running:
                node.plugin.start()

    # -- the engine ----------------------------------------------------------------------

    def new_claim(self) -> str:
        """:return: an ID that no engine has used."""
        self._claims += 1
        return f"{self._claims:064x}"

    async def ask(self, node: Node, call: str, **fields: Any) -> dict[str, Any] | None:
        """:return: a coroutine of the answer to a call; ``None`` when there is none."""
        body = client.encoded(fields)
        answer = await client.exchange(node.plugin.socket, "VolumeDriver." + call, body)
        return answer.fields if answer.status else None

    async def create(self, node: Node, volume: Volume) -> bool:
        """:return: a coroutine of whether a volume was certainly created, or found."""
        answer = await self.ask(node, "Create", Name=volume.name, Opts={"size": "1"})
        done = answer is not None and answer["Err"] == ""
        if volume.exists is False:
            volume.exists = True if done else None
        return done

    async def get(self, node: Node, volume: Volume) -> bool | None:
        """:return: a coroutine of whether a node's plugin has a volume; ``None`` for no answer."""
        answer = await self.ask(node, "Get", Name=volume.name)
        if answer is None:
            return None
        if answer["Err"] and volume.exists:
            self.violation(f"{volume.name} is denied: {answer}")
        elif answer["Err"]:
            # A removal has been resumed.
            volume.exists, volume.files = False, {}
        return not answer["Err"]

    async def unmount(self, node: Node, volume: Volume, claim: str) -> None:
        """Give a use back."""
        answer = await self.ask(node, "Unmount", Name=volume.name, ID=claim)
        if answer is None or answer["Err"]:
            self.tally.outcomes["unmount failed"] += 1
            node.doubtful.add(volume.name)

    def run_container(self, node: Node, volume: Volume, claim: str, path: str) -> None:
        """Start a container with a mounted volume, judge what it sees, and write into it."""
        device = os.stat(path).st_dev
        backing = backing_of(device)
        if not backing.startswith(os.path.realpath(self.service.state)):
            self.violation(f"{path} of {volume.name} is on {backing or 'the host'}")
            return
        use = Use(volume, claim, Container(path), device, backing)
        node.uses.append(use)
        if volume.exists is None:
            # It may be the former volume, or a new one.
            volume.files = digests_in(use.container.folder)
        volume.exists = True
        self.judge_files(volume, use.container.folder)
        self.write(use)

    def write(self, use: Use) -> None:
        """Write a file durably, as a container does."""
        self.tally.files += 1
        name = f"f{self.tally.files}"
        content = self._source.getrandbits(8 * 4096).to_bytes(4096, "big")
        with open(os.path.join(use.container.folder, name), "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        use.volume.files[name] = hashlib.sha256(content).hexdigest()

    def end_containers(self, node: Node) -> None:
        """End all containers, without a word to the plugin."""
        while node.uses:
            use = node.uses.pop()
            node.doubtful.add(use.volume.name)
            use.container.stop()

    # -- nodes and the cloud ---------------------------------------------------------------

    def die(self, node: Node) -> None:
        """End all that runs on a node, and all that its kernel knew."""
        node.plugin.kill()
        self.end_containers(node)
        node.plugin.unmount_all()
        node.plugin.boot()

    async def power(self, node: Node, on: bool) -> None:
        """Power a node on or off in the cloud."""
        if node.up is on:
            return
        action = "os-start" if on else "os-stop"
        compute = self.driver._service._nova
        while await self.driver.is_node_live(node.server_id) is not on:
            # A kept connection may have ended with a killed service.
            with suppress(StorageError):
                path = f"/servers/{node.server_id}/action"
                await compute._request("POST", path, json={action: None})
            await deferLater(reactor, 0.05)
        node.up = on

    async def reach(self, node: Node, reachable: bool, choice: float = 0.0) -> None:
        """Break a node's cloud, or mend it."""
        node.reachable = reachable
        if reachable:
            await node.plugin.mend_cloud()
        else:
            node.plugin.break_cloud(
                CloudTrouble.ERRORS if choice < 0.4 else CloudTrouble.UNREACHABLE
            )

    async def attached(self) -> dict[str, str]:
        """:return: a coroutine of the attached volumes: name to the node's instance id."""
        listed = await self.driver.list_labelled_volumes()
        return {
            each.labels[NAME]: each.volume.attached_to
            for each in listed
            if each.volume.attached_to is not None
        }

    # -- judges ------------------------------------------------------------------------------

    def judge_files(self, volume: Volume, folder: str) -> None:
        """All acknowledged files are in a folder, as they were written."""
        found = digests_in(folder)
        for name, digest in volume.files.items():
            if found.get(name) != digest:
                self.violation(f"{name} of {volume.name} is {found.get(name, 'lost')}: {folder}")

    def judge(self) -> None:
        """Each container has its volume, and no volume is mounted on two nodes."""
        mounted: dict[str, set[int]] = {}
        for mount in mounts_of():
            for node in self.nodes:
                if mount.mounted_at.startswith(node.plugin.mounts + os.sep):
                    backing = backing_of(os.stat(mount.mounted_at).st_dev)
                    mounted.setdefault(backing, set()).add(node.index)
        for node in self.nodes:
            for use in node.uses:
                mounted.setdefault(use.backing, set()).add(node.index)
                status = os.stat(use.container.folder)
                if (status.st_dev, backing_of(status.st_dev)) != (use.device, use.backing):
                    self.violation(f"a container of node {node.index} lost {use.volume.name}")
                if not set(use.volume.files) <= set(os.listdir(use.container.folder)):
                    self.violation(f"{use.volume.name} lost files under a container")
            self._judge_mount_points(node)
        for backing, nodes in mounted.items():
            if len(nodes) > 1:
                self.violation(f"{backing} is mounted on both nodes")

    def _judge_mount_points(self, node: Node) -> None:
        """Nothing was written where nothing is mounted."""
        directory = node.plugin.mounts
        for name in os.listdir(directory) if os.path.isdir(directory) else []:
            point = os.path.join(directory, name)
            if os.stat(point).st_dev == os.stat(directory).st_dev and os.listdir(point):
                self.violation(f"{point} has files, and no mount")


def digests_in(folder: str) -> dict[str, str]:
    """:return: the names and digests of the files in a folder."""
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as opened:
            found[name] = hashlib.sha256(opened.read()).hexdigest()
    return found


def backing_of(device: int) -> str:
    """:return: the path of a loop device's file; empty for another device."""
    path = f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/loop/backing_file"
    try:
        with open(path) as opened:
            return opened.read().rstrip("\n")
    except OSError:
        return ""


__all__ = ["Node", "Tally", "Use", "Volume", "World", "backing_of"]

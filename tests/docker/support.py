"""
Plugins on two nodes of the embedded service, with real devices, and the containers that use them.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import Any
from uuid import uuid4

import attr
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from txstorage.docker import DockerPlugin, PluginSettings
from txstorage.filesystem.holders import mounts_of
from txstorage.testing import detach_destroy_volumes
from txstorage.testing.volume_plugins import Container
from txstorage.testing.volume_plugins.base import read, write

from ..helpers.child import EmbeddedService
from .engine.support import ask


@attr.s(auto_attribs=True)
class Node:
    """
    A node with a plugin.

    :ivar driver: its driver.
    :ivar agent: its :class:`~txstorage.testing.FaultyAgent`.
    :ivar server_id: its instance id.
    :ivar settings: the plugin's.
    """

    driver: Any
    agent: Any
    server_id: str
    cluster_id: Any
    settings: PluginSettings
    plugin: DockerPlugin | None = None

    @property
    def running(self) -> DockerPlugin:
        """The plugin."""
        assert self.plugin is not None
        return self.plugin

    async def start(self) -> None:
        """Start the plugin."""
        self.plugin = DockerPlugin(reactor, self.driver, self.cluster_id, self.settings)
        await self.plugin.start()

    async def stop(self) -> None:
        """Stop the plugin, if it runs."""
        plugin, self.plugin = self.plugin, None
        if plugin is not None:
            await plugin.stop()

    async def ask(self, call: str, name: str = "pg", claim: str = "", **options: str) -> Any:
        """Send a request; :return: a coroutine of the answer."""
        fields: dict[str, Any] = {"Name": name}
        if claim:
            fields["ID"] = claim
        if call == "Create":
            fields["Opts"] = options or None
        return await ask(self.settings.socket, call, **fields)

    async def mount(self, claim: str = "c1", name: str = "pg") -> str:
        """Mount a volume; :return: a coroutine of its folder."""
        answer = await self.ask("Mount", name, claim)
        if answer.get("Err") != "":
            raise AssertionError(answer)
        return str(answer["Mountpoint"])


class PluginTestCase(TestCase):
    """Two nodes with a plugin each, on one embedded service."""

    timeout = 120
    #: Changes of the plugins' settings.
    settings: dict[str, Any] = {}

    if os.getuid() != 0:
        skip = "loop devices and mounts need root"

    async def setUp(self) -> None:
        self.directory = tempfile.mkdtemp(prefix="txstorage-test-")
        self.service = EmbeddedService()
        self.addCleanup(self.service.remove)
        self.service.start()
        self.cluster_id = uuid4()
        self.nodes = [await self.node(name) for name in ("node-1", "node-2")]
        self.first, self.second = self.nodes
        self.containers: list[Container] = []
        self.addCleanup(self.clean)
        for node in self.nodes:
            await node.start()

    async def node(self, name: str) -> Node:
        """:return: a coroutine of a node, whose plugin does not run yet."""
        driver, agent = self.service.driver(self, self.cluster_id, name)
        directory = os.path.join(self.directory, name)
        settings = PluginSettings(
            **{
                "socket": os.path.join(directory, "plugin.sock"),
                "state_dir": os.path.join(directory, "state"),
                "period": 3600.0,
                **self.settings,
            }
        )
        server_id = await driver.compute_instance_id()
        return Node(driver, agent, server_id, self.cluster_id, settings)

    async def clean(self) -> None:
        """Stop the plugins and the containers, and remove all that they made."""
        for container in self.containers:
            container.stop()
        for node in self.nodes:
            await node.stop()
        for each in reversed(mounts_of()):
            if each.mounted_at.startswith(self.directory + os.sep):
                subprocess.run(["umount", each.mounted_at], check=True)
        for node in self.nodes:
            mounts = os.path.join(node.settings.state_dir, "mounts")
            for name in os.listdir(mounts) if os.path.isdir(mounts) else []:
                subprocess.run(["chattr", "-i", os.path.join(mounts, name)], check=True)
        subprocess.run(["rm", "-r", self.directory], check=True)
        if self.service.pid is None:
            self.service.start()
        await detach_destroy_volumes(self.first.driver)

    def container(self, path: str) -> Container:
        """:return: a running container with a folder."""
        container = Container(path)
        self.containers.append(container)
        return container

    def end(self, container: Container) -> None:
        """Stop a container."""
        self.containers.remove(container)
        container.stop()

    async def stop_server(self, node: Node) -> None:
        """Power a node off: its mounts are gone, and the cloud knows."""
        for each in reversed(mounts_of()):
            if each.mounted_at.startswith(node.settings.state_dir + os.sep):
                subprocess.run(["umount", each.mounted_at], check=True)
        compute = node.driver._service._nova
        await compute._request("POST", f"/servers/{node.server_id}/action", json={"os-stop": None})

    async def volumes(self) -> list[Any]:
        """:return: a coroutine of the cluster's volumes."""
        listed: list[Any] = await self.first.driver.list_volumes()
        return listed

    async def attached_to(self) -> str | None:
        """:return: a coroutine of the node that the only volume is attached to."""
        [volume] = await self.volumes()
        found: str | None = volume.attached_to
        return found


async def both(*work: Any) -> list[Any]:
    """:return: a coroutine of the results of coroutines that run at the same time."""
    found: list[Any] = await gatherResults([Deferred.fromCoroutine(each) for each in work])
    return found


__all__ = ["Container", "Node", "PluginTestCase", "both", "deferToThread", "read", "write"]

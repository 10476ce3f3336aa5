"""
The base of the tests with real engines: two nodes, on each an engine and the plugin.
"""

from __future__ import annotations

import json
import time

from ..nodes.support import NodesTestCase

#: The unit of the plugin, and its socket.
UNIT = "txstorage-docker.service"
SOCKET = "/run/docker/plugins/txstorage.sock"
#: Seconds until a volume is given back whose unmount was lost: the claim counts for 120 s, and what
#: is over then is found within 60 s.
GIVEN_BACK = 260
#: Runs a container without a network.
RUN = "docker run --network=none"


class EngineTestCase(NodesTestCase):
    """Base: both nodes have an engine with the image ``busybox``, the plugin, and no volumes."""

    def setUp(self):
        super().setUp()
        self.machines.load("busybox")
        self.first, self.second = self.nodes
        for node in self.nodes:
            # An engine that starts without the plugin waits 15 s for each volume that it remembers.
            node.run("systemctl enable --quiet --now txstorage-docker.socket")
        self.addCleanup(self.clean)

    def clean(self):
        """Remove containers and volumes, and start all that a test has stopped."""
        self.machines.restore()
        for node in self.nodes:
            if self.service.server_status(node) != "ACTIVE":
                self.service.start_server(node)
            node.run(
                "systemctl reset-failed; systemctl start docker.service txstorage-docker.socket"
            )
            containers = node.run("docker ps --all --quiet").split()
            if containers:
                node.run(["docker", "rm", "--force", "--volumes", *containers])
        for node in self.nodes:
            for name in self.local_volumes(node):
                node.run(["docker", "volume", "rm", name])
        self.wait(self.free, GIVEN_BACK)
        for volume in self.placed():
            self.first.run(f"txstorage volumes destroy --yes {volume}")
        self.wait(lambda: not any(map(self.volumes, self.nodes)))

    def volumes(self, node):
        """:return: the names of the driver's volumes that an engine lists."""
        lines = node.run("docker volume ls --format '{{.Driver}} {{.Name}}'").splitlines()
        return [line.split()[1] for line in lines if line.startswith("txstorage")]

    def local_volumes(self, node):
        """:return: the names of an engine's own volumes."""
        lines = node.run("docker volume ls --format '{{.Driver}} {{.Name}}'").splitlines()
        return [line.split()[1] for line in lines if line.startswith("local")]

    def create(self, name, node=None, **options):
        """Create a volume of 1 GiB."""
        words = [word for key, value in {"size": "1GiB", **options}.items()
                 for word in ("--opt", f"{key}={value}")]  # fmt: skip
        (node or self.first).run(["docker", "volume", "create", "-d", "txstorage", *words, name])

    def shell(self, node, volume, script, *options):
        """Run a script in a container, with a volume at ``/d``; :return: its output."""
        words = [
            *RUN.split(),
            "--rm",
            *options,
            "-v",
            f"{volume}:/d",
            "busybox",
            "sh",
            "-c",
            script,
        ]
        return node.run(words)

    def begin(self, node, volume, name, *options, image="busybox"):
        """Start a container that does nothing, with a volume at ``/d``."""
        words = [*RUN.split(), "--detach", "--name", name, *options, "-v", f"{volume}:/d"]
        node.run([*words, image, "sh", "-c", "trap exit TERM; while :; do sleep 1 & wait; done"])

    def attached_to(self, name):
        """:return: the id of the node that a volume is attached to, or ``None``."""
        return self.inspected(self.first, name)["attached to"] or None

    def inspected(self, node, name):
        """:return: the plugin's own description of a volume."""
        [found] = json.loads(node.run(["docker", "volume", "inspect", name]))
        return found["Status"]

    def placed(self):
        """:return: the places of all volumes, by the ids of the volumes, from the cloud."""
        listed = self.txstorage(self.first, "volumes list")["volumes"]
        return {each["volume_id"]: each["attached_to"] for each in listed}

    def wait(self, reached, seconds=30):
        """Wait for a state."""
        end = time.monotonic() + seconds
        while not reached():
            self.assertLess(time.monotonic(), end, "it does not come to that")
            time.sleep(0.2)

    def free(self):
        """:return: whether no volume is attached."""
        return not any(self.placed().values())


__all__ = ["RUN", "SOCKET", "UNIT", "EngineTestCase"]

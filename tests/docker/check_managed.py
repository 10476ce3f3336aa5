"""The managed plugin that ``make docker-plugin`` makes, in a real engine."""

from __future__ import annotations

import os
import subprocess
import sys

from ..documents.blocks import of_suite
from ..nodes.nodes import PLACE
from ..nodes.support import NodesTestCase
from ..packages.making import CURRENT, the_deb
from ..run import ROOT

PLUGIN = os.path.join(PLACE, "docker-plugin")
#: A reader's clone, on the file system of the engine.
CLONE = "/var/lib/docker/clone"
RUN = "docker run --rm --network=none --volume-driver txstorage -v notes:/data busybox"
WRITER = "docker run --detach --name writer --network=none -v notes:/data busybox sleep 999"


class ManagedTests(NodesTestCase):
    """The plugin's life, from its creation to its removal."""

    def setUp(self):
        super().setUp()
        self.machines.load("busybox")
        self.node = self.nodes[1]
        maker = os.path.join(ROOT, "packaging", "docker_plugin.py")
        words = [sys.executable, maker, "--directory", PLUGIN, "--deb", the_deb(CURRENT)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        pack = subprocess.Popen(
            ["tar", "-C", PLUGIN, "--exclude=./.made-for", "-c", "."], stdout=subprocess.PIPE
        )
        self.addCleanup(self.clean)
        unpack = f"mkdir -p {CLONE}/dist/docker-plugin && tar -x -C {CLONE}/dist/docker-plugin"
        process = self.node.spawn(unpack, stdin=pack.stdout)
        pack.stdout.close()
        _, errors = process.communicate()
        self.assertEqual((0, 0), (pack.wait(), process.returncode), errors)
        for block in of_suite("managed")["docs/docker.rst"]:
            if block.language == "console":
                for command, shown in block.commands:
                    output = self.node.run(f"cd {CLONE}; {command}")
                    self.assertEqual(shown, output if shown else "", command)
            else:
                # The image needs a registry's base: only the syntax can be checked here.
                subprocess.run(["sh", "-n", "-c", block.text], check=True)

    def clean(self):
        """Remove the container, the volume and the plugin."""
        self.machines.restore()
        self.node.run("docker rm --force writer", check=False)
        self.node.run("docker volume rm notes", check=False)
        self.node.run("docker plugin disable --force txstorage", check=False)
        self.node.run("docker plugin rm --force txstorage", check=False)
        self.node.run(f"rm -rf {CLONE}")

    def volumes(self):
        """:return: the cluster's volumes."""
        return self.txstorage(self.node, "volumes list")["volumes"]

    def test_used(self):
        """
        A volume of the set size keeps its data from container to container.  A container keeps it
        without the plugin, and can't share it with another one afterwards; then it is detached.
        """
        node = self.node
        node.run("docker volume create --driver txstorage notes")
        [volume] = self.volumes()
        self.assertEqual(20 * 2**30, volume["size"])
        node.run(f"{RUN} sh -c 'echo hello >/data/file'")
        self.assertEqual([], self.volumes()[0]["attached_to"])
        node.run(WRITER)
        self.assertEqual("hello\n", node.run("docker exec writer cat /data/file"))
        # The engine gives back the claim of the container itself.
        node.run("docker cp /etc/hostname writer:/data/name")
        node.run("docker exec writer sh -c 'echo again >>/data/file; sync'")
        node.run("docker plugin disable --force txstorage")
        node.run("docker exec writer sh -c 'echo alone >>/data/file; sync'")
        node.run("docker plugin enable --timeout 60 txstorage")
        # The engine has ended the plugin's own mount, and the container's is not the plugin's.
        refused = node.run(f"{RUN} true", check=False)
        self.assertIn("is in use by sleep", refused.errors)
        self.assertEqual("node-1\n", node.run("docker exec writer cat /data/name"))
        node.run("docker rm --force writer")
        self.assertEqual("hello\nagain\nalone\n", node.run(f"{RUN} cat /data/file"))
        self.assertEqual([], self.volumes()[0]["attached_to"])
        node.run("docker volume rm notes")
        self.assertEqual([], self.volumes())
        node.run("docker plugin disable txstorage")
        node.run("docker plugin rm txstorage")

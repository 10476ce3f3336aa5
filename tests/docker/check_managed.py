"""The plugin in containers: the managed one that ``make docker-plugin`` makes, and an image."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

from ..documents.blocks import of_suite, text_of
from ..nodes.machines.nodes import PLACE
from ..nodes.support import NodesTestCase
from ..packages.making import CURRENT, the_deb
from ..run import ROOT

PLUGIN = os.path.join(PLACE, "docker-plugin")
SOCKET = "/run/docker/plugins/txstorage.sock"
#: A reader's clone, on the file system of the engine.
CLONE = "/var/lib/docker/clone"
RUN = "docker run --rm --network=none --volume-driver txstorage -v notes:/data busybox"
WRITER = "docker run --detach --name writer --network=none -v notes:/data busybox sleep 999"


class ContainedTestCase(NodesTestCase):
    """Base: a node without the package's plugin, and what ``make docker-plugin`` makes."""

    def setUp(self):
        super().setUp()
        self.machines.load("busybox")
        self.node = self.nodes[1]
        maker = os.path.join(ROOT, "packaging", "docker_plugin.py")
        words = [sys.executable, maker, "--directory", PLUGIN, "--deb", the_deb(CURRENT)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        self.addCleanup(self.clean)

    def pipe(self, words, command):
        """Run a command on the node, with the output of a program on this machine as its input."""
        made = subprocess.Popen(words, stdout=subprocess.PIPE)
        process = self.node.spawn(command, stdin=made.stdout)
        made.stdout.close()
        _, errors = process.communicate()
        self.assertEqual((0, 0), (made.wait(), process.returncode), errors)

    def clean(self):
        """Remove the container, the volume and the plugin."""
        self.machines.restore()
        self.node.run("docker rm --force writer", check=False)
        self.node.run("docker volume rm notes", check=False)
        self.remove_plugin()

    def volumes(self):
        """:return: the cluster's volumes."""
        return self.txstorage(self.node, "volumes list")["volumes"]


class ManagedTests(ContainedTestCase):
    """The plugin's life, from its creation to its removal."""

    def setUp(self):
        super().setUp()
        self.pipe(
            ["tar", "-C", PLUGIN, "--exclude=./.made-for", "-c", "."],
            f"mkdir -p {CLONE}/dist/docker-plugin && tar -x -C {CLONE}/dist/docker-plugin",
        )
        for block in of_suite("managed")["docs/docker.rst"]:
            if block.language == "console":
                for command, shown in block.commands:
                    output = self.node.run(f"cd {CLONE}; {command}")
                    self.assertEqual(shown, output if shown else "", command)

    def remove_plugin(self):
        self.node.run("docker plugin disable --force txstorage", check=False)
        self.node.run("docker plugin rm --force txstorage", check=False)
        self.node.run(f"rm -rf {CLONE}")

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


class ImageTests(ContainedTestCase):
    """
    A container of the plugin.

    Its image is the managed plugin's root: the Dockerfile needs a registry's base, and the package
    index.
    """

    def setUp(self):
        super().setUp()
        rootfs = os.path.join(PLUGIN, "rootfs")
        [start] = re.findall("^ENTRYPOINT.*", text_of("packaging/docker/Dockerfile"), re.M)
        self.pipe(
            ["tar", "-C", rootfs, "-c", "."],
            f"docker import --change {shlex.quote(start)} - txstorage",
        )
        self.node.run(f"mkdir -p {os.path.dirname(SOCKET)} /var/lib/txstorage")
        [block] = [each for each in of_suite("managed")["docs/docker.rst"] if each.language == "sh"]
        self.node.run(block.text[block.text.index("docker run") :])
        self.wait_for_plugin()

    def wait_for_plugin(self):
        self.node.run(f"timeout 60 sh -c 'until test -S {SOCKET}; do sleep 0.2; done'")

    def remove_plugin(self):
        # a plugin that is killed leaves its socket, where the engine would look for the next one
        self.node.run("docker stop txstorage && docker rm txstorage", check=False)
        self.node.run("docker rmi txstorage", check=False)
        # an engine remembers where it found a driver
        self.node.run("systemctl restart docker")

    def test_used(self):
        """A container keeps its volume while the plugin's container stops and starts again."""
        node = self.node
        node.run("docker volume create --driver txstorage --opt size=1GiB notes")
        node.run(WRITER)
        node.run("docker exec writer sh -c 'echo hello >/data/file; sync'")
        node.run("docker stop txstorage")
        node.run(f"test ! -e {SOCKET}")
        node.run("docker exec writer sh -c 'echo alone >>/data/file; sync'")
        node.run("docker start txstorage")
        self.wait_for_plugin()
        self.assertEqual("hello\nalone\n", node.run(f"{RUN} cat /data/file"))
        node.run("docker rm --force writer")
        self.assertEqual([], self.volumes()[0]["attached_to"])
        self.assertEqual("hello\nalone\n", node.run(f"{RUN} cat /data/file"))
        node.run("docker volume rm notes")
        self.assertEqual([], self.volumes())

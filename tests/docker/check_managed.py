"""The plugin in containers: the managed one that ``make docker-plugin`` makes, and an image."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

from ..documents.blocks import of_suite
from ..nodes.machines.nodes import PLACE
from ..nodes.support import NodesTestCase
from ..packages.making import CURRENT, the_deb
from ..run import ROOT
from .dockerfile import changes

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


def changed(stage):
    """:return: the options of ``docker import`` for the instructions of a stage."""
    return " ".join(f"--change {shlex.quote(each)}" for each in changes(stage))


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
        self.pipe(
            ["tar", "-C", rootfs, "-c", "."], f"docker import {changed('plugin')} - txstorage"
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


class ServeTests(ContainedTestCase):
    """
    A container of the service for tests.

    As in :class:`ImageTests`, its image is the plugin's root.  The node has neither a bridge nor
    rules for packets, so that the container shares its network.
    """

    def setUp(self):
        super().setUp()
        rootfs = os.path.join(PLUGIN, "rootfs")
        self.pipe(
            ["tar", "-C", rootfs, "-c", "."],
            # The stage makes the directory.
            f"docker import {changed('serve')} - without-directory",
        )
        self.node.run(
            "docker run --name made --user 0 --network none --entrypoint install without-directory"
            " --directory --owner 8780 --group 8780 --mode 0700 /var/lib/txstorage"
        )
        self.node.run(f"docker commit {changed('serve')} made txstorage-serve")
        [block] = [
            each
            for each in of_suite("managed")["docs/testing-with-serve.rst"]
            if each.language == "sh"
        ]
        commands = block.text[block.text.index("docker run") :]
        here = commands.replace("--publish 127.0.0.1:8780:8780", "--network host")
        self.assertNotEqual(commands, here)
        self.password = self.node.run(f"{here}echo $OS_PASSWORD").split()[-1]

    def remove_plugin(self):
        self.node.run("docker rm --force cloud made", check=False)
        self.node.run("docker rmi txstorage-serve without-directory", check=False)

    def ask(self, address, path, *options):
        """:return: the answer's status and JSON value, for a client on the node."""
        words = ["curl", "--silent", "--write-out", "\n%{http_code}", *options]
        shown = self.node.run([*words, f"http://{address}:8780{path}"])
        body, _, status = shown.rpartition("\n")
        return int(status), json.loads(body) if body else None

    def test_used(self):
        """
        The container serves without root; the controls need the password but for clients inside
        its own network.
        """
        user = self.node.run("docker exec cloud id -u")
        self.assertEqual("8780\n", user)
        own = self.node.run("hostname --all-ip-addresses").split()[0]
        self.assertEqual(200, self.ask("127.0.0.1", "/clock")[0])
        self.assertEqual(401, self.ask(own, "/clock")[0])
        known = ("--user", "txstorage:" + self.password)
        fault = ("--data", json.dumps({"route": "identity", "status": 503}))
        self.assertEqual(201, self.ask(own, "/faults", *known, *fault)[0])
        tokens = "/identity/v3/auth/tokens"
        statuses = [self.ask(own, tokens, "--data", "{}")[0] for _ in range(2)]
        self.assertEqual([503, 400], statuses)
        _, recorded = self.ask(own, "/requests", *known)
        self.assertEqual([503, 400], [each["status"] for each in recorded["requests"]])

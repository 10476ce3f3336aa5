"""Podman with the plugin, as docs/docker.rst configures it."""

from __future__ import annotations

import os
import re
import subprocess

from twisted.trial.unittest import SkipTest

from ..nodes.machines.nodes import PLACE
from ..nodes.support import NodesTestCase, made
from ..roots.debootstrap import this_release
from ..run import ROOT, make_once

#: Podman, and what it needs besides the packages of a node.
PACKAGES = """\
podman conmon golang-github-containers-common golang-github-containers-image libassuan0
libglib2.0-0 libgpgme11 libsubid4 netavark
""".split()
#: A node can neither raise limits nor limit the number of processes; its root is an overlay, which
#: can't have another one on it.
OF_NODE = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
pids_limit = 0
[engine]
cgroup_manager = "systemd"
events_logger = "file"
runtime = "runc"
"""
STORAGE = """\
[storage]
driver = "overlay"
graphroot = "/var/lib/docker/podman"
runroot = "/run/containers/storage"
"""
RUN = "podman run --rm --network=none -v notes:/data busybox"


def settings():
    """:return: the ``containers.conf`` that the page shows."""
    with open(os.path.join(ROOT, "docs", "docker.rst"), encoding="utf-8") as page:
        [block] = re.findall(r"code-block:: ini\n\n((?:   .*\n|\n)+)", page.read())
    return re.sub("^   ", "", block, flags=re.MULTILINE)


def packages():
    """:return: the paths of the packages, which this machine's apt downloads."""
    directory = os.path.join(PLACE, "podman")

    def make():
        os.makedirs(directory)
        words = ["apt-get", "-o", "APT::Sandbox::User=root", "--quiet", "download", *PACKAGES]
        subprocess.run(words, cwd=directory, check=True, stdout=subprocess.DEVNULL)

    make_once(directory, [PACKAGES], make)
    return [os.path.join(directory, n) for n in os.listdir(directory) if n.endswith(".deb")]


class PodmanTests(NodesTestCase):
    """Podman on a node."""

    def setUp(self):
        if os.path.basename(made()["layers"][-1]) != this_release():
            raise SkipTest("apt has Podman for this machine's release only")
        super().setUp()
        self.node = node = self.nodes[1]
        self.addCleanup(self.clean)
        if node.run("podman version", check=False).code:
            for path in packages():
                with open(path, "rb") as package:
                    node.put(package, "/srv/podman/" + os.path.basename(path))
            # Some of their dependencies serve users other than root.
            node.run("dpkg --force-depends --install /srv/podman/*.deb")
        node.put(STORAGE.encode(), "/etc/containers/storage.conf")
        node.put(OF_NODE.encode(), "/etc/containers/containers.conf.d/node.conf")
        node.put(settings().encode(), "/etc/containers/containers.conf")
        node.run("systemctl start txstorage-docker.socket")
        if node.run("podman image exists busybox", check=False).code:
            with open(self.machines.images["busybox"].path, "rb") as tree:
                process = node.spawn(["podman", "import", "-", "busybox"], stdin=tree)
                _, errors = process.communicate()
            self.assertEqual(0, process.returncode, errors)

    def clean(self):
        """Remove the volume, and stop the plugin."""
        self.machines.restore()
        self.node.run("podman volume rm --force notes", check=False)
        self.node.run("systemctl stop txstorage-docker.socket")

    def volumes(self):
        """:return: the cluster's volumes."""
        return self.txstorage(self.node, "volumes list")["volumes"]

    def test_used(self):
        """A volume keeps its data from container to container, and is detached between them."""
        node = self.node
        self.assertTrue(node.run("podman version --format '{{.Client.Version}}'").strip())
        node.run("podman volume create --driver txstorage --opt size=1GiB notes")
        node.run(f"{RUN} sh -c 'echo hello >/data/file'")
        [volume] = self.volumes()
        self.assertEqual((2**30, []), (volume["size"], volume["attached_to"]))
        self.assertEqual("hello\n", node.run(f"{RUN} cat /data/file"))
        node.run("podman volume rm notes")
        self.assertEqual([], self.volumes())

    def test_slow(self):
        """
        An attach may take longer than Podman's own five seconds, which are too few without the
        page's settings.
        """
        node = self.node
        node.run("podman volume create --driver txstorage --opt size=1GiB notes")
        self.service.stop()
        self.addCleanup(self.service.kill)
        self.service.start("--transition-delay", "7")
        self.assertEqual("", node.run(f"{RUN} true"))
        text = settings().replace("volume_plugin_timeout", "# volume_plugin_timeout")
        node.put(text.encode(), "/etc/containers/containers.conf")
        failed = node.run(f"{RUN} true", check=False)
        self.assertNotEqual(0, failed.code)
        self.assertRegex(failed.errors, "(?i)timeout|deadline")

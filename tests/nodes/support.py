"""
The base of the tests on nodes.  The first test starts the nodes, and all tests share them.
"""

from __future__ import annotations

import atexit
import json
import os

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from .machines.nodes import VARIABLE, Nodes
from .service import Service
from .trees.images import Image, load_all


class Machines:
    """
    The nodes, and the embedded service whose servers they are.

    :param made: dict of the ``layers`` of the nodes' roots, and of the ``images``.
    """

    def __init__(self, made):
        self.images = {each["name"]: Image(**each) for each in made["images"]}
        self.nodes = Nodes(made["layers"])
        self.nodes.up()
        self.service = Service(self.nodes)

    def restore(self):
        """Start what the last test has left off; the nodes have their configuration."""
        if self.service.pid is None:
            self.service.start()
        for node in self.nodes:
            if node.pid is None:
                node.start(wait=False)
        for node in self.nodes:
            node.wait_until_up()
            if node.run("test -e /etc/txstorage/agent.yml", check=False).code:
                self.service.configure(node)

    def load(self, *names):
        """Load images on all nodes, unless they are there."""
        load_all(self.nodes, [self.images[name] for name in names])

    def close(self):
        """Keep the logs, and remove all else."""
        self.nodes.save_logs()
        self.nodes.down()


def is_exclusive(device):
    """:return: whether nothing on this machine has a block device mounted."""
    try:
        os.close(os.open(device, os.O_RDONLY | os.O_EXCL))
    except OSError:
        return False
    return True


_shared = []


def made():
    """
    :return: the description of what ``make test-docker`` made, a dict.
    :raises SkipTest: it did not.
    """
    path = os.environ.get(VARIABLE)
    if path is None:
        raise SkipTest("make test-docker makes what this tests")
    with open(path, encoding="utf-8") as opened:
        return json.load(opened)


def machines():
    """:return: the :class:`Machines` that all tests of this process share."""
    if not _shared:
        _shared.append(Machines(made()))
        atexit.register(_shared[0].close)
    return _shared[0]


class NodesTestCase(SynchronousTestCase):
    """Base: has two nodes that are up, and the service, whose servers are both ``ACTIVE``."""

    def setUp(self):
        self.machines = machines()
        self.machines.restore()
        self.nodes, self.service = self.machines.nodes, self.machines.service

    def txstorage(self, node, arguments):
        """:return: the JSON document that the command prints on a node."""
        return json.loads(node.run("txstorage --json " + arguments))

    def attached(self, node):
        """
        Attach a new volume to a node; it is destroyed after the test.

        :return: its id, and the path of its device.
        """
        volume = self.txstorage(node, "volumes create 1GiB")["volume_id"]
        self.addCleanup(self._destroy, node, volume)
        return volume, self.txstorage(node, f"volumes attach {volume}")["device_path"]

    def _destroy(self, node, volume):
        self.machines.restore()
        node.run(f"txstorage volumes detach {volume}")
        node.run(f"txstorage volumes destroy --yes {volume}")

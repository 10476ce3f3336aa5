"""The commands of ``docs/flocker.rst`` for a node, typed with this Flocker."""

from __future__ import absolute_import, division, print_function

import json
import os
import subprocess
import sys

from twisted.internet.defer import inlineCallbacks
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SkipTest, TestCase

from ..helpers.child import python_3
from .check_cluster import NATIVE, Cluster

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class DocumentTests(TestCase):
    """
    The page is followed by :mod:`tests.flocker.page`, on Python 3; here are the
    Flocker that it is about, and the log of one of its agents.
    """

    timeout = 300

    def setUp(self):
        if os.getuid() != 0:
            raise SkipTest("only root may make namespaces and loop devices")
        self.journal = os.path.abspath(self.mktemp())

    def write_journal(self, messages):
        """As the journal has it, with what systemd says of the unit."""
        with open(self.journal, "w") as journal:
            journal.write("Started Flocker's dataset agent.\n")
            for message in messages:
                journal.write(json.dumps(message) + "\n")

    def follow(self):
        """Do all that the page says, and fail with what came of what it says wrongly."""
        process = subprocess.Popen(
            [python_3(), "-m", "tests.flocker.page", sys.prefix, self.journal],
            cwd=ROOT,
            # of what this Python finds, only what is not the driver's
            env=dict(os.environ, PYTHONPATH=ROOT, FLOCKER_PATH=self.flockers_path()),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said = process.communicate()[0]
        self.assertEqual(0, process.returncode, said.decode("utf-8"))

    def flockers_path(self):
        """:return: where Flocker is, when that is not in its Python's own environment."""
        parts = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        return os.pathsep.join(part for part in parts if part and not part.startswith(ROOT))

    @inlineCallbacks
    def test_page(self):
        """
        txstorage is installed, its agent started, the log of one that mounts a
        dataset looked at, and all taken away again, as the page says.  No systemd
        runs here: :mod:`tests.flocker.systemd` answers for it.
        """
        cluster = Cluster(self, NATIVE)
        cluster.start()
        yield cluster.until(lambda found: True)
        dataset_id = yield cluster.create("node-1")
        yield cluster.until_on([dataset_id], "node-1")
        self.write_journal(cluster.log_of("node-1"))
        yield deferToThread(self.follow)

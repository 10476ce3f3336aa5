"""
Execution of the steps in ``docs/flocker.rst`` with this Flocker.
"""

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
    The page, executed by :mod:`tests.flocker.page` on Python 3.

    This module provides the Flocker and the log of an agent.
    """

    timeout = 300

    def setUp(self):
        if os.getuid() != 0:
            raise SkipTest("only root may make namespaces and loop devices")
        self.journal = os.path.abspath(self.mktemp())

    def write_journal(self, messages):
        """Write the agent's log as the journal shows it, with systemd's lines about the unit."""
        with open(self.journal, "w") as journal:
            journal.write("Started Flocker's dataset agent.\n")
            for message in messages:
                journal.write(json.dumps(message) + "\n")

    def follow(self):
        """Execute the page's commands; fail with the output of a command that differs."""
        process = subprocess.Popen(
            [python_3(), "-m", "tests.flocker.page", sys.prefix, self.journal],
            cwd=ROOT,
            # of this Python's path, only the entries that are not the driver's
            env=dict(os.environ, PYTHONPATH=ROOT, FLOCKER_PATH=self.flockers_path()),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said = process.communicate()[0]
        self.assertEqual(0, process.returncode, said.decode("utf-8"))

    def flockers_path(self):
        """:return: the path of a Flocker outside its Python's own environment."""
        parts = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        return os.pathsep.join(part for part in parts if part and not part.startswith(ROOT))

    @inlineCallbacks
    def test_page(self):
        """
        txstorage is installed, its agent started, the log of an agent that mounts a dataset shown,
        and all removed again, as the page describes.  Instead of systemd,
        :mod:`tests.flocker.systemd` runs.
        """
        cluster = Cluster(self, NATIVE)
        cluster.start()
        yield cluster.until(lambda found: True)
        dataset_id = yield cluster.create("node-1")
        yield cluster.until_on([dataset_id], "node-1")
        self.write_journal(cluster.log_of("node-1"))
        yield deferToThread(self.follow)

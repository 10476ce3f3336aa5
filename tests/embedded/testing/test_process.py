"""Tests of the double in a child process."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.testing import DoubleNotStarted, OpenStackProcess, process

from ...helpers.imports import ROOT
from .support import PATIENCE, Client, DoubleTests

#: Starts a double, prints its process id and its directory, and ends without closing it.
_CARELESS = """
import os
from txstorage.embedded.testing import OpenStackProcess
double = OpenStackProcess()
print(double.pid, double._directory, flush=True)
input()
os._exit(0)
"""

#: Runs a child whose input ends at once, and prints the names of the modules that it has imported.
_CHILD = """
import sys
from txstorage.embedded.testing.child import main
main()
print(" ".join(name for name, module in sys.modules.items() if module is not None))
"""
#: Packages that a start does not need; some of them take a tenth of it.
_NEEDLESS = {
    *("OpenSSL", "cryptography", "jsonschema", "klein", "yaml"),
    *("botocore", "click", "pytest", "requests", "rich", "treq"),
    *("txstorage.cli", "txstorage.clouds", "txstorage._http", "txstorage.embedded.service"),
}


class OpenStackProcessTests(DoubleTests, SynchronousTestCase):
    """Tests of :class:`OpenStackProcess`."""

    def double(self, **settings: Any) -> OpenStackProcess:
        """Return a double in a child process."""
        double = OpenStackProcess(**settings)
        self.addCleanup(double.close)
        return double

    def test_closed(self) -> None:
        """A closed double's process has ended, and its directory is gone."""
        double = self.double()
        directory = double._directory
        double.close()
        self.assertRaises(ProcessLookupError, os.kill, double.pid, 0)
        self.assertFalse(os.path.exists(directory))
        double.close()

    def test_killed(self) -> None:
        """A killed double's connections end, and it can be closed."""
        double = self.double()
        client = Client(double)
        os.kill(double.pid, signal.SIGKILL)
        double.close()
        self.assertRaises(OSError, client.create)

    def test_parent_ends(self) -> None:
        """A double ends with the process that started it, and removes its files."""
        parent = subprocess.Popen(
            [sys.executable, "-c", _CARELESS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(os.environ, PYTHONPATH=ROOT),
        )
        self.addCleanup(parent.kill)
        assert parent.stdin is not None and parent.stdout is not None
        pid, directory = parent.stdout.readline().decode().split()
        child = os.pidfd_open(int(pid))
        self.addCleanup(os.close, child)
        parent.communicate(b"\n")
        self.assertEqual(select.select([child], [], [], PATIENCE)[0], [child])
        self.assertFalse(os.path.exists(directory))

    def test_no_start(self) -> None:
        """A double that can't start is an error with the child's reason, and leaves nothing."""
        made: list[str] = []
        make = process.scratch_directory
        self.patch(process, "scratch_directory", lambda: made.append(make()) or made[0])
        error = self.assertRaises(DoubleNotStarted, OpenStackProcess, transition_delya=1)
        self.assertIn("transition_delya", str(error))
        self.assertFalse(os.path.exists(made[0]))

    def test_imports(self) -> None:
        """A child's start, most of whose time goes to imports, needs none of these."""
        directory = self.mktemp()
        os.mkdir(directory)
        order = {"directory": directory, "options": {}}
        done = subprocess.run(
            [sys.executable, "-c", _CHILD],
            input=json.dumps(order).encode() + b"\n",
            env=dict(os.environ, PYTHONPATH=ROOT),
            stdout=subprocess.PIPE,
        )
        served, modules = done.stdout.decode().splitlines()
        self.assertIn("auth_url", json.loads(served))
        self.assertIn("txstorage.embedded.application", modules.split())
        self.assertEqual(_NEEDLESS & set(modules.split()), set())

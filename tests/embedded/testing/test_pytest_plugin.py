"""Tests of the fixtures, in pytest."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from twisted.trial.unittest import SynchronousTestCase

from ...helpers.imports import ROOT
from .support import PATIENCE

#: Writes what a test sees of its environment.
_SUITE = """
import os
import pytest
import yaml
from txstorage.embedded.testing import ThreadedOpenStack
from tests.embedded.testing.support import Client

os.environ["OS_USER_ID"] = "of another cloud"
SEEN = []

@pytest.mark.parametrize("number", range(3))
def test_state(openstack_storage, number):
    client = Client(openstack_storage)
    assert (client.volumes(), openstack_storage.faults) == ([], [])
    assert len(openstack_storage.requests) == 2
    client.create()
    openstack_storage.fail("volume", status=500, times=None)
    openstack_storage.advance(100)
    SEEN.append(openstack_storage)
    assert SEEN[0] is openstack_storage

def test_variables(openstack_storage, tmp_path):
    own = {name: value for name, value in os.environ.items() if name.startswith("OS_")}
    path = tmp_path / "clouds.yaml"
    added = {"OS_CLIENT_CONFIG_FILE": str(path), "OS_CLOUD": "txstorage"}
    assert own == {**openstack_storage.environment, **added}
    assert yaml.safe_load(path.read_text())["clouds"]["txstorage"] == openstack_storage.cloud
    assert path.stat().st_mode & 0o777 == 0o600

def test_restored():
    names = [name for name in os.environ if name.startswith("OS_")]
    assert names == ["OS_USER_ID"]

def test_server(openstack_storage_server):
    assert isinstance(openstack_storage_server, ThreadedOpenStack)
"""

#: Two tests, which can only pass in two workers at once: they meet at two pipes.
_PARALLEL = """
import pytest
from tests.embedded.testing.support import Client

def meet(number):
    # Opening a pipe waits for its other end.
    for each in range(2):
        open(f"pipe-{each}", "w" if each == number else "r").close()

@pytest.mark.parametrize("number", range(2))
def test_worker(openstack_storage, number):
    client = Client(openstack_storage)
    volume_id = client.create()
    meet(number)
    assert client.volumes() == [volume_id]
    if number:
        openstack_storage.reset()
    meet(number)
    assert client.volumes() == ([] if number else [volume_id])
    assert len(openstack_storage.requests) == (1 if number else 4)
"""

#: Fails when the plugin has imported more than pytest needs.
_BARE = """
import sys

def test_nothing():
    loaded = "txstorage.embedded.testing.pytest_plugin" in sys.modules
    assert loaded and not {"twisted", "klein", "attr", "yaml"} & set(sys.modules)
"""


class PluginTests(SynchronousTestCase):
    """Tests of the plugin, each with a pytest of its own."""

    def run_pytest(self, suite: str, *options: str, pipes: int = 0) -> str:
        """
        Run a suite in which warnings are errors.

        :param pipes: their number in the suite's directory.
        :return: the last line, which counts.
        """
        directory = self.mktemp()
        os.mkdir(directory)
        for number in range(pipes):
            os.mkfifo(os.path.join(directory, f"pipe-{number}"))
        with open(os.path.join(directory, "test_suite.py"), "w", encoding="utf-8") as opened:
            opened.write(textwrap.dedent(suite))
        plugin = ["-p", "txstorage.embedded.testing.pytest_plugin"]
        command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*command, *plugin, *options, "."],
            cwd=directory,
            env=dict(os.environ, PYTHONPATH=ROOT, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout.splitlines()[-1]

    def test_fixtures(self) -> None:
        """
        Each test finds a double without volumes, faults and requests, the same for the session; its
        variables and its clouds.yaml name it, and no other cloud; afterwards they are as before.
        """
        self.assertIn("6 passed", self.run_pytest(_SUITE))

    def test_workers(self) -> None:
        """Each process of pytest-xdist has a double of its own."""
        ran = self.run_pytest(_PARALLEL, "-p", "xdist", "-n", "2", pipes=2)
        self.assertIn("2 passed", ran)

    def test_cheap(self) -> None:
        """The plugin imports nothing in a run that needs no double."""
        self.assertIn("1 passed", self.run_pytest(_BARE))

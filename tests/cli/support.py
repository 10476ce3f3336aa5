"""
The command line against a cloud in memory, with no reactor.
"""

from __future__ import annotations

import glob
import inspect
import json
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from typing import Any, Callable
from uuid import UUID

import eliot
import yaml
from click.testing import CliRunner
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.app import App
from txstorage.cli.main import main
from txstorage.embedded.testing import in_memory_cloud

from ..helpers.loops import detach_below

CLUSTER = UUID("3f2b0f1e-58ab-4a1c-9a54-92dc8f5b1d3a")
GIB = 2**30

# Seconds of virtual time after which a command is taken to hang.
_PATIENCE = 300


def runner() -> CliRunner:
    """A runner that keeps standard output and standard error apart."""
    if "mix_stderr" in inspect.signature(CliRunner).parameters:
        return CliRunner(mix_stderr=False)
    return CliRunner()


def keep_destinations(case: SynchronousTestCase) -> None:
    """Remove the destinations of Eliot's log that a test adds, after the test."""
    # The first destination receives what was logged before.
    eliot.add_destinations(lambda message: None)
    kept = list(eliot.Logger._destinations._destinations)
    case.addCleanup(setattr, eliot.Logger._destinations, "_destinations", kept)


def processes_of(directory: str) -> list[int]:
    """The ids of the processes that have a directory in their arguments."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with suppress(OSError), open(path, "rb") as opened:
            if directory.encode() in opened.read():
                found.append(int(path.split("/")[2]))
    return found


def sweep(directory: str) -> None:
    """Remove all files, mounts and devices of a test, without the code under test."""
    for process in processes_of(directory):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    with open("/proc/self/mounts") as mounts:
        points = [line.split(" ")[1] for line in mounts if directory + "/" in line]
    for point in reversed(points):
        subprocess.run(["umount", "--lazy", point.replace("\\040", " ")], check=False)
    detach_below(directory)
    shutil.rmtree(directory, ignore_errors=True)


def failing(error: Exception) -> Callable[..., Deferred[Any]]:
    """Return a method whose Deferreds fail."""
    return lambda *args: fail(error)


class CommandTestCase(SynchronousTestCase):
    """
    Base: a cloud in memory, an ``agent.yml`` for its first node, and a way to
    run commands against them.
    """

    def setUp(self) -> None:
        self.start_cloud()

    def start_cloud(self, **settings: Any) -> None:
        """Start a cloud, and configure for it."""
        self.clock = Clock()
        self.cloud = in_memory_cloud(self.clock, **settings)
        self.addCleanup(self.cloud.close)
        self.agent = RequestTraversalAgent(self.cloud.resource)
        self.node, self.other_node = self.cloud.nodes["node-1"], self.cloud.nodes["node-2"]
        self.config = os.path.abspath(self.mktemp())
        self.write_config()

    def write_config(self, **changes: Any) -> None:
        """Write the ``agent.yml`` anew; ``None`` drops a key."""
        dataset = dict(
            self.cloud.credentials,
            backend="txstorage",
            cluster_id=str(CLUSTER),
            instance_id=self.node,
            device_directory=self.cloud.devices_directory,
        )
        dataset.update(changes)
        dataset = {name: value for name, value in dataset.items() if value is not None}
        with open(self.config, "w") as opened:
            yaml.safe_dump({"version": 1, "dataset": dataset}, opened)
        os.chmod(self.config, 0o600)

    def run_now(self, operation: Any) -> Any:
        """Run an operation in virtual time."""
        call = Deferred.fromCoroutine(operation(self.clock))
        outcome: list[Any] = []
        call.addBoth(outcome.append)
        until = self.clock.seconds() + _PATIENCE
        while not outcome and self.clock.seconds() < until:
            self.agent.flush()
            self.clock.advance(0.05)
        if not outcome:
            call.cancel()
            self.fail("The command hangs")
        if hasattr(outcome[0], "raiseException"):
            outcome[0].raiseException()
        return outcome[0]

    def app(self, environ: dict[str, str] | None = None) -> App:
        """The commands' context."""
        return App(
            environ=environ or {},
            run=self.run_now,
            agent=self.agent,
            search_path=(self.mktemp(),),
            state_dir=self.mktemp(),
        )

    def invoke(self, *args: str, environ: dict[str, str] | None = None, **options: Any) -> Any:
        """Run a command, with no configuration named."""
        return runner().invoke(main, list(args), obj=self.app(environ), **options)

    def txstorage(self, *args: str, **options: Any) -> Any:
        """Run a command with the ``agent.yml``."""
        return self.invoke("--config", self.config, *args, **options)

    def document(self, *args: str, exit_code: int = 0) -> Any:
        """The JSON document that a command prints."""
        result = self.txstorage("--json", *args)
        self.assertEqual((result.exit_code, result.stderr), (exit_code, ""), result.stdout)
        return json.loads(result.stdout)

    def create(self, *args: str) -> str:
        """Create a volume of 1 GiB, and return its id."""
        return self.document("volumes", "create", "1GiB", *args)["volume_id"]

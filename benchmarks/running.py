"""
The processes of a measurement: a fake cloud, and a client.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.run import ROOT

#: The cluster whose volumes the clients create.
CLUSTER = "3f2b0f1e-58ab-4a1c-9a54-92dc8f5b1d3a"
#: Clients by their names in tables: the module of each, and whether it needs the peers'
#: environment.
CLIENTS = {
    "txstorage": ("benchmarks.clients.driver", False),
    "openstacksdk": ("benchmarks.clients.sdk", True),
    "cinder+nova": ("benchmarks.clients.cinder_nova", True),
    "treq": ("benchmarks.clients.floor", False),
    "boto3": ("benchmarks.clients.flocker_aws", True),
}
PEERS = ("openstacksdk", "cinder+nova")
#: The counters of a cloud besides those of requests, as far as it has them.
_TRAFFIC = ("connections", "handshakes", "resumed", "peak", "sent")
#: Seconds until a client is given up.
_PATIENCE = 1800.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Figures = dict[str, Any]


class Failed(Exception):
    """A child process that ended without its figures."""


def environment(path: str = ROOT) -> dict[str, str]:
    """
    :param path: the checkout whose txstorage is used.
    :return: the environment of a child process.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OS_") and "proxy" not in name.lower()
    }
    return {**kept, "PYTHONPATH": os.pathsep.join([path, ROOT]), "PYTHONWARNINGS": "ignore"}


def _ask(url: str, method: str = "GET") -> Any:
    with _OPENER.open(urllib.request.Request(url, method=method)) as response:
        content = response.read()
    return json.loads(content) if content else None


class Cloud(Protocol):
    """
    A running cloud that counts its traffic.

    :ivar ready: the description for clients.
    """

    ready: dict[str, Any]

    def reset(self) -> None:
        """Begin to count anew."""

    def counters(self) -> Figures:
        """The traffic since the last reset."""


class FakeCloud:
    """
    A running fake cloud.

    :ivar ready: its addresses, and the ids of its servers.
    """

    def __init__(self, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.cloud", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
        )
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            self.stop()
            raise Failed("the fake cloud did not start")
        self.ready: dict[str, Any] = json.loads(line)

    def counters(self) -> Figures:
        """The traffic since the last reset."""
        counted: Figures = _ask(self.ready["control"] + "/counters")
        return counted

    def log(self) -> list[Any]:
        """The requests since the last reset."""
        logged: list[Any] = _ask(self.ready["control"] + "/log")
        return logged

    def reset(self) -> None:
        """Begin to count anew."""
        _ask(self.ready["control"] + "/reset", "POST")

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()


@contextmanager
def fake_cloud(**options: Any) -> Iterator[FakeCloud]:
    """
    Run a fake cloud.

    :param options: those of ``python -m benchmarks.cloud``.
    """
    arguments: list[str] = []
    for name, value in {"cluster": CLUSTER, **options}.items():
        if value is True:
            arguments.append("--" + name)
        elif value:
            arguments += ["--" + name, str(value)]
    cloud = FakeCloud(*arguments)
    try:
        yield cloud
    finally:
        cloud.stop()


def run_client(
    python: str, module: str, spec: dict[str, Any], cloud: Cloud, path: str = ROOT
) -> Figures:
    """
    Run a client on a cloud.

    :param python: the path of its interpreter.
    :param spec: the description of its work.
    :param path: the checkout whose txstorage is used.
    :return: the client's figures and the cloud's.
    :raises Failed: the client ended without figures.
    """
    described = {"cluster": CLUSTER, "job": "life_cycles", **cloud.ready, **spec}
    process = subprocess.Popen(
        [python, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=path,
        env=environment(path),
    )
    stdin: Any = process.stdin
    stdout: Any = process.stdout
    # An output that ends is a failure below.
    watchdog = threading.Timer(_PATIENCE, process.kill)
    watchdog.start()
    try:
        with process:
            # A client that ended at once is a failure below.
            with suppress(BrokenPipeError):
                stdin.write(json.dumps(described) + "\n")
                stdin.flush()
            if stdout.readline() != "ready\n":
                raise Failed(f"{module} did not begin: {spec}")
            cloud.reset()
            stdin.write("go\n")
            stdin.flush()
            line = stdout.readline()
            counted = cloud.counters()
            process.communicate()
    finally:
        watchdog.cancel()
    if not line:
        raise Failed(f"{module} did not end its work: {spec}")
    by_route = counted["requests"]
    return {
        **json.loads(line),
        **{name: counted[name] for name in _TRAFFIC if name in counted},
        "cloud_cpu": counted["cpu"],
        "requests": sum(by_route.values()),
        "by_route": by_route,
    }


def median_of(runs: list[Figures]) -> Figures:
    """
    The median of each figure; of figures that are not numbers, those of the run with the median
    wall time.
    """
    middle = sorted(runs, key=lambda run: run.get("wall", 0.0))[len(runs) // 2]
    found = dict(middle)
    for name, value in middle.items():
        if isinstance(value, (int, float)):
            found[name] = statistics.median(run[name] for run in runs)
    return found


@dataclass(frozen=True)
class Row:
    """
    One row of a table: the figures of a client in a case.

    :ivar question: the name of the question's module.
    :ivar case: the numbers that distinguish this case from the question's others.
    """

    question: str
    case: dict[str, Any]
    client: str
    figures: Figures = field(default_factory=dict)

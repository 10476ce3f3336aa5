"""
The embedded service as a process of a measurement.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import yaml

from tests.run import ROOT
from txstorage.cli.demo.clouds import CLOUDS, ec2_dataset

from .running import Failed, Figures, environment

_READY = "txstorage ready: "
#: Seconds until a service has written its figures.
_PATIENCE = 30.0
#: The node that the clients are on; nothing is attached to it.
_NODE = "client"


class Service:
    """
    A running embedded service, whose volumes are regular files.

    :param path: the checkout that it runs from.
    :param directory: an existing directory for its state and its figures.
    :param options: further options of ``txstorage serve``.
    :param module: runs the service, and reports its figures.
    :ivar state: the state directory.
    :ivar output: the lines that it has printed.
    """

    def __init__(
        self,
        path: str,
        directory: str,
        options: Sequence[str] = (),
        module: str = "benchmarks.clients.service",
    ) -> None:
        self._report = os.path.join(directory, "report")
        self.state = os.path.join(directory, "state")
        self.output = ""
        given = ["--state-dir", self.state, "--port", "0", "--devices", "file"]
        given += ["--max-volumes", "-1", *options]
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, self._report, *given],
            stdout=subprocess.PIPE,
            text=True,
            cwd=path,
            env=environment(path),
        )
        for line in self._process.stdout or ():
            self.output += line
            if line.startswith(_READY):
                self.auth_url = line[len(_READY) :].strip()
                break
        else:
            self.stop()
            raise Failed(f"the embedded service in {path} did not start")
        with open(os.path.join(self.state, "password"), encoding="utf-8") as opened:
            self.password = opened.read().strip()

    def reset(self) -> None:
        """Begin to measure anew."""
        self._figures(signal.SIGUSR1)

    def figures(self) -> Figures:
        """The CPU time, the longest stall and the memory since the last reset."""
        return self._figures(signal.SIGUSR2)

    def _figures(self, asked: signal.Signals) -> Figures:
        self._process.send_signal(asked)
        deadline = time.monotonic() + _PATIENCE
        while not os.path.exists(self._report):
            if time.monotonic() > deadline:
                raise Failed("the embedded service does not report its figures")
            time.sleep(0.01)
        with open(self._report, encoding="utf-8") as opened:
            found: Figures = json.load(opened)
        os.remove(self._report)
        return found

    def stop(self) -> None:
        """End the service."""
        self._process.terminate()
        self._process.communicate()


class EC2Service:
    """
    The EC2 face of a running embedded service, which counts requests and connections.

    :param service: runs ``benchmarks.clients.ec2_service``.
    :param servers: the names of the nodes to attach to.
    :ivar ready: the address, the keys, and the ids of the nodes.
    """

    def __init__(self, service: Service, servers: Sequence[str]) -> None:
        self._service = service
        datasets = {name: self._dataset(name) for name in (*servers, _NODE)}
        self.ready: dict[str, Any] = {
            "dataset": datasets[_NODE],
            "servers": [datasets[name]["instance_id"] for name in servers],
        }

    def _dataset(self, node: str) -> dict[str, Any]:
        path = os.path.join(self._service.state, f"agent-{node}.yml")
        with open(path, encoding="utf-8") as opened:
            dataset = yaml.safe_load(opened)["dataset"]
        found = ec2_dataset(dataset, self._service.output)
        return {name: found[name] for name in found if name not in ("backend", "cluster_id")}

    def reset(self) -> None:
        """Begin to count anew."""
        self._service.reset()

    def counters(self) -> Figures:
        """The traffic and the service's CPU time since the last reset."""
        return self._service.figures()


@contextmanager
def ec2_service(servers: int = 1, delay: float = 0.0) -> Iterator[EC2Service]:
    """
    Run an embedded service with an EC2 face.

    :param servers: the number of nodes to attach to.
    :param delay: seconds of each transition.
    """
    names = [f"server-{number}" for number in range(servers)]
    options = [*CLOUDS["ec2"].options, "--transition-delay", str(delay)]
    for name in (*names, _NODE):
        options += ["--node", name]
    with tempfile.TemporaryDirectory() as directory:
        service = Service(ROOT, directory, options, "benchmarks.clients.ec2_service")
        try:
            yield EC2Service(service, names)
        finally:
            service.stop()

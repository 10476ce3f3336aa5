"""
The life cycles per second of the embedded service, at 1 and at 100 clients, beside the service of
another commit.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.progress import say
from tests.run import ROOT

from .. import peers
from ..bench import Bench, Column, Table, Target
from ..running import Failed, Figures, Row, environment

TITLE = "The embedded service at C clients, its volumes regular files; p50 and p99 in seconds"
COLUMNS = [
    Column("rate", "life cycles/s", "{:.1f}"),
    Column("p50", "p50", "{:.3f}"),
    Column("p99", "p99", "{:.3f}"),
    Column("failed", "failed", "{:.0f}"),
    Column("connections", "connections", "{:.0f}"),
    Column("cpu", "service's CPU"),
    Column("stall", "longest stall", "{:.3f}"),
    Column("rss", "service's MiB", "{:.0f}"),
]
NAME = "embedded"
_READY = "txstorage ready: "
#: Seconds until a service has written its figures.
_PATIENCE = 30.0


@contextmanager
def checkout(commit: str) -> Iterator[str | None]:
    """
    Check a commit out into a directory, and remove it afterwards.

    :return: the directory; ``None`` if git does not have the commit.
    """
    path = os.path.join(peers.DIRECTORY, "commit-" + commit)
    git = ["git", "-C", ROOT, "worktree"]
    os.makedirs(peers.DIRECTORY, exist_ok=True)
    added = subprocess.run(
        [*git, "add", "--detach", "--force", path, commit],
        stderr=subprocess.PIPE,
        text=True,
        stdout=subprocess.DEVNULL,
    )
    if added.returncode:
        say(f"no checkout of {commit}: {added.stderr.strip().splitlines()[-1]}")
        yield None
        return
    try:
        yield path
    finally:
        subprocess.run([*git, "remove", "--force", path], check=True)


class Service:
    """
    A running embedded service.

    :param path: the checkout that it runs from.
    """

    def __init__(self, path: str, directory: str) -> None:
        self._report = os.path.join(directory, "report")
        state = os.path.join(directory, "state")
        options = ["--state-dir", state, "--port", "0", "--devices", "file", "--max-volumes", "-1"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.clients.service", self._report, *options],
            stdout=subprocess.PIPE,
            text=True,
            cwd=path,
            env=environment(path),
        )
        for line in self._process.stdout or ():
            if line.startswith(_READY):
                self.auth_url = line[len(_READY) :].strip()
                break
        else:
            self.stop()
            raise Failed(f"the embedded service in {path} did not start")
        with open(os.path.join(state, "password"), encoding="utf-8") as opened:
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


def measured(path: str, clients: int, seconds: float) -> Figures:
    """
    Measure a service that has no volumes yet.

    :param path: the checkout that it runs from.
    :param clients: the number of clients that carry out life cycles, one after the other each.
    """
    with tempfile.TemporaryDirectory() as directory:
        service = Service(path, directory)
        try:
            service.reset()
            spec = {
                "auth_url": service.auth_url,
                "password": service.password,
                "clients": clients,
                "seconds": seconds,
            }
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.clients.load"],
                input=json.dumps(spec).encode() + b"\n",
                stdout=subprocess.PIPE,
                cwd=ROOT,
                env=environment(),
            )
            if done.returncode:
                raise Failed("the clients of the embedded service failed")
            loaded: dict[str, Any] = json.loads(done.stdout)
            return {**service.figures(), **loaded}
        finally:
            service.stop()


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the measured rows."""
    seconds = 2.0 if bench.quick else 10.0
    with checkout(bench.options.beside) as other:
        for clients in (1, 10) if bench.quick else (1, 100):
            for name, path in (("txstorage", ROOT), (bench.options.beside, other)):
                if path is not None:
                    text = f"{NAME}, {clients} clients, {name}"
                    figures = bench.repeat(text, lambda p=path, c=clients: measured(p, c, seconds))
                    yield Row(NAME, {"C": clients}, name, figures)


def targets(table: Table) -> Iterator[Target]:
    """Yield the bounds."""
    others = [row.client for row in table.rows if row.client != "txstorage"]
    other = others[0] if others else "another commit"
    ratio = table.ratio(other, "txstorage", "rate", C=100)
    yield Target(f"life cycles/s at 100 clients, {other} to this", ratio, 0.5)
    ratio = table.ratio("txstorage", other, "p99", C=100)
    yield Target(f"p99 at 100 clients, to {other}", ratio, 0.5)
    yield Target(
        "longest stall of the service at 100 clients, seconds",
        table.get("txstorage", "stall", C=100),
        0.05,
    )

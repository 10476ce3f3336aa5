"""
The life cycles per second of the embedded service, at 1 and at 100 clients, beside the service of
another commit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.progress import say
from tests.run import ROOT

from .. import peers
from ..bench import Bench, Column, Table, Target
from ..running import Failed, Figures, Row, environment
from ..services import Service

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

"""
One life cycle in a cloud whose transitions take no time.

treq sends the same requests as txstorage, one after the other, and so is the limit.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from ..bench import Bench, Column, Table, Target
from ..running import CLIENTS, Figures, Row, fake_cloud, run_client

TITLE = "One life cycle at T=0; treq sends the requests that txstorage sent"
COLUMNS = [
    Column("requests", "requests", "{:.0f}"),
    Column("connections", "connections", "{:.0f}"),
    Column("wall", "seconds", "{:.4f}", "treq"),
    Column("cpu", "CPU seconds", "{:.4f}", "treq"),
]
NAME = "one_life_cycle"


def _replayed(log: list[Any]) -> Figures:
    with fake_cloud() as cloud:
        spec = {"job": "replay", "count": 1, "delay": 0.0, "log": log}
        return run_client(sys.executable, CLIENTS["treq"][0], spec, cloud)


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the measured rows."""
    logs: list[list[Any]] = []

    def recorded() -> Figures:
        with fake_cloud(log=True) as cloud:
            spec = {"count": 1, "delay": 0.0}
            figures = run_client(sys.executable, CLIENTS["txstorage"][0], spec, cloud)
            # The processes have ended, but the cloud has not.
            logs.append(cloud.log())
        return figures

    yield Row(NAME, {}, "txstorage", bench.repeat(f"{NAME}, txstorage", recorded))
    for client in bench.peers():
        yield bench.row(NAME, {}, client, {}, count=1)
    if logs:
        yield Row(NAME, {}, "treq", bench.repeat(f"{NAME}, treq", lambda: _replayed(logs[-1])))


def targets(table: Table) -> Iterator[Target]:
    """Yield the bounds."""
    ratio = table.ratio("txstorage", "openstacksdk", "wall")
    yield Target("seconds of one life cycle at T=0, to openstacksdk", ratio, 1.0)
    ratio = table.ratio("txstorage", "treq", "wall")
    yield Target("seconds of one life cycle at T=0, to treq", ratio, 1.5)

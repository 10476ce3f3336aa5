"""
Many creates at once, in a cloud that answers a limited number of requests per second.

The limit is the time in which the cloud answers one POST for each volume.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..bench import Bench, Column, Table, Target
from ..running import Row

TITLE = "N creates at once, in a cloud that answers R requests per second"
COLUMNS = [
    Column("ended", "well", "{:.0f}"),
    Column("failed", "failed", "{:.0f}"),
    Column("requests", "requests", "{:.0f}", "limit"),
    Column("wall", "seconds", base="limit"),
    Column("cpu", "CPU seconds", base="treq"),
    Column("peak", "connections at a time", "{:.0f}"),
]
NAME = "rate_limit"


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the measured rows."""
    count, rate = (50, 25) if bench.quick else (1000, 25)
    case = {"N": count, "R": rate}
    yield Row(NAME, case, "limit", {"requests": count, "wall": count / rate})
    for client in ("txstorage", "treq"):
        cloud = {"rate": rate, "delay": 0.2}
        yield bench.row(NAME, case, client, cloud, job="creates", count=count)


def targets(table: Table) -> Iterator[Target]:
    """Yield the bounds."""
    found = table.get("txstorage", "failed", N=1000)
    yield Target("failures of 1,000 creates at 25 requests/s", found, 0)

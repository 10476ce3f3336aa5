"""
One list of many volumes, all of the same cluster.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..bench import Bench, Column, Table, Target
from ..running import Row

TITLE = "One list of N volumes"
COLUMNS = [
    Column("failed", "failed", "{:.0f}"),
    Column("requests", "requests", "{:.0f}"),
    Column("wall", "seconds", "{:.3f}", "treq"),
    Column("cpu", "CPU seconds", "{:.3f}", "treq"),
    Column("stall", "longest stall", "{:.3f}"),
    Column("rss", "MiB", "{:.0f}"),
]
NAME = "lists"


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the measured rows."""
    count = 1000 if bench.quick else 10000
    for client in ("txstorage", *bench.peers(), "treq"):
        cloud = {"owned": count}
        yield bench.row(NAME, {"N": count}, client, cloud, job="list", count=count)


def targets(table: Table) -> Iterator[Target]:
    """Yield the bounds."""
    ratio = table.ratio("txstorage", "cinder+nova", "wall", N=10000)
    yield Target("seconds of a list of 10,000, to cinderclient", ratio, 1.3)
    yield Target(
        "longest stall of a list of 10,000, seconds", table.get("txstorage", "stall", N=10000), 0.05
    )

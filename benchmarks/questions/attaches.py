"""
Attaches of M volumes to S servers, each of which carries out one attach at a time, as in Nova.

In the last case the cluster has 10,000 further volumes.  The limit is the time in which the server
with the most volumes carries out its attaches.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..bench import Bench, Column, Table, Target
from ..running import Row

TITLE = "Attaches of M volumes to S servers, beside V further volumes; T: seconds of a transition"
COLUMNS = [
    Column("failed", "failed", "{:.0f}"),
    Column("requests", "requests", "{:.0f}", "limit"),
    Column("wall", "seconds", base="limit"),
    Column("cpu", "CPU seconds", base="treq"),
    Column("stall", "longest stall", "{:.3f}"),
]
NAME = "attaches"
#: The numbers of volumes, servers and further volumes, and the seconds of a transition.
CASES = (
    *(
        (count, servers, 0, delay)
        for delay in (0.2, 2.0)
        for count, servers in ((1, 1), (10, 1), (100, 10))
    ),
    (12, 12, 10000, 0.2),
)


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the measured rows."""
    for count, servers, others, delay in CASES:
        if bench.quick and (delay > 1 or count > 12):
            continue
        clients = ["txstorage", "treq"]
        if delay < 1 and not others:
            clients[1:1] = bench.peers()
        case = {"M": count, "S": servers, "V": others, "T": delay}
        # One POST for each volume, and one look.
        limit = {"requests": count + 1, "wall": -(-count // servers) * delay}
        yield Row(NAME, case, "limit", limit)
        cloud = {"servers": servers, "serial": True, "delay": delay, "owned": others}
        for client in clients:
            yield bench.row(NAME, case, client, cloud, job="attaches", count=count)


def targets(table: Table) -> Iterator[Target]:
    """Yield the bounds."""
    for delay, bound in ((2.0, 1.15), (0.2, 1.3)):
        for count in (1, 10, 100):
            ratio = table.ratio("txstorage", "limit", "wall", M=count, T=delay)
            yield Target(f"seconds of {count} attaches at T={delay:g}, to the limit", ratio, bound)

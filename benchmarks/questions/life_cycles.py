"""
The requests, the CPU time and the duration of many whole life cycles at once.

The cloud takes two seconds for each transition, or 0.2; each volume is attached to a server of its
own.  The limit is the cloud's own: four transitions, and the fewest requests.  The client may have
1,024 open files.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..bench import Bench, Column, Table, Target, fewest_requests
from ..running import Row

TITLE = "Whole life cycles of N volumes at once; T: seconds of a transition"
COLUMNS = [
    Column("ended", "well", "{:.0f}"),
    Column("failed", "failed", "{:.0f}"),
    Column("requests", "requests", "{:.0f}", "limit"),
    Column("connections", "connections", "{:.0f}"),
    Column("wall", "seconds", base="limit"),
    Column("cpu", "CPU seconds", base="treq"),
    Column("stall", "longest stall", "{:.3f}"),
    Column("rss", "MiB", "{:.0f}"),
    Column("cloud_cpu", "cloud's CPU"),
]
NAME = "life_cycles"
#: Volumes by transition time; the peers take minutes for more than the first three.
COUNTS = {2.0: (1, 10, 100, 1000, 5000), 0.2: (1, 10, 100)}
_PEERS_UP_TO = 100


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the measured rows."""
    counts = {0.2: (1, 10, 30)} if bench.quick else COUNTS
    for delay, numbers in counts.items():
        for count in numbers:
            clients = ["txstorage", "treq"]
            if delay == max(counts) and count <= (10 if bench.quick else _PEERS_UP_TO):
                clients[1:1] = bench.peers()
            case = {"N": count, "T": delay}
            cloud = {"delay": delay, "servers": count, "serial": True}
            limit = {"requests": fewest_requests(count), "wall": 4 * delay}
            yield Row(NAME, case, "limit", limit)
            for client in clients:
                yield bench.row(NAME, case, client, cloud, count=count, files=1024)


def targets(table: Table) -> Iterator[Target]:
    """Yield the bounds."""
    for count, bound in ((100, 1.4), (1000, 1.3)):
        ratio = table.ratio("txstorage", "limit", "requests", N=count, T=2.0)
        yield Target(f"requests of {count} life cycles, to the limit", ratio, bound)
    for delay, bound in ((2.0, 1.15), (0.2, 1.3)):
        for count in (1, 10, 100):
            ratio = table.ratio("txstorage", "limit", "wall", N=count, T=delay)
            yield Target(
                f"seconds of {count} life cycles at T={delay:g}, to the limit", ratio, bound
            )
    for peer, bound in (("openstacksdk", 1 / 5), ("cinder+nova", 1 / 3)):
        ratio = table.ratio("txstorage", peer, "cpu", N=100, T=2.0)
        yield Target(f"CPU of 100 life cycles, to {peer}", ratio, bound)
    for figure, text, bound in (
        ("failed", "failures", 0),
        ("rss", "MiB", 200),
        ("stall", "longest stall, seconds,", 0.25),
    ):
        found = table.get("txstorage", figure, N=5000, T=2.0)
        yield Target(f"{text} of 5,000 life cycles", found, bound)
    many, few = (table.get("txstorage", "cpu", N=count, T=2.0) for count in (5000, 100))
    ratio = many / 5000 / (few / 100) if many and few else None
    yield Target("CPU of a volume among 5,000, to one among 100", ratio, 1.3)

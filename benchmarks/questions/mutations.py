"""
The CPU time of a POST, with and without TLS, and the handshakes of life cycles.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..bench import Bench, Column, Table, Target
from ..running import Row

TITLE = "N POST requests, ten at a time; and N whole life cycles over TLS"
COLUMNS = [
    Column("failed", "failed", "{:.0f}"),
    Column("requests", "requests", "{:.0f}"),
    Column("connections", "connections", "{:.0f}"),
    Column("handshakes", "handshakes", "{:.0f}"),
    Column("cpu", "CPU seconds", base="treq"),
]
NAME = "mutations"


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the measured rows."""
    count = 50 if bench.quick else 1000
    for tls in (False, True):
        case = {"work": "POST", "N": count, "TLS": "yes" if tls else "no"}
        for client in ("txstorage", "treq"):
            yield bench.row(NAME, case, client, {"tls": tls}, job="posts", count=count, at_once=10)
    count = 10 if bench.quick else 100
    case = {"work": "life cycle", "N": count, "TLS": "yes"}
    for client in ("txstorage", *bench.peers(), "treq"):
        cloud = {"tls": True, "servers": count, "serial": True, "delay": 0.2}
        yield bench.row(NAME, case, client, cloud, count=count)


def targets(table: Table) -> Iterator[Target]:
    """Yield the bounds."""
    for tls in ("no", "yes"):
        ratio = table.ratio("txstorage", "treq", "cpu", work="POST", TLS=tls)
        yield Target(f"CPU of a POST, TLS {tls}, to treq", ratio, 1.5)
    ratio = table.ratio("txstorage", "openstacksdk", "handshakes", work="life cycle")
    yield Target("handshakes of life cycles over TLS, to openstacksdk", ratio, 2.0)

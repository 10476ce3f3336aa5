"""
The requests of whole life cycles on EC2, of which an account may send a few per second.

The EC2 face of an embedded service takes two seconds for each status of a volume: a creation, a
reservation, an attach, a detach and a deletion.  boto3 sends the requests of Flocker's own ``aws``
backend.  The requests of aws-ebs-csi-driver are not measured but derived from its source, so that
it has no other figures.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..bench import Bench, Column, Table, Target, fewest_requests
from ..running import Row
from ..services import ec2_service

TITLE = "Whole life cycles of N volumes at once on S instances of EC2; T: seconds of a status"
COLUMNS = [
    Column("ended", "well", "{:.0f}"),
    Column("failed", "failed", "{:.0f}"),
    Column("requests", "requests", "{:.0f}", "limit"),
    Column("changes", "changes", "{:.0f}"),
    Column("DescribeVolumes", "DescribeVolumes", "{:.0f}"),
    Column("DescribeInstances", "DescribeInstances", "{:.0f}"),
    Column("connections", "connections", "{:.0f}"),
    Column("wall", "seconds", base="limit"),
    Column("cpu", "CPU seconds"),
]
NAME = "ec2"
PEER = "boto3"
DERIVED = "ebs-csi, derived"
#: The numbers of volumes and of instances.
CASES = ((1, 1), (10, 10), (100, 10), (100, 100))
#: Seconds of each status, and the number of statuses of a life cycle.
DELAY, STATUSES = 2.0, 5
#: The requests of the peer are those of its threads, whatever the instances are.
_PEER_CASES = CASES[:3]

# Of aws-ebs-csi-driver's pkg/cloud/cloud.go: the seconds that a batch waits for more ids, the most
# ids of a batch, and the seconds before the first look, between the next two, and their growth.
_WINDOW, _VOLUMES, _INSTANCES = 0.5, 500, 50
_CREATION, _ATTACHMENT = (1.25, 0.5, 1.5), (0.0, 1.0, 1.8)


def looks(seconds: float, first: float, interval: float, factor: float) -> int:
    """
    Count the looks of aws-ebs-csi-driver until one sees the end of a transition.

    :param seconds: of the transition.
    :param first: seconds before the first look.
    :param interval: seconds between the first two looks.
    :param factor: the ratio of each interval to the one before.
    """
    now, number = first + _WINDOW, 1
    while now < seconds:
        now, interval, number = now + interval + _WINDOW, interval * factor, number + 1
    return number


def derived(volumes: int, instances: int, delay: float = DELAY) -> dict[str, int]:
    """
    The requests that aws-ebs-csi-driver needs at least: those of life cycles whose looks all fall
    into the same batches.  It does not wait for the end of a deletion.
    """
    batches = -(-volumes // _VOLUMES)
    # A creation and a detach have one status, an attach has two.
    number = looks(delay, *_CREATION) + looks(2 * delay, *_ATTACHMENT) + looks(delay, *_ATTACHMENT)
    found = {
        "changes": 4 * volumes,
        "DescribeVolumes": batches * number,
        # One for the attaches, and one for the detaches.
        "DescribeInstances": 2 * -(-instances // _INSTANCES),
    }
    return {**found, "requests": sum(found.values())}


def by_kind(row: Row) -> Row:
    """Add the requests of each kind to a measured row."""
    routes: dict[str, int] = row.figures.get("by_route", {})
    changes = sum(number for name, number in routes.items() if not name.startswith("Describe"))
    reads = {name: routes.get(name, 0) for name in ("DescribeVolumes", "DescribeInstances")}
    found = {"changes": changes, **reads} if routes else {}
    return Row(row.question, row.case, row.client, {**row.figures, **found})


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the measured rows, and the derived ones."""
    for count, servers in CASES[:2] if bench.quick else CASES:
        case = {"N": count, "S": servers, "T": DELAY}
        limit = {"requests": fewest_requests(count), "wall": STATUSES * DELAY}
        yield Row(NAME, case, "limit", limit)
        peers = bench.peers((PEER,)) if (count, servers) in _PEER_CASES else ()
        for client in ("txstorage", *peers):
            cloud = {"delay": DELAY, "servers": servers}
            yield by_kind(
                bench.row(NAME, case, client, cloud, ec2_service, count=count, files=1024)
            )
        yield Row(NAME, case, DERIVED, derived(count, servers))


def targets(table: Table) -> Iterator[Target]:
    """Yield the bounds."""
    for servers in (10, 100):
        ratio = table.ratio("txstorage", "limit", "requests", N=100, S=servers)
        text = f"requests of 100 life cycles on {servers} instances of EC2, to the limit"
        yield Target(text, ratio, 2.0)
    ratio = table.ratio("txstorage", PEER, "requests", N=100, S=10)
    yield Target(f"requests of 100 life cycles on EC2, to {PEER}", ratio, 0.6)


__all__ = ["COLUMNS", "NAME", "TITLE", "by_kind", "derived", "looks", "rows", "targets"]

"""
Run random schedules, kills, shortages and a soak, and print the figures: ``make test-faults``.

    python -m tests.faults.run --schedules 1000 --seed 0
    python -m tests.faults.run --parts schedules --minutes 60
    python -m tests.faults.run --parts schedules --schedules 1 --seed 4711

Each violation names its seed, which repeats the schedule.  With ``TXSTORAGE_RECORD=1`` the figures
are recorded in ``docs/reliability.txt``.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred, DeferredList, ensureDeferred

from tests.helpers.child import EmbeddedService
from tests.run import ROOT, concluded
from txstorage._http import client
from txstorage.testing import FAULTS

from .schedule import schedule_from
from .schedules import Leaks, perform
from .world import Tally

RECORD = os.path.join(ROOT, "docs", "reliability.txt")
PARTS = ("schedules", "kills", "limits", "soak")
#: Schedules between two counts of descriptors and delayed calls.
BATCH = 50


def default_kinds() -> tuple[str, ...]:
    """:return: the names of the kinds of fault that schedules choose from."""
    return tuple(name for name, kind in FAULTS.items() if not kind.step)


async def run_schedules(options: argparse.Namespace, tally: Tally) -> None:
    """Run schedules side by side, on one service."""
    kinds = tuple(options.kinds.split(",")) if options.kinds else default_kinds()
    service = EmbeddedService("--max-volumes", "-1", "--page-size", "2")
    service.start()
    try:
        # The first schedule opens what stays open, such as the reactor's threads.
        await perform(service, schedule_from(0, ()), Tally())
        leaks = Leaks(service.state)
        deadline = time.monotonic() + options.minutes * 60 if options.minutes else None
        number = None if deadline else options.schedules
        for batch in _batches(options.seed, number):
            seeds = iter(batch)
            workers = [_worker(service, seeds, kinds, tally) for _ in range(options.at_once)]
            await _together(workers)
            await leaks.judge(tally, f"seeds {batch[0]} to {batch[-1]}")
            _progress(tally)
            if deadline and time.monotonic() > deadline:
                break
    finally:
        service.remove()


def _batches(seed: int, number: int | None) -> Iterator[list[int]]:
    """Yield lists of seeds; without an end if there is no number."""
    seeds: Iterator[int] = itertools.count(seed)
    if number is not None:
        seeds = itertools.islice(seeds, number)
    while batch := list(itertools.islice(seeds, BATCH)):
        yield batch


async def _worker(service: Any, seeds: Iterator[int], kinds: Any, tally: Tally) -> None:
    for seed in seeds:
        await perform(service, schedule_from(seed, kinds), tally)


async def _together(workers: list[Any]) -> None:
    """Wait for all; the first failure fails."""
    results = await DeferredList([ensureDeferred(each) for each in workers], consumeErrors=True)
    for success, result in results:
        if not success:
            result.raiseException()


def _print_violation(text: str) -> None:
    print("VIOLATION " + text, flush=True)


def _progress(tally: Tally) -> None:
    print(
        f"--- {tally.schedules} schedules, {sum(tally.operations.values())} operations, "
        f"{tally.requests} requests, {sum(tally.faults.values())} faults, "
        f"{len(tally.violations)} violations",
        flush=True,
    )


def _figures(title: str, tally: Tally, seconds: float) -> list[str]:
    """:return: the lines about a part's schedules."""
    lines = [f"{title}: {tally.schedules} schedules in {seconds / 60:.1f} minutes"]
    operations = ", ".join(f"{number} {name}" for name, number in tally.operations.most_common())
    outcomes = ", ".join(f"{number} {name}" for name, number in tally.outcomes.most_common())
    lines.append(f"  {sum(tally.operations.values())} operations: {operations}")
    lines.append(f"  outcomes: {outcomes}")
    lines.append(f"  {tally.requests} requests, {tally.paths} device paths judged")
    if tally.faults:
        faults = ", ".join(f"{number} {name}" for name, number in sorted(tally.faults.items()))
        lines.append(f"  {sum(tally.faults.values())} faults: {faults}")
        lines.append(f"  {tally.duplicates} unused second volumes")
    lines.append(f"  {len(tally.violations)} violations")
    return lines


async def run_parts(reactor: Any, options: argparse.Namespace) -> dict[str, int]:
    """Run the chosen parts, print, and perhaps record, the figures."""
    from . import kills, limits, soak

    parts: dict[str, Callable[[argparse.Namespace, Tally], Any]] = {
        "schedules": run_schedules,
        "kills": kills.run_kills,
        "limits": limits.run_limits,
        "soak": soak.run_soak,
    }
    client._FIRST_DELAY = 0.02
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for part in options.parts.split(","):
        tally, begun = Tally(report=_print_violation), time.monotonic()
        more = await parts[part](options, tally)
        seconds = time.monotonic() - begun
        found = _figures(part, tally, seconds) if tally.schedules else []
        found += more or []
        print("\n".join(found), flush=True)
        counts["passed" if not tally.violations else "failed"] += 1
        if os.environ.get("TXSTORAGE_RECORD"):
            record(part, [_headline(options), *found])
    return counts


def record(part: str, lines: list[str]) -> None:
    """Replace the figures of one part in the record."""
    sections: dict[str, str] = {}
    if os.path.exists(RECORD):
        with open(RECORD) as opened:
            for section in opened.read().strip().split("\n\n"):
                sections[section.splitlines()[1].split(":")[0]] = section
    sections[part] = "\n".join(lines)
    with open(RECORD, "w") as opened:
        opened.write("\n\n".join(sections[name] for name in PARTS if name in sections) + "\n")


def _headline(options: argparse.Namespace) -> str:
    described = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    return (
        f"{date.today()}: txstorage at {described}, Python {platform.python_version()}, "
        f"Linux {platform.release()}, {os.cpu_count()} cores, seed {options.seed}"
    )


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """:return: the options of a command line; by default of this program's."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--schedules", type=int, default=1000, help="their number")
    parser.add_argument("--minutes", type=float, help="of schedules, instead of a number")
    parser.add_argument("--seed", type=int, default=0, help="of the first schedule")
    parser.add_argument("--kinds", help="of fault, with commas; all by default")
    parser.add_argument("--at-once", type=int, default=8, help="schedules at the same time")
    parser.add_argument("--kills", type=int, default=300, help="of the service")
    parser.add_argument("--client-kills", type=int, default=60)
    parser.add_argument("--shortages", type=int, default=10, help="schedules under each shortage")
    parser.add_argument("--devices", type=int, default=300)
    parser.add_argument("--cycles", type=int, default=10000, help="of the soak")
    return parser.parse_args(arguments)


def main() -> int:
    """Run from the command line."""
    options = parsed()
    if os.getuid() != 0:
        print("loop devices need root", flush=True)
        return concluded({"passed": 0, "failed": 0, "skipped": 1})
    counts: list[dict[str, int]] = []

    def run(reactor: Any) -> Deferred[Any]:
        return ensureDeferred(run_parts(reactor, options)).addCallback(counts.append)

    try:
        task.react(run)
    except SystemExit as end:
        if end.code or not counts:
            return 1
    return concluded(counts[0])


if __name__ == "__main__":
    sys.exit(main())

"""
Ten thousand life cycles in one process: the driver and the embedded service in memory, with regular
files as devices, on a clock that is advanced.  (With loop devices the cycles would take hours.)
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
from typing import Any
from uuid import uuid4

from treq.testing import RequestTraversalAgent
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from tests.run import ROOT
from txstorage._assembly import block_device_driver
from txstorage.embedded.testing import in_memory_cloud

from .world import Tally

GIB = 2**30
#: Bytes by which the memory may grow between the first tenth of the cycles and the last.
GROWTH = 8 * 2**20


def resident() -> int:
    """:return: the process's resident memory, in bytes."""
    gc.collect()
    with open("/proc/self/statm") as opened:
        return int(opened.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Soak:
    """A driver and a service in memory."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.cloud = in_memory_cloud(self.clock, transition_delay=0.1)
        self.wire = RequestTraversalAgent(self.cloud.resource)
        self.driver = block_device_driver(
            self.clock,
            uuid4(),
            agent=self.wire,
            instance_id=self.cloud.nodes["node-1"],
            device_directory=self.cloud.devices_directory,
            **self.cloud.credentials,
        )

    def settle(self, d: Any) -> Any:
        """:return: the result of a Deferred, after as much time as it takes."""
        results: list[Any] = []
        d.addBoth(results.append)
        for _ in range(2000):
            if results:
                break
            self.clock.advance(0.1)
            self.wire.flush()
        [result] = results
        if hasattr(result, "raiseException"):
            result.raiseException()
        return result

    def cycle(self) -> None:
        """Create, attach, find, detach and destroy one volume."""
        driver, settle = self.driver, self.settle
        volume = settle(driver.create_volume(uuid4(), GIB))
        node = settle(driver.compute_instance_id())
        settle(driver.attach_volume(volume.blockdevice_id, node))
        path = settle(driver.get_device_path(volume.blockdevice_id))
        assert path.getsize() == GIB
        settle(driver.detach_volume(volume.blockdevice_id))
        settle(driver.destroy_volume(volume.blockdevice_id))
        # The reactor of treq's test agent remembers every connection.
        for kept in (self.wire._memoryReactor.tcpClients, self.wire._memoryReactor.connectors):
            del kept[:]


def main(cycles: int) -> None:
    """Print the memory after each tenth of the cycles, in bytes."""
    soak = Soak()
    for number in range(1, cycles + 1):
        soak.cycle()
        if number % max(1, cycles // 10) == 0:
            print(
                number,
                resident(),
                len(os.listdir("/proc/self/fd")),
                len(soak.clock.getDelayedCalls()),
                flush=True,
            )
    soak.cloud.close()


async def run_soak(options: argparse.Namespace, tally: Tally) -> list[str]:
    """
    Run the cycles in a process of their own.

    :return: the lines of figures.
    """
    output = await deferToThread(
        subprocess.check_output,
        [sys.executable, "-W", "ignore", "-m", "tests.faults.soak", str(options.cycles)],
        cwd=ROOT,
        text=True,
    )
    rows = [tuple(map(int, line.split())) for line in output.splitlines()]
    (first, memory, descriptors, calls), *_, last = rows
    grown = last[1] - memory
    if grown > GROWTH:
        tally.violate(f"soak: the memory grew by {grown} bytes")
    if last[2] > descriptors or last[3] > calls:
        tally.violate(f"soak: leak: {rows[0]} became {last}")
    return [
        f"soak: {last[0]} life cycles in one process, in memory with regular files as devices",
        f"  memory after {first}: {memory / 2**20:.1f} MiB",
        f"  memory after {last[0]}: {last[1] / 2**20:.1f} MiB",
        f"  descriptors {descriptors}, then {last[2]}; delayed calls {calls}, then {last[3]}",
        f"  {len(tally.violations)} violations",
    ]


if __name__ == "__main__":
    main(int(sys.argv[1]))

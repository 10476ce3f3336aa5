"""
A client that runs random operations until it is killed.  It prints a line for each operation that
has ended: its name, and ``success`` or the name of the error.
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any
from uuid import UUID

from twisted.internet import task
from twisted.internet.defer import Deferred, DeferredList, ensureDeferred

from txstorage import block_device_driver

GIB = 2**30
#: Sequences of operations at the same time.
AT_ONCE = 4


async def live(api: Any, dataset_id: UUID, source: random.Random) -> None:
    """Create, attach, detach and destroy a dataset's volume, without end."""
    node = await api.compute_instance_id()
    while True:
        volume_id = ""
        for name, call in [
            ("create", lambda: api.create_volume(dataset_id, GIB)),
            ("attach", lambda: api.attach_volume(volume_id, node)),
            ("path", lambda: api.get_device_path(volume_id)),
            ("detach", lambda: api.detach_volume(volume_id)),
            ("destroy", lambda: api.destroy_volume(volume_id)),
        ]:
            if name == "destroy" and source.randint(0, 2):
                continue
            try:
                result = await call()
            except Exception as error:
                print(name, type(error).__name__, flush=True)
                break
            print(name, "success", flush=True)
            if name == "create":
                volume_id = result.blockdevice_id


def main(reactor: Any) -> Deferred[Any]:
    """Run the plan of the command line."""
    plan = json.loads(sys.argv[1])
    source = random.Random(plan["seed"])
    configuration = plan["configuration"]
    configuration.pop("cluster_id")
    drivers = [
        block_device_driver(reactor, UUID(cluster), **configuration) for cluster in plan["clusters"]
    ]
    chosen = source.sample(plan["datasets"], AT_ONCE)
    print("ready", flush=True)
    return DeferredList(
        [ensureDeferred(live(drivers[c], UUID(d), source)) for c, d in chosen],
        fireOnOneErrback=True,
    )


if __name__ == "__main__":
    task.react(main)

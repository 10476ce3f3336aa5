"""
The cost of waiting: HTTP requests for the life cycles of many volumes at once, with the shared poll
and, side by side in the same run, with one GET for each volume.

    python benchmarks/polling.py [volumes [seconds]]

Starts its own embedded service in a temporary directory; its transitions take the given seconds, by
default one.  Prints the requests and the seconds of both, and their ratio; and the number of
requests for Compute's own list of attachments.
"""

from __future__ import absolute_import, division, print_function

import os
import sys
from uuid import uuid4

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from twisted.internet.defer import gatherResults, inlineCallbacks  # noqa: E402
from twisted.internet.task import react  # noqa: E402

from tests.helpers.child import EmbeddedService  # noqa: E402
from tests.progress import step  # noqa: E402
from txstorage._assembly import block_device_driver  # noqa: E402
from txstorage._http.connections import agent_for  # noqa: E402
from txstorage.testing import FaultyAgent  # noqa: E402

GIB = 2**30


@inlineCallbacks
def life_cycles(driver, count):
    node = yield driver.compute_instance_id()
    volumes = yield gatherResults([driver.create_volume(uuid4(), GIB) for _ in range(count)])
    yield gatherResults([driver.attach_volume(v.blockdevice_id, node) for v in volumes])
    yield gatherResults([driver.detach_volume(v.blockdevice_id) for v in volumes])
    yield gatherResults([driver.destroy_volume(v.blockdevice_id) for v in volumes])


@inlineCallbacks
def measured(reactor, service, count, transition, list_cost):
    real = agent_for(reactor)
    # it counts the requests; none is lost
    agent = FaultyAgent(reactor, real)
    configuration = dict(service.configuration(), poll_interval=2 * transition, timeout=110)
    del configuration["cluster_id"]
    driver = block_device_driver(reactor, uuid4(), agent=agent, **configuration)
    if list_cost is not None:
        # a list that seems to cost more than any number of GETs is never used
        driver._watcher._list_cost = list_cost
    name = "one GET each" if list_cost else "shared poll"
    began = reactor.seconds()
    with step("life cycles of {} volumes, {}".format(count, name)):
        yield life_cycles(driver, count)
    seconds = reactor.seconds() - began
    yield real.close()
    gets = [url for method, url in agent.requests if method == "GET"]
    polls = len(gets)
    print(
        "{:<14} {:>5} requests, {:>5} of them GET, {:>4} to Compute's list, {:>6.1f} s".format(
            name + ":",
            len(agent.requests),
            polls,
            sum("os-volume_attachments" in url for url in gets),
            seconds,
        )
    )
    return polls  # noqa: B901


@inlineCallbacks
def main(reactor, count="20", seconds="1"):
    service = EmbeddedService("--transition-delay", seconds)
    with step("starting the embedded service"):
        service.start()
    try:
        shared = yield measured(reactor, service, int(count), float(seconds), None)
        single = yield measured(reactor, service, int(count), float(seconds), 10**9)
        print("GETs with a shared poll: {:.2f} of those without".format(shared / single))
    finally:
        service.remove()


if __name__ == "__main__":
    react(main, sys.argv[1:])

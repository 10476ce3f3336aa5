"""
The time for which Flocker's dataset agent blocks its reactor: with its own deployer and with
``txstorage-dataset-agent``'s, side by side, on the embedded service.

Run it with a Python 2.7 that has Flocker and txstorage (see docs/flocker.rst)::

    TXSTORAGE_PYTHON3=.venv/bin/python PYTHONPATH=. $FLOCKER_PYTHON benchmarks/agent.py
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from flocker.control import DeploymentState, PersistentState
from flocker.node import in_parallel, run_state_change
from flocker.node.agents.blockdevice import (
    BlockDeviceDeployer,
    CreateBlockDeviceDataset,
    ProcessLifetimeCache,
)
from twisted.internet.defer import gatherResults, inlineCallbacks, returnValue
from twisted.internet.task import LoopingCall, react

from tests.flocker.support import GIB, made_by_flocker
from tests.helpers.child import EmbeddedService
from txstorage.flocker.dataset_agent import CreateVolume, make_deployer

VOLUMES = 8
#: Seconds a volume stays in each transient status.
TRANSITION = 0.5
TICK = 0.005


class Cleanups(list):
    """As much of a test case as the tests' helpers need."""

    def addCleanup(self, function, *args):
        self.append((function, args))

    def run(self):
        while self:
            function, args = self.pop()
            function(*args)


@inlineCallbacks
def stalled(reactor, function):
    """Fires with what a function takes, and the reactor's longest wait meanwhile, seconds."""
    ticks = [reactor.seconds()]
    clock = LoopingCall(lambda: ticks.append(reactor.seconds()))
    clock.start(TICK)
    begun = reactor.seconds()
    yield function()
    took = reactor.seconds() - begun
    ticks.append(reactor.seconds())
    clock.stop()
    returnValue((took, max(after - before for before, after in zip(ticks, ticks[1:]))))


@inlineCallbacks
def measured(reactor, name, make, change):
    """Create datasets at once, attach them, and look."""
    cleanups = Cleanups()
    service = EmbeddedService("--transition-delay", str(TRANSITION))
    service.start()
    api = made_by_flocker(cleanups, uuid4(), service)
    deployer = make(reactor, api)
    changes = [
        change(dataset_id=uuid4(), maximum_size=GIB, metadata={}) for _ in range(VOLUMES)
    ]
    created = yield stalled(
        reactor, lambda: run_state_change(in_parallel(changes=changes), deployer, None)
    )
    driver = deployer.async_block_device_api
    here = yield driver.compute_instance_id()
    volumes = yield driver.list_volumes()
    attached = yield stalled(
        reactor,
        lambda: gatherResults([driver.attach_volume(v.blockdevice_id, here) for v in volumes]),
    )
    looked = yield stalled(
        reactor, lambda: deployer.discover_state(DeploymentState(), PersistentState())
    )
    for what, (took, stall) in [("create", created), ("attach", attached), ("look", looked)]:
        print("{:12} {:8} {} volumes: {:6.2f} s, reactor kept waiting for up to {:6.3f} s".format(
            name, what, VOLUMES, took, stall))
    yield gatherResults([driver.detach_volume(v.blockdevice_id) for v in volumes])
    cleanups.run()
    service.remove()


def stock(reactor, api):
    cached = ProcessLifetimeCache(api)
    return BlockDeviceDeployer(
        hostname=u"192.0.2.1",
        node_uuid=uuid4(),
        block_device_api=cached,
        _underlying_blockdevice_api=api,
    )


def asynchronous(reactor, api):
    return make_deployer(reactor, api=api, hostname=u"192.0.2.1", node_uuid=uuid4())


@inlineCallbacks
def main(reactor):
    yield measured(reactor, "stock", stock, CreateBlockDeviceDataset)
    yield measured(reactor, "txstorage", asynchronous, CreateVolume)


react(main)

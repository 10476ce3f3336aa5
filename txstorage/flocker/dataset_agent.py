# -*- test-case-name: tests.flocker.check_agent -*-
"""
``txstorage-dataset-agent``: Flocker's dataset agent on the asynchronous driver.

It is Flocker's own agent, with its options, configuration and messages, but

- discovery and the creation of volumes do not block the reactor's thread,
- attaching, detaching and destroying do not share ten threads,
- no device path or instance id is believed because it was right once.

This is the only module besides :mod:`txstorage.interfaces` that imports Flocker.
"""

from __future__ import absolute_import, division, print_function

import signal
import sys
from functools import partial

from flocker.common.script import FlockerScriptRunner, disable_profiling, enable_profiling
from flocker.node.agents.blockdevice import (
    DATASET_TRANSITIONS,
    PROFILE_METADATA_KEY,
    BlockDeviceCalculator,
    BlockDeviceDeployer,
    CreateBlockDeviceDataset,
    IDatasetStateChangeFactory,
    TransitionTable,
)
from flocker.node.backends import DeployerType
from flocker.node.script import (
    AgentScript,
    AgentService,
    DatasetAgentOptions,
    get_configuration,
)
from pyrsistent import field, thaw
from twisted.internet.threads import deferToThreadPool
from twisted.python.usage import UsageError
from zope.interface import provider

from .._support.eliot_context import in_current_context
from .blocking import BlockingDriver
from .discovery import Discovery


@provider(IDatasetStateChangeFactory)
class CreateVolume(CreateBlockDeviceDataset):
    """
    Create a dataset's volume without blocking.  Unlike Flocker's own, it need
    not look for an existing volume first: the driver does, and makes no second one.
    """

    def run(self, deployer, state_persister):
        """:return: a ``Deferred`` that fires with the ``BlockDeviceVolume``."""
        driver = deployer.async_block_device_api
        profile = self.metadata.get(PROFILE_METADATA_KEY)
        if profile is None:
            return driver.create_volume(self.dataset_id, self.maximum_size)
        return driver.create_volume_with_profile(self.dataset_id, self.maximum_size, profile)


def _asynchronous(transitions):
    """Flocker's table of what to do, with our creation instead of its own."""
    return TransitionTable.create(
        {
            desired: {
                discovered: CreateVolume if change is CreateBlockDeviceDataset else change
                for discovered, change in row.items()
            }
            for desired, row in thaw(transitions).items()
        }
    )


class AsynchronousDeployer(BlockDeviceDeployer):
    """
    Flocker's deployer, but for discovery: the cloud is asked asynchronously, and
    Flocker's own look at what was found, which runs ``blkid`` on each device,
    is in a thread.

    :ivar reactor: provides ``IReactorThreads``.
    :ivar Discovery discovery: finds what there is on this node.
    """

    reactor = field(mandatory=True)
    discovery = field(mandatory=True)

    def discover_state(self, cluster_state, persistent_state):
        """:return: a ``Deferred`` that fires with Flocker's ``ILocalState``."""
        d = self.discovery.look()
        return d.addCallback(self._judge, cluster_state, persistent_state)

    def _judge(self, snapshot, cluster_state, persistent_state):
        deployer = self.set(block_device_api=snapshot, _underlying_blockdevice_api=snapshot)

        def _evaluate():
            discovering = super(AsynchronousDeployer, deployer).discover_state(
                cluster_state, persistent_state
            )
            return discovering.result  # it has fired, and a thread can't hand over a Deferred

        pool = self.reactor.getThreadPool()
        return deferToThreadPool(self.reactor, pool, in_current_context(_evaluate))


def make_deployer(reactor, api, hostname, node_uuid):
    """
    :param reactor: the agent's reactor.
    :param api: what the backend's factory made.
    :param text hostname: this node's address.
    :param UUID node_uuid: this node's id in Flocker.
    :return: an :class:`AsynchronousDeployer`.
    :raises UsageError: the backend is another one.
    """
    if not isinstance(api, BlockingDriver):
        raise UsageError(
            u"txstorage-dataset-agent needs 'backend: txstorage' in agent.yml; "
            u"flocker-dataset-agent serves other backends"
        )
    driver = api.asynchronous
    return AsynchronousDeployer(
        hostname=hostname,
        node_uuid=node_uuid,
        block_device_api=api,
        _underlying_blockdevice_api=api,
        _async_block_device_api=driver,
        calculator=BlockDeviceCalculator(transitions=_asynchronous(DATASET_TRANSITIONS)),
        reactor=reactor,
        discovery=Discovery(driver),
    )


def make_service(reactor, options):
    """
    :param reactor: the agent's reactor.
    :param options: parsed ``DatasetAgentOptions``.
    :return: Flocker's ``AgentLoopService``.
    :raises UsageError: what is wrong with the configuration.
    """
    agent = AgentService.from_configuration(get_configuration(options))
    agent = agent.set(
        reactor=reactor, deployers={DeployerType.block: partial(make_deployer, reactor)}
    )
    return agent.get_loop_service(agent.get_deployer(agent.get_api()))


class AgentOptions(DatasetAgentOptions):
    """The options of ``flocker-dataset-agent``."""

    longdesc = """\
    txstorage-dataset-agent runs Flocker's dataset convergence agent on a node,
    with txstorage's asynchronous driver.
    """

    synopsis = "Usage: txstorage-dataset-agent [OPTIONS]"


def main():
    """The command line."""
    # The signals that Flocker documents for its own agent would end this one.
    from cProfile import Profile
    from time import clock

    profile = Profile(clock)
    signal.signal(signal.SIGUSR1, partial(enable_profiling, profile))
    signal.signal(signal.SIGUSR2, partial(disable_profiling, profile, "dataset"))
    return FlockerScriptRunner(
        script=AgentScript(service_factory=make_service), options=AgentOptions()
    ).main()


if __name__ == "__main__":
    sys.exit(main())

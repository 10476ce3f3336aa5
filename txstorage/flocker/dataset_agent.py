# -*- test-case-name: tests.flocker.check_agent -*-
"""
``txstorage-dataset-agent``: Flocker's dataset agent on the asynchronous driver.

The program is also installed as ``with-txstorage/flocker-dataset-agent``, so that a process of it
has the name of Flocker's agent.  It is Flocker's own agent, with the same options, configuration
and messages, except that

- discovery and creation of volumes do not block the reactor's thread,
- attach, detach and destroy do not share ten threads,
- device paths and instance ids are not cached without being checked again.

Besides :mod:`txstorage.interfaces`, this is the only module that imports Flocker.
"""

from __future__ import absolute_import, division, print_function

import os
import signal
import sys
from functools import partial

from flocker.common.script import (
    FlockerScriptRunner,
    disable_profiling,
    enable_profiling,
)
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

MYPY = False
if MYPY:
    from typing import Any, Text  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from .discovery import Discovered  # noqa: F401


@provider(IDatasetStateChangeFactory)
class CreateVolume(CreateBlockDeviceDataset):  # type: ignore[misc]  # Flocker has no types
    """
    The creation of a dataset's volume, without blocking.

    Flocker's own change looks for an existing volume first. Here the driver does, and creates no
    second volume.
    """

    def run(self, deployer, state_persister):
        # type: (AsynchronousDeployer, object) -> Any
        """:return: a ``Deferred`` that fires with the ``BlockDeviceVolume``."""
        driver = deployer.async_block_device_api
        profile = self.metadata.get(PROFILE_METADATA_KEY)
        if profile is None:
            return driver.create_volume(self.dataset_id, self.maximum_size)
        return driver.create_volume_with_profile(self.dataset_id, self.maximum_size, profile)


def _asynchronous(transitions):
    # type: (Any) -> Any
    """Replace the creation of volumes in Flocker's table of changes."""
    return TransitionTable.create(
        {
            desired: {
                discovered: CreateVolume if change is CreateBlockDeviceDataset else change
                for discovered, change in row.items()
            }
            for desired, row in thaw(transitions).items()
        }
    )


class AsynchronousDeployer(BlockDeviceDeployer):  # type: ignore[misc]  # Flocker has no types
    """
    Flocker's deployer with asynchronous discovery.

    Requests to the cloud are asynchronous. Flocker's own evaluation of the results, which runs
    ``blkid`` on each device, runs in a thread.

    :ivar reactor: provides ``IReactorThreads``.
    :ivar Discovery discovery: the discovery of this node's volumes.
    """

    reactor = field(mandatory=True)  # type: Any
    discovery = field(mandatory=True)  # type: Any

    def discover_state(self, cluster_state, persistent_state):
        # type: (object, object) -> Any
        """:return: a ``Deferred`` that fires with Flocker's ``ILocalState``."""
        d = self.discovery.look()
        return d.addCallback(self._evaluate, cluster_state, persistent_state)

    def _evaluate(self, snapshot, cluster_state, persistent_state):
        # type: (Discovered, object, object) -> Deferred[Any]
        deployer = self.set(block_device_api=snapshot, _underlying_blockdevice_api=snapshot)

        def discover():
            # type: () -> Any
            discovering = super(AsynchronousDeployer, deployer).discover_state(
                cluster_state, persistent_state
            )
            # The Deferred has fired; a thread must return its result, not the Deferred itself.
            return discovering.result

        pool = self.reactor.getThreadPool()
        return deferToThreadPool(self.reactor, pool, in_current_context(discover))


def make_deployer(reactor, api, hostname, node_uuid):
    # type: (Any, object, Text, UUID) -> AsynchronousDeployer
    """
    Create the deployer.

    :param reactor: the agent's reactor.
    :param api: the driver, as returned by the backend's factory.
    :param text hostname: this node's address.
    :param UUID node_uuid: this node's id in Flocker.
    :return: an :class:`AsynchronousDeployer`.
    :raises UsageError: the driver is another backend's.
    """
    driver = api.asynchronous if isinstance(api, BlockingDriver) else None
    if driver is None:
        raise UsageError(
            u"txstorage-dataset-agent requires 'backend: txstorage' in agent.yml; "
            u"use flocker-dataset-agent with other backends"
        )
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
    # type: (Any, AgentOptions) -> Any
    """
    Create the agent's service.

    :param reactor: the agent's reactor.
    :param options: parsed ``DatasetAgentOptions``.
    :return: Flocker's ``AgentLoopService``.
    :raises UsageError: the configuration is invalid; the message has the reason.
    """
    agent = AgentService.from_configuration(get_configuration(options))
    agent = agent.set(
        reactor=reactor, deployers={DeployerType.block: partial(make_deployer, reactor)}
    )
    return agent.get_loop_service(agent.get_deployer(agent.get_api()))


class AgentOptions(DatasetAgentOptions):  # type: ignore[misc]  # Flocker has no types
    """The options of ``flocker-dataset-agent``."""

    longdesc = """\
    flocker-dataset-agent with txstorage runs Flocker's dataset convergence
    agent on a node, with txstorage's asynchronous driver.
    """

    synopsis = "Usage: {} [OPTIONS]".format(os.path.basename(sys.argv[0]))


def main():
    # type: () -> Any
    """Run the command line."""
    # Without a handler, the signals that Flocker documents for profiling would end the process.
    from cProfile import Profile
    from time import clock  # type: ignore[attr-defined]  # Python 2 only, as Flocker is

    profile = Profile(clock)
    signal.signal(signal.SIGUSR1, partial(enable_profiling, profile))
    signal.signal(signal.SIGUSR2, partial(disable_profiling, profile, "dataset"))
    return FlockerScriptRunner(
        script=AgentScript(service_factory=make_service), options=AgentOptions()
    ).main()


if __name__ == "__main__":
    sys.exit(main())

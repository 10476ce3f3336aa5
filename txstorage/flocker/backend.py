# -*- test-case-name: tests.flocker.test_backend -*-
"""
The backend that Flocker loads when ``agent.yml`` says ``backend: txstorage``.
"""

from __future__ import absolute_import, division, print_function

from .._assembly import driver_for, volume_service
from .._configuration.configuration import Configuration
from ..interfaces import BackendDescription, DeployerType
from .blocking import BlockingDriver


def flocker_driver(reactor, cluster_id, **configuration):
    """
    Make the driver that Flocker's agent gets.

    :param reactor: the agent's reactor.
    :param UUID cluster_id: the agent's cluster.
    :param configuration: the ``dataset`` section of ``agent.yml``.
    :return: a :class:`~txstorage.flocker.blocking.BlockingDriver`, with a native driver
        on the agent's reactor as ``.asynchronous``.
    :raises InvalidConfiguration: naming the key.
    """
    checked = Configuration.from_mapping(dict(configuration, cluster_id=cluster_id))
    return BlockingDriver(
        reactor, lambda its: driver_for(its, checked, volume_service(its, checked))
    )


#: The backend's description, which Flocker looks up in the package root.
FLOCKER_BACKEND = BackendDescription(
    name=u"txstorage",
    needs_reactor=True,
    needs_cluster_id=True,
    # Which keys are needed depends on auth_plugin and there are synonyms, so the
    # configuration says it itself, with more of an explanation than Flocker has.
    required_config=frozenset(),
    api_factory=flocker_driver,
    deployer_type=DeployerType.block,
)

__all__ = ["FLOCKER_BACKEND", "flocker_driver"]

# -*- test-case-name: tests.flocker.test_backend -*-
"""
The backend that Flocker loads when ``agent.yml`` says ``backend: txstorage``.
"""

from __future__ import absolute_import, division, print_function

from .._assembly import driver_for, volume_service
from .._configuration.configuration import Configuration
from ..interfaces import BackendDescription, DeployerType
from .blocking import BlockingDriver

MYPY = False
if MYPY:
    from typing import Any  # noqa: F401
    from uuid import UUID  # noqa: F401

    from ..driver.operations import BlockDeviceDriver  # noqa: F401


def flocker_driver(reactor, cluster_id, **configuration):
    # type: (Any, UUID, **Any) -> BlockingDriver
    """
    Create the driver for Flocker's agent, without network traffic.

    :param reactor: the agent's reactor.
    :param UUID cluster_id: the agent's cluster.
    :param configuration: the ``dataset`` section of ``agent.yml``.
    :return: a :class:`~txstorage.flocker.blocking.BlockingDriver`, with an asynchronous driver
        on the agent's reactor as ``.asynchronous``.
    :raises InvalidConfiguration: names the invalid key.
    """
    checked = Configuration.from_mapping(dict(configuration, cluster_id=cluster_id))

    def make_driver(driver_reactor):
        # type: (Any) -> BlockDeviceDriver
        return driver_for(driver_reactor, checked, volume_service(driver_reactor, checked))

    return BlockingDriver(reactor, make_driver)


#: The description of the backend; Flocker's plugin loader reads it from the package root.
FLOCKER_BACKEND = BackendDescription(
    name=u"txstorage",
    needs_reactor=True,
    needs_cluster_id=True,
    # The required keys depend on auth_plugin, and some have synonyms, so the configuration checks
    # them itself; its errors explain more than Flocker's.
    required_config=frozenset(),
    api_factory=flocker_driver,
    deployer_type=DeployerType.block,
)

__all__ = ["FLOCKER_BACKEND", "flocker_driver"]

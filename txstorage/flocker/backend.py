# -*- test-case-name: tests.flocker.test_backend -*-
"""
The factories of blocking drivers: Flocker's, which it loads when ``agent.yml`` says ``backend:
txstorage``, and one for programs without a reactor, such as notebooks.
"""

from __future__ import absolute_import, division, print_function

from .._assembly import driver_for, volume_service
from .._configuration.configuration import Configuration
from ..interfaces import BackendDescription, DeployerType
from .blocking import BlockingDriver

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict  # noqa: F401
    from uuid import UUID  # noqa: F401

    from ..driver.operations import BlockDeviceDriver  # noqa: F401


def _factory(cluster_id, configuration):
    # type: (UUID, Dict[str, Any]) -> Callable[[Any], BlockDeviceDriver]
    """
    Check a configuration.

    :return: a function that makes an asynchronous driver on a reactor.
    :raises InvalidConfiguration: names the invalid key.
    """
    checked = Configuration.from_mapping(dict(configuration, cluster_id=cluster_id))
    return lambda reactor: driver_for(reactor, checked, volume_service(reactor, checked))


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
    return BlockingDriver(reactor, _factory(cluster_id, configuration))


def blocking_driver(cluster_id, **configuration):
    # type: (UUID, **Any) -> BlockingDriver
    """
    Create a driver whose operations block, for scripts, notebooks and programs that use threads.

    No reactor is needed: the operations run on a reactor of their own, in a daemon thread that all
    blocking drivers of the process share. Nothing is sent before the first operation.

    :param UUID cluster_id: the cluster; the driver ignores the volumes of other clusters.
    :param configuration: keys and values as in the ``dataset`` section of ``agent.yml``;
        ``docs/configuration.rst`` documents all of them.
    :return: a :class:`~txstorage.flocker.blocking.BlockingDriver`, whose ``stop()`` ends the thread
        unless another driver uses it.
    :raises InvalidConfiguration: names the invalid key.
    """
    driver = BlockingDriver(None, _factory(cluster_id, configuration))
    try:
        # Makes the asynchronous driver now, so that a bad certificate file is an error here.
        driver.allocation_unit()
    except BaseException:
        driver.stop()
        raise
    return driver


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

__all__ = ["FLOCKER_BACKEND", "blocking_driver", "flocker_driver"]

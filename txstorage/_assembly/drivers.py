# -*- test-case-name: tests._assembly.test_assembly -*-
"""
Drivers, on the client of the configuration's cloud.
"""

from __future__ import absolute_import, division, print_function

from twisted.python.filepath import FilePath

from .._configuration.configuration import Configuration
from .._configuration.keys import EC2
from .._devices.connected import ConnectedDevices
from .._devices.finder import DeviceFinder
from .._node.ec2_instance import EC2Identity
from .._node.instance_id import NodeIdentity
from .._support.monotonic import use_monotonic_time
from ..driver.operations import BlockDeviceDriver
from ..driver.polling import Intervals
from ..errors import InvalidConfiguration
from .ec2 import ec2_service, instance_metadata, profiles_of
from .openstack import openstack_service
from .transport import http_client

MYPY = False
if MYPY:
    from typing import Any, Optional, Union  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.web.iweb import IAgent  # noqa: F401

    from ..clouds.ec2 import EC2Service  # noqa: F401
    from ..clouds.interface import IVolumeService  # noqa: F401
    from ..clouds.openstack import OpenStackService, StandaloneService  # noqa: F401

# Seconds before the first poll on EC2, where each transition takes seconds.
_FIRST_POLL_ON_EC2 = 0.5


def volume_service(reactor, configuration, agent=None):
    # type: (Any, Configuration, Optional[IAgent]) -> Union[OpenStackService, StandaloneService, EC2Service]
    """
    Create the client of the cloud.

    :param reactor: provides ``IReactorTime`` and ``IReactorTCP``.
    :param Configuration configuration: the cloud and the credentials.
    :param agent: an ``IAgent`` to use instead of one that verifies certificates.
    :return: an :class:`~txstorage.clouds.IVolumeService`.
    :raises InvalidConfiguration: a certificate file is invalid; on EC2, also when there can be no
        such region, or botocore is not installed.
    """
    http = http_client(reactor, configuration, agent)
    if configuration.auth_plugin == EC2:
        return ec2_service(reactor, configuration, http)
    return openstack_service(reactor, configuration, http)


def driver_for(reactor, configuration, service, marking=True):
    # type: (Any, Configuration, IVolumeService, bool) -> BlockDeviceDriver
    """
    Create a driver on an existing client of the cloud.

    :param reactor: provides ``IReactorTime`` and ``IReactorFDSet``.
    :param Configuration configuration: the cluster and the node.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param bool marking: whether lists label the second volumes of datasets.
    :return: a :class:`~txstorage.driver.operations.BlockDeviceDriver`.
    :raises InvalidConfiguration: the configuration has no ``cluster_id``.
    """
    if configuration.cluster_id is None:
        raise InvalidConfiguration(
            u"cluster_id", u"is missing", u"set it to the UUID that all nodes of the cluster share"
        )
    use_monotonic_time(reactor)
    directory = configuration.device_directory
    finder = DeviceFinder(reactor, directory=None if directory is None else FilePath(directory))
    devices, node = finder, None  # type: Any, Any
    if configuration.auth_plugin == EC2:
        node = EC2Identity(service, instance_metadata(reactor), configuration.instance_id)
    elif configuration.attach_through == u"compute":
        node = NodeIdentity(reactor, service, configured=configuration.instance_id)
    else:
        standalone = service  # type: Any
        devices = ConnectedDevices(standalone, finder)
        node = standalone.node
    return BlockDeviceDriver(
        reactor,
        service,
        configuration.cluster_id,
        devices,
        node,
        profiles=profiles_of(configuration),
        timeout=configuration.timeout,
        marking=marking,
        intervals=_intervals(configuration),
        copy_timeout=configuration.copy_timeout,
    )


def _intervals(configuration):
    # type: (Configuration) -> Intervals
    longest = configuration.poll_interval
    if configuration.auth_plugin == EC2:
        return Intervals(first=_FIRST_POLL_ON_EC2, longest=longest)
    return Intervals(longest=longest)


def block_device_driver(reactor, cluster_id, agent=None, **configuration):
    # type: (Any, UUID, Optional[IAgent], **Any) -> BlockDeviceDriver
    """
    Create an asynchronous driver.

    :param reactor: provides ``IReactorTime``, ``IReactorTCP`` and ``IReactorFDSet``. A Twisted
        reactor's ``seconds`` becomes monotonic, so that steps of the wall clock end no wait early
        or late.
    :param UUID cluster_id: the cluster; the driver ignores the volumes of other clusters.
    :param agent: an ``IAgent`` to use instead of one that verifies certificates.
    :param configuration: keys and values as in the ``dataset`` section of ``agent.yml``;
        ``docs/configuration.rst`` documents all of them.
    :return: a :class:`~txstorage.driver.operations.BlockDeviceDriver`, whose operations return
        Deferreds.
    :raises InvalidConfiguration: names the invalid key.
    """
    checked = Configuration.from_mapping(dict(configuration, cluster_id=cluster_id))
    return driver_for(reactor, checked, volume_service(reactor, checked, agent))


__all__ = ["block_device_driver", "driver_for", "volume_service"]

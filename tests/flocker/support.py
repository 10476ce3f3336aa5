"""
Drivers created by Flocker, on the embedded service.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from flocker.node.backends import backend_and_api_args_from_configuration
from flocker.node.script import get_api
from twisted.internet import reactor

from txstorage.testing import detach_destroy_volumes

from ..helpers.child import shared_service

GIB = 2**30
NOBODY = u"00000000-0000-4000-8000-000000000000"


def made_by_flocker(test_case, cluster_id, service):
    """
    :param EmbeddedService service: the cloud.
    :return: the driver that Flocker's agent creates for ``backend: txstorage``.
    """
    section = dict(service.configuration(), backend="txstorage", poll_interval=0.1)
    del section["cluster_id"]
    # 2.7's Flocker reads agent.yml into native strings where they are ASCII
    section = {str(key): str(v) if isinstance(v, type(u"")) else v for key, v in section.items()}
    backend, arguments = backend_and_api_args_from_configuration(section)
    driver = get_api(backend, arguments, reactor, cluster_id)
    test_case.addCleanup(driver.stop)
    return driver


def blocking_driver(test_case, cluster_id=None):
    """Create a driver for a cluster of its own, whose volumes are removed after the test."""
    driver = made_by_flocker(test_case, cluster_id or uuid4(), shared_service())
    test_case.addCleanup(detach_destroy_volumes, driver)
    return driver

"""
The contract suites for hosts that attach their volumes themselves, against a real Cinder: Compute
is
there, and is not used.
"""

from __future__ import absolute_import, division, print_function

import subprocess
from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from txstorage._assembly import driver_for, volume_service
from txstorage._configuration.configuration import Configuration
from txstorage._devices.connector import HostConnector, local_path
from txstorage._http.connections import agent_for
from txstorage._support import loop_devices
from txstorage._support.compat import as_text
from txstorage.testing import FaultyAgent, make_icloudapi_tests, make_resilience_tests

from ..helpers.second_volumes import SecondVolumesSeen
from .check_conformance import LONG, contract
from .cloud import GIB, configuration

HOST = u"5f6d6c2e-4b1c-4c55-9a35-0d3c1f6b9e01"


def losetup(*arguments):
    """:return: the command's output, text."""
    return as_text(subprocess.check_output(("losetup",) + arguments)).strip()


def _attached(path):
    listed = losetup("--list", "--noheadings", "--output", "NAME", "--associated", path)
    return listed.split()


def _attach(path):
    return (_attached(path) or [losetup("--find", "--show", "--nooverlap", path)])[0]


def _detach(path):
    for device in _attached(path):
        loop_devices.detach(device, path)


class FileConnector(HostConnector):
    """The rig's volumes are files of this machine, from which the host makes devices."""

    def connect(self, volume_id, connection):
        """See :class:`~txstorage._devices.connector.HostConnector`."""
        return deferToThread(_attach, local_path(volume_id, connection))

    def disconnect(self, volume_id, connection):
        """See :class:`~txstorage._devices.connector.HostConnector`."""
        return deferToThread(_detach, local_path(volume_id, connection))


def standalone_driver_and_agent(test_case, **options):
    """:return: a driver for a new cluster, and its ``FaultyAgent``."""
    agent = agent_for(reactor)
    test_case.addCleanup(agent.close)
    faulty = FaultyAgent(reactor, agent)
    values = configuration(attach_through=u"storage", instance_id=HOST, **options)
    checked = Configuration.from_mapping(dict(values, cluster_id=uuid4()))
    service = volume_service(reactor, checked, faulty)
    service._connector = FileConnector(reactor)
    return driver_for(reactor, checked, service), faulty


def standalone_driver(test_case, **options):
    """:return: the driver only."""
    return standalone_driver_and_agent(test_case, **options)[0]


class StandaloneTests(contract(standalone_driver)):
    """The contract, without Compute."""

    timeout = LONG


class StandaloneCloudTests(make_icloudapi_tests(standalone_driver)):
    """Nodes, without Compute."""

    timeout = LONG


class StandaloneResilienceTests(
    SecondVolumesSeen, make_resilience_tests(standalone_driver_and_agent, GIB)
):
    """The resilience suite, without Compute."""

    timeout = LONG

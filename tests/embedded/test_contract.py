"""
The contract suites, run against the embedded service in memory, on a ``Clock``.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from txstorage._assembly import block_device_driver
from txstorage.embedded.testing import in_memory_cloud
from txstorage.testing import (
    FaultyAgent,
    make_copy_resilience_tests,
    make_iblockdeviceasyncapi_tests,
    make_icloudapi_tests,
    make_ilabelledblockdeviceasyncapi_tests,
    make_iprofiledblockdeviceapi_tests,
    make_iresizableblockdeviceasyncapi_tests,
    make_isnapshottingblockdeviceasyncapi_tests,
    make_label_resilience_tests,
    make_resilience_tests,
    regular_file_size,
)
from txstorage.testing.resilience import AttachmentResilience
from txstorage.testing.suites import _test_case

from ..helpers.second_volumes import SecondVolumesSeen
from ..helpers.unowned import unowned_volume

GIB = 2**30
HOST = "5f6d6c2e-4b1c-4c55-9a35-0d3c1f6b9e01"
NOBODY = "00000000-0000-4000-8000-000000000000"


def in_memory_driver(test_case: Any, **changes: Any) -> Any:
    """
    Make a cloud.

    :param changes: of the driver's configuration.
    :return: a driver on it, and the driver's ``FaultyAgent``.
    """
    clock = test_case.reactor = Clock()
    cloud = test_case.cloud = in_memory_cloud(clock, transition_delay=0.3)
    test_case.addCleanup(cloud.close)
    test_case.wire = RequestTraversalAgent(cloud.resource)
    return another_driver(test_case, **changes)


def another_driver(test_case: Any, **changes: Any) -> Any:
    """
    Make a driver for another cluster on the same cloud.

    :return: as :func:`in_memory_driver`.
    """
    cloud = test_case.cloud
    agent = FaultyAgent(test_case.reactor, test_case.wire)
    configuration = {
        "instance_id": cloud.nodes["node-1"],
        "device_directory": cloud.devices_directory,
        **cloud.credentials,
        **changes,
    }
    driver = block_device_driver(test_case.reactor, uuid4(), agent=agent, **configuration)
    return driver, agent


class OnAClock:
    """Advances the clock and the wire until a Deferred fires."""

    reactor: Clock
    wire: RequestTraversalAgent

    def settle(self, d: Deferred) -> Deferred:
        for _ in range(2000):
            if d.called and not d.paused:
                break
            self.reactor.advance(0.1)
            self.wire.flush()
        return d


class ConformanceTests(
    OnAClock,
    make_iblockdeviceasyncapi_tests(
        api_factory=lambda test_case: in_memory_driver(test_case)[0],
        minimum_allocatable_size=GIB,
        device_allocation_unit=GIB,
        unknown_blockdevice_id_factory=lambda test_case: NOBODY,
        device_size=regular_file_size,
        other_cluster_factory=lambda test_case: another_driver(test_case)[0],
    ),
):
    """Run the driver's contract, in memory."""


class ProfilesTests(
    OnAClock,
    make_iprofiledblockdeviceapi_tests(lambda test_case: in_memory_driver(test_case)[0], GIB),
):
    """Run the contract of profiles, in memory."""


class CloudTests(OnAClock, make_icloudapi_tests(lambda test_case: in_memory_driver(test_case)[0])):
    """Run the contract of nodes, in memory."""


class ResilienceTests(OnAClock, SecondVolumesSeen, make_resilience_tests(in_memory_driver, GIB)):
    """Run the contract under faults, in memory."""


class SnapshotsTests(
    OnAClock,
    make_isnapshottingblockdeviceasyncapi_tests(
        lambda test_case: in_memory_driver(test_case)[0], GIB
    ),
):
    """Run the contract of snapshots, in memory."""


class GrowingTests(
    OnAClock,
    make_iresizableblockdeviceasyncapi_tests(
        lambda test_case: in_memory_driver(test_case)[0], GIB, regular_file_size
    ),
):
    """Run the contract of growing, in memory."""


class CopyResilienceTests(
    OnAClock, SecondVolumesSeen, make_copy_resilience_tests(in_memory_driver, GIB)
):
    """Run the contract of snapshots and growing under faults, in memory."""


class LabelsTests(
    OnAClock,
    make_ilabelledblockdeviceasyncapi_tests(
        lambda test_case: in_memory_driver(test_case)[0],
        GIB,
        unowned_volume,
        other_cluster_factory=lambda test_case: another_driver(test_case)[0],
    ),
):
    """Run the contract of labels, in memory."""


class LabelResilienceTests(
    OnAClock, make_label_resilience_tests(in_memory_driver, GIB, unowned_volume)
):
    """Run the contract of labels under faults, in memory."""

    #: No exchange is under way for a while: :mod:`tests.whole.test_contract` has that moment.
    moments = (0, 2)


class WithoutComputeResilienceTests(
    OnAClock,
    _test_case(
        (AttachmentResilience,),
        lambda test_case: in_memory_driver(test_case, attach_through="storage", instance_id=HOST),
        size=GIB,
    ),
):
    """The same for a host that attaches its volumes itself."""

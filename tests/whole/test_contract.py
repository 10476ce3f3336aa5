"""The contract suites against the embedded service over TCP, with loop devices as root."""

from __future__ import absolute_import, division, print_function

from txstorage.testing import (
    make_copy_resilience_tests,
    make_icloudapi_tests,
    make_ilabelledblockdeviceasyncapi_tests,
    make_iprofiledblockdeviceapi_tests,
    make_iresizableblockdeviceasyncapi_tests,
    make_isnapshottingblockdeviceasyncapi_tests,
    make_label_resilience_tests,
    make_resilience_tests,
)

from ..helpers.child import GIB, contract, device_size, shared_service
from ..helpers.second_volumes import SecondVolumesSeen
from ..helpers.unowned import unowned_volume


def driver(test_case):
    """:return: a driver for a new cluster."""
    return shared_service().driver(test_case)[0]


class ConformanceTests(contract(driver)):
    """The contract, over TCP."""


class ProfilesTests(make_iprofiledblockdeviceapi_tests(driver, GIB)):
    """Profiles, over TCP."""


class CloudTests(make_icloudapi_tests(driver)):
    """Nodes, over TCP."""


class ResilienceTests(
    SecondVolumesSeen,
    make_resilience_tests(
        api_factory=lambda test_case: shared_service().driver(test_case), size=GIB
    )
):
    """The resilience suite, over TCP."""

    timeout = 60
    #: The others differ only in the driver; :mod:`tests.embedded.test_contract` has them.
    moments = (1, 2)


class SnapshotsTests(make_isnapshottingblockdeviceasyncapi_tests(driver, GIB)):
    """Snapshots and clones, over TCP."""


class GrowingTests(make_iresizableblockdeviceasyncapi_tests(driver, GIB, device_size)):
    """Growing volumes, over TCP."""


class CopyResilienceTests(
    SecondVolumesSeen,
    make_copy_resilience_tests(
        api_factory=lambda test_case: shared_service().driver(test_case), size=GIB
    )
):
    """The resilience suite of snapshots and growing, over TCP."""

    timeout = 120
    moments = (1, 2)


class LabelsTests(make_ilabelledblockdeviceasyncapi_tests(driver, GIB, unowned_volume, driver)):
    """Labels, over TCP."""


class LabelResilienceTests(
    make_label_resilience_tests(
        api_factory=lambda test_case: shared_service().driver(test_case),
        size=GIB,
        unowned_volume_factory=unowned_volume,
    )
):
    """The resilience suite of labels, over TCP."""

    timeout = 60
    moments = (1, 2)

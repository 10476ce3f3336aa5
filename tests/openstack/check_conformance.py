"""
The contract suites, against a real OpenStack with loop devices.
"""

from __future__ import absolute_import, division, print_function

from txstorage.testing import (
    make_copy_resilience_tests,
    make_iblockdeviceapi_tests,
    make_icloudapi_tests,
    make_ilabelledblockdeviceasyncapi_tests,
    make_iprofiledblockdeviceapi_tests,
    make_iresizableblockdeviceasyncapi_tests,
    make_isnapshottingblockdeviceasyncapi_tests,
    make_label_resilience_tests,
    make_resilience_tests,
)

from ..helpers.child import contract, device_size
from ..helpers.second_volumes import SecondVolumesSeen
from ..helpers.unowned import unowned_volume
from .cloud import GIB, Shared, blocking_driver, description, driver, faulty_driver

#: Seconds, for one test.
LONG = 300


class AsynchronousTests(contract(driver)):
    """The asynchronous driver, and two clusters in one project."""

    timeout = LONG


class WorkerThreadsTests(contract(blocking_driver, make_iblockdeviceapi_tests)):
    """The blocking driver, called as Flocker changes volumes."""

    timeout = LONG


class ReactorThreadTests(
    contract(blocking_driver, make_iblockdeviceapi_tests, on_reactor_thread=True)
):
    """The blocking driver, called as Flocker discovers volumes."""

    timeout = LONG


class ShortTokensTests(contract(Shared(lambda: {"auth_url": description()["short_auth_url"]}))):
    """One login for many operations, on a cloud whose tokens last 20 seconds."""

    timeout = LONG


class SmallPagesTests(contract(Shared(lambda: {"region": description()["paged_region"]}))):
    """A cloud whose lists have pages of two volumes."""

    timeout = LONG


class ProfilesTests(make_iprofiledblockdeviceapi_tests(driver, GIB)):
    """Volume types."""

    timeout = LONG


class BlockingProfilesTests(make_iprofiledblockdeviceapi_tests(blocking_driver, GIB)):
    """Volume types, through the shim."""

    timeout = LONG


class CloudTests(make_icloudapi_tests(driver)):
    """Servers."""

    timeout = LONG


class BlockingCloudTests(make_icloudapi_tests(blocking_driver)):
    """Servers, through the shim."""

    timeout = LONG


class ResilienceTests(
    SecondVolumesSeen, make_resilience_tests(api_factory=faulty_driver, size=GIB)
):
    """Lost requests, lost responses and cancellation, at each exchange."""

    timeout = LONG


class SnapshotsTests(make_isnapshottingblockdeviceasyncapi_tests(driver, GIB)):
    """Snapshots and clones, with data."""

    timeout = LONG


class GrowingTests(make_iresizableblockdeviceasyncapi_tests(driver, GIB, device_size)):
    """Volumes that grow, also while they are attached."""

    timeout = LONG


class CopyResilienceTests(
    SecondVolumesSeen, make_copy_resilience_tests(api_factory=faulty_driver, size=GIB)
):
    """Snapshots, clones and growth: lost exchanges and cancellation, at each exchange."""

    timeout = 2 * LONG
    #: The others differ only in the driver; :mod:`tests.embedded.test_contract` has them.
    moments = (1,)


class LabelsTests(make_ilabelledblockdeviceasyncapi_tests(driver, GIB, unowned_volume, driver)):
    """Labels, and the adoption of volumes."""

    timeout = LONG


class LabelResilienceTests(make_label_resilience_tests(faulty_driver, GIB, unowned_volume)):
    """Labels: lost exchanges and cancellation, at each exchange."""

    timeout = 2 * LONG
    #: The others differ only in the driver; :mod:`tests.embedded.test_contract` has them.
    moments = (1,)

"""
The contract suites against the embedded service's EC2 face, over TCP, with loop devices as root.
"""

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

from ..helpers.child import GIB, TRANSITION_DELAY, contract, device_size, shared_service
from ..helpers.second_volumes import SecondVolumesSeen
from ..helpers.unowned import unowned_volume

#: An id of EC2's form.
NOBODY = u"vol-00000000000000000"


def service():
    """:return: the service, whose EC2 face has neither a cooldown nor a tight limit."""
    limits = ("--ec2-cooldown", "0", "--ec2-attachments", "100")
    return shared_service(TRANSITION_DELAY, "--ec2-port", "0", *limits)


def driver(test_case):
    """:return: a driver for a new cluster."""
    return service().ec2_driver(test_case)[0]


def faulty(test_case):
    """:return: the same, and its :class:`~txstorage.testing.FaultyAgent`."""
    return service().ec2_driver(test_case)


class ConformanceTests(contract(driver, nobody=NOBODY)):
    """The contract, on EC2."""


class ProfilesTests(make_iprofiledblockdeviceapi_tests(driver, 4 * GIB)):
    """Profiles, on EC2."""


class CloudTests(make_icloudapi_tests(driver)):
    """Nodes, on EC2."""


class ResilienceTests(SecondVolumesSeen, make_resilience_tests(api_factory=faulty, size=GIB)):
    """The resilience suite, on EC2."""

    timeout = 60
    moments = (1, 2)


class SnapshotsTests(
    make_isnapshottingblockdeviceasyncapi_tests(driver, GIB, snapshots_keep_volumes=False)
):
    """Snapshots and clones, on EC2."""


class GrowingTests(make_iresizableblockdeviceasyncapi_tests(driver, GIB, device_size)):
    """Growing volumes, on EC2."""


class CopyResilienceTests(
    SecondVolumesSeen, make_copy_resilience_tests(api_factory=faulty, size=GIB)
):
    """The resilience suite of snapshots and growing, on EC2."""

    timeout = 120
    moments = (1, 2)


class LabelsTests(make_ilabelledblockdeviceasyncapi_tests(driver, GIB, unowned_volume, driver)):
    """Labels, on EC2."""


class LabelResilienceTests(
    make_label_resilience_tests(
        api_factory=faulty, size=GIB, unowned_volume_factory=unowned_volume
    )
):
    """The resilience suite of labels, on EC2."""

    timeout = 60
    moments = (1, 2)

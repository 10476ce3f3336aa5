"""
Flocker's own generic driver tests, run on txstorage.
"""

from __future__ import absolute_import, division, print_function

from flocker.node.agents.test.test_blockdevice import (
    make_iblockdeviceapi_tests,
    make_iblockdeviceasyncapi_tests,
    make_icloudapi_tests,
)
from flocker.node.agents.testtools import make_iprofiledblockdeviceapi_tests

from .support import GIB, NOBODY, blocking_driver


class BlockDeviceAPITests(
    # By name, as the order of these has changed during Flocker's life.
    make_iblockdeviceapi_tests(
        blockdevice_api_factory=blocking_driver,
        minimum_allocatable_size=GIB,
        device_allocation_unit=GIB,
        unknown_blockdevice_id_factory=lambda test_case: NOBODY,
    )
):
    """``IBlockDeviceAPI`` of the driver that the factory returns."""


class BlockDeviceAsyncAPITests(
    make_iblockdeviceasyncapi_tests(lambda test_case: blocking_driver(test_case).asynchronous)
):
    """``IBlockDeviceAsyncAPI`` of its asynchronous driver."""


class ProfiledBlockDeviceAPITests(make_iprofiledblockdeviceapi_tests(blocking_driver, GIB)):
    """``IProfiledBlockDeviceAPI``: gold, silver and bronze."""


class CloudAPITests(make_icloudapi_tests(blocking_driver)):
    """``ICloudAPI``: the live nodes."""

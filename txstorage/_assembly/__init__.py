"""
The assembly of a driver from a checked configuration, without network traffic.
"""

from __future__ import absolute_import, division, print_function

from .drivers import block_device_driver, driver_for, volume_service
from .ec2 import sts_session
from .openstack import credential_source
from .transport import http_client

__all__ = [
    "block_device_driver",
    "credential_source",
    "driver_for",
    "http_client",
    "sts_session",
    "volume_service",
]

"""
The steps of ``txstorage doctor`` that only Amazon EC2 has.
"""

from __future__ import annotations

from .credentials import check_clock, check_credentials
from .instance import check_attachments, check_device_names, check_instance
from .permissions import check_permissions
from .zones import check_zone

__all__ = [
    "check_attachments",
    "check_clock",
    "check_credentials",
    "check_device_names",
    "check_instance",
    "check_permissions",
    "check_zone",
]

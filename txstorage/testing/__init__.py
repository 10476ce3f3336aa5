"""
For authors of drivers: a conformance suite, and faults to inject.
"""

from __future__ import absolute_import, division, print_function

from ._volumes import block_device_size, regular_file_size
from .faults import FaultyAgent, hang, lose_request, lose_response
from .suites import make_iblockdeviceasyncapi_tests, make_resilience_tests

__all__ = [
    "FaultyAgent",
    "block_device_size",
    "hang",
    "lose_request",
    "lose_response",
    "make_iblockdeviceasyncapi_tests",
    "make_resilience_tests",
    "regular_file_size",
]

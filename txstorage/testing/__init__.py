"""
Conformance suites and fault injection for the authors of drivers.
"""

from __future__ import absolute_import, division, print_function

from .faults import (
    FAULTS,
    NO_FAULTS,
    ClockSteps,
    FaultKind,
    FaultProxy,
    FaultyAgent,
    Record,
    ScriptedFaults,
    SeededFaults,
)
from .suites import (
    make_copy_resilience_tests,
    make_iblockdeviceapi_tests,
    make_iblockdeviceasyncapi_tests,
    make_icloudapi_tests,
    make_ilabelledblockdeviceasyncapi_tests,
    make_iprofiledblockdeviceapi_tests,
    make_iresizableblockdeviceasyncapi_tests,
    make_isnapshottingblockdeviceasyncapi_tests,
    make_label_resilience_tests,
    make_resilience_tests,
)
from .volumes import (
    block_device_size,
    detach_destroy_volumes,
    regular_file_size,
    with_clean_up,
)

__all__ = [
    "FAULTS",
    "NO_FAULTS",
    "ClockSteps",
    "FaultKind",
    "FaultProxy",
    "FaultyAgent",
    "Record",
    "ScriptedFaults",
    "SeededFaults",
    "block_device_size",
    "detach_destroy_volumes",
    "make_copy_resilience_tests",
    "make_iblockdeviceapi_tests",
    "make_iblockdeviceasyncapi_tests",
    "make_icloudapi_tests",
    "make_ilabelledblockdeviceasyncapi_tests",
    "make_iprofiledblockdeviceapi_tests",
    "make_iresizableblockdeviceasyncapi_tests",
    "make_isnapshottingblockdeviceasyncapi_tests",
    "make_label_resilience_tests",
    "make_resilience_tests",
    "regular_file_size",
    "with_clean_up",
]

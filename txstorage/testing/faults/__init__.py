"""
Faults to inject between a driver and a service that it reaches over HTTP.
"""

from __future__ import absolute_import, division, print_function

from .agent import FaultyAgent
from .clock import ClockSteps
from .kinds import FAULTS, FaultKind
from .plans import NO_FAULTS, ScriptedFaults, SeededFaults
from .proxy import FaultProxy, Record

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
]

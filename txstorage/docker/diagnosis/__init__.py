"""
The state of the machine that the plugin depends on: engines, sockets, programs, mounts.
"""

from __future__ import annotations

from .examination import Surroundings, concerns, examine, filesystems_of
from .node import known_volumes
from .results import CheckResult, together

__all__ = [
    "CheckResult",
    "Surroundings",
    "concerns",
    "examine",
    "filesystems_of",
    "known_volumes",
    "together",
]

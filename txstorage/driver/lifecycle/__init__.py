"""
The decisions of all operations, as tables that a reader can check.
"""

from . import growth, snapshots
from .decisions import GONE, MAXIMUM_REQUESTS, REFUSALS, Decision, Phase, Progress
from .volumes import (
    AWAITED,
    DEAD_SERVER,
    ON_HOST,
    TABLES,
    Where,
    chosen,
    decide,
    is_proved,
    whereabouts,
)

__all__ = [
    "AWAITED",
    "DEAD_SERVER",
    "GONE",
    "MAXIMUM_REQUESTS",
    "ON_HOST",
    "REFUSALS",
    "TABLES",
    "Decision",
    "Phase",
    "Progress",
    "Where",
    "chosen",
    "decide",
    "growth",
    "is_proved",
    "snapshots",
    "whereabouts",
]

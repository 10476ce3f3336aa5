# -*- test-case-name: tests.embedded.recovery -*-
"""
The recovery of a lost database from the files beside it.

A service that began anew beside the files of a lost database would have another cluster id, and
none of the volumes.  Nothing is changed until an operator has seen what can be restored.
"""

from .loss import is_lost, refuse_lost, unknown_files
from .remains import Remains, Restorable, examine
from .restoration import restore

__all__ = [
    "Remains",
    "Restorable",
    "examine",
    "is_lost",
    "refuse_lost",
    "restore",
    "unknown_files",
]

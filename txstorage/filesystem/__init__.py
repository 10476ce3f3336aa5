"""
File systems on volumes: a verified device becomes a directory, and a device again.
"""

from __future__ import annotations

from .encryption import problem_of
from .holders import Holder, Mount, holders_of, mounts_of, number_of
from .kinds import KINDS, Options, words
from .mounter import FOLDER, Mounter
from .programs import installed

__all__ = [
    "FOLDER",
    "KINDS",
    "Holder",
    "Mount",
    "Mounter",
    "Options",
    "holders_of",
    "installed",
    "mounts_of",
    "number_of",
    "problem_of",
    "words",
]

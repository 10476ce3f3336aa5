"""
File systems on volumes: a verified device becomes a directory, and a device again.
"""

from __future__ import annotations

from .holders import Holder, holders_of
from .kinds import KINDS, Options
from .mounter import Mounter

__all__ = ["KINDS", "Holder", "Mounter", "Options", "holders_of"]

"""
``txstorage snapshots``: the driver's operations on snapshots.
"""

from __future__ import annotations

from .command import snapshots

__all__ = ["snapshots"]

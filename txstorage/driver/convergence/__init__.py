"""
Convergence: one operation on one volume or snapshot, until the target state is reached.
"""

from .base import PlainSubject
from .snapshots import SnapshotConvergence, SnapshotDeletion
from .volumes import Growth, VolumeConvergence

__all__ = [
    "Growth",
    "PlainSubject",
    "SnapshotConvergence",
    "SnapshotDeletion",
    "VolumeConvergence",
]

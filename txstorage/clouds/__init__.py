"""
Clouds behind one seam: ``IVolumeService`` and the values that its methods exchange.
"""

from __future__ import absolute_import, division, print_function

from .interface import IVolumeService
from .values import Attachment, Server, Snapshot, SnapshotPage, Volume, VolumePage

__all__ = [
    "Attachment",
    "IVolumeService",
    "Server",
    "Snapshot",
    "SnapshotPage",
    "Volume",
    "VolumePage",
]

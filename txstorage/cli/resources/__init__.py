"""
The parts that the commands for volumes and for snapshots have in common.
"""

from __future__ import annotations

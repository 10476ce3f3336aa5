"""
``txstorage demo``: a volume made, attached, written, moved, read and destroyed.
"""

from __future__ import annotations

from .command import demo

__all__ = ["demo"]

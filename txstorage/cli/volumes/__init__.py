"""
``txstorage volumes``: the driver's operations.
"""

from __future__ import annotations

from .command import volumes

__all__ = ["volumes"]

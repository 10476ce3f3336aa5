"""
``txstorage serve``: the embedded service in the foreground.
"""

from __future__ import annotations

from ..app import default_state_dir
from .command import run, serve

__all__ = ["default_state_dir", "run", "serve"]

"""
The side of the plugin that engines see: the protocol, its callers and its socket.
"""

from __future__ import annotations

from .application import EngineAPI
from .listening import Listener

__all__ = ["EngineAPI", "Listener"]

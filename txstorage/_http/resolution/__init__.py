"""
The resolution of host names, with a short memory.
"""

from .endpoints import NamedEndpoint
from .names import RememberedNames

__all__ = ["NamedEndpoint", "RememberedNames"]

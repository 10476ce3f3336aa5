"""
Credentials of Amazon's clouds: access keys, and the places that they come from.
"""

from .keys import AccessKeys

__all__ = ["AccessKeys"]

"""
Creation: exactly one volume for a dataset, and exactly one snapshot of a name for a volume.
"""

from .creations import Creations

__all__ = ["Creations"]

"""
Tests for drivers whose volumes have labels.
"""

from __future__ import absolute_import, division, print_function

from .interrupted import LabelResilience
from .suite import LabelIsolation, Labelling

__all__ = ["LabelIsolation", "LabelResilience", "Labelling"]

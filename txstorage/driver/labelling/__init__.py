"""
Operations on the labels of one volume.
"""

from __future__ import absolute_import, division, print_function

from .labels import VolumeLabels
from .second_volumes import SecondVolumeMarks

__all__ = ["SecondVolumeMarks", "VolumeLabels"]

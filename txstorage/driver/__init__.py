"""
The asynchronous driver: its operations, the decisions behind them, and the waiting.
"""

from __future__ import absolute_import, division, print_function

from .operations import BlockDeviceDriver
from .polling import Intervals

__all__ = ["BlockDeviceDriver", "Intervals"]

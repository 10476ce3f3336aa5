"""
The integration with Flocker: the backend, the blocking driver and the dataset agent.
"""

from __future__ import absolute_import, division, print_function

from .backend import FLOCKER_BACKEND, blocking_driver
from .blocking import BlockingDriver

__all__ = ["FLOCKER_BACKEND", "BlockingDriver", "blocking_driver"]

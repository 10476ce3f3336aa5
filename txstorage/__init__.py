"""
Asynchronous block storage for Twisted and Flocker.

>>> from txstorage import block_device_driver
>>> driver = block_device_driver(reactor, cluster_id, region=..., auth_url=..., ...)
>>> driver.list_volumes().addCallback(print)
"""

from __future__ import absolute_import, division, print_function

from ._assembly import block_device_driver
from ._support.compat import native
from ._version import VERSION
from .flocker import FLOCKER_BACKEND

__version__ = native(VERSION)

__all__ = ["FLOCKER_BACKEND", "__version__", "block_device_driver"]

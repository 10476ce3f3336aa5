"""
Asynchronous block storage for Twisted and Flocker.

>>> from txstorage import block_device_driver
>>> driver = block_device_driver(reactor, cluster_id, region=..., auth_url=..., ...)
>>> driver.list_volumes().addCallback(print)
"""

from __future__ import absolute_import, division, print_function

from ._support.compat import PY2, native
from ._support.late_names import late_names
from ._version import VERSION

MYPY = False
if PY2 or MYPY:
    from ._assembly import block_device_driver
    from .flocker import FLOCKER_BACKEND, blocking_driver
else:
    # The command line needs neither for its help, and Twisted takes a while to import.
    __getattr__ = late_names(
        __name__,
        {
            "FLOCKER_BACKEND": ".flocker",
            "block_device_driver": "._assembly",
            "blocking_driver": ".flocker",
        },
    )

__version__ = native(VERSION)

__all__ = ["FLOCKER_BACKEND", "__version__", "block_device_driver", "blocking_driver"]

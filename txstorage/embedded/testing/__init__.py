"""
An OpenStack for the tests of other programs: in memory, in a thread, in a child process.

>>> from txstorage.embedded.testing import ThreadedOpenStack
>>> with ThreadedOpenStack() as cloud:
...     cloud.auth_url
'http://127.0.0.1:41234/identity/v3'

All of them have the interface of :class:`OpenStackDouble`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._support.late_names import late_names

if TYPE_CHECKING:
    from .cloud import APPLICATION_SECRET, BASE_URL, PASSWORD, InMemoryCloud, in_memory_cloud
    from .double import ControlRefused, OpenStackDouble, RecordedRequest, RequestedFault
    from .in_memory import InMemoryOpenStack
    from .process import DoubleNotStarted, OpenStackProcess
    from .running import RunningOpenStack
    from .threaded import ThreadedOpenStack
else:
    # pytest loads the plugin beside this module in every run, also in those that need no cloud.
    __getattr__ = late_names(
        __name__,
        {
            "APPLICATION_SECRET": ".cloud",
            "BASE_URL": ".cloud",
            "PASSWORD": ".cloud",
            "InMemoryCloud": ".cloud",
            "in_memory_cloud": ".cloud",
            "ControlRefused": ".double",
            "OpenStackDouble": ".double",
            "RecordedRequest": ".double",
            "RequestedFault": ".double",
            "InMemoryOpenStack": ".in_memory",
            "DoubleNotStarted": ".process",
            "OpenStackProcess": ".process",
            "RunningOpenStack": ".running",
            "ThreadedOpenStack": ".threaded",
        },
    )

__all__ = [
    "APPLICATION_SECRET",
    "BASE_URL",
    "PASSWORD",
    "ControlRefused",
    "DoubleNotStarted",
    "InMemoryCloud",
    "InMemoryOpenStack",
    "OpenStackDouble",
    "OpenStackProcess",
    "RecordedRequest",
    "RequestedFault",
    "RunningOpenStack",
    "ThreadedOpenStack",
    "in_memory_cloud",
]

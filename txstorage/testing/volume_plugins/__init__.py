"""
The conformance suite for Docker volume plugins, which runs against any plugin's socket.

Python 3 only, so :mod:`txstorage.testing` does not hand it on.
"""

from __future__ import annotations

from .containers import Container
from .interface import CloudTrouble, IPluginUnderTest, VolumeInCloud
from .suites import make_volume_plugin_tests

__all__ = [
    "CloudTrouble",
    "Container",
    "IPluginUnderTest",
    "VolumeInCloud",
    "make_volume_plugin_tests",
]

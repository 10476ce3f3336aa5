"""
Tests of the suite for volume plugins: a plugin that is right passes, and each that is wrong in one
way fails where it should.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

from txstorage.testing.volume_plugins import make_volume_plugin_tests

from .reference import InProcess, ReferencePlugin


def under_test(test_case: Any, plugin: type[ReferencePlugin] = ReferencePlugin) -> InProcess:
    """:return: a running plugin of a class."""
    found = InProcess(plugin, tempfile.mkdtemp(prefix="txstorage-test-"))
    test_case.addCleanup(found.remove)
    found.start()
    return found


class ReferenceTests(make_volume_plugin_tests(under_test)):  # type: ignore[misc]
    """A plugin that is right passes."""

    timeout = 60
    if os.getuid() != 0:
        skip = "mounts need root"

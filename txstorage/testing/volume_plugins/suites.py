# -*- test-case-name: tests.testing.volume_plugins.test_suite -*-
"""
The factory of the suite.
"""

from __future__ import annotations

from typing import Any, Callable

from twisted.trial.unittest import TestCase

from .kills import Kills
from .life import Life
from .messages import Messages
from .trouble import Trouble
from .use import Mounting


def make_volume_plugin_tests(plugin_factory: Callable[[Any], Any]) -> type:
    """
    Make tests for a Docker volume plugin.  They need root, and a kernel that lets them mount.

    :param plugin_factory: called with the ``TestCase`` of each test; returns an object that
        provides :class:`IPluginUnderTest`, whose plugin runs, or a ``Deferred`` or coroutine of it.
        It may return the same for all tests: each test uses volumes of its own, gives back and
        removes what it used, and leaves the plugin running and the cloud mended.
    :return: a ``TestCase`` class.
    """
    attributes = {
        "__doc__": "The tests of a volume plugin.",
        "plugin_factory": lambda test_case: plugin_factory(test_case),
    }
    return type("Tests", (Messages, Life, Mounting, Trouble, Kills, TestCase), attributes)


__all__ = ["make_volume_plugin_tests"]

"""The conformance suite for volume plugins, with the real plugin as a child process."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any
from uuid import uuid4

from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from tests.helpers.child import shared_service
from txstorage.testing import detach_destroy_volumes
from txstorage.testing.volume_plugins import IPluginUnderTest, make_volume_plugin_tests

from .processes import PluginProcess


async def running_plugin(test_case: Any) -> PluginProcess:
    """:return: a coroutine of a plugin with a cluster of its own."""
    directory = tempfile.mkdtemp(prefix="txstorage-test-")
    service = shared_service()
    cluster_id = uuid4()
    driver, _ = service.driver(test_case, cluster_id, "node-1")
    plugin = PluginProcess(os.path.join(directory, "node-1"), service, "node-1", cluster_id, driver)

    async def end() -> None:
        await plugin.remove()
        shutil.rmtree(directory)
        await detach_destroy_volumes(driver)

    test_case.addCleanup(end)
    plugin.start()
    return plugin


class ConformanceTests(make_volume_plugin_tests(running_plugin)):  # type: ignore[misc]
    """``txstorage docker-plugin`` on the embedded service, with loop devices."""

    timeout = 120
    if os.getuid() != 0:
        skip = "loop devices and mounts need root"


class InterfaceTests(TestCase):
    """The plugin under test."""

    timeout = 120
    skip = ConformanceTests.skip if os.getuid() != 0 else None

    async def test_interface(self) -> None:
        """It provides the suite's interface."""
        self.assertTrue(verifyObject(IPluginUnderTest, await running_plugin(self)))

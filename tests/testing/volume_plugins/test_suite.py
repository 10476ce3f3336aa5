"""
Tests of the suite for volume plugins: a plugin that is right passes, and each that is wrong in one
way fails where it should.
"""

from __future__ import annotations

import gc
import os
import tempfile
from typing import Any
from unittest import TestLoader

from twisted.trial.reporter import TestResult
from twisted.trial.unittest import SynchronousTestCase

from txstorage.testing.volume_plugins import base, make_volume_plugin_tests

from .mutants import MUTANTS
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


def wrong(plugin: type[ReferencePlugin], test: str) -> str:
    """:return: the failure of a test with a plugin of a class; empty when it passes."""
    suite = make_volume_plugin_tests(lambda test_case: under_test(test_case, plugin))
    result = TestResult()
    suite(test).run(result)
    found = result.failures + result.errors
    return found[0][1].getTraceback() if found else ""


class MutantTests(SynchronousTestCase):
    """Plugins that are wrong fail."""

    if os.getuid() != 0:
        skip = "mounts need root"

    def setUp(self) -> None:
        self.patch(base, "PATIENCE", 1.0)
        # What a test that failed half way left unanswered is not for other tests.
        self.addCleanup(lambda: (gc.collect(), self.flushLoggedErrors()))

    def test_mutants_fail(self) -> None:
        """Each wrong plugin fails the tests that claim to see it."""
        passed = [
            f"{plugin.__name__} passes {test}"
            for plugin, tests in MUTANTS
            for test in tests
            if not wrong(plugin, test)
        ]
        self.assertEqual([], passed)

    def test_all_tests(self) -> None:
        """There is no test that no wrong plugin fails."""
        caught = {test for _, tests in MUTANTS for test in tests}
        names = TestLoader().getTestCaseNames(ReferenceTests)
        self.assertEqual(caught, set(names))

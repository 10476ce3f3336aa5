"""Tests for :mod:`txstorage.docker.metrics.health`."""

from __future__ import annotations

from typing import Any

import attr
from twisted.trial.unittest import SynchronousTestCase

from txstorage.docker.metrics.health import Health, health_of
from txstorage.errors import StorageError


@attr.s(auto_attribs=True)
class Listed:
    """The outcome of a catalog's lists."""

    refreshed: float | None = None
    problem: Exception | None = None


class HealthTests(SynchronousTestCase):
    """``Health``."""

    def health(self, listed: Any) -> Health:
        """:return: the health at 1000 seconds, with a limit of 180."""
        return health_of(listed, 1000.0, 180.0)

    def test_healthy(self) -> None:
        """A list at the limit is recent."""
        self.assertEqual(("", 180.0), (self.health(Listed(820.0)).reason, 180.0))
        self.assertEqual(180.0, self.health(Listed(820.0)).age)

    def test_old(self) -> None:
        """An old list is a reason, with its age."""
        self.assertIn("181 seconds", self.health(Listed(819.0)).reason)

    def test_none(self) -> None:
        """So is the lack of one."""
        self.assertIn("not answered yet", self.health(Listed()).reason)

    def test_problem(self) -> None:
        """A problem is one also while the list is recent, in one line of bounded length."""
        reason = self.health(Listed(999.0, StorageError("down\nand " + "x" * 5000))).reason
        self.assertTrue(reason.startswith("down and x"))
        self.assertEqual(1000, len(reason))
        self.assertEqual("StorageError", self.health(Listed(999.0, StorageError(""))).reason)

"""A small run of the shortages, which ``make test-faults`` runs at length."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SkipTest, TestCase

from txstorage._http import client

from .limits import run_limits
from .run import parsed
from .world import Tally


class LimitsTests(TestCase):
    """Every shortage, once."""

    timeout = 300

    def setUp(self) -> None:
        if os.getuid() != 0:
            raise SkipTest("mounts and loop devices need root")
        self.patch(client, "_FIRST_DELAY", 0.02)

    def test_each(self) -> Deferred[None]:
        """Nothing is lost in any shortage, and each prints its figures."""

        async def run() -> None:
            tally: Any = Tally()
            options = parsed(["--shortages", "1", "--devices", "4"])
            lines = await run_limits(options, tally, len)
            self.assertEqual([], tally.violations)
            self.assertEqual(
                ["disk full", "read only", "few descriptors", "few descriptors of client"]
                + ["devices"],
                [line.split(":")[0].strip() for line in lines],
            )

        return ensureDeferred(run())

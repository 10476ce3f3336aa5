"""Tests that the benchmark of ``make bench`` runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.run import ROOT


class PollingTests(SynchronousTestCase):
    """``benchmarks/polling.py``."""

    def test_measured(self) -> None:
        """
        The benchmark counts the requests with and without the shared poll, and prints their ratio;
        it reports its steps.
        """
        benchmark = os.path.join(ROOT, "benchmarks", "polling.py")
        environment = dict(os.environ, TXSTORAGE_PYTHON3=sys.executable)
        done = subprocess.run(
            [sys.executable, benchmark, "4", "0.05"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.assertEqual(0, done.returncode, done.stdout)
        gets = [int(number) for number in re.findall(r"(\d+) of them GET", done.stdout)]
        [ratio] = re.findall(r"GETs with a shared poll: (\d\.\d\d)", done.stdout)
        self.assertEqual(2, len(gets), done.stdout)
        self.assertEqual(f"{gets[0] / gets[1]:.2f}", ratio)
        steps = re.findall(r"^--- (.*): done in \d+ s$", done.stdout, re.MULTILINE)
        cycles = "life cycles of 4 volumes, "
        self.assertEqual(
            ["starting the embedded service", cycles + "shared poll", cycles + "one GET each"],
            steps,
        )

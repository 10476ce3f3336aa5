"""
Tests of ``make clean``.
"""

from __future__ import annotations

import os
import subprocess

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.run import ROOT


def said(*command: str) -> list[str]:
    """The lines that a command prints."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()


class CleanTests(SynchronousTestCase):
    """``make clean``."""

    def test_only_what_was_made(self) -> None:
        """``make clean`` removes nothing that git tracks."""
        if not os.path.exists(os.path.join(ROOT, ".git")):
            raise SkipTest("git knows what the project consists of")
        copy = os.path.abspath(self.mktemp())
        files = [os.path.join(copy, name) for name in said("git", "ls-files")]
        for path in files:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w"):
                pass
        lines = said("make", "--dry-run", "clean")
        removing = [line for line in lines if line.startswith(("rm ", "find "))]
        self.assertEqual(3, len(removing))
        subprocess.run(["sh", "-ec", "\n".join(removing)], cwd=copy, check=True)
        self.assertEqual([], [path for path in files if not os.path.exists(path)])

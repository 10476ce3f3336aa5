"""
Tests of ``make clean``.
"""

from __future__ import annotations

import os
import re
import subprocess

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.run import ROOT

#: A line of a recipe that runs a command as a step.
STEP = re.compile(r'\S+ -B -m tests\.progress "[^"]+" (.+)')


def said(*command: str) -> list[str]:
    """The lines that a command prints."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()


class CleanTests(SynchronousTestCase):
    """``make clean``."""

    def test_only_what_was_made(self) -> None:
        """Each command of ``make clean`` is a step, and none removes what git tracks."""
        if not os.path.exists(os.path.join(ROOT, ".git")):
            raise SkipTest("git knows what the project consists of")
        copy = os.path.abspath(self.mktemp())
        files = [os.path.join(copy, name) for name in said("git", "ls-files")]
        for path in files:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w"):
                pass
        steps = [
            STEP.fullmatch(line)
            for line in said("make", "--dry-run", "--no-print-directory", "clean")
        ]
        commands = [step.group(1) for step in steps if step is not None]
        self.assertEqual(len(steps), len(commands))
        removing = [command for command in commands if command.startswith(("rm ", "find "))]
        self.assertEqual(2, len(removing))
        with open(os.path.join(copy, "made.pyc"), "w"):
            pass
        subprocess.run(["sh", "-ec", "\n".join(removing)], cwd=copy, check=True)
        self.assertFalse(os.path.exists(os.path.join(copy, "made.pyc")))
        self.assertEqual([], [path for path in files if not os.path.exists(path)])

"""Tests of the messages about steps."""

from __future__ import annotations

import subprocess
import sys
import threading

from twisted.trial.unittest import SynchronousTestCase

from tests import progress
from tests.progress import step
from tests.run import ROOT


class StepTests(SynchronousTestCase):
    """``step``."""

    def setUp(self) -> None:
        self.said: list[str] = []

    def clock(self) -> float:
        """Ten and a half seconds pass from message to message."""
        return len(self.said) * 10.5

    def test_done(self) -> None:
        """The text is said at the beginning, and with the seconds at the end."""
        with step("making it", self.said.append, self.clock):
            self.assertEqual(["making it"], self.said)
        self.assertEqual(["making it", "making it: done in 10 s"], self.said)

    def test_failed(self) -> None:
        """A step that fails or is interrupted says so, and its exception passes."""
        for error in (ZeroDivisionError, KeyboardInterrupt):
            self.said = []
            with self.assertRaises(error):
                with step("making it", self.said.append, self.clock):
                    raise error()
            self.assertEqual(["making it", "making it: failed after 10 s"], self.said)

    def test_long(self) -> None:
        """A step that takes long is said again and again, with its seconds, until it ends."""
        self.patch(progress, "AGAIN", 0.001)
        twice = threading.Event()

        def say(text: str) -> None:
            self.said.append(text)
            if len(self.said) == 3:
                twice.set()

        with step("making it", say, self.clock):
            self.assertTrue(twice.wait(60))
        repeated = ["making it: running for 10 s", "making it: running for 21 s"]
        self.assertEqual(["making it", *repeated], self.said[:3])
        self.assertEqual([True], ["done in" in text for text in self.said[-1:]])


class CommandTests(SynchronousTestCase):
    """``python -m tests.progress``."""

    def run_command(self, *command: str) -> tuple[int, list[str]]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.progress", "counting", *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.assertEqual("", done.stderr)
        return done.returncode, done.stdout.splitlines()

    def test_done(self) -> None:
        """The command's output stands between the messages of its step."""
        code, lines = self.run_command("echo", "1 2 3")
        self.assertEqual(0, code)
        self.assertEqual(["--- counting", "1 2 3"], lines[:-1])
        self.assertRegex(lines[-1], r"^--- counting: done in \d+ s$")

    def test_failed(self) -> None:
        """The exit code is the command's."""
        code, lines = self.run_command("sh", "-c", "exit 3")
        self.assertEqual(3, code)
        self.assertRegex(lines[-1], r"^--- counting: failed after \d+ s$")

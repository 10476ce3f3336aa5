"""
Tests for ``txstorage.cli.resources.watching``.
"""

from __future__ import annotations

import json
import os
import signal
from typing import Any
from unittest import mock

import click
from twisted.internet.defer import Deferred

from txstorage.cli.running import CommandInterrupted

from ..support import CommandTestCase, keep_destinations


class WatchTests(CommandTestCase):
    """``--watch``."""

    def setUp(self) -> None:
        super().setUp()
        self.volume = self.create()
        keep_destinations(self)

    #: The signal that ends a command.
    number = signal.SIGINT

    def run_watching(self, operation: Any) -> Any:
        """Run an operation for 20 seconds, change the volume after 10, and interrupt."""
        call = Deferred.fromCoroutine(operation(self.clock))
        outcome: list[Any] = []
        call.addBoth(outcome.append)
        for step in range(400):
            if step == 200:
                self.cloud.store.set_status(self.volume, "maintenance")
            self.agent.flush()
            self.clock.advance(0.05)
        self.assertEqual(outcome, [])
        call.cancel()
        self.assertEqual(len(outcome), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        raise CommandInterrupted(self.number)

    def watched(self, *arguments: str) -> Any:
        """The result of a command that is interrupted."""
        with mock.patch.object(type(self), "run_now", type(self).run_watching):
            result = self.txstorage(*arguments)
        self.assertEqual(result.exit_code, 0 if self.number == signal.SIGINT else 128 + self.number)
        return result

    def test_ctrl_c(self) -> None:
        """Ctrl-C is the ordinary end, without a word; another signal is an error, as always."""
        for command in (["list"], ["show", self.volume]):
            self.number = signal.SIGINT
            self.assertEqual(self.watched("volumes", *command, "--watch").stderr, "")
            self.number = signal.SIGTERM
            self.assertIn("SIGTERM", self.watched("volumes", *command, "--watch").stderr)
            self.cloud.store.set_status(self.volume, "available")

    def test_changes(self) -> None:
        """In a file a list stands once for each change, not once for each look."""
        shown = self.watched("volumes", "list", "--watch").stdout
        rows = [line for line in shown.splitlines() if self.volume in line]
        self.assertEqual(len(rows), 2, shown)
        self.assertIn("available", rows[0])
        self.assertIn("maintenance", rows[1])

    def test_machines(self) -> None:
        """With --json each change is one line, and nothing else is printed."""
        for command in (["list"], ["show", self.volume]):
            shown = self.watched("--json", "volumes", *command, "--watch").stdout
            first, second = map(json.loads, shown.splitlines())
            self.assertNotEqual(first, second)
            self.assertIn(self.volume, json.dumps(second))
            self.cloud.store.set_status(self.volume, "available")

    def test_terminal(self) -> None:
        """On a terminal the last state replaces the one before."""
        terminal = {"FORCE_COLOR": "1", "COLUMNS": "100", "TERM": "xterm"}
        with mock.patch.dict(os.environ, terminal):
            shown = self.watched("volumes", "show", self.volume, "--watch").stdout
        self.assertIn("\x1b[2K", shown)
        self.assertIn("maintenance", click.unstyle(shown))

    def looks(self, interval: str) -> int:
        """The number of looks in 20 seconds."""
        result = self.watched("volumes", "list", "-v", "--watch", "--interval", interval)
        count: int = result.stderr.count("/volumes/detail 200")
        return count

    def test_short_interval(self) -> None:
        """A short interval means many looks."""
        self.assertIn(self.looks("1"), range(15, 21))

    def test_long_interval(self) -> None:
        """A long interval means few looks."""
        self.assertIn(self.looks("5"), (3, 4))

"""Tests of the commands by hand, with a program of the test's own."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from . import commands
from .commands import Command, Commands, perform
from .suites import SUITES

PROGRAM = """#!/bin/sh
[ "$1" = fail ] && { echo "no such thing" >&2; exit 1; }
echo "| id   | 4711 |"
echo "$@"
"""


class CommandTests(SynchronousTestCase):
    """Tests of commands."""

    def _perform(self, *lines: str) -> list[tuple[object, object]]:
        home = self.mktemp()
        os.mkdir(home)
        program = os.path.join(os.path.abspath(home), "program")
        with open(program, "w", encoding="utf-8") as opened:
            opened.write(PROGRAM)
        os.chmod(program, 0o755)
        self.patch(Commands, "every", lambda _: [Command.of(line) for line in lines])
        rows = perform(Commands("n", "t", program, 1), {"project": "p1"}, home, {})
        return [(row["outcome"], row["reason"]) for row in rows]

    def test_line(self) -> None:
        """A line has a name, a command and expected texts; only the command has to be there."""
        self.assertEqual(Command.of("a = b c => d, e"), Command("b c", ("d", "e"), "a"))
        self.assertEqual(Command.of("b --p k=v"), Command("b --p k=v", (), ""))

    def test_passes(self) -> None:
        """A command passes when it succeeds and prints what is expected."""
        self.assertEqual(self._perform("show {project} => show p1"), [("passed", "")])

    def test_fails(self) -> None:
        """A command fails with its own last words, or with the texts that it did not print."""
        found = self._perform("fail", "show => other")
        expected = [("failed", "no such thing"), ("failed", "the output lacks ['other']")]
        self.assertEqual(found, expected)

    def test_ids(self) -> None:
        """The id that a command prints can be named later; without one, what names it fails."""
        found = self._perform("one = create", "show {one} => show 4711", "show {two}")
        self.assertEqual(found[:2], [("passed", "")] * 2)
        self.assertEqual(found[2], ("failed", "an earlier command printed no two"))

    def test_lists(self) -> None:
        """The lists have sixty and forty-three different commands."""
        numbers = {}
        for suite in SUITES:
            if isinstance(suite, commands.Commands):
                words = [command.words for command in suite.every()]
                self.assertEqual(len(words), len(set(words)))
                numbers[suite.name] = len(words)
        self.assertEqual(numbers, {"openstack": 60, "cinder": 43})

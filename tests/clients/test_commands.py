"""Tests of the commands by hand, with a client of the test's own."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from twisted.trial.unittest import SynchronousTestCase

from . import commands
from .commands import Command, Commands, perform
from .forked import execute
from .suites import SUITES


def client(words: list[str]) -> tuple[int, str, str]:
    """Print an id, and the words."""
    if words == ["fail"]:
        return 1, "", "no such thing\n"
    return 0, "| id   | 4711 |\n" + " ".join(words), ""


class CommandTests(SynchronousTestCase):
    """Tests of commands."""

    def _perform(self, *lines: str) -> list[tuple[object, object]]:
        self.patch(Commands, "every", lambda _: [Command.of(line) for line in lines])
        rows = perform(Commands("n", "t", "program", 1), {"project": "p1"}, client)
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


class ForkedTests(SynchronousTestCase):
    """Tests of commands in a fork."""

    def test_ends(self) -> None:
        """A command's exit code is what its program returns or exits with, or 1 for an error."""

        def exits() -> NoReturn:
            print("to", sys.argv)
            sys.exit("no")

        self.assertEqual(
            execute(exits, ["client", "a"]),
            {"code": 1, "output": "to ['client', 'a']\n", "errors": "no\n"},
        )
        self.assertEqual(execute(lambda: 3, ["client"])["code"], 3)
        self.assertEqual(execute(lambda: None, ["client"])["code"], 0)
        failed = execute(lambda: 1 // 0, ["client"])
        self.assertEqual(failed["code"], 1)
        self.assertIn("ZeroDivisionError", failed["errors"])

    def test_nothing_stays(self) -> None:
        """A command changes nothing in the process that starts it."""
        execute(lambda: os.environ.update(CHANGED="yes"), ["client"])
        self.assertNotIn("CHANGED", os.environ)

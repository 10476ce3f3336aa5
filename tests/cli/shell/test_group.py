"""
Tests for ``txstorage.cli.shell.group``.
"""

from __future__ import annotations

import click
from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.main import COMMANDS, main

from ..support import runner


class LazyTests(SynchronousTestCase):
    """Commands that are imported late."""

    def test_short_help(self) -> None:
        """The line in the group's help is the command's own first line."""
        context = click.Context(main)
        for name, lazy in COMMANDS.items():
            command = main.get_command(context, name)
            command.short_help = None
            shown = command.get_short_help_str(200)
            self.assertEqual(lazy.short_help.rstrip("."), shown.rstrip("."), name)
            self.assertEqual(command.name, name)

    def test_help(self) -> None:
        """The help lists every command with its line."""
        shown = " ".join(runner().invoke(main, ["--help"]).stdout.split())
        for name, lazy in COMMANDS.items():
            self.assertIn(f"{name} {lazy.short_help}", shown)

    def test_unknown(self) -> None:
        """A command that there is not is wrong usage."""
        result = runner().invoke(main, ["volume"])
        self.assertEqual(result.exit_code, 2)
        self.assertIn("No such command", result.stderr)


class AliasTests(SynchronousTestCase):
    """``ls`` and ``rm``."""

    def test_same_command(self) -> None:
        """An alias is the command itself, and the group's help shows it."""
        context = click.Context(main)
        volumes = main.get_command(context, "volumes")
        for alias, name in (("ls", "list"), ("rm", "destroy")):
            self.assertIs(volumes.get_command(context, alias), volumes.get_command(context, name))
            self.assertIn(f"{name}, {alias}", runner().invoke(main, ["volumes", "-h"]).stdout)

"""
Tests for ``txstorage.cli.tables`` and the tables made with it.
"""

from __future__ import annotations

import itertools
import os
from unittest import mock
from uuid import UUID

import click

from .support import CommandTestCase


class PlacesTests(CommandTestCase):
    """A list of volumes on terminals and in files."""

    def setUp(self) -> None:
        super().setUp()
        self.volume = self.create()
        self.document("volumes", "attach", self.volume)
        self.dataset = self.document("volumes", "show", self.volume)["dataset_id"]

    def shown(self, *arguments: str, width: int) -> str:
        """The output of a terminal of a given width."""
        terminal = {"FORCE_COLOR": "1", "COLUMNS": str(width), "TERM": "xterm"}
        with mock.patch.dict(os.environ, terminal):
            result = self.txstorage(*arguments)
        self.assertEqual(result.exit_code, 0)
        return click.unstyle(result.stdout)

    def test_narrow(self) -> None:
        """On 80 columns no id is broken or cut, and no line is longer."""
        shown = self.shown("volumes", "list", width=80)
        for whole in (self.volume, self.dataset, self.node):
            self.assertIn(whole, shown)
        self.assertLessEqual(max(map(len, shown.splitlines())), 80)

    def test_very_narrow(self) -> None:
        """On 40 columns, and even on 20, no id is broken or cut, and no title stands alone."""
        for width, commands in itertools.product(
            (40, 20), (["list"], ["show", self.volume], ["list", "--columns", "volume_id,labels"])
        ):
            shown = self.shown("volumes", *commands, width=width)
            self.assertIn(self.volume, shown)
            if "--columns" not in commands:
                for whole in (self.dataset, self.node, "in-use", "1 GiB"):
                    self.assertIn(whole, shown)

    def test_messages_of_a_very_narrow_terminal(self) -> None:
        """On 40 columns, results and errors have whole ids, too."""
        self.assertIn(self.volume, self.shown("volumes", "detach", self.volume, width=40))
        terminal = {"FORCE_COLOR": "1", "COLUMNS": "40", "TERM": "xterm"}
        with mock.patch.dict(os.environ, terminal):
            result = self.txstorage("volumes", "detach", self.volume)
        self.assertIn(self.volume, click.unstyle(result.stderr))

    def test_words_of_prose(self) -> None:
        """On 40 columns a table of prose is wrapped between words, and keeps long ones."""
        shown = self.shown("doctor", width=40)
        self.assertIn("Detail", shown)
        self.assertIn(self.node, shown)

    def test_wide(self) -> None:
        """On a wide terminal a volume is one row, under titles."""
        shown = self.shown("volumes", "list", width=200)
        self.assertIn("Attached to", shown)
        [row] = [line for line in shown.splitlines() if self.volume in line]
        for whole in (self.dataset, self.node):
            self.assertIn(whole, row)

    def test_file(self) -> None:
        """In a file a volume is one line of fields between blanks, without lines around."""
        titles, row = self.txstorage("volumes", "list").stdout.splitlines()
        self.assertEqual(titles.split()[:2], ["Volume", "Dataset"])
        self.assertEqual(row.split()[:2], [self.volume, str(UUID(self.dataset))])
        self.assertEqual(row, row.rstrip())

    def test_long_line_in_a_file(self) -> None:
        """Outside a terminal a long finding stays on one line."""
        path = "/no" + "/such" * 60
        self.write_config(password=None, password_file=path)
        lines = self.txstorage("doctor").stdout.splitlines()
        self.assertTrue(any(path in line for line in lines), lines)

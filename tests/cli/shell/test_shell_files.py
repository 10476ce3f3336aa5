"""
Tests for ``packaging/shell_files.py``: the completions and the man pages of the packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import click
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.helpers.imports import ROOT
from txstorage.cli.main import main


class ShellFilesTests(SynchronousTestCase):
    """The files, made as ``make packages`` makes them."""

    def setUp(self) -> None:
        self.tree = os.path.abspath(self.mktemp())
        os.mkdir(self.tree)
        script = os.path.join(ROOT, "packaging", "shell_files.py")
        subprocess.run(
            [sys.executable, "-W", "ignore", script, self.tree],
            check=True,
            env=dict(os.environ, PYTHONPATH=ROOT),
        )
        self.pages = os.path.join(self.tree, "usr/share/man/man1")

    def page(self, *words: str) -> str:
        """A man page's source, without roff's escapes."""
        name = "-".join(["txstorage", *words]) + ".1"
        with open(os.path.join(self.pages, name), encoding="utf-8") as opened:
            return opened.read().replace("\\-", "-")

    def test_every_command(self) -> None:
        """Each command has a page, with each of its options, and its group's page names it."""
        context = click.Context(main)
        expected = ["txstorage.1"]
        for name in main.list_commands(context):
            group = main.get_command(context, name)
            below = click.Context(group)
            listed = [[name]]
            listed += [
                [name, each] for each in getattr(group, "list_commands", lambda _: [])(below)
            ]
            for words in listed:
                command = group if len(words) == 1 else group.get_command(below, words[1])
                page = self.page(*words)
                expected.append("-".join(["txstorage", *words]) + ".1")
                self.assertIn("-".join(["txstorage", *words]), self.page(*words[:-1]))
                for option in command.params:
                    if isinstance(option, click.Option) and not option.hidden:
                        self.assertIn(option.opts[-1], page, words)
        self.assertCountEqual(os.listdir(self.pages), expected)

    def test_rendered(self) -> None:
        """``groff`` has no complaint about a page, and shows the paragraphs."""
        if shutil.which("groff") is None:
            raise SkipTest("groff is not installed")
        for name in os.listdir(self.pages):
            path = os.path.join(self.pages, name)
            done = subprocess.run(
                ["groff", "-man", "-Tutf8", "-ww", path], capture_output=True, text=True
            )
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            self.assertIn("OPTIONS", done.stdout)

    def test_completions(self) -> None:
        """Each shell's script is at its place, and asks the command."""
        for path in (
            "bash-completion/completions/txstorage",
            "zsh/vendor-completions/_txstorage",
            "zsh/site-functions/_txstorage",
            "fish/vendor_completions.d/txstorage.fish",
        ):
            with open(os.path.join(self.tree, "usr/share", path), encoding="utf-8") as opened:
                self.assertIn("_TXSTORAGE_COMPLETE", opened.read(), path)
                self.assertNotIn('split ","', opened.read(), path)
        script = os.path.join(self.tree, "usr/share/bash-completion/completions/txstorage")
        subprocess.run(["bash", "-n", script], check=True)

"""
The names in the documents' text exist: targets of make, commands with options, and files of the
project.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
from typing import Any, Callable

import click
from twisted.trial.unittest import SynchronousTestCase

from tests.documents.blocks import ROOT, blocks, pages, text_of
from txstorage.cli.main import main

_LITERAL = re.compile(r"``([^`]+)``")
#: This document names files of other projects.
_OTHERS = "docs/comparison.rst"
_ENDS_OTHERS = re.compile(r"\b(pgrep|pkill|killall|pidof)\b|\bkill -(9|KILL)\b")
_FILE = re.compile(r"(?:tests|docs|txstorage|buildbot|packaging|benchmarks|newsfragments)/\S+")


def named() -> set[tuple[str, str]]:
    """Each document, with the texts in double backquotes."""
    found = set()
    for page in pages():
        literals = _LITERAL.findall(text_of(page))
        found |= {(page, " ".join(literal.split())) for literal in literals}
    return found


def targets() -> set[str]:
    """The targets of make that have a description."""
    return set(re.findall(r"^([a-z-]+):.*## ", text_of("Makefile"), re.MULTILINE))


def unknown(words: list[str]) -> str | None:
    """The first word of a ``txstorage`` command that the command line does not know."""
    command: Any = main
    rest = iter(words)
    for word in rest:
        if word.startswith("-"):
            option = _option(command, word.partition("=")[0])
            if option is None:
                return word
            if not option.is_flag and "=" not in word:
                next(rest, None)
        elif isinstance(command, click.Group):
            command = command.get_command(click.Context(command), word)
            if command is None:
                return word
    return None


def _option(command: Any, name: str) -> Any:
    context = click.Context(command, help_option_names=["-h", "--help"])
    options = [param for param in command.get_params(context) if isinstance(param, click.Option)]
    return next((option for option in options if name in option.opts), None)


class NamedTests(SynchronousTestCase):
    """The names in the text exist."""

    def wrong(self, is_wrong: Callable[[str], object]) -> list[tuple[str, str]]:
        """The names that a check finds wrong."""
        return sorted((page, words) for page, words in named() if is_wrong(words))

    def test_targets(self) -> None:
        """``make x`` names a target that ``make help`` lists."""
        known = targets()
        self.assertIn("demo", known)
        pattern = re.compile(r"(?:\w+=\S* )*make ([a-z-]+)")

        def is_wrong(words: str) -> bool:
            match = pattern.match(words)
            return match is not None and match[1] not in known

        self.assertEqual([], self.wrong(is_wrong))

    def test_commands(self) -> None:
        """``txstorage x --y`` is a command with that option."""
        starts = ("txstorage ", ".venv/bin/txstorage ", "/opt/txstorage/bin/txstorage ")

        def is_wrong(words: str) -> bool:
            return words.startswith(starts) and unknown(shlex.split(words)[1:]) is not None

        self.assertEqual([], self.wrong(is_wrong))

    def test_files(self) -> None:
        """A path in the project exists."""

        def is_wrong(words: str) -> bool:
            match = _FILE.fullmatch(words)
            made = "docs/_build"
            return (
                match is not None
                and not words.startswith(made)
                and not glob.glob(os.path.join(ROOT, words))
            )

        self.assertEqual([], [found for found in self.wrong(is_wrong) if found[0] != _OTHERS])


class CommandsTests(SynchronousTestCase):
    """The commands that readers type."""

    def test_ends_only_its_own(self) -> None:
        """No command ends processes by a pattern or by force: a pattern may match others."""
        found = [
            (page, command)
            for page in pages()
            for block in blocks(page)
            if block.language == "console"
            for command, _ in block.commands
            if _ENDS_OTHERS.search(command)
        ]
        self.assertEqual([], found)
        self.assertTrue(_ENDS_OTHERS.search("kill -9 $(pgrep -f 'serve')"))


class UnknownTests(SynchronousTestCase):
    """Unknown words of the command line are found."""

    def test_known(self) -> None:
        """Known commands with options and arguments pass."""
        for line in ["serve --state-dir X --port=0", "--json volumes list", "volumes destroy ID"]:
            self.assertIs(None, unknown(line.split()), line)

    def test_unknown(self) -> None:
        """An unknown command, subcommand or option is found."""
        for line, word in [
            ("mend", "mend"),
            ("--config serve volumes mend", "mend"),
            ("serve --colour", "--colour"),
            ("--json=1 --loud volumes", "--loud"),
        ]:
            self.assertEqual(word, unknown(line.split()), line)

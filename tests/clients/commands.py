"""The commands that a user types by hand, and what each has to print."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

#: The directory of what is listed and recorded.
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
#: The version that users name, as some commands need a later one than the first.
VERSION = {"OS_VOLUME_API_VERSION": "3.71"}
#: The program that runs them.
FORKED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "forked.py")
#: The row of a table with an object's id.
ID = re.compile(r"^\|\s*id\s*\|\s*(\S+)\s*\|", re.M)
#: A line of a list of commands: ``[NAME = ]WORDS[ => TEXT, TEXT]``.
LINE = re.compile(r"(?:(?P<name>\w+) = )?(?P<words>.*?)(?: => (?P<expected>.*))?\Z")


@dataclass(frozen=True)
class Command:
    """
    One command.

    :ivar words: its arguments, in which ``{NAME}`` is the id that an earlier command printed.
    :ivar expected: texts that its output contains.
    :ivar saved: the name under which the printed id is kept; empty for none.
    """

    words: str
    expected: tuple[str, ...]
    saved: str = ""

    @classmethod
    def of(cls, line: str) -> Command:
        """:return: the command on a line of a list."""
        match = LINE.match(line)
        assert match is not None
        expected = tuple(filter(None, (match["expected"] or "").split(", ")))
        return cls(match["words"], expected, match["name"] or "")


@dataclass(frozen=True)
class Commands:
    """
    The commands of one program, which run one after the other on one service.

    :ivar name: as :attr:`tests.clients.suites.Suite.name`; also of the file that lists them.
    :ivar program: its name.
    :ivar goal: the number of commands to reach.
    """

    name: str
    title: str
    program: str
    goal: int
    within: str = ""

    def every(self) -> list[Command]:
        """:return: the commands in the list, in order."""
        with open(os.path.join(DATA, "commands", self.name + ".txt"), encoding="utf-8") as opened:
            lines = [line.strip() for line in opened]
        return [Command.of(line) for line in lines if line and not line.startswith("#")]


@dataclass(frozen=True)
class Printed:
    """
    The end of a command.

    :ivar command: with the values for its names.
    :ivar code: its exit code.
    :ivar output: what it printed.
    :ivar errors: what it printed as errors.
    """

    command: Command
    code: int
    output: str
    errors: str


#: Runs a command with these words, and returns its exit code, its output and its errors.
Runner = Callable[[list[str]], tuple[int, str, str]]


@contextmanager
def runner(python: str, program: str, home: str, environment: dict[str, str]) -> Iterator[Runner]:
    """
    Start a client, whose commands run until the end of the block.

    :param python: the path of the Python that has it.
    :param program: its name.
    :param home: the commands' directory.
    :param environment: theirs, with the account.
    """
    process = subprocess.Popen(
        [python, FORKED, program],
        env={**environment, **VERSION},
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(words: list[str]) -> tuple[int, str, str]:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(words) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise OSError(f"{program} ended")
        ended = json.loads(line)
        return ended["code"], ended["output"], ended["errors"]

    try:
        yield run
    finally:
        process.communicate()


def execute(commands: list[Command], known: dict[str, str], run: Runner) -> Iterator[Printed]:
    """
    Run commands, one after the other.

    :param known: ids by their names.
    """
    known = dict(known)
    for command in commands:
        try:
            words = shlex.split(command.words.format(**known))
            expected = tuple(text.format(**known) for text in command.expected)
        except KeyError as missing:
            yield Printed(command, 1, "", f"an earlier command printed no {missing.args[0]}")
            continue
        printed = Printed(replace(command, expected=expected), *run(words))
        found = ID.search(printed.output)
        if command.saved and found:
            known[command.saved] = found[1]
        yield printed


def perform(commands: Commands, known: dict[str, str], run: Runner) -> list[dict[str, object]]:
    """
    Run the commands, and judge what they print.

    :param known: ids by their names.
    :return: rows as :mod:`tests.clients.inside` writes them.
    """
    rows = []
    begun = time.time()
    for printed in execute(commands.every(), known, run):
        problem = _problem(printed)
        name = f"{commands.program} {printed.command.words}"
        row = {"id": name, "whole": name, "reason": problem, "begun": begun}
        begun = time.time()
        row.update(outcome="failed" if problem else "passed", ended=begun)
        rows.append(row)
    return rows


def _problem(printed: Printed) -> str:
    """:return: text; empty for none."""
    if printed.code:
        return " ".join(printed.errors.split())[-300:] or f"exit code {printed.code}"
    missing = [text for text in printed.command.expected if text not in printed.output]
    return f"the output lacks {missing}" if missing else ""

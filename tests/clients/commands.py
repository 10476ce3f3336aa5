"""The commands that a user types by hand, and what each has to print."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from dataclasses import dataclass

#: The directory of what is listed and recorded.
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
#: The version that users name, as some commands need a later one than the first.
VERSION = {"OS_VOLUME_API_VERSION": "3.71"}
#: Seconds that a command may take.
PATIENCE = 60
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


def perform(
    commands: Commands, known: dict[str, str], home: str, environment: dict[str, str]
) -> list[dict[str, object]]:
    """
    Run the commands.

    :param known: ids by their names.
    :return: rows as :mod:`tests.clients.inside` writes them.
    """
    known = dict(known)
    rows = []
    for command in commands.every():
        begun = time.time()
        problem = _problem(commands.program, command, known, home, environment)
        row = {"id": f"{commands.program} {command.words}", "reason": problem, "begun": begun}
        row.update(whole=row["id"], outcome="failed" if problem else "passed", ended=time.time())
        rows.append(row)
    return rows


def _problem(
    program: str, command: Command, known: dict[str, str], home: str, environment: dict[str, str]
) -> str:
    """
    :param known: ids by their names, to which the command may add.
    :return: text; empty for none.
    """
    try:
        words = shlex.split(command.words.format(**known))
        expected = [text.format(**known) for text in command.expected]
    except KeyError as missing:
        return f"an earlier command printed no {missing.args[0]}"
    done = subprocess.run(
        [program, *words],
        env={**environment, **VERSION},
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
    )
    if done.returncode:
        return " ".join(done.stderr.split())[-300:] or f"exit code {done.returncode}"
    missing = [text for text in expected if text not in done.stdout]
    found = ID.search(done.stdout)
    if command.saved and found:
        known[command.saved] = found[1]
    return f"the output lacks {missing}" if missing else ""

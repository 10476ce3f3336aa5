"""
The comparison of what commands print about the embedded service and about a real cloud.

Each output becomes lines, in which values that every cloud makes anew, such as ids and times, are
replaced by what they are.  A difference is a line that only one of both prints.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import yaml

from .commands import DATA, Printed

#: The sides.
HERE, THERE = "here", "there"
#: What values are that every cloud makes anew; each pattern sees what those before it left.
MADE = [
    (re.compile(r"(?<=^adminPass \| )\S+"), "SECRET"),
    # Tokens, and the secrets of application credentials.
    (re.compile(r"[\w.-]{80,}={0,2}"), "SECRET"),
    (re.compile(r"req-[0-9a-f]{8}-[0-9a-f-]{27}"), "REQUEST"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    # Of projects and users.
    (re.compile(r"\b[0-9a-f]{32}\b"), "ID"),
    # Nova's hash of a host and a project.
    (re.compile(r"\b[0-9a-f]{56}\b"), "HOST"),
    # The key of a transfer.
    (re.compile(r"\b[0-9a-f]{16}\b"), "KEY"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]00:?00)?"), "TIME"),
    # The service's address, with what its operator puts before the API's path.
    (
        re.compile(r"https?://[\w.:\[\]-]+(/(identity|volume|compute|image)\b)?(/v[\d.]+)?(/ID)?"),
        "URL",
    ),
    # libvirt and the embedded service name devices after the bus, and the rig's disks are SCSI.
    (re.compile(r"/dev/[sv]d(?=[a-z])"), "/dev/d"),
]
#: The fields that show whether a new volume has reached a host yet, by the commands that show it
#: after they made it; the other clients show what the request for it answered.
RACING = {"cinder create": frozenset(["status", "service_uuid", "shared_targets", "updated_at"])}
#: The first rows of tables of fields.
FIELDS = (["Field", "Value"], ["Property", "Value"])


@dataclass(frozen=True)
class Difference:
    """
    A line that one side prints and the other does not.

    :ivar command: the program and its words.
    :ivar side: the side that prints the line.
    """

    command: str
    side: str
    line: str


@dataclass(frozen=True)
class Known:
    """
    Differences for one reason.

    :ivar commands: texts, in which ``*`` stands for any text, one of which is the command.
    :ivar lines: such texts for lines, by the side that prints them.
    """

    reason: str
    commands: tuple[str, ...]
    lines: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, content: Mapping[str, object]) -> Known:
        """:return: what an entry of the file says."""
        lines = {side: _texts(content[side]) for side in (HERE, THERE) if side in content}
        unknown = set(content) - {"reason", "commands", HERE, THERE}
        if unknown or not lines:
            raise ValueError(f"{content}: wrong")
        return cls(str(content["reason"]), _texts(content["commands"]), lines)

    def patterns(self) -> list[Pattern]:
        """:return: each line of it, which has to be met."""
        return [
            Pattern(command, side, line)
            for command in self.commands
            for side, lines in self.lines.items()
            for line in lines
        ]


@dataclass(frozen=True)
class Pattern:
    """Differences alike, as :class:`Known` lists them."""

    command: str
    side: str
    line: str

    def matches(self, found: Difference) -> bool:
        """:return: whether a difference is one of these."""
        return (
            self.side == found.side
            and _matches(self.command, found.command)
            and _matches(self.line, found.line)
        )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _matches(pattern: str, text: str) -> bool:
    words = map(re.escape, pattern.split("*"))
    return re.fullmatch(".*".join(words), text) is not None


def made_alike(text: str, names: Mapping[str, str]) -> str:
    """
    Replace what every cloud makes anew, and spaces.

    :param names: what a cloud's own names, such as its project's, stand for, by these names.
    """
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", names[name], text)
    for pattern, word in MADE:
        text = pattern.sub(word, text)
    return " ".join(text.split())


def lines(program: str, printed: Printed, names: Mapping[str, str]) -> list[str]:
    """
    :param names: as for :func:`made_alike`.
    :return: what a command printed: its exit code, the texts, and the rows of its table.
    """
    output = [line for line in printed.output.splitlines() if not line.startswith("+-")]
    rows = _rows([line for line in output if _is_row(line)])
    text = [line for line in output if not _is_row(line)] + printed.errors.splitlines()
    if rows[:1] and rows[0] in FIELDS:
        racing = _racing(f"{program} {printed.command.words}")
        rows = [row for row in rows[1:] if row[0] not in racing]
    elif program == "cinder":
        # It sorts most lists by ids, which are random.
        rows[1:] = sorted(rows[1:], key=lambda row: made_alike(" | ".join(row), names))
    made = [made_alike(line, names) for line in [*text, *map(" | ".join, rows)]]
    return [f"exit code {printed.code}", *filter(None, made)]


def _racing(command: str) -> frozenset[str]:
    found = (fields for start, fields in RACING.items() if command.startswith(start))
    return next(found, frozenset())


def _is_row(line: str) -> bool:
    return line.startswith("|") and line.endswith("|")


def _rows(table: Iterable[str]) -> list[list[str]]:
    """:return: the cells of each row; a row without a first cell continues the one before."""
    rows: list[list[str]] = []
    for line in table:
        cells = [cell.strip() for cell in line[1:-1].split(" | ")]
        if rows and not cells[0] and len(cells) == len(rows[-1]):
            rows[-1] = [" ".join(filter(None, both)) for both in zip(rows[-1], cells)]
        else:
            rows.append(cells)
    return rows


def differences(command: str, ours: Sequence[str], theirs: Sequence[str]) -> list[Difference]:
    """
    Compare what a command printed about the embedded service and about a real cloud.

    :param ours: as :func:`lines` returns it.
    :param theirs: such lines, too.
    """
    only = {HERE: Counter(ours) - Counter(theirs), THERE: Counter(theirs) - Counter(ours)}
    found = [Difference(command, side, line) for side in only for line in only[side].elements()]
    if not found and list(ours) != list(theirs):
        found = [Difference(command, HERE, "another order")]
    return found


def load(name: str) -> list[Known]:
    """:return: the known differences of a list of commands."""
    path = os.path.join(DATA, "commands", "differences.yaml")
    with open(path, encoding="utf-8") as opened:
        return [Known.of(entry) for entry in yaml.safe_load(opened)[name]]


def judge(found: Iterable[Difference], known: Iterable[Known]) -> list[str]:
    """
    Judge differences.

    :return: messages: the new differences, and the known ones that no longer exist.
    """
    patterns = [pattern for each in known for pattern in each.patterns()]
    met: set[Pattern] = set()
    problems = []
    for each in found:
        names = {pattern for pattern in patterns if pattern.matches(each)}
        met |= names
        if not names:
            problems.append(f"{each.command}: only {each.side}: {each.line}")
    for pattern in patterns:
        if pattern not in met:
            text = f"{pattern.command}: only {pattern.side}: {pattern.line}"
            problems.append(text + " (this difference no longer exists; remove it)")
    return problems

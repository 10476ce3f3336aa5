"""
The comparison of what commands print about the embedded service and about a real cloud.

Each output becomes parts with names: the rows of a table by their first cells, or the columns of a
list and its rows.  Values that every cloud makes anew, such as ids and times, are replaced by what
they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .commands import Printed

#: What values are that every cloud makes anew.
MADE = [
    (re.compile(r"[\w.-]{80,}={0,2}"), "SECRET"),
    (re.compile(r"req-[0-9a-f]{8}-[0-9a-f-]{27}"), "REQUEST"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "ID"),
    (re.compile(r"\b[0-9a-f]{56}\b"), "HOST"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "KEY"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:?00)?"), "TIME"),
    # The service's address, with what its operator puts before the API's path.
    (
        re.compile(r"https?://[\w.:\[\]-]+(/(identity|volume|compute|image)\b)?(/v[\d.]+)?(/ID)?"),
        "URL",
    ),
    # libvirt and the embedded service name devices after the bus, and the rig's disks are SCSI.
    (re.compile(r"/dev/[sv]d(?=[a-z])"), "/dev/d"),
]


#: What is shown of a new volume depends on how far it is.
RACING = frozenset(["status", "service_uuid", "shared_targets", "updated_at"])


@dataclass(frozen=True)
class Difference:
    """
    A part of a command's output that differs.

    :ivar command: its program and words.
    :ivar part: the name of a row, ``columns``, ``rows``, ``text`` or ``exit code``.
    :ivar ours: as the embedded service has it.
    :ivar theirs: as the real cloud has it.
    """

    command: str
    part: str
    ours: str
    theirs: str

    @property
    def name(self) -> str:
        """As in the list of the known ones."""
        return f"{self.command}: {self.part}"


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


def parts(printed: Printed, names: Mapping[str, str]) -> dict[str, str]:
    """
    Divide what a command printed into parts.

    :return: their texts by their names.
    """
    found = {"exit code": str(printed.code)}
    lines = [line for line in printed.output.splitlines() if not line.startswith("+-")]
    rows = [[made_alike(cell, names) for cell in _cells(line)] for line in lines if _is_row(line)]
    text = [made_alike(line, names) for line in lines if not _is_row(line)]
    text += [made_alike(line, names) for line in printed.errors.splitlines()]
    found["text"] = "\n".join(filter(None, text))
    if rows and rows[0] in (["Field", "Value"], ["Property", "Value"]):
        racing = RACING if "create " in printed.command.words else ()
        found.update({row[0]: " | ".join(row[1:]) for row in rows[1:] if row[0] not in racing})
    elif rows:
        found["columns"] = " | ".join(rows[0])
        found["rows"] = "\n".join(" | ".join(row) for row in rows[1:])
    return found


def _is_row(line: str) -> bool:
    return line.startswith("|") and line.endswith("|")


def _cells(line: str) -> list[str]:
    return line[1:-1].split(" | ")


def differences(
    program: str, ours: Printed, theirs: Printed, names: tuple[Mapping[str, str], Mapping[str, str]]
) -> list[Difference]:
    """
    Compare what a command printed about the embedded service and about a real cloud.

    :param names: of the embedded service and of the cloud, as for :func:`made_alike`.
    """
    found = parts(ours, names[0]), parts(theirs, names[1])
    if program == "cinder":
        # It sorts most lists by ids, which are random.
        for side in found:
            side["rows"] = "\n".join(sorted(side.get("rows", "").splitlines()))
    command = f"{program} {ours.command.words}"
    pairs = [(part, *(side.get(part, "") for side in found)) for part in {**found[1], **found[0]}]
    return [Difference(command, part, mine, real) for part, mine, real in pairs if mine != real]


def judge(found: Iterable[Difference], known: Mapping[str, Sequence[str]]) -> list[str]:
    """
    Judge differences.

    :param known: patterns of the names of differences, with ``*``, by their reasons.
    :return: the new differences in full, and the known ones that no longer exist.
    """
    listed = {pattern for patterns in known.values() for pattern in patterns}
    met: set[str] = set()
    new = []
    for each in found:
        fitting = {pattern for pattern in listed if fnmatchcase(each.name, pattern)}
        met |= fitting
        if not fitting:
            new.append(f"{each.name}\n  here: {each.ours!r}\n  there: {each.theirs!r}")
    return new + [f"{name}: there is no difference any more" for name in sorted(listed - met)]

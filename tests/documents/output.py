"""
Comparison of a command's output with the output that a document shows.

A document shows the output of one run.  Ids, devices, times and durations differ in another run.
The id of this run is learned when it first appears, and then stands for the document's id in
outputs and in commands; a device is learned likewise, and again whenever it changes.
"""

from __future__ import annotations

import re

_DEVICE = "/dev/loop"
#: Values that differ between runs and are the same within one: ids, devices, ports.
_KINDS = [
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    r"\b[0-9a-f]{32}\b",
    r"\b(?:i|snap|vol)-[0-9a-f]{17}\b",
    _DEVICE + r"\d+",
    r"(?<=127\.0\.0\.1:)\d{5}",
]
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+"
#: Values that always differ: a pattern of the document's value, and one for the output's.
_VALUES = [(_TIME, _TIME), (r"\.\.\.", r".*?")]
_NAMES = re.compile("|".join(_KINDS))
_TOKEN = re.compile("|".join([f"({_NAMES.pattern})"] + [f"({shown})" for shown, _ in _VALUES]))


class Learned:
    """
    The values of this run for the names that a document shows.

    :param examples: the addresses of this run for the example addresses of the document.
    """

    def __init__(self, examples: dict[str, str] | None = None) -> None:
        self.names: dict[str, str] = {}
        self._examples = examples or {}

    def typed(self, command: str) -> str:
        """A command of the document, with the values of this run."""
        known = _NAMES.sub(lambda name: self.names.get(name[0], name[0]), command)
        return self._here(known)

    def _here(self, text: str) -> str:
        for example, here in self._examples.items():
            text = text.replace(example, here)
        return text

    def matches(self, shown: str, came: str) -> bool:
        """
        Compare, and learn the values of this run.

        :param shown: the document's output; ``...`` matches anything within a line, and, alone in a
            line, any lines.
        :param came: the command's output.
        """
        groups: dict[str, str] = {}
        lines = [self._line(line, groups) for line in self._here(shown).rstrip().splitlines()]
        pattern = "".join(lines)
        match = re.fullmatch(pattern, _clean(came))
        if match is not None:
            self.names.update({groups[group]: match[group] for group in groups})
        return match is not None

    def _line(self, line: str, groups: dict[str, str]) -> str:
        if line.strip() == "...":
            return r"(?:.*\n)*?"
        parts: list[str] = []
        end = 0
        for token in _TOKEN.finditer(line):
            parts += [re.escape(line[end : token.start()]), self._token(token, groups)]
            end = token.end()
        return "".join(parts) + re.escape(line[end:].rstrip()) + r"\n"

    def _token(self, token: re.Match[str], groups: dict[str, str]) -> str:
        if token.lastindex != 1:
            return _VALUES[token.lastindex - 2][1]  # type: ignore[operator]
        name = token[0]
        if not name.startswith(_DEVICE):
            if name in self.names:
                return re.escape(self.names[name])
            for group, known in groups.items():
                if known == name:
                    return f"(?P={group})"
        group = f"name{len(groups)}"
        groups[group] = name
        return f"(?P<{group}>{_kind(token)})"


def _kind(token: re.Match[str]) -> str:
    """A pattern for every value that can stand for a name."""
    place = token.string, token.start(), token.end()
    return next(kind for kind in _KINDS if re.compile(kind).fullmatch(*place))


def _clean(came: str) -> str:
    """The lines, without blanks at their ends and without empty lines at the end."""
    lines = [line.rstrip() for line in came.rstrip().splitlines()]
    return "".join(line + "\n" for line in lines)

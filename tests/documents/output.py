"""
What a document shows, compared with what came.

A document shows what one run printed.  In another run ids, devices, times and
durations are others.  What an id is now is learned when it comes first, and
stands for the document's from then on, in what is printed and in what is typed;
so it is with a device, but that may be another whenever it is attached again.
"""

from __future__ import annotations

import re
from typing import Dict, List, Optional

_DEVICE = "/dev/loop"
#: What is another in each run, and the same within one: ids, devices, ports.
_KINDS = [
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    r"\b[0-9a-f]{32}\b",
    _DEVICE + r"\d+",
    r"(?<=127\.0\.0\.1:)\d{5}",
]
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+"
#: What is another each time, by what shows it, and what may come for it.
_VALUES = [(_TIME, _TIME), (r"\.\.\.", r".*?")]
_NAMES = re.compile("|".join(_KINDS))
_TOKEN = re.compile("|".join([f"({_NAMES.pattern})"] + [f"({shown})" for shown, _ in _VALUES]))


class Learned:
    """
    What the names that a document shows are in this run.

    :param examples: what an address that the document has for an example is here.
    """

    def __init__(self, examples: Optional[Dict[str, str]] = None) -> None:
        self.names: Dict[str, str] = {}
        self._examples = examples or {}

    def typed(self, command: str) -> str:
        """A command of the document, as it has to be typed in this run."""
        known = _NAMES.sub(lambda name: self.names.get(name[0], name[0]), command)
        return self._here(known)

    def _here(self, text: str) -> str:
        for example, here in self._examples.items():
            text = text.replace(example, here)
        return text

    def matches(self, shown: str, came: str) -> bool:
        """
        Compare, and learn.

        :param shown: what the document shows; ``...`` is anything within a
            line, and, alone in one, any lines.
        :param came: what the command printed.
        """
        groups: Dict[str, str] = {}
        lines = [self._line(line, groups) for line in self._here(shown).rstrip().splitlines()]
        pattern = "".join(lines)
        match = re.fullmatch(pattern, _clean(came))
        if match is not None:
            self.names.update({groups[group]: match[group] for group in groups})
        return match is not None

    def _line(self, line: str, groups: Dict[str, str]) -> str:
        if line.strip() == "...":
            return r"(?:.*\n)*?"
        parts: List[str] = []
        end = 0
        for token in _TOKEN.finditer(line):
            parts += [re.escape(line[end : token.start()]), self._token(token, groups)]
            end = token.end()
        return "".join(parts) + re.escape(line[end:].rstrip()) + r"\n"

    def _token(self, token: "re.Match[str]", groups: Dict[str, str]) -> str:
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


def _kind(token: "re.Match[str]") -> str:
    """A pattern for all that could stand in a name's place."""
    place = token.string, token.start(), token.end()
    return next(kind for kind in _KINDS if re.compile(kind).fullmatch(*place))


def _clean(came: str) -> str:
    """Lines without blanks at their ends, and no empty ones at the end."""
    lines = [line.rstrip() for line in came.rstrip().splitlines()]
    return "".join(line + "\n" for line in lines)

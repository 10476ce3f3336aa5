"""
Tests for :mod:`txstorage.cli.terminal`.
"""

from __future__ import annotations

import io
import json
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.properties import RELAXED
from txstorage.cli.terminal import SafeConsole, as_json, one_line, visible

UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")
HOSTILE = "\x1b]52;c;aGk=\x07\x9b31m\x7f\u202e\u2028\u2066\ud800\r\t\x00"
TEXTS = st.text() | st.text(alphabet=HOSTILE + "a\n")


def unsafe_in(output: str) -> set[str]:
    return {
        each
        for each in output
        if unicodedata.category(each) in UNSAFE and each not in "\n\u200c\u200d"
    }


class VisibleTests(SynchronousTestCase):
    """Texts from the cloud on a terminal."""

    def test_hostile(self) -> None:
        """Control characters are printed as their escapes."""
        self.assertEqual(
            "\\x1b]52;c;\\x07 \\x9b \\x7f \\u202e \n", visible("\x1b]52;c;\x07 \x9b \x7f \u202e \n")
        )

    @settings(**RELAXED)
    @given(TEXTS)
    def test_none_left(self, text: str) -> None:
        """No control character except the newline is left."""
        self.assertEqual(set(), unsafe_in(visible(text)))

    @settings(**RELAXED)
    @given(TEXTS)
    def test_one_line(self, text: str) -> None:
        """A text for a cell has no line break either."""
        self.assertEqual(set(), unsafe_in(one_line(text)))
        self.assertEqual(text != "", len(one_line(text).splitlines()) == 1)

    @settings(**RELAXED)
    @given(TEXTS)
    def test_console(self, text: str) -> None:
        """A console prints no control character of a cell, a text or a plain string."""
        console = SafeConsole(file=io.StringIO(), highlight=False, markup=False)
        table = Table("name")
        table.add_row(Text(text, style="red"))
        for each in (table, Text(text), text):
            console.print(each)
        self.assertEqual(set(), unsafe_in(console.file.getvalue()))  # type: ignore[attr-defined]

    def test_own_styles(self) -> None:
        """The console's own styles reach the terminal."""
        console = SafeConsole(file=io.StringIO(), force_terminal=True, color_system="standard")
        console.print(Text("\x1b[2J", style="red"))
        printed = console.file.getvalue()  # type: ignore[attr-defined]
        self.assertEqual("\x1b[31m\\x1b[2J\x1b[0m\n", printed)

    @settings(**RELAXED)
    @given(TEXTS)
    def test_json(self, text: str) -> None:
        """JSON escapes control characters and keeps the value."""
        document = as_json({"name": text})
        self.assertEqual(set(), unsafe_in(document))
        self.assertEqual({"name": text}, json.loads(document))

"""
Tests for ``txstorage.cli.progress``.
"""

from __future__ import annotations

import io

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.progress import Note, progress


class ProgressTests(SynchronousTestCase):
    """``progress``."""

    def test_terminal(self) -> None:
        """On a terminal the description and the note are drawn, markup as it is."""
        out = io.StringIO()
        console = Console(file=out, force_terminal=True, width=80)
        with progress(console, "Attaching [x]") as note:
            note.text = "reserved [y]"
        self.assertIn("Attaching [x]", out.getvalue())
        self.assertIn("reserved [y]", out.getvalue())

    def test_elsewhere(self) -> None:
        """Elsewhere nothing is drawn."""
        out = io.StringIO()
        with progress(Console(file=out, force_terminal=False), "Attaching") as note:
            note.text = "reserved"
        self.assertEqual(out.getvalue(), "")

    def test_note_of_ones_own(self) -> None:
        """The caller may bring the note."""
        mine = Note()
        with progress(Console(file=io.StringIO()), "x", mine) as note:
            self.assertIs(note, mine)

# -*- test-case-name: tests.cli.test_progress -*-
"""
A spinner with the elapsed time, for what may take a while.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, Optional

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Note:
    """
    What is known about the thing in progress.

    :ivar text: shown behind the elapsed time.
    """

    def __init__(self) -> None:
        self.text = ""


class _Line(Progress):
    """A progress display that looks the note up each time it is drawn."""

    def __init__(self, console: Console) -> None:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note].text}", style="dim", markup=False),
        )
        super().__init__(*columns, console=console, transient=True)


@contextmanager
def progress(
    console: Console, description: str, note: Optional[Note] = None
) -> Iterator[Note]:
    """
    Show that something is in progress, on a terminal; nothing elsewhere.

    :param console: of standard error.
    :param description: what is being done.
    :param note: what is known about it, if the caller has a note already.
    :return: a context manager for a :class:`Note`, which may be changed.
    """
    note = note or Note()
    if not console.is_terminal:
        yield note
        return
    with _Line(console) as line:
        line.add_task(description, total=None, note=note)
        yield note

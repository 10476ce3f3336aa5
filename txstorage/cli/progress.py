# -*- test-case-name: tests.cli.test_progress -*-
"""The progress of slow operations: a spinner with the elapsed time, and a report of each step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable

from rich.console import Console
from rich.text import Text

from .running import IReactor
from .terminal import one_line

if TYPE_CHECKING:
    from rich.progress import Progress


class Note:
    """
    The state of an operation in progress.

    :ivar text: displayed after the elapsed time.
    """

    def __init__(self) -> None:
        self.text = ""


def _line(console: Console) -> Progress:
    """Make a display that reads the note each time it is drawn."""
    # Most output goes to no terminal, and the import takes a while.
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    columns = (
        SpinnerColumn(),
        # An id that does not fit on the line continues on the next.
        TextColumn("{task.description}", markup=False, table_column=Column(overflow="fold")),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note].text}", style="dim", markup=False),
    )
    return Progress(*columns, console=console, transient=True)


@contextmanager
def progress(console: Console, description: str, note: Note | None = None) -> Iterator[Note]:
    """
    Show an operation in progress, on a terminal only.

    :param console: of standard error.
    :param description: the operation.
    :param note: its state, if the caller has a note already.
    :return: a context manager for a :class:`Note`, which may be changed.
    """
    note = note or Note()
    if not console.is_terminal:
        yield note
        return
    with _line(console) as line:
        line.add_task(one_line(description), total=None, note=note)
        yield note


class Narrator:
    """
    Prints the steps of a command as they are completed.

    :param reactor: provides ``IReactorTime``.
    :param console: prints each completed step; ``None`` prints nothing.
    :param progress_console: displays the step in progress.
    :param listener: called with the name of each step when it begins.
    :ivar steps: the completed steps, as JSON values.
    """

    def __init__(
        self,
        reactor: IReactor,
        console: Console | None,
        progress_console: Console,
        listener: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._reactor = reactor
        self._console = console
        self._progress_console = progress_console
        self._listener = listener
        self.steps: list[dict[str, Any]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[Note]:
        """
        :param name: the name of the step.
        :return: a context manager for a :class:`Note`, whose text is displayed after the step.
        """
        started = self._reactor.seconds()
        note, ok = Note(), False
        try:
            with progress(self._progress_console, name, note):
                self._listener(name)
                yield note
            ok = True
        finally:
            self._completed(name, self._reactor.seconds() - started, ok, note.text)

    def say(self, text: Text) -> None:
        """Print a text that is not a step."""
        if self._console is not None:
            self._console.print(text)

    def _completed(self, name: str, seconds: float, ok: bool, detail: str) -> None:
        self.steps.append({"step": name, "seconds": round(seconds, 3), "ok": ok, "detail": detail})
        mark = ("ok  ", "green") if ok else ("FAIL", "bold red")
        self.say(Text.assemble(mark, f" {seconds:7.2f} s  {name}", ("  " + detail, "dim")))

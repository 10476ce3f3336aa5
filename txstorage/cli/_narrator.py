# -*- test-case-name: tests.cli.test_demo -*-
"""
Tell a story step by step, as it happens.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional

from rich.console import Console
from rich.text import Text

from ._progress import Note, progress


class Narrator:
    """
    :param reactor: provides ``IReactorTime``.
    :param console: where each step is shown when it is over; ``None`` for
        nowhere.
    :param progress_console: where the step in progress is shown.
    :param listener: called with the name of each step when it begins.
    :ivar steps: what happened, for machines.
    """

    def __init__(
        self,
        reactor: Any,
        console: Optional[Console],
        progress_console: Console,
        listener: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._reactor = reactor
        self._console = console
        self._progress_console = progress_console
        self._listener = listener
        self.steps: List[Dict[str, Any]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[Note]:
        """
        :param name: what is done now.
        :return: a context manager for a :class:`Note`, whose text is shown
            behind the step.
        """
        started = self._reactor.seconds()
        note, ok = Note(), False
        try:
            with progress(self._progress_console, name, note):
                self._listener(name)
                yield note
            ok = True
        finally:
            self._tell(name, self._reactor.seconds() - started, ok, note.text)

    def say(self, text: Text) -> None:
        """Something that is no step."""
        if self._console is not None:
            self._console.print(text)

    def _tell(self, name: str, seconds: float, ok: bool, detail: str) -> None:
        self.steps.append(
            {"step": name, "seconds": round(seconds, 3), "ok": ok, "detail": detail}
        )
        mark = ("ok  ", "green") if ok else ("FAIL", "bold red")
        self.say(
            Text.assemble(
                mark, " {:7.2f} s  {}".format(seconds, name), ("  " + detail, "dim")
            )
        )

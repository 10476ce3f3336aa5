# -*- test-case-name: tests.cli.test_tables -*-
"""Tables for terminals and for pipes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

from rich.box import HEAVY_HEAD, Box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

# More columns than any table needs.
_ANY_WIDTH = 10_000


class AdaptiveTable:
    """
    A table with lines on a terminal, and without them elsewhere, where one row is one line for
    ``grep`` and ``awk``.

    On a terminal so narrow that the table's words, such as ids, would be broken, each cell is a
    line of its own, and no word is broken.

    :param table: makes the table with the box it is given.
    :param narrow: the alternative to try first on a narrow terminal.
    """

    def __init__(
        self,
        table: Callable[[Box | None], Table],
        narrow: Callable[[], RenderableType] | None = None,
    ) -> None:
        self._table = table
        self._narrow = narrow

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        if not console.is_terminal:
            yield self._table(None)
            return
        for candidate in self._candidates():
            needed = Measurement.get(console, options.update(width=_ANY_WIDTH), candidate).minimum
            if needed <= options.max_width:
                yield candidate
                return
        yield from _lines(self._table(HEAVY_HEAD), options.max_width)

    def _candidates(self) -> Iterator[RenderableType]:
        yield self._table(HEAVY_HEAD)
        if self._narrow is not None:
            yield self._narrow()


def _lines(table: Table, width: int) -> Iterator[Text]:
    """
    Yield the cells of a table, below their titles where both do not fit on a line, and an empty
    line between rows.  A table without titles has them in its first column.
    """
    titles = [column.header for column in table.columns] if table.show_header else None
    for row in zip(*(column.cells for column in table.columns)):
        for title, cell in zip(titles, row) if titles else [row]:
            yield from _titled(str(title), cell, width)
        if titles:
            yield Text()


def _titled(title: str, cell: Any, width: int) -> Iterator[Text]:
    value = cell.copy() if isinstance(cell, Text) else Text(str(cell))
    # Long words go beyond the end of the line, where the terminal wraps them.
    value.overflow = "ignore"
    longest = max((len(word) for word in value.plain.split()), default=0)
    if len(title) + 2 + longest <= width:
        yield Text.assemble((title, "bold"), ": ", value, overflow="ignore")
    else:
        yield Text(title, "bold", overflow="ignore")
        yield value


__all__ = ["AdaptiveTable"]

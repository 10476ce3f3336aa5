# -*- test-case-name: tests.cli.test_tables -*-
"""Tables for terminals and for pipes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

from rich.box import HEAVY_HEAD, Box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.table import Table

# More columns than any table needs.
_ANY_WIDTH = 10_000


class AdaptiveTable:
    """
    A table with lines on a terminal, and without them elsewhere, where one row is one line for
    ``grep`` and ``awk``.

    :param table: makes the table with the box it is given.
    :param narrow: the alternative for a terminal so narrow that the table's words, such as ids,
        would be broken.
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
        table = self._table(HEAVY_HEAD)
        needed = Measurement.get(console, options.update(width=_ANY_WIDTH), table).minimum
        if self._narrow is not None and needed > options.max_width:
            yield self._narrow()
        else:
            yield table


__all__ = ["AdaptiveTable"]

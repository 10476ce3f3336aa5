"""
The measurements of one run of ``make bench``, and their tables.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from tests.progress import step

from . import peers
from .running import (
    CLIENTS,
    PEERS,
    Cloud,
    Failed,
    Figures,
    Row,
    fake_cloud,
    median_of,
    run_client,
)

#: The requests of the best client: volumes on a page of a list.
_PAGE = 500


def fewest_requests(count: int) -> int:
    """
    The limit of the requests of life cycles: four mutations for each volume, and for each of the
    four phases one look, a list of all volumes.
    """
    return 4 * count + 4 * -(-count // _PAGE)


class Bench:
    """
    One run.

    :param options: as :func:`benchmarks.__main__.parsed` returns them.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.quick: bool = options.quick
        self.runs: int = options.runs

    def peers(self, names: tuple[str, ...] = PEERS) -> tuple[str, ...]:
        """The names of the peers, unless there are to be none."""
        return () if self.options.no_peers else names

    def repeat(self, text: str, attempt: Callable[[], Figures]) -> Figures:
        """
        Measure several times.

        :param text: what is measured, for the progress.
        :return: the median of each figure; if one attempt fails, its error.
        """
        runs: list[Figures] = []
        for number in range(self.runs):
            try:
                with step(f"{text}, {number + 1} of {self.runs}"):
                    runs.append(attempt())
            except Failed as failed:
                return {"errors": [str(failed)]}
        return median_of(runs)

    def row(
        self,
        question: str,
        case: dict[str, Any],
        client: str,
        cloud: dict[str, Any] | None = None,
        start: Callable[..., AbstractContextManager[Cloud]] = fake_cloud,
        **spec: Any,
    ) -> Row:
        """
        Measure a client in a case, each time on a new cloud.

        :param cloud: the options of the cloud.
        :param start: called with the options; runs the cloud.
        :param spec: the description of the work.
        """
        module, is_peer = CLIENTS[client]
        python = peers.PYTHON if is_peer else sys.executable
        options = cloud or {}
        described = {"delay": options.get("delay", 0.0), **spec}

        def attempt() -> Figures:
            with start(**options) as running:
                return run_client(python, module, described, running)

        text = ", ".join([question, *(f"{name} {value}" for name, value in case.items()), client])
        return Row(question, case, client, self.repeat(text, attempt))


@dataclass(frozen=True)
class Column:
    """
    A column of a table.

    :ivar figure: the name of the figure.
    :ivar base: the client whose figure the ratio is to; ``None`` for no ratio.
    """

    figure: str
    title: str
    form: str = "{:.2f}"
    base: str | None = None


@dataclass(frozen=True)
class Target:
    """
    A figure that is to have a bound.

    :ivar value: the measured figure, or ``None`` where it was not measured.
    """

    text: str
    value: float | None
    at_most: float

    @property
    def outcome(self) -> str:
        """Text for people."""
        if self.value is None:
            return "not measured"
        return "met" if self.value <= self.at_most else "missed"


class Table:
    """The rows of one question."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = list(rows)

    def get(self, client: str, figure: str, **case: Any) -> float | None:
        """A figure, or ``None`` where it was not measured."""
        for row in self.rows:
            if row.client == client and case.items() <= row.case.items():
                found: float | None = row.figures.get(figure)
                return found
        return None

    def ratio(self, client: str, base: str, figure: str, **case: Any) -> float | None:
        """The ratio of two clients' figures, or ``None``."""
        mine, other = (self.get(each, figure, **case) for each in (client, base))
        return mine / other if mine is not None and other else None

    def cells(self, columns: list[Column]) -> Iterator[list[str]]:
        """Yield the cells of the table, the heading first."""
        names = list(self.rows[0].case) if self.rows else []
        yield [*names, "client", *(column.title for column in columns)]
        for row in self.rows:
            shown = [
                f"{row.case[name]:g}" if _is_number(row.case[name]) else str(row.case[name])
                for name in names
            ]
            yield [*shown, row.client, *(self._cell(row, column) for column in columns)]

    def _cell(self, row: Row, column: Column) -> str:
        value = row.figures.get(column.figure)
        if value is None:
            return ""
        text = column.form.format(value)
        if column.base is None or row.client == column.base:
            return text
        ratio = self.ratio(row.client, column.base, column.figure, **row.case)
        return text if ratio is None else f"{text} ({ratio:.2f}x)"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def lines_of(cells: Iterable[list[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    rows = list(cells)
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()

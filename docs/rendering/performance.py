"""
The recorded figures of ``make bench``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from benchmarks.bench import Table
from benchmarks.running import Row

#: The file that ``TXSTORAGE_RECORD=1 make bench`` writes.
RECORD = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "performance.json"
)


def recorded() -> dict[str, Any]:
    """:return: the document."""
    with open(RECORD, encoding="utf-8") as opened:
        document: dict[str, Any] = json.load(opened)
    return document


def lines_of_run(name: str | None = None) -> Iterator[str]:
    """
    Yield a paragraph about the machine and the versions.

    :param name: of a question, for the run that measured it alone, if one did.
    """
    document = recorded()
    run = document["machine"] if name is None else document.get("runs", {}).get(name)
    if run is None:
        return
    versions = ", ".join(f"{name} {version}" for name, version in sorted(run["versions"].items()))
    load = f" The load average was {run['load']} before the run." if "load" in run else ""
    yield (
        f"The figures below are of {run['date']}, of txstorage at ``{run['commit']}``, on "
        f"{run['cores']} cores of {run['processor']}, {run['system']}, Python {run['python']}; "
        f"{versions}. Runs of each measurement: {run['runs']}.{load}"
    )
    if run["quick"]:
        yield ""
        yield (
            "**They come from a short run** (``--quick``) **with few volumes, and only show the "
            "form of the tables.**"
        )


def rows_of_question(name: str) -> Iterator[tuple[str, ...]]:
    """
    Yield the table of a question.

    :param name: of a module in ``benchmarks/questions``.
    """
    question = import_module("benchmarks.questions." + name)
    rows = [Row(**row) for row in recorded()["rows"] if row["question"] == name]
    yield from map(tuple, Table(rows).cells(question.COLUMNS))


def rows_of_targets() -> Iterator[tuple[str, ...]]:
    """Yield the table of the targets."""
    yield "figure", "measured", "at most", "outcome"
    for target in recorded()["targets"]:
        value = "" if target["value"] is None else f"{target['value']:.2f}"
        yield target["text"], value, f"{target['at_most']:.2f}", target["outcome"]


__all__ = ["RECORD", "lines_of_run", "recorded", "rows_of_question", "rows_of_targets"]

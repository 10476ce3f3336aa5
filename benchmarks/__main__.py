"""
Measure txstorage beside other clients: ``make bench``.

    python -m benchmarks [--quick] [--only NAME]... [--json FILE]

Each figure is the median of three runs, each of which is a process of its own.  A ratio stands in
parentheses: to the limit, or to treq.  With ``TXSTORAGE_RECORD=1`` the figures are recorded in
``docs/performance.json``, and drawn in ``docs/performance-*.svg``; those of other questions, which
``--only`` leaves out, stay there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import date
from importlib import import_module
from typing import Any

from tests.progress import say
from tests.run import ROOT

from . import peers, plots
from .bench import Bench, Table, lines_of

#: The modules of :mod:`benchmarks.questions`.
QUESTIONS = (
    "life_cycles",
    "rate_limit",
    "attaches",
    "one_life_cycle",
    "mutations",
    "lists",
    "start",
    "embedded",
    "ec2",
)
RECORD = os.path.join(ROOT, "docs", "performance.json")
#: The commit whose embedded service wrote to the disk in the reactor's thread.
_BEFORE = "000c615"


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """:return: the options of a command line; by default of this program's."""
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="few volumes, one run of each")
    parser.add_argument("--only", action="append", choices=QUESTIONS, help="one question")
    parser.add_argument("--runs", type=int, help="of each measurement; 3, or 1 with --quick")
    parser.add_argument("--no-peers", action="store_true", help="only txstorage and treq")
    parser.add_argument("--beside", default=_BEFORE, help="a commit, for its embedded service")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    options = parser.parse_args(arguments)
    options.runs = options.runs or (1 if options.quick else 3)
    return options


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def machine(options: argparse.Namespace) -> dict[str, Any]:
    """The description of this run."""
    processor = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as opened:
            models = [line for line in opened if line.startswith("model name")]
        processor = models[0].partition(":")[2].strip() if models else processor
    found = {
        "date": str(date.today()),
        "commit": _output("git", "rev-parse", "--short", "HEAD"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": processor,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "runs": options.runs,
        "quick": options.quick,
        "versions": peers.versions(sys.executable, ("Twisted", "treq")),
    }
    if not options.no_peers:
        found["versions"].update(peers.versions(peers.PYTHON))
    return found


def ask(name: str, bench: Bench) -> tuple[Table, list[dict[str, Any]]]:
    """
    Measure one question, and print its table and its targets.

    :return: both.
    """
    question = import_module("benchmarks.questions." + name)
    table = Table(question.rows(bench))
    print("\n".join(["", question.TITLE, "", *lines_of(table.cells(question.COLUMNS)), ""]))
    for row in table.rows:
        for error in row.figures.get("errors", []):
            print(f"{row.client} {row.case}: {error}")
    targets = []
    for target in question.targets(table):
        targets.append({**vars(target), "outcome": target.outcome})
        value = "" if target.value is None else f"{target.value:.2f}, "
        print(f"{target.outcome}: {target.text}: {value}at most {target.at_most:.2f}", flush=True)
    print(flush=True)
    return table, targets


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all chosen questions; :return: a JSON document."""
    if not options.no_peers:
        peers.make_peers()
    bench = Bench(options)
    document: dict[str, Any] = {"machine": machine(options), "rows": [], "targets": []}
    for name in options.only or QUESTIONS:
        table, targets = ask(name, bench)
        document["rows"] += [vars(row) for row in table.rows]
        document["targets"] += [{"question": name, **target} for target in targets]
    return document


def merged(former: dict[str, Any], document: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """
    Put the figures of some questions in the place of those that were recorded before.

    :param former: the recorded document.
    :param document: the new one.
    :param names: the questions that it answers.
    :return: a document; its ``runs`` describe the runs of questions that were measured alone.
    """
    kept = {
        part: [each for each in former[part] if each["question"] not in names]
        for part in ("rows", "targets")
    }
    return {
        "machine": former["machine"],
        "rows": kept["rows"] + document["rows"],
        "targets": kept["targets"] + document["targets"],
        "runs": {**former.get("runs", {}), **dict.fromkeys(names, document["machine"])},
    }


def _encoded(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def record(document: dict[str, Any], names: list[str] | None) -> None:
    """
    Record the figures in the documentation, and draw them.

    :param names: the questions that were chosen; ``None`` for all.
    """
    if names:
        with open(RECORD, encoding="utf-8") as opened:
            document = merged(json.load(opened), document, names)
    _write(RECORD, _encoded(document))
    for name, drawing in plots.drawings(document).items():
        _write(os.path.join(os.path.dirname(RECORD), name), drawing)
    say("recorded the figures in docs")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as opened:
        opened.write(text)


def main() -> int:
    """Run from the command line."""
    options = parsed()
    document = measured(options)
    if options.json:
        _write(options.json, _encoded(document))
        say(f"wrote {options.json}")
    if os.environ.get("TXSTORAGE_RECORD"):
        record(document, options.only)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""
Count the defects that the tests do not see: ``make mutants MODULE=txstorage.driver.lifecycle``.

Each mutant is a copy of a module with one small defect.  The tests that cover the defect's lines
run on it; a mutant is killed when one of them fails.  The program prints the score and the
survivors, each with its file, its line, and the source line before and after the change.

    MODULE            a module or a package; several are separated by spaces
    TESTS             the modules of tests; by default the package's folder of tests
    TXSTORAGE_RECORD  1 to write the table to docs/reliability-mutants.txt
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from .mutations import Mutant, mutants_of
from .running import Baseline, is_killed, measure, warm_up

ROOT = Path(__file__).resolve().parents[2]
#: The mutants that no test can kill, with the reasons.
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
TABLE = ROOT / "docs" / "reliability-mutants.txt"
#: Percent.
REQUIRED = 95.0
#: Seconds.
PATIENCE = 5.0

Key = tuple[str, str, str, str]


@dataclass
class Score:
    """
    The outcome for one module.

    :ivar str module: its dotted name.
    :ivar int mutants: the number of mutants.
    :ivar int killed: the number of mutants that a test killed.
    :ivar int equivalent: the number of mutants that behave like the original.
    :ivar list survivors: the other mutants.
    """

    module: str
    mutants: int = 0
    killed: int = 0
    equivalent: int = 0
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def percent(self) -> float:
        """:return: the killed mutants, in percent of those that are not equivalent."""
        return percent(self.killed, self.mutants - self.equivalent)


def percent(killed: int, mutants: int) -> float:
    """:return: a share in percent; 100 of nothing."""
    return 100.0 * killed / mutants if mutants else 100.0


def read_equivalent(text: str) -> dict[Key, str]:
    """
    :param str text: the list of equivalent mutants: blocks of a module with its function, the line
        before, the line after, and the reason, on lines of their own.
    :return: dict from the module, the function and the two lines to the reason.
    :raises ValueError: a block has another form.
    """
    found = {}
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        if len(lines) < 4:
            raise ValueError(f"not a module, two lines and a reason: {block!r}")
        module, _, scope = lines[0].partition(" ")
        found[module, scope, lines[1].strip(), lines[2].strip()] = " ".join(lines[3:])
    return found


def tests_for(module: str) -> str:
    """:return: the package of tests that mirrors a module's package."""
    directory = ROOT.joinpath("tests", *module.split(".")[1:])
    while not directory.joinpath("__init__.py").exists():
        directory = directory.parent
    return ".".join(directory.relative_to(ROOT).parts)


def path_of(module: str) -> Path:
    """
    :return: the path of a module's source; of a package, that of its ``__init__``.
    :raises SystemExit: there is none.
    """
    for base in sys.path:
        stem = Path(base or ".").resolve().joinpath(*module.split("."))
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.exists():
                return path
    raise SystemExit(f"there is no module {module}")


def modules_in(name: str) -> list[str]:
    """:return: a module's name, or the names of a package's modules without the ``__init__``."""
    path = path_of(name)
    if path.name != "__init__.py":
        return [name]
    return [f"{name}.{each.stem}" for each in sorted(path.parent.glob("[a-z]*.py"))]


def scored(
    module: str, tests: list[str], equivalent: dict[Key, str], patience: float = PATIENCE
) -> Score:
    """
    Run the tests on every mutant of a module.

    :param str module: its dotted name.
    :param list tests: the names of packages and modules of tests.
    :param dict equivalent: as :func:`read_equivalent` returns it.
    :param float patience: seconds that tests may take besides five times their usual duration.
    :return: the :class:`Score`.
    """
    path = path_of(module)
    baseline = measure(path, tests)
    score = Score(module)
    for mutant in mutants_of(path.read_bytes()):
        score.mutants += 1
        if (module, *mutant.key) in equivalent:
            score.equivalent += 1
        elif _killed(module, path, mutant, tests, baseline, patience):
            score.killed += 1
        else:
            score.survivors.append(mutant)
            where = os.path.relpath(path, os.getcwd())
            print(f"{where}:{mutant.line}: {mutant.scope}\n  - {mutant.before}\n  + {mutant.after}")
            sys.stdout.flush()
    return score


def _killed(
    module: str, path: Path, mutant: Mutant, tests: list[str], baseline: Baseline, patience: float
) -> bool:
    ids = baseline.tests_of(mutant)
    limit = patience + 5 * sum(baseline.seconds[each] for each in ids)
    return is_killed(module, path, mutant.source, tests, ids, limit)


def stale(equivalent: dict[Key, str], modules: list[str]) -> list[Key]:
    """:return: the entries for these modules that are none of the modules' mutants."""
    known = {
        (module, *mutant.key)
        for module in modules
        for mutant in mutants_of(path_of(module).read_bytes())
    }
    return [key for key in equivalent if key[0] in modules and key not in known]


def table(scores: list[Score]) -> str:
    """:return: the scores, for people."""
    rows = [("module", "mutants", "killed", "equivalent", "score")]
    rows += [_row(each) for each in scores]
    if len(scores) > 1:
        numbers = [sum(getattr(each, name) for each in scores) for name in rows[0][1:4]]
        rows.append(_row(Score("all", *numbers)))
    return "".join(f"{row[0]:32}{row[1]:>9}{row[2]:>8}{row[3]:>12}{row[4]:>9}\n" for row in rows)


def _row(score: Score) -> tuple[str, ...]:
    numbers = (score.mutants, score.killed, score.equivalent)
    return (score.module, *map(str, numbers), f"{score.percent:.1f} %")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("modules", nargs="+", help="modules or packages")
    parser.add_argument("--tests", nargs="*", help="modules of tests")
    parser.add_argument("--equivalent", type=Path, default=EQUIVALENT, help="the list's file")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds for a hang")
    options = parser.parse_args()
    equivalent = read_equivalent(options.equivalent.read_text())
    modules = [each for name in options.modules for each in modules_in(name)]
    outdated = stale(equivalent, modules)
    for key in outdated:
        print("no such mutant any more: {} {}\n  - {}\n  + {}".format(*key))
    warm_up()
    began = time.monotonic()
    scores = [
        scored(module, options.tests or [tests_for(module)], equivalent, options.patience)
        for module in modules
    ]
    text = table(scores)
    print(text, end="")
    count = sum(each.mutants for each in scores)
    print(f"{count} mutants in {time.monotonic() - began:.0f} seconds")
    if os.environ.get("TXSTORAGE_RECORD") == "1":
        TABLE.write_text(text)
    total = percent(
        sum(each.killed for each in scores), sum(each.mutants - each.equivalent for each in scores)
    )
    return 1 if outdated or total < REQUIRED else 0


if __name__ == "__main__":
    sys.exit(main())

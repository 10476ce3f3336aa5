"""
Run other people's suites of OpenStack clients against ``txstorage serve``: ``make test-clients``.

Installs tempest, openstacksdk, openstackclient and cinderclient into ``.clients``.  Each suite has
a service of its own.  It runs once more on a service whose routes are missing, but those for
versions and tokens: a test that passes there says nothing, and does not count.  The program prints
a table, compares it with ``tests/clients/data/records``, and ends with::

    N passed, N failed, N skipped

in which what is known not to pass is skipped.  With ``TXSTORAGE_RECORD=1`` the records are written
again.  With ``CI=true``, only the quick suites run, unless some are named, and the recorded vacuous
tests are believed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..progress import say
from ..run import FAILED, concluded, summed
from . import records
from .commands import Commands
from .environment import make_clients
from .execution import Outcome, run
from .judgement import Judgement, causes, judge, part_of, table, vacuous_in
from .suites import QUICK, SUITES, Suite

RECORDING = os.environ.get("TXSTORAGE_RECORD") == "1"


@dataclass(frozen=True)
class Runs:
    """
    A suite's outcomes.

    :ivar empty: those without routes; ``None`` where these were not tried.
    """

    whole: list[Outcome]
    empty: list[Outcome] | None

    def of(self, suite: Suite) -> Runs:
        """:return: those of a suite within this one."""
        empty = None if self.empty is None else part_of(self.empty, suite)
        return Runs(part_of(self.whole, suite), empty)

    def judged(self, name: str) -> Judgement:
        """:return: the comparison with a suite's record."""
        vacuous = None if self.empty is None else vacuous_in(self.empty)
        return judge(self.whole, records.load(name), vacuous)


def run_both(suite: Suite | Commands, quick: bool) -> Runs:
    """Run a suite, and again without routes, unless it must be quick."""
    begun = time.monotonic()
    say(f"{suite.title}: begun")
    whole = run(suite)
    empty = None if quick else run(suite, empty=True)
    say(f"{suite.title}: done in {time.monotonic() - begun:.0f} s")
    return Runs(whole, empty)


def run_all(chosen: list[Suite | Commands], quick: bool) -> dict[str, Runs]:
    """
    Run suites, as many at once as there are cores.

    :return: dict by the suites' names.
    """
    names = {suite.name for suite in chosen}
    own = [suite for suite in chosen if suite.within not in names]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = dict(zip([each.name for each in own], pool.map(lambda s: run_both(s, quick), own)))
    for suite in chosen:
        if isinstance(suite, Suite) and suite.name not in found:
            found[suite.name] = found[suite.within].of(suite)
    return found


def report(found: dict[str, Runs]) -> list[Judgement]:
    """Print what is found, and record it on request."""
    rows = []
    for suite in SUITES:
        if suite.name in found:
            judgement = found[suite.name].judged(suite.name)
            if RECORDING:
                _record(suite.name, judgement)
                judgement = found[suite.name].judged(suite.name)
            rows.append((suite.title, suite.goal, judgement))
            say(f"{suite.title}: what stops tests")
            print("\n".join(causes(judgement)))
    for title, _, judgement in rows:
        for line in judgement.news:
            say(f"{title}: {line}; TXSTORAGE_RECORD=1 records it")
        for line in judgement.problems:
            say(f"{FAILED}{title}: {line}")
    print("\n".join(table(rows)))
    return [judgement for _, _, judgement in rows]


def _record(name: str, found: Judgement) -> None:
    before = records.load(name)
    records.save(name, before.renewed(found.counted, found.left, found.vacuous))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    names = [suite.name for suite in SUITES]
    parser.add_argument("suites", nargs="*", help=f"some of {', '.join(names)}")
    options = parser.parse_args()
    unknown = set(options.suites) - set(names)
    if unknown:
        parser.error("unknown: " + ", ".join(sorted(unknown)))
    quick = os.environ.get("CI") == "true"
    wanted = options.suites or (QUICK if quick else names)
    try:
        make_clients()
        judgements = report(run_all([each for each in SUITES if each.name in wanted], quick))
    except (subprocess.SubprocessError, OSError) as error:
        say(str(error))
        return concluded({"passed": 0, "failed": 1, "skipped": 0})
    return concluded(summed(judgement.counts for judgement in judgements))


if __name__ == "__main__":
    sys.exit(main())

"""
Record the result of a run for the README and the documentation, with its commit and its day.

    python3 buildbot/record.py acceptance
    python3 buildbot/record.py acceptance --commit COMMIT --log FILE ...

The first command records the builder's newest complete build of the Buildbot that ``make buildbot``
started.  The second records one run of the builder's target of make, from the target's output; the
output can be in several files, one for each part.  It is for the machine of that run.  The commit
is the one that ran, which the output does not contain.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import sys
from collections.abc import Iterable

from certification import badge
from certification.builder import Builder
from certification.plan import builders
from installation import ROOT, Installation, RigError
from rest import Rest
from tests.side_by_side import summed
from worker.statement import output, statement

#: The pages that show badges.
PAGES = ("README.rst", os.path.join("docs", "certification.rst"))
_COUNTS = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")
_OUTCOMES = ("passed", "failed", "skipped")


def recordable() -> dict[str, Builder]:
    """:return: the builders that have a recorded badge, by name."""
    rows = builders("{}.{}".format(*sys.version_info))
    return {row.name: row for row in rows if row.certificate and row.certificate.label}


def files_of(builder: Builder, text: str) -> dict[str, str]:
    """:return: the contents of the files to record, by their names in ``docs``."""
    image = badge.badge(builder.certificate.label, text)
    return {badge.text_name(builder.name): text, badge.image_name(builder.name): image}


def write(builder: Builder, text: str, root: str = ROOT) -> None:
    """
    Write a statement and its badge, and the words for the badge into the pages that show it.

    :param text: the statement.
    :param root: the checkout to write into.
    """
    words = badge.words_of(builder.certificate.label, text)
    for name, content in files_of(builder, text).items():
        with open(os.path.join(root, "docs", name), "w", encoding="utf-8") as opened:
            opened.write(content)
    for page in PAGES:
        with open(os.path.join(root, page), "r+", encoding="utf-8") as opened:
            changed = badge.with_words(opened.read(), badge.image_name(builder.name), words)
            opened.seek(0)
            opened.truncate()
            opened.write(changed)


def day_of(seconds: float) -> str:
    """:return: the day of a time, in UTC."""
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc):%Y-%m-%d}"


def of_build(build: dict) -> str:
    """
    :param build: a complete build, with its properties.
    :return: its statement to record.
    :raises RigError: the build certifies nothing.
    """
    properties = build["properties"]
    if "certified" not in properties:
        raise RigError(f"the build certifies nothing: {build['state_string']}")
    counts = {outcome: properties["tests_" + outcome][0] for outcome in _OUTCOMES}
    return badge.recorded(day_of(build["complete_at"]), properties["certified"][0], counts)


def newest(builder: Builder) -> str:
    """:return: the statement of the newest complete build.  :raises RigError: there is none."""
    installation = Installation()
    if not installation.is_up():
        raise RigError("no Buildbot is up: start it with make buildbot")
    rest = Rest(installation.settings().url)
    options = {"complete": "true", "order": "-number", "limit": 1, "property": "*"}
    found = rest.get(f"builders/{rest.builder_id(builder.name)}/builds", **options)
    if not found:
        raise RigError(f"{builder.name} has built nothing yet")
    return of_build(found[0])


def of_output(builder: Builder, texts: Iterable[str]) -> dict[str, int]:
    """
    :param texts: the output of a run, in one text for each of its parts, or in one for all.
    :return: the counts of tests.
    :raises RigError: a part is missing, or did not come to its line of counts.
    """
    texts = list(texts)
    absent = [part for part in builder.certificate.whole if not any(part in t for t in texts)]
    if absent:
        raise RigError("a part of the run is missing in the output: " + "; ".join(absent))
    counts = []
    for text in texts:
        lines = [line for line in text.splitlines() if _COUNTS.fullmatch(line)]
        if not lines:
            raise RigError("the output has no line of counts: the run did not come to its end")
        numbers = map(int, _COUNTS.fullmatch(lines[-1]).groups())
        counts.append(dict(zip(_OUTCOMES, numbers)))
    return summed(counts)


def of_logs(builder: Builder, paths: list[str], commit: str) -> str:
    """
    :param paths: of the files with the output of a run.
    :param commit: the commit that ran.
    :return: the statement to record.
    :raises RigError: the output is older than the commit, or of a part of a run.
    """
    ended = [os.path.getmtime(path) for path in paths]
    committed = output("git", "log", "-1", "--format=%ct", commit, "--")
    if not committed:
        raise RigError(f"this repository has no commit {commit}")
    if min(ended) < int(committed):
        raise RigError(f"the output is older than {commit}: name the commit that ran")
    texts = []
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as opened:
            texts.append(opened.read())
    counts = of_output(builder, texts)
    certificate = builder.certificate
    lines = statement(certificate.against, list(certificate.pythons), commit)
    return badge.recorded(day_of(max(ended)), "\n".join(lines), counts)


def main() -> None:
    rows = recordable()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("builder", choices=sorted(rows))
    parser.add_argument("--log", nargs="+", metavar="FILE", help="the output of a run by hand")
    parser.add_argument("--commit", help="the commit of that run")
    options = parser.parse_args()
    if bool(options.log) != bool(options.commit):
        parser.error("--log requires --commit, and --commit requires --log")
    builder = rows[options.builder]
    try:
        text = of_logs(builder, options.log, options.commit) if options.log else newest(builder)
    except (OSError, RigError) as error:
        sys.exit(str(error))
    write(builder, text)
    print(text, end="")


if __name__ == "__main__":
    main()

"""
The statement of a build's certification: the tests, the cloud, and the versions that took part.

    python3 buildbot/worker/statement.py 'a real OpenStack' .venv/bin/python '$FLOCKER_PYTHON'
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

#: What is named, of all that is installed.
MATTERS = (
    *("attrs", "eliot", "flocker", "treq", "twisted", "txaio", "zope-interface"),
    *("cinder", "keystone", "nova", "os-brick"),
)


def normal(name: str) -> str:
    """:return: the name of a distribution, as the package index compares them."""
    return re.sub("[-_.]+", "-", name).lower()


def of_note(frozen: str) -> list[str]:
    """
    :param frozen: what ``pip list --format=freeze`` prints.
    :return: name and version of each of :data:`MATTERS` in it.
    """
    found = (line.partition("==") for line in frozen.splitlines() if "==" in line)
    return sorted(f"{n} {v}" for n, _, v in found if normal(n) in MATTERS)


def output(*command: str) -> str:
    """:return: what a command prints, or nothing when it fails."""
    try:
        asked = subprocess.run(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
    except OSError:
        return ""
    return "" if asked.returncode else asked.stdout.strip()


def txstorage_version(commit: str) -> str:
    """:return: the version in a commit, or in the checkout where that is unknown."""
    source = output("git", "show", f"{commit}:txstorage/_version.py")
    if not source:
        with open(os.path.join(ROOT, "txstorage", "_version.py"), encoding="utf-8") as opened:
            source = opened.read()
    namespace: dict = {}
    exec(source, namespace)
    return str(namespace["VERSION"])


def kernel() -> str:
    """:return: the version of the running kernel, without its builder's additions."""
    return re.match(r"[\d.]*", platform.release())[0]


def statement(subject: str, pythons: list[str], commit: str = "HEAD") -> list[str]:
    """
    :param subject: what the driver was held against.
    :param pythons: the paths of those that took part; may name variables.
    :param commit: the commit that was tested.
    :return: lines; the first says it all in short.
    """
    short = output("git", "rev-parse", "--short", commit) or "an unknown commit"
    versions = []
    for python in map(os.path.expandvars, pythons):
        said = output(python, "--version")
        if said:
            frozen = output(python, *"-W ignore -m pip list --format=freeze".split())
            versions.append([said, *of_note(frozen)])
    with_these = ", ".join(said[0] for said in versions)
    first = "txstorage {} ({}) against {}, with {}, Linux {}".format(
        txstorage_version(commit), short, subject, with_these or "no Python", kernel()
    )
    return [first, *("  " + ", ".join(said) for said in versions)]


if __name__ == "__main__":
    print("\n".join(statement(sys.argv[1], sys.argv[2:])))

"""
A build's requirements of the machine, and those that are missing.

    python3 buildbot/worker/needs.py 'python 2.7' root 'program losetup' 'module tests.clouds.ec2'

prints a line for each missing requirement, for people to read.  The exit code is always 0: a build
that can't run here is skipped, not failed.  Only the running Python is needed.  The commit is the
one that contains this program.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, ROOT)

from tests.run import interpreter_of  # noqa: E402


def python(version: str) -> str:
    return "" if interpreter_of(version) else f"no Python {version} here"


def root() -> str:
    return "" if os.getuid() == 0 else "not run by root, which loop devices and machines need"


def program(name: str) -> str:
    return "" if shutil.which(name) else f"no {name} here"


def module(name: str) -> str:
    """A module of the commit, or a package: an older commit has fewer."""
    path = os.path.join(ROOT, *name.split("."))
    there = os.path.isfile(path + ".py") or os.path.isfile(os.path.join(path, "__init__.py"))
    return "" if there else f"no module {name} in this commit"


def target(name: str) -> str:
    """One of make's targets."""
    with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as makefile:
        there = any(line.startswith(name + ":") for line in makefile)
    return "" if there else f"no target {name} in this commit's Makefile"


def openstack() -> str:
    """All that ``make test-openstack`` asks for."""
    from tests.openstack.installation import prerequisites
    from tests.openstack.progress import RigError

    try:
        prerequisites()
    except RigError as error:
        return str(error)
    return ""


def flocker() -> str:
    """A Python 2.7 that can import Flocker, in ``FLOCKER_PYTHON``."""
    interpreter = os.environ.get("FLOCKER_PYTHON")
    if not interpreter:
        return "no Flocker at hand: FLOCKER_PYTHON is not set where the worker was started"
    try:
        asked = subprocess.run(
            [interpreter, "-W", "ignore", "-c", "import flocker"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
    except OSError as error:
        return f"no Flocker at hand: {error}"
    if asked.returncode:
        return f"no Flocker at hand: {interpreter}: {asked.stderr.splitlines()[-1]}"
    return ""


NEEDS = {
    "flocker": flocker,
    "module": module,
    "openstack": openstack,
    "program": program,
    "python": python,
    "root": root,
    "target": target,
}


def missing(needs: list[str]) -> list[str]:
    """
    :param needs: such as ``"root"`` or ``"python 2.7"``: the name of one of
        :data:`NEEDS`, and what it is called with.
    :return: a sentence for each that is missing.
    """
    checked = []
    for need in needs:
        name, *arguments = need.split()
        checked.append(NEEDS[name](*arguments))
    return [reason for reason in checked if reason]


if __name__ == "__main__":
    for reason in missing(sys.argv[1:]):
        print(reason)

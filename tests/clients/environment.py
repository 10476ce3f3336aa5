"""The environment with the clients, ``.clients``."""

from __future__ import annotations

import os
import sys

from ..progress import step
from ..run import ROOT, content, install, interpreter_of, make_once, run

CLIENTS = os.path.join(ROOT, ".clients")
REQUIREMENTS = os.path.join("tests", "clients", "requirements.txt")
#: The Pythons that all clients support, the preferred one first.
VERSIONS = ("3.13", "3.12", "3.11")
#: The directory of the clients' programs.
PROGRAMS = os.path.join(CLIENTS, "bin")
PYTHON = os.path.join(PROGRAMS, "python")


def interpreter() -> str:
    """
    :return: the path of a Python that the clients support.
    :raises OSError: there is none.
    """
    found = [path for path in map(interpreter_of, VERSIONS) if path]
    if not found:
        raise OSError("make test-clients needs a Python " + " or ".join(reversed(VERSIONS)))
    return str(found[0])


def make_clients() -> None:
    """Make the environment, unless it is made."""
    python = interpreter()

    def make() -> None:
        with step(f"making {os.path.basename(CLIENTS)} with {python}"):
            run(python, "-m", "venv", "--clear", CLIENTS)
        install(CLIENTS, "--requirement", REQUIREMENTS)

    make_once(CLIENTS, [python, sys.version_info[:2], list(content(REQUIREMENTS))], make)

"""
The environment of the peers, in a directory that ``make clean`` removes.
"""

from __future__ import annotations

import json
import os
import subprocess

from tests.progress import say
from tests.run import BASE, ROOT, content, install, make_once, run

DIRECTORY = os.path.join(ROOT, ".bench")
ENVIRONMENT = os.path.join(DIRECTORY, "peers")
PYTHON = os.path.join(ENVIRONMENT, "bin", "python")
_REQUIREMENTS = os.path.join("benchmarks", "requirements.txt")
_SHOWN = (
    "boto3",
    "openstacksdk",
    "python-cinderclient",
    "python-novaclient",
    "python-openstackclient",
)


def make_peers() -> None:
    """Make the environment, unless it was made from the same requirements before."""

    def make() -> None:
        say("installing the peers into .bench")
        os.makedirs(DIRECTORY, exist_ok=True)
        run(BASE, "-m", "venv", ENVIRONMENT)
        install(ENVIRONMENT, "--requirement", _REQUIREMENTS)

    make_once(ENVIRONMENT, list(content(_REQUIREMENTS)), make)


def versions(python: str, names: tuple[str, ...] = _SHOWN) -> dict[str, str]:
    """
    The versions of packages.

    :param python: the interpreter of their environment.
    """
    program = (
        "import json, sys\n"
        "from importlib.metadata import version\n"
        "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    )
    done = subprocess.run([python, "-c", program, *names], stdout=subprocess.PIPE, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found

"""
The time that a start takes: of the command, and of an import of the library, beside the peers'.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from tests.run import ROOT

from .. import peers
from ..bench import Bench, Column, Table, Target
from ..running import Failed, Figures, Row, environment

TITLE = "A start"
COLUMNS = [
    Column("wall", "seconds"),
    Column("cpu", "CPU seconds"),
    Column("rss", "MiB", "{:.0f}"),
]
NAME = "start"
_TXSTORAGE = [sys.executable, "-m", "txstorage.cli"]
_OPENSTACK = os.path.join(peers.ENVIRONMENT, "bin", "openstack")
#: The commands, by client and title.
COMMANDS = {
    ("txstorage", "python -c pass"): [sys.executable, "-c", "pass"],
    ("txstorage", "import txstorage"): [sys.executable, "-c", "import txstorage"],
    ("txstorage", "txstorage --version"): [*_TXSTORAGE, "--version"],
    ("txstorage", "txstorage --help"): [*_TXSTORAGE, "--help"],
    ("txstorage", "txstorage volumes --help"): [*_TXSTORAGE, "volumes", "--help"],
    # It ends where it would read its configuration.
    ("txstorage", "txstorage volumes list"): [*_TXSTORAGE, "volumes", "list"],
    ("txstorage", "OpenStackProcess().close()"): [
        sys.executable,
        "-c",
        "from txstorage.embedded.testing import OpenStackProcess; OpenStackProcess().close()",
    ],
    ("txstorage", "Twisted, treq, TLS and Eliot"): [
        sys.executable,
        "-c",
        "import eliot, OpenSSL, service_identity, treq, twisted.internet.reactor",
    ],
    ("openstacksdk", "python -c pass"): [peers.PYTHON, "-c", "pass"],
    ("openstacksdk", "import openstack"): [peers.PYTHON, "-c", "import openstack"],
    ("openstacksdk", "openstack --version"): [_OPENSTACK, "--version"],
    ("openstacksdk", "openstack volume --help"): [_OPENSTACK, "volume", "--help"],
}
#: The runs of a command that are not measured, and those that are.
_WARM, _RUNS = 1, 5
# A process of its own measures, because the maximum of the memory is that of all children.
_MEASURE = """
import json, resource, subprocess, sys, time
begun = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
wall = time.monotonic() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = used.ru_utime + used.ru_stime
print(json.dumps([done.returncode, {"wall": wall, "cpu": cpu, "rss": used.ru_maxrss / 1024}]))
"""


def _measured(command: list[str]) -> Figures:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command],
        cwd=ROOT,
        env={**environment(), "TXSTORAGE_CONFIG": "/no/such/file"},
        stdout=subprocess.PIPE,
        check=True,
    )
    code, figures = json.loads(done.stdout)
    if code not in (0, 1):
        raise Failed(f"{command} ended with exit code {code}")
    return dict(figures)


def _best(command: list[str]) -> Figures:
    """The best of several runs: a start on a busy machine takes any time."""
    runs = [_measured(command) for _ in range(_WARM + _RUNS)][_WARM:]
    return {name: min(run[name] for run in runs) for name in runs[0]}


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the measured rows."""
    for (client, title), command in COMMANDS.items():
        if client == "txstorage" or client in bench.peers():
            figures = bench.repeat(f"{NAME}, {client}, {title}", lambda c=command: _best(c))
            yield Row(NAME, {"start": title}, client, figures)


def _spent(table: Table, client: str, title: str) -> float | None:
    """The seconds that a start takes beyond that of Python itself."""
    found = table.get(client, "wall", start=title)
    bare = table.get(client, "wall", start="python -c pass")
    return None if found is None or bare is None else found - bare


def targets(table: Table) -> Iterator[Target]:
    """Yield the bounds."""
    mine, other = (
        _spent(table, *each)
        for each in (("txstorage", "import txstorage"), ("openstacksdk", "import openstack"))
    )
    yield Target("seconds of import txstorage, to import openstack", _ratio(mine, other), 0.1)
    mine, other = (
        table.get(client, "wall", start=f"{name} --version")
        for client, name in (("txstorage", "txstorage"), ("openstacksdk", "openstack"))
    )
    text = "seconds of txstorage --version, to openstack --version"
    yield Target(text, _ratio(mine, other), 0.2)
    double = table.get("txstorage", "wall", start="OpenStackProcess().close()")
    yield Target("seconds of OpenStackProcess().close(), with Python's own", double, 0.3)


def _ratio(mine: float | None, other: float | None) -> float | None:
    return mine / other if mine is not None and other else None

"""
The builders whose tests boot machines of their own: nodes in namespaces, and guests.
"""

from __future__ import annotations

from .builder import LOOP_DEVICES, NODES, PYTHON, Builder, Certificate
from .matrix import ACCEPTANCE_TESTS, DEVICES, DOCKER, EMBEDDED, GUESTS

#: The requirements of every machine that is made of Debian's packages.
_DEBIAN = ("root", "program apt-get")
_LOCKS = (LOOP_DEVICES, NODES)
#: The set-ups of agents, as ``tests.acceptance`` names them.
SETUPS = ("stock", "native", "mixed")


def made(target: str) -> tuple[str, ...]:
    """:return: the command that runs one of make's targets."""
    return ("make", "PYTHON=" + PYTHON, target)


_ACCEPTANCE = Builder(
    name="acceptance",
    description="Flocker's acceptance tests on two machines, with FLOCKER_PYTHON's Flocker.",
    command=made("test-acceptance"),
    tests=True,
    named=False,
    needs=("flocker", *_DEBIAN),
    locks=_LOCKS,
    at_changes=False,
    certificate=Certificate(
        against="Flocker's acceptance tests on two machines and the embedded service",
        parts=(ACCEPTANCE_TESTS,),
        system=EMBEDDED,
        pythons=("$FLOCKER_PYTHON",),
        label="Flocker's acceptance tests",
        whole=tuple(f"Flocker's acceptance tests, agents: {setup}" for setup in SETUPS),
    ),
)

_DOCKER = Builder(
    name="docker",
    description="The Docker volume plugin on two machines, each with a Docker Engine.",
    command=(PYTHON, "-m", "tests.nodes.run"),
    tests=True,
    needs=_DEBIAN,
    locks=_LOCKS,
    at_changes=False,
    certificate=Certificate(
        against="two machines with a Docker Engine each and the embedded service",
        parts=(DOCKER,),
        system=EMBEDDED,
        pythons=(".venv/bin/python",),
    ),
)

_GUESTS = Builder(
    name="guests",
    description="The driver in guests of QEMU, which get each kind of disk.",
    command=made("test-guests"),
    tests=True,
    named=False,
    needs=("target test-guests", *_DEBIAN),
    locks=_LOCKS,
    at_changes=False,
    certificate=Certificate(
        against="the disks of QEMU's guests",
        parts=(DEVICES,),
        system=GUESTS,
        pythons=(".venv/bin/python",),
    ),
)


def with_machines() -> list[Builder]:
    """:return: these builders; no two of them are built at once on one worker."""
    return [_ACCEPTANCE, _DOCKER, _GUESTS]

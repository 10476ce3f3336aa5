"""
A builder of the plan, as values that are independent of Buildbot.

In a command, ``%(prop:NAME)s`` stands for a property of the build: ``python`` is the Python 3 that
starts the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

PYTHON = "%(prop:python)s"

#: The environment variable that carries a builder's secret.
SECRET = "CLOUD_PASSWORD"

#: Of which there are one set on a machine, and tests may not meet there.
LOOP_DEVICES = "loop devices"
#: Where services listen that tests start with what is installed.
FIXED_PORTS = "fixed ports"
#: The machines that tests boot, in namespaces or emulated.  ``tests.nodes.check_end`` looks for
#: processes of nodes on the whole machine, and would find those of another build.
NODES = "nodes"
#: All locks: each belongs to a worker, and one build at a time holds it there.
LOCKS = (LOOP_DEVICES, FIXED_PORTS, NODES)


@dataclass(frozen=True)
class Parameter:
    """
    A parameter of a build that is started by hand.

    :ivar name: the property's name; ``username`` is Buildbot's own.
    :ivar variable: the environment variable that carries it to the command.
    """

    name: str
    label: str
    variable: str
    default: str = ""
    required: bool = True


@dataclass(frozen=True)
class Certificate:
    """
    The meaning of a success.

    :ivar against: the system that the driver was held against, in the words of the statement.
    :ivar parts: the certified parts of txstorage, rows of :func:`certification.matrix.rows`.
    :ivar system: the system's column there.
    :ivar pythons: the paths of the interpreters that the statement names.
    :ivar label: the words of the recorded badge, for a builder that has one.
    :ivar whole: texts that the output of a whole run has, one for each of its parts.
    """

    against: str
    parts: tuple[str, ...]
    system: str
    pythons: tuple[str, ...]
    label: str = ""
    whole: tuple[str, ...] = ()


@dataclass(frozen=True)
class Builder:
    """
    :ivar command: a program and its arguments.
    :ivar tests: whether trial runs.
    :ivar named: whether the names of tests may follow the command.
    :ivar selection: the tests that are run when none are named.
    :ivar needs: what the machine and the commit must have, as
        ``worker/needs.py`` takes it; else the build is skipped.
    :ivar secret: the name of one that must be there, or it is skipped; the command
        finds it in the variable :data:`SECRET`.
    :ivar parameters: what else is asked for by hand.
    :ivar locks: of :data:`LOCKS`.
    :ivar at_changes: whether it is built at every change.
    :ivar at_night: whether it is built every night.
    :ivar certificate: what a success certifies, if anything.
    """

    name: str
    description: str
    command: tuple[str, ...]
    tests: bool = False
    named: bool = True
    selection: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    secret: str = ""
    parameters: tuple[Parameter, ...] = ()
    locks: tuple[str, ...] = ()
    at_changes: bool = True
    at_night: bool = True
    certificate: Certificate | None = None

    @property
    def takes_names(self) -> bool:
        """:return: whether names of tests can be given by hand."""
        return self.tests and self.named

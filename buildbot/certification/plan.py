"""
The plan of builds: one row for each builder, independent of Buildbot.

In a command, ``%(prop:NAME)s`` stands for a property of the build: ``python`` is the Python 3 that
starts the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

from .settings import CLOUD_PASSWORD

PYTHON = "%(prop:python)s"
#: Also what ``tests.run`` knows.
VERSIONS = ("2.7", "3.9", "3.10", "3.11", "3.12", "3.13")
#: What is tried at every change; the others, at night.
CHANGED_VERSIONS = ("2.7", "3.9", "3.13")

#: The environment variable that carries a builder's secret.
SECRET = "CLOUD_PASSWORD"

#: Of which there are one set on a machine, and tests may not meet there.
LOOP_DEVICES = "loop devices"
#: Where services listen that tests start with what is installed.
FIXED_PORTS = "fixed ports"

#: What the driver is held to on the embedded service, with real block devices.
FUNCTIONAL = (
    "tests.whole.test_contract",
    "tests.flocker.test_blocking",
    "tests.whole.test_durability",
)
FUNCTIONAL_3 = (
    "tests.embedded.machine.test_devices",
    "tests.embedded.machine.test_reconcile",
    "tests.cli.demo.test_command",
)


@dataclass(frozen=True)
class Builder:
    """
    :ivar command: a program and its arguments.
    :ivar tests: whether trial runs, and the names of tests may follow the command.
    :ivar selection: the tests that are run when none are named.
    :ivar needs: what the machine must have, as
        ``worker/needs.py`` takes it; else the build is skipped.
    :ivar secret: the name of one that must be there, or it is skipped; the command
        finds it in the variable :data:`SECRET`.
    :ivar parameters: what else is asked for by hand.
    :ivar locks: of :data:`LOOP_DEVICES` and :data:`FIXED_PORTS`.
    :ivar at_changes: whether it is built at every change.
    :ivar at_night: whether it is built every night.
    :ivar certifies: what a success certifies the driver against, if anything.
    :ivar pythons: the interpreters that are named in the certificate.
    """

    name: str
    description: str
    command: tuple[str, ...]
    tests: bool = False
    selection: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    secret: str = ""
    parameters: tuple[Parameter, ...] = ()
    locks: tuple[str, ...] = ()
    at_changes: bool = True
    at_night: bool = True
    certifies: str = ""
    pythons: tuple[str, ...] = ()


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


def _run(version: str) -> tuple[str, ...]:
    return (PYTHON, "-m", "tests.run", "--only", version)


def _of(version: str) -> str:
    return f".venv-{version}/bin/python"


def _unit_tests(version: str) -> Builder:
    pins = ", with the versions that Flocker pins" if version == "2.7" else ""
    return Builder(
        name="python-" + version,
        description=f"All tests on Python {version}{pins}.",
        command=_run(version),
        tests=True,
        needs=("python " + version,),
        locks=(LOOP_DEVICES,),
        at_changes=version in CHANGED_VERSIONS,
    )


def _functional(name: str, version: str, selection: tuple[str, ...]) -> Builder:
    return Builder(
        name=name,
        description=f"The contract on the embedded service with loop devices, on Python {version}.",
        command=_run(version),
        tests=True,
        selection=selection,
        needs=("root", "program losetup", "python " + version),
        locks=(LOOP_DEVICES,),
        certifies="the embedded service with loop devices",
        pythons=(_of(version),),
    )


def _make(name: str, description: str) -> Builder:
    return Builder(name, description, ("make", "PYTHON=" + PYTHON, name))


def _cloud(version: str) -> Builder:
    return Builder(
        name="cloud",
        description="The contract on a cloud that others run, from a server of theirs.",
        command=(PYTHON, "buildbot/worker/cloud.py", version),
        tests=True,
        needs=("python " + version,),
        secret=CLOUD_PASSWORD,
        parameters=(
            Parameter("cloud_auth_url", "Identity's URL, with /v3", "CLOUD_AUTH_URL"),
            Parameter("cloud_region", "Region", "CLOUD_REGION", "RegionOne"),
            Parameter("cloud_project_name", "Project", "CLOUD_PROJECT_NAME"),
            Parameter("cloud_username", "User", "CLOUD_USERNAME"),
            Parameter("cloud_instance_id", "This server's id", "CLOUD_INSTANCE_ID", required=False),
            Parameter(
                name="cloud_volume_types",
                label="Volume types for gold, silver and bronze",
                variable="CLOUD_VOLUME_TYPES",
                required=False,
            ),
        ),
        locks=(LOOP_DEVICES,),
        at_changes=False,
        at_night=False,
        certifies="the cloud at %(prop:cloud_auth_url)s",
        pythons=(_of(version),),
    )


def builders(version: str) -> list[Builder]:
    """
    :param version: of the Python 3 that functional tests run on.
    """
    return [
        _make("lint", "Style, types, imports, news fragments, the manifest."),
        *[_unit_tests(each) for each in VERSIONS],
        _functional("functional", version, FUNCTIONAL + FUNCTIONAL_3),
        _functional("functional-2.7", "2.7", FUNCTIONAL),
        Builder(
            name="openstack",
            description="Everything on a real OpenStack with loop devices, brought up for it.",
            command=(PYTHON, "-m", "tests.openstack.run"),
            tests=True,
            needs=("openstack",),
            locks=(LOOP_DEVICES, FIXED_PORTS),
            at_changes=False,
            certifies="a real OpenStack with loop devices",
            pythons=(".venv/bin/python", ".openstack/venv/bin/python"),
        ),
        Builder(
            name="flocker",
            description="Flocker's own tests, and a whole Flocker, on FLOCKER_PYTHON.",
            command=(PYTHON, "-m", "tests.flocker.run"),
            tests=True,
            needs=("flocker", "root"),
            locks=(LOOP_DEVICES, FIXED_PORTS),
            certifies="Flocker's own driver tests",
            pythons=("$FLOCKER_PYTHON",),
        ),
        _make("docs", "The documentation; a warning is an error."),
        Builder(
            name="packages",
            description="Wheels, a .deb and an .rpm: made, installed, used, upgraded, removed.",
            command=(PYTHON, "-m", "tests.packages.run"),
            tests=True,
            needs=("root", "program apt-get"),
            locks=(LOOP_DEVICES, FIXED_PORTS),
            at_changes=False,
        ),
        _cloud(version),
    ]

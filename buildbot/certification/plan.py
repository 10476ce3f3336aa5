"""
The plan of builds: one row for each builder, independent of Buildbot.
"""

from __future__ import annotations

from .builder import FIXED_PORTS, LOOP_DEVICES, PYTHON, Builder, Certificate, Parameter
from .machines import made, with_machines
from .matrix import ASYNCHRONOUS, BLOCKING, CLOUD, EC2, EMBEDDED, FUNCTIONAL_TESTS, OPENSTACK
from .settings import CLOUD_PASSWORD

#: Also what ``tests.run`` knows.
VERSIONS = ("2.7", "3.9", "3.10", "3.11", "3.12", "3.13")
#: What is tried at every change; the others, at night.
CHANGED_VERSIONS = ("2.7", "3.9", "3.13")

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
#: The tests of EC2: the client, the embedded service's API, and the contract on both.
EC2_TESTS = (
    "tests.clouds.ec2",
    "tests.embedded.ec2",
    "tests.whole.test_ec2",
)
_CONTRACT = (ASYNCHRONOUS, BLOCKING)


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


def _functional(name: str, version: str, selection: tuple[str, ...], label: str = "") -> Builder:
    return Builder(
        name=name,
        description=f"The contract on the embedded service with loop devices, on Python {version}.",
        command=_run(version),
        tests=True,
        selection=selection,
        needs=("root", "program losetup", "python " + version),
        locks=(LOOP_DEVICES,),
        certificate=Certificate(
            against="the embedded service with loop devices",
            parts=_CONTRACT,
            system=EMBEDDED,
            pythons=(_of(version),),
            label=label,
        ),
    )


def _ec2(version: str) -> Builder:
    return Builder(
        name="ec2",
        description="The driver on EC2's API of the embedded service, with loop devices.",
        command=_run(version),
        tests=True,
        selection=EC2_TESTS,
        needs=(
            *("root", "program losetup", "python " + version),
            *("module " + name for name in EC2_TESTS),
        ),
        locks=(LOOP_DEVICES,),
        certificate=Certificate(
            against="EC2's API of the embedded service with loop devices",
            parts=_CONTRACT,
            system=EC2,
            pythons=(_of(version),),
        ),
    )


def _make(name: str, description: str) -> Builder:
    return Builder(name, description, made(name))


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
        certificate=Certificate(
            against="the cloud at %(prop:cloud_auth_url)s",
            parts=_CONTRACT,
            system=CLOUD,
            pythons=(_of(version),),
        ),
    )


def builders(version: str) -> list[Builder]:
    """
    :param version: of the Python 3 that functional tests run on.
    """
    return [
        _make("lint", "Style, types, imports, news fragments, the manifest."),
        *[_unit_tests(each) for each in VERSIONS],
        _functional(
            name="functional",
            version=version,
            selection=FUNCTIONAL + FUNCTIONAL_3,
            label="functional tests on loop devices",
        ),
        _functional("functional-2.7", "2.7", FUNCTIONAL),
        Builder(
            name="openstack",
            description="Everything on a real OpenStack with loop devices, brought up for it.",
            command=(PYTHON, "-m", "tests.openstack.run"),
            tests=True,
            needs=("openstack",),
            locks=(LOOP_DEVICES, FIXED_PORTS),
            at_changes=False,
            certificate=Certificate(
                against="a real OpenStack with loop devices",
                parts=_CONTRACT,
                system=OPENSTACK,
                pythons=(".venv/bin/python", ".openstack/venv/bin/python"),
            ),
        ),
        Builder(
            name="flocker",
            description="Flocker's own tests, and a whole Flocker, on FLOCKER_PYTHON.",
            command=(PYTHON, "-m", "tests.flocker.run"),
            tests=True,
            needs=("flocker", "root"),
            locks=(LOOP_DEVICES, FIXED_PORTS),
            certificate=Certificate(
                against="Flocker's own driver tests",
                parts=(FUNCTIONAL_TESTS,),
                system=EMBEDDED,
                pythons=("$FLOCKER_PYTHON",),
            ),
        ),
        *with_machines(),
        _ec2(version),
        Builder(
            name="clients",
            description="The suites of OpenStack's own clients on the embedded service.",
            command=made("test-clients"),
            tests=True,
            named=False,
            needs=("target test-clients",),
            locks=(LOOP_DEVICES,),
            at_changes=False,
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

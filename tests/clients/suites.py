"""The suites, one row for each, and where their tests are."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from .commands import DATA, Commands


def interop(component: str) -> tuple[str, ...]:
    """:return: the ids of a component's tests in the guideline of June 2020."""
    with open(os.path.join(DATA, "interop-2020.06.json"), encoding="utf-8") as opened:
        return tuple(json.load(opened)[component])


@dataclass(frozen=True)
class Suite:
    """
    Tests of one client.

    :ivar name: short, as in the records and on the command line.
    :ivar title: as in the table.
    :ivar packages: names of packages or modules of tests.
    :ivar goal: the number of tests to reach.
    :ivar only: texts, of which a test's id must contain one; empty for all.
    :ivar without: texts that no test's id may contain.
    :ivar within: the suite whose tests these are a part of; empty for none.
    """

    name: str
    title: str
    packages: tuple[str, ...]
    goal: int
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    within: str = ""


#: What a cloud without groups of volumes, as the embedded service is, leaves out.
GROUPS = ("test_group.", "test_volume_group.")

SUITES: tuple[Suite | Commands, ...] = (
    Suite(
        name="tempest",
        title="tempest.api.volume, non-admin",
        packages=("tempest.api.volume",),
        goal=104,
        without=("tempest.api.volume.admin.",),
    ),
    Suite(
        name="interop-volumes",
        title="interop 2020.06, volumes",
        packages=("tempest.api.volume",),
        goal=52,
        only=interop("volumes"),
        within="tempest",
    ),
    Suite(
        name="interop-identity",
        title="interop 2020.06, identity v3",
        packages=("tempest.api.identity",),
        goal=8,
        only=interop("identity"),
    ),
    Suite(
        name="openstacksdk",
        title="openstacksdk functional, block storage and attachments",
        packages=(
            "openstack.tests.functional.block_storage.v3",
            "openstack.tests.functional.cloud.test_block_storage",
            "openstack.tests.functional.compute.v2.test_volume_attachment",
        ),
        goal=30,
        without=GROUPS,
    ),
    Suite(
        name="openstackclient",
        title="openstackclient functional, volume v3",
        packages=("openstackclient.tests.functional.volume.v3",),
        goal=15,
        without=GROUPS,
    ),
    Suite(
        name="cinderclient",
        title="cinderclient functional",
        packages=("cinderclient.tests.functional",),
        goal=40,
    ),
    Commands(name="openstack", title="openstack by hand", program="openstack", goal=50),
    Commands(name="cinder", title="cinder by hand", program="cinder", goal=35),
)
#: The suites that CI runs, in less than four minutes.
QUICK = ("tempest", "interop-volumes", "interop-identity", "openstacksdk")

"""
The accounts of the embedded service, and the files in which the clients look for them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import yaml

from txstorage.embedded.apis.servers.flavor_views import FLAVOR_ID
from txstorage.embedded.machine.image import IMAGE_ID

DOMAIN = "Default"
#: The clouds that the suites of openstacksdk and openstackclient name.
USER, OTHER_USER, ADMIN, SYSTEM = (
    "devstack",
    "devstack-alt",
    "devstack-admin",
    "devstack-system-admin",
)


@dataclass(frozen=True)
class Account:
    """
    A user in a project.

    :ivar roles: names.
    :ivar project_id: the project's id.
    :ivar user_id: the user's id.
    """

    username: str
    password: str
    project: str
    roles: tuple[str, ...]
    project_id: str
    user_id: str

    def auth(self, url: str) -> dict[str, str]:
        """:return: the section ``auth`` of a cloud."""
        return {
            "auth_url": url,
            "username": self.username,
            "password": self.password,
            "project_name": self.project,
            "user_domain_name": DOMAIN,
            "project_domain_name": DOMAIN,
        }


@dataclass(frozen=True)
class Accounts:
    """
    The accounts by what they are for.

    :ivar url: Identity's, with ``/v3``.
    :ivar user: a member of a project.
    :ivar other: a member of another project.
    :ivar admin: an administrator.
    :ivar reader: of the first project, who changes nothing.
    :ivar manager: of the first project.
    """

    url: str
    region: str
    user: Account
    other: Account
    admin: Account
    reader: Account
    manager: Account

    def moved(self, url: str) -> Accounts:
        """:return: the same accounts at another address of Identity."""
        return replace(self, url=url)

    def clouds(self) -> dict[str, object]:
        """:return: the content of ``clouds.yaml``."""
        named = {
            USER: self.user,
            OTHER_USER: self.other,
            ADMIN: self.admin,
            SYSTEM: self.admin,
        }
        return {
            "clouds": {
                name: {
                    "auth": account.auth(self.url),
                    "region_name": self.region,
                    # Without this, openstacksdk skips the tests that name Block Storage so.
                    "has_volume": True,
                }
                for name, account in named.items()
            }
        }

    def variables(self, account: Account) -> dict[str, str]:
        """:return: the variables of the ``openstack`` and ``cinder`` commands."""
        auth = account.auth(self.url)
        found = {"OS_" + name.upper(): value for name, value in auth.items()}
        return {**found, "OS_REGION_NAME": self.region, "OS_IDENTITY_API_VERSION": "3"}

    def tempest_accounts(self) -> list[dict[str, object]]:
        """
        :return: the content of tempest's file of accounts.  Each has the roles that it is to be
            chosen for.  Tempest asks for a user and a reader of one project, and takes the first
            user from the project with the most kinds of users, or else from any: hence the manager.
            Where it asks for another user, it takes the next in this list: of another project.
        """
        return [
            _listed(self.user, "member"),
            _listed(self.other, "member", "reader"),
            _listed(self.reader, "reader"),
            _listed(self.manager, "manager"),
            {**_listed(self.admin, *self.admin.roles), "types": ["admin"]},
        ]


def _listed(account: Account, *roles: str) -> dict[str, object]:
    return {
        "username": account.username,
        "password": account.password,
        "project_name": account.project,
        "domain_name": DOMAIN,
        "roles": list(roles),
    }


TEMPEST = """\
[DEFAULT]
log_file = {place}/tempest.log
[oslo_concurrency]
lock_path = {place}/locks
[auth]
use_dynamic_credentials = false
test_accounts_file = {place}/accounts.yaml
[identity]
auth_version = v3
uri_v3 = {url}
region = {region}
v3_endpoint_type = public
[service_available]
cinder = true
glance = true
horizon = false
neutron = true
nova = true
swift = false
[volume]
catalog_type = block-storage
region = {region}
build_interval = 1
build_timeout = 30
min_microversion = 3.0
max_microversion = latest
[volume-feature-enabled]
api_extensions = os-availability-zone,os-quota-sets,os-vol-tenant-attr,os-volume-actions
extend_attached_volume = true
[compute]
region = {region}
image_ref = {image}
image_ref_alt = {image}
flavor_ref = {flavor}
flavor_ref_alt = {flavor}
min_microversion = 2.1
max_microversion = latest
build_interval = 1
build_timeout = 30
[validation]
run_validation = false
"""


def write(accounts: Accounts, place: str) -> None:
    """
    Write all files.

    :param place: the directory, which is also the clients' home.
    """
    configuration = os.path.join(place, ".config", "openstack")
    os.makedirs(configuration)
    _write(os.path.join(configuration, "clouds.yaml"), yaml.safe_dump(accounts.clouds()))
    _write(os.path.join(place, "accounts.yaml"), yaml.safe_dump(accounts.tempest_accounts()))
    tempest = TEMPEST.format(
        place=place, url=accounts.url, region=accounts.region, image=IMAGE_ID, flavor=FLAVOR_ID
    )
    _write(os.path.join(place, "tempest.conf"), tempest)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as opened:
        opened.write(text)

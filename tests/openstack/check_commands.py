"""
The clients' commands on a real OpenStack and on the embedded service: what they print is the same,
but for the differences that ``tests/clients/data/commands/differences.yaml`` lists with their
reasons.

The clients are those that were installed with the OpenStack, of the same releases as those of
``make test-clients``: nothing has to be installed for them.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import List, Mapping, Sequence, Set, Tuple
from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from tests.clients.accounts import Account, Accounts
from tests.clients.commands import Commands, Printed, execute, runner
from tests.clients.comparison import differences, judge, lines, load
from tests.clients.execution import environment
from tests.clients.service import Service
from txstorage.embedded.apis.servers.flavor_views import FLAVOR_NAME
from txstorage.embedded.apis.volume_views import POOL

from .check_documents import administrator, give_role, new_project, remove_user
from .client import Client
from .cloud import description
from .configuration import BACKEND
from .progress import until

#: Cinder's default quotas.
QUOTAS = (
    *("--max-volumes", "10", "--max-snapshots", "10", "--max-gigabytes", "1000"),
    *("--max-backups", "10", "--max-backup-gigabytes", "1000"),
)
#: The embedded service's nodes, and the servers of projects that need some.
NODES = ("node-1", "node-2")
#: An account's project, user or region, and a back end's pool.
NAME, POOL_NAME = "NAME", "POOL"
#: The rig's pool.
RIGS_POOL = f"rig@{BACKEND}#{BACKEND}"
#: The rig's flavor.
TINY = "tiny"
#: The prefix of the rig's volume types.
RIG = "rig-"
#: The collections with statuses, and the seconds that a transient one may last.
TRANSIENT, PATIENCE = ("volumes", "snapshots", "backups"), 60
#: A server's member with its task.
TASK = "OS-EXT-STS:task_state"
#: The commands that change nothing.
READS = re.compile(r"(^| |-)(list|show|limits|summary)( |$)")
#: Collections of what administrators make: the service, the path, and the list's member.
MADE = [
    ("block-storage", "/types?is_public=None", "volume_types"),
    ("block-storage", "/qos-specs", "qos_specs"),
    ("identity", "/projects", "projects"),
]


class Side:
    """
    A cloud, and a place to run commands on it.

    :ivar names: what the cloud's own names stand for, by these.
    :param accounts: the user's is used.
    :param known: what the names in commands stand for, besides the project and the user.
    :param names: more of the cloud's own names.
    :param home: the commands' directory.
    """

    def __init__(
        self, accounts: Accounts, known: Mapping[str, str], names: Mapping[str, str], home: str
    ) -> None:
        user = accounts.user
        self._environment = {**environment(home), **accounts.variables(user)}
        self._home = home
        self._known = {**known, "project": user.project_id, "user": user.user_id}
        login = (user.username, user.password, user.project)
        self._client = Client(accounts.url, accounts.region, *login)
        own = dict.fromkeys((user.username, user.project, accounts.region), NAME)
        self.names = {**own, **names}

    def printed(self, commands: Commands) -> List[Printed]:
        """Run commands, each when everything that was begun before it has ended."""
        python = os.path.join(description()["programs"], "python")
        with runner(python, commands.program, self._home, self._environment) as client:

            def run(words: List[str]) -> Tuple[int, str, str]:
                ended = client(words)
                if ended[0] == 0 and not READS.search(" ".join(words)):
                    until(" ".join(words), lambda: self._busy() or True, PATIENCE, interval=0.1)
                return ended

            return list(execute(commands.every(), self._known, run))

    def _busy(self) -> str:
        """:return: the transient statuses and the tasks, as text."""
        statuses = [
            each["status"]
            for name in TRANSIENT
            for each in self._client.get("block-storage", f"/{name}/detail")[name]
        ]
        servers = self._client.get("compute", "/servers/detail")["servers"]
        busy = [each[TASK] for each in servers if each[TASK]]
        busy += [s for s in statuses if s == "reserved" or s.endswith("ing") and "_" not in s]
        return ", ".join(busy)


class CommandsTests(SynchronousTestCase):
    """The lists of commands, each in a project of its own."""

    def here(self, accounts: Accounts, role: str, home: str) -> Side:
        """:return: the embedded service."""
        if role == "admin":
            accounts = replace(accounts, user=accounts.admin)
        known = {"type": "gold", "flavor": FLAVOR_NAME}
        roots = {node + "-root": node for node in NODES}
        return Side(accounts, known, {**roots, FLAVOR_NAME: TINY, POOL: POOL_NAME}, home)

    def there(self, accounts: Accounts, role: str, nodes: Sequence[str], home: str) -> Side:
        """
        :param accounts: of the embedded service.
        :param role: that of the user, in a new project.
        :param nodes: the names of the project's servers.
        :return: the real OpenStack.
        """
        admin, there = administrator(), description()
        self.addCleanup(self.remove_made, admin, self.made(admin))
        name, password = "commands-" + uuid4().hex, uuid4().hex
        inside = new_project(admin, name)
        user = {"name": name, "domain_id": "default", "password": password}
        user["default_project_id"] = inside.project_id
        user_id = admin.post("identity", "/users", {"user": user})["user"]["id"]
        self.addCleanup(remove_user, admin, name)
        give_role(admin, inside.project_id, name, role)
        for node in nodes:
            self.addCleanup(inside.delete_server, inside.create_server(node))
        self.addCleanup(self.remove_volumes, inside)
        account = Account(name, password, name, (role,), inside.project_id, user_id)
        real = replace(accounts, url=there["auth_url"], region=there["region"], user=account)
        types = {name: name[len(RIG) :] for name in there["volume_types"]}
        # A type's quotas have its name in theirs.
        names = {
            quota.format(name): quota.format(ours)
            for name, ours in types.items()
            for quota in ("{}", "volumes_{}", "gigabytes_{}", "snapshots_{}")
        }
        # The embedded service's administrator has a project of that name.
        names.update({RIGS_POOL: POOL_NAME}, **({"admin": NAME} if role == "admin" else {}))
        return Side(real, {"type": RIG + "gold", "flavor": TINY}, names, home)

    def remove_volumes(self, inside: Client) -> None:
        """Remove the volumes, snapshots and transfers that commands left."""
        transfers = "/os-volume-transfer"
        for each in inside.get("block-storage", transfers)["transfers"]:
            inside.delete("block-storage", transfers + "/" + each["id"])
        for name in ("snapshots", "volumes"):
            for each in inside.get("block-storage", f"/{name}/detail")[name]:
                path = "/{}/{}".format(name, each["id"])
                if not each.get("attachments"):
                    inside.delete("block-storage", path)
                    inside.wait("block-storage", path, None)

    def made(self, admin: Client) -> Set[Tuple[str, str]]:
        """:return: the services and paths of what administrators made."""
        return {
            (service, path.partition("?")[0] + "/" + each["id"])
            for service, path, member in MADE
            for each in admin.get(service, path)[member]
        }

    def remove_made(self, admin: Client, before: Set[Tuple[str, str]]) -> None:
        """Remove what administrators made, except for what there was before."""
        for service, path in self.made(admin) - before:
            admin.delete(service, path)

    def compare(
        self,
        name: str,
        program: str = "openstack",
        role: str = "member",
        nodes: Sequence[str] = (),
    ) -> None:
        """
        Run a list of commands on both clouds at once, and compare what they print.

        :param role: the user's.
        :param nodes: the names of the project's servers.
        """
        home = os.path.abspath(self.mktemp())
        os.mkdir(home)
        commands = Commands(name, name, program, 0)
        options = (*QUOTAS, "--root-volumes", "shown" if nodes else "none")
        with Service(os.path.join(home, "state"), options) as service:
            here = self.here(service.accounts, role, home)
            there = self.there(service.accounts, role, nodes, home)
            with ThreadPoolExecutor(2) as pool:
                both = list(pool.map(lambda side: side.printed(commands), (here, there)))
        self.assertEqual([len(commands.every())] * 2, [len(printed) for printed in both])
        found = []
        for ours, theirs in zip(*both):
            made = (lines(program, ours, here.names), lines(program, theirs, there.names))
            found += differences(f"{program} {ours.command.words}", *made)
        problems = judge(found, load(name))
        if problems:
            self.fail("\n".join(["they differ:", *problems]))

    def test_openstack(self) -> None:
        """The openstack command's usual uses."""
        self.compare("openstack", nodes=NODES)

    def test_openstack_servers(self) -> None:
        """The openstack command's uses with servers and what is attached to them."""
        self.compare("openstack-servers", nodes=NODES)

    def test_openstack_admin(self) -> None:
        """The openstack command in an administrator's hands."""
        self.compare("openstack-admin", role="admin")

    def test_openstack_mistakes(self) -> None:
        """The openstack command's errors."""
        self.compare("openstack-mistakes", nodes=NODES)

    def test_cinder(self) -> None:
        """The cinder command's usual uses."""
        self.compare("cinder", "cinder")

    def test_cinder_mistakes(self) -> None:
        """The cinder command's errors."""
        self.compare("cinder-mistakes", "cinder")

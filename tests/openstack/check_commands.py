"""
The clients' commands on a real OpenStack, and on the embedded service: what they print is the same,
but for the differences that ``differences.yaml`` beside the lists of commands has, with their
reasons.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import yaml
from twisted.trial.unittest import SynchronousTestCase

from tests.clients.accounts import Account
from tests.clients.commands import DATA, Commands, execute, runner
from tests.clients.comparison import differences, judge
from tests.clients.execution import environment
from tests.clients.service import Service

from .check_documents import administrator, give_role, project, remove_user
from .cloud import description

#: Cinder's default quota.
OPTIONS = (
    *("--max-volumes", "10", "--max-snapshots", "10", "--max-gigabytes", "1000"),
    *("--max-backups", "10", "--max-backup-gigabytes", "1000"),
)


def known_differences(name):
    """:return: the names of a list's known differences, by their reasons."""
    with open(os.path.join(DATA, "commands", "differences.yaml"), encoding="utf-8") as opened:
        return yaml.safe_load(opened)[name]


class Side:
    """
    A cloud, and a place to run commands on it.

    :param accounts: its user's are used.
    :param volume_type: the name of a volume type.
    :param names: what more of its names stand for.
    """

    def __init__(self, accounts, volume_type, names, home):
        self._accounts = accounts
        self._type = volume_type
        self._home = home
        user = accounts.user
        own = dict.fromkeys((user.username, user.project, accounts.region), "NAME")
        self.names = dict(names, **own, **{volume_type: "TYPE"})

    def printed(self, commands):
        """:return: what commands printed."""
        user = self._accounts.user
        known = {"project": user.project_id, "user": user.user_id, "type": self._type}
        variables = dict(environment(self._home), **self._accounts.variables(user))
        python = os.path.join(description()["programs"], "python")
        with runner(python, commands.program, self._home, variables) as client:
            return list(execute(commands.every(), known, client))


class CommandsTests(SynchronousTestCase):
    """The lists of commands, each in a project of its own."""

    def real(self, accounts, home):
        """
        :param accounts: of the embedded service.
        :return: the rig, with a new project that has two servers.
        """
        name, password = "commands-" + uuid4().hex, uuid4().hex
        inside, _ = project(self, name, name)
        server = inside.create_server("node-2")
        self.addCleanup(inside.delete_server, server)
        admin = administrator()
        user = {"name": name, "domain_id": "default", "password": password}
        user["default_project_id"] = inside.project_id
        user_id = admin.post("identity", "/users", {"user": user})["user"]["id"]
        self.addCleanup(remove_user, admin, name)
        self.addCleanup(self.remove_volumes, inside)
        give_role(admin, inside.project_id, name, "member")
        there = description()
        account = Account(name, password, name, ("member",), inside.project_id, user_id)
        accounts = replace(
            accounts, url=there["auth_url"], region=there["region"], user=account
        )
        return Side(accounts, there["volume_types"][0], {}, home)

    def remove_volumes(self, inside):
        """Remove the volumes and snapshots that commands left."""
        for kind in ("snapshots", "volumes"):
            found = inside.get("block-storage", "/{}/detail".format(kind))[kind]
            for each in found:
                if each["status"] in ("available", "error"):
                    path = "/{}/{}".format(kind, each["id"])
                    inside.delete("block-storage", path)
                    inside.wait("block-storage", path, None)

    def compare(self, name, program):
        """Run a list of commands on both clouds at once, and compare what they print."""
        home = os.path.abspath(self.mktemp())
        os.mkdir(home)
        commands = Commands(name, name, program, 0)
        with Service(os.path.join(home, "state"), OPTIONS) as service:
            roots = {"node-1-root": "node-1", "node-2-root": "node-2"}
            sides = (Side(service.accounts, "gold", roots, home), self.real(service.accounts, home))
            with ThreadPoolExecutor(2) as pool:
                ours, theirs = pool.map(lambda side: side.printed(commands), sides)
        found = []
        for here, there in zip(ours, theirs):
            found += differences(program, here, there, (sides[0].names, sides[1].names))
        self.assertEqual(len(ours), len(commands.every()))
        problems = judge(found, known_differences(name))
        if problems:
            self.fail("\n".join(["they differ:", *problems]))

    def test_openstack(self):
        """The openstack command's usual uses."""
        self.compare("openstack", "openstack")

    def test_cinder(self):
        """The cinder command's usual uses."""
        self.compare("cinder", "cinder")

    def test_openstack_mistakes(self):
        """The openstack command's errors."""
        self.compare("openstack-mistakes", "openstack")

    def test_cinder_mistakes(self):
        """The cinder command's errors."""
        self.compare("cinder-mistakes", "cinder")

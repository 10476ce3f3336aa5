"""
The documents' commands for a real OpenStack, typed on this one; the documents' policies are put in
force.
"""

import os
import sys
from uuid import uuid4

from twisted.internet.defer import inlineCallbacks
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase

from tests.documents.blocks import ROOT, Block, blocks, of_suite
from tests.documents.session import Session
from tests.run import interpreter_of

from .client import Client, Refused
from .cloud import GIB, description, driver
from .layout import write

PAGE = os.path.join("docs", "openstack.rst")
CONTRIBUTING = "CONTRIBUTING.rst"
#: Seconds in which a whole OpenStack comes up.
BRINGING_UP = 900
#: A part of the wire contract, as all of it runs on the first OpenStack.
A_PART = {"tests.openstack.check_wire": "tests.openstack.check_wire.ComputeProjectTests"}
PASSWORD = uuid4().hex
ROLE = "volume-driver"


def client(username, password, project_name):
    """:return: a :class:`~tests.openstack.client.Client` of this cloud."""
    there = description()
    return Client(there["auth_url"], there["region"], username, password, project_name)


def administrator(project_name="admin"):
    """:return: the cloud's administrator, in a project of which it is a member."""
    return client("admin", description()["users"]["admin"]["password"], project_name)


def named(admin, collection, name):
    """:return: the ids of the items with a name, in one of Keystone's collections."""
    found = admin.get("identity", "/{}?name={}".format(collection, name))[collection]
    return [each["id"] for each in found]


def new_project(admin, name):
    """
    Make a project.

    :return: the administrator's client in that project.
    """
    wanted = {"project": {"name": name, "domain_id": "default"}}
    project_id = admin.post("identity", "/projects", wanted)["project"]["id"]
    give_role(admin, project_id, "admin", "admin")
    return administrator(name)


def project(test_case, name, username):
    """
    Make a project with a server and a user, which are removed after the test.

    :return: the administrator's client in that project, and the server's id.
    """
    admin = administrator()
    inside = new_project(admin, name)
    test_case.addCleanup(admin.delete, "identity", "/projects/" + inside.project_id)
    server = inside.create_server("node-1")
    test_case.addCleanup(inside.delete_server, server)
    test_case.addCleanup(remove_user, admin, username)
    return inside, server


def typed(command):
    """:return: a block that is in no document."""
    return Block(__name__, 0, "console", "$ {{ {}\n> }} >/dev/null 2>&1\n".format(command))


def give_role(admin, project_id, username, role):
    """Give a user a role in a project."""
    [user_id], [role_id] = named(admin, "users", username), named(admin, "roles", role)
    path = "/projects/{}/users/{}/roles/{}".format(project_id, user_id, role_id)
    admin.put("identity", path)


def remove_role(admin):
    """Remove the document's role, if it exists."""
    for role_id in named(admin, "roles", ROLE):
        admin.delete("identity", "/roles/" + role_id)


def remove_user(admin, name):
    """Remove a user, after its credentials, since SQLite does not remove these by itself."""
    for user_id in named(admin, "users", name):
        path = "/users/" + user_id
        credentials = path + "/application_credentials"
        for found in admin.get("identity", credentials)["application_credentials"]:
            admin.delete("identity", "{}/{}".format(credentials, found["id"]))
        admin.delete("identity", path)


class CommandsTests(SynchronousTestCase):
    """The documents' commands."""

    def session(self, **options):
        """A session that ends with the test."""
        session = Session(**options)
        self.addCleanup(session.close)
        return session

    def test_pages(self):
        """Each document with commands has a test."""
        self.assertEqual([CONTRIBUTING, PAGE], sorted(of_suite("openstack")))

    def test_page(self):
        """
        An administrator makes the user, and that user an application credential with access rules;
        a node
        needs no more.
        """
        there = description()
        project(self, "storage", "txstorage")
        own = os.path.dirname(sys.executable)
        environment = {
            "PATH": os.pathsep.join([own, os.environ["PATH"], there["programs"]]),
            "OS_AUTH_URL": there["auth_url"],
            "OS_REGION_NAME": there["region"],
            "OS_USERNAME": "admin",
            "OS_PASSWORD": there["users"]["admin"]["password"],
            "OS_PROJECT_NAME": "admin",
            "OS_USER_DOMAIN_ID": "default",
            "OS_PROJECT_DOMAIN_ID": "default",
        }
        examples = {"https://cloud.example:5000/v3": there["auth_url"]}
        session = self.session(
            variables=environment, examples=examples, outside=True, changed=["/etc"]
        )
        session.execute(typed("cd ~"))
        for block in blocks(PAGE):
            # other tests cover the files; here they are used
            if block.suite == "openstack" or block.caption:
                session.execute(block)

    def test_contributing(self):
        """
        A contributor brings an OpenStack up, breaks it, and takes it down: here a second one, which
        the first
        one does not notice.
        """
        # only with the first one's installation: a new one would take minutes
        description()
        if interpreter_of("2.7") is None:
            raise SkipTest("it also says how to run tests on Python 2.7, which is not here")
        session = self.session(
            variables=dict(os.environ),
            examples=A_PART,
            outside=True,
            changed=[ROOT],
            patience=BRINGING_UP,
        )
        # as where none is up; a volume is only too big on a real file system
        session.execute(typed("mkdir -p /var/tmp/run .openstack/run; rm -f .openstack/lock"))
        session.execute(typed("mount --bind /var/tmp/run .openstack/run"))
        try:
            for block in of_suite("openstack")[CONTRIBUTING]:
                session.execute(block)
        finally:
            # a wrong document must not leave devices
            session.execute(typed("python3 -m tests.openstack.rig down"))


class PoliciesTests(TestCase):
    """The documents' role and policies."""

    timeout = 300

    def setUp(self):
        self.user = "driver-" + uuid4().hex
        self.inside, self.server = project(self, self.user, self.user)
        admin = administrator()
        # the remains of an interrupted test
        remove_role(admin)
        admin.post("identity", "/roles", {"role": {"name": ROLE}})
        self.addCleanup(remove_role, admin)
        user = {"name": self.user, "domain_id": "default", "password": PASSWORD}
        admin.post("identity", "/users", {"user": user})
        give_role(admin, self.inside.project_id, self.user, ROLE)
        self.mine = client(self.user, PASSWORD, self.user)

    def set_policies(self):
        """Give the cloud the document's policies, until the test ends."""
        rules = of_suite("rules")[PAGE]
        [cinder, nova] = [block.text for block in rules if block.language == "yaml"]
        paths = description()["policies"]
        for path, text in [(paths["cinder"], cinder), (paths["nova"], nova)]:
            self.addCleanup(write, path, "{}\n")
            write(path, text)

    def refused(self, *request):
        """A policy refuses the request."""
        self.assertEqual(403, self.assertRaises(Refused, self.mine.request, *request).status)

    def test_without(self):
        """Without the policies, a user with that role may do nothing."""
        self.refused("GET", "block-storage", "/volumes/detail")
        self.refused("GET", "compute", "/servers/detail")

    @inlineCallbacks
    def test_all(self):
        """With the policies, the driver's operations all succeed."""
        self.set_policies()
        api = driver(
            self,
            username=self.user,
            password=PASSWORD,
            project_name=self.user,
            instance_id=self.server,
            profiles={},
        )
        volume = (yield api.create_volume(uuid4(), GIB)).blockdevice_id
        yield api.attach_volume(volume, self.server)
        device = yield api.get_device_path(volume)
        self.assertTrue(device.isBlockDevice())
        snapshot = (yield api.create_snapshot(volume, u"first", {})).snapshot_id
        yield api.grow_volume(volume, 2 * GIB)
        yield api.set_labels(volume, {u"name": u"db"})
        yield api.remove_label(volume, u"name")
        copies = yield api.create_volume_from_snapshot(uuid4(), snapshot)
        yield api.destroy_volume(copies.blockdevice_id)
        self.assertEqual(1, len((yield api.list_snapshots())))
        yield api.destroy_snapshot(snapshot)
        yield api.detach_volume(volume)
        yield api.grow_volume(volume, 3 * GIB)
        yield api.destroy_volume(volume)
        self.assertEqual([], (yield api.list_volumes()))
        live = yield api.list_live_nodes()
        self.assertEqual([self.server], list(live))
        # the reason of a failed volume
        ask = ("GET", "block-storage", "/messages")
        yield deferToThread(self.mine.request, *ask, OpenStack_API_Version="volume 3.3")
        path = "/servers/" + self.server
        yield deferToThread(self.inside.post, "compute", path + "/action", {"os-stop": None})
        yield deferToThread(self.inside.wait, "compute", path, "SHUTOFF")
        yield api.start_node(self.server)
        yield deferToThread(self.inside.wait, "compute", path, "ACTIVE")

    def test_nothing_else(self):
        """The requests that the document lists as refused to such a user are refused."""
        self.set_policies()
        made = self.inside.post("block-storage", "/volumes", {"volume": {"size": 1}})
        volume = "/volumes/" + made["volume"]["id"]
        self.addCleanup(self.inside.wait, "block-storage", volume, None)
        self.addCleanup(self.inside.delete, "block-storage", volume)
        self.inside.wait("block-storage", volume, "available")
        server = "/servers/" + self.server
        self.refused("POST", "compute", server + "/action", {"os-stop": None})
        self.refused("DELETE", "compute", server)
        self.refused("PUT", "block-storage", volume, {"volume": {"name": "n"}})
        self.refused("GET", "block-storage", "/types")
        self.refused("GET", "block-storage", "/backups")

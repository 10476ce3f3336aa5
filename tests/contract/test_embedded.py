"""The wire contract of the embedded service in memory, and the completeness of its tests."""

from __future__ import annotations

import ast
import glob
import os
from typing import Any

import attr
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

import txstorage.embedded
from txstorage.embedded.accounts.declarations import Account
from txstorage.embedded.accounts.directory import Ids
from txstorage.embedded.application import Application
from txstorage.embedded.machine.devices import FileDevices
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.settings import PROJECT, USER
from txstorage.embedded.testing import in_memory_cloud
from txstorage.embedded.wire import account_refusals, refusals, volume_refusals
from txstorage.embedded.wire.site import BoundedSite
from txstorage.embedded.wire.tables import image_refusals, server_refusals

from .case import Target
from .record import compared, errors, lines, read, routes
from .suite import SUITE, make_wire_tests

DELAY = 0.3
PASSWORD = "open sesame"
#: Beside the first user: users of the same names and roles as those of the rig.
ACCOUNTS = (
    Account("admin", PASSWORD, {"admin": ("admin",)}),
    Account("other", PASSWORD, {"other": ("member",)}),
    Account("reader", PASSWORD, {PROJECT: ("reader",)}),
)

_BACKUPS = "/v3/<project_id>/backups"
#: Routes and errors that the suite can't compare, with the reasons.
NOT_COMPARABLE = {
    **dict.fromkeys(
        [
            *(f"volume {method} {_BACKUPS}" for method in ("GET", "POST")),
            *(f"volume {method} {_BACKUPS}/<backup_id>" for method in ("GET", "PUT", "DELETE")),
            f"volume GET {_BACKUPS}/detail",
            f"volume POST {_BACKUPS}/<backup_id>/restore",
            f"volume POST {_BACKUPS}/<backup_id>/action",
            f"volume GET {_BACKUPS}/<backup_id>/export_record",
            f"volume POST {_BACKUPS}/import_record",
            *("BACKUP_NOT_DELETABLE", "BACKUP_NOT_READY", "BACKUP_NOT_RESTORABLE"),
            *("BAD_BACKUP_STATUS", "HAS_DEPENDENTS", "NOT_TO_BE_RESTORED_TO", "NO_BACKUP_IN_USE"),
            *("NO_BACKUP_NOW", "NO_BACKUP_OF_SNAPSHOT", "NO_PARENT", "OTHER_VOLUMES_SNAPSHOT"),
            *("OVER_BACKUPS", "OVER_BACKUP_GIGABYTES", "OVER_VOLUMES_THEN", "SMALLER_THAN_BACKUP"),
            "TOO_SMALL_FOR_BACKUP",
        ],
        "the rig has no backup service",
    ),
    "none GET /": "no OpenStack service is there: it lists the embedded services for people",
    "DISK_FULL[compute]": "a real service answers a full disk with its fault",
    "DISK_FULL[identity]": "a real service answers a full disk with its fault",
    "DISK_FULL[volume]": "a real service answers a full disk with its fault",
    "COMPUTE_FAULT": "nothing a client sends makes Compute fail",
    "IDENTITY_FAULT": "nothing a client sends makes Identity fail",
    "SERVER_BUSY": "a real service deletes a server before the next request",
    "identity POST /v3/credentials": "the policy of the rig allows it",
    "identity POST /v3/users/<user_id>/credentials/OS-EC2": "the policy of the rig allows it",
    **dict.fromkeys(["NO_REQUESTED_IMAGE", "IMAGE_WITHOUT_SIZE"], "the rig has no Glance"),
    **dict.fromkeys(["NO_NETWORK", "NO_PORT"], "the rig has no Neutron"),
    "TOO_MANY_GROUPS": "a test would make many groups",
    "NODE_STAYS": "a real service has no nodes among its servers",
    "OVER_VOLUME_QUOTA": "a real service finds it out only when it makes the volume",
    "NO_CONNECTION": "a real back end has a connection",
    "NO_KEYS": "the rig has a key manager",
    "TOO_DEEP": "the rig allows projects within others",
    "NOT_CONNECTED": "nothing a client sends makes the back end fail",
    "NOT_CONNECTED_AGAIN": "nothing a client sends makes the back end fail",
}
# A real OpenStack to compare with has no Image service.
NOT_COMPARABLE.update(
    {
        **{route: "the rig has no Glance" for route in routes() if route.startswith("image ")},
        **{
            name: "the rig has no Glance"
            for name, refusal in errors().items()
            if refusal.service == "image"
        },
    }
)
#: Tests whose routes and errors a real OpenStack has not all been compared with yet: the next run
#: of ``tests/openstack/check_wire.py`` does, and they are then to be removed from here.
PENDING: tuple[type[Any], ...] = ()


class EmbeddedTarget(Target):
    """The embedded service, on a ``Clock``, without a network."""

    # Beyond the size of any file here.
    too_big = 2**31 - 1

    def __init__(self) -> None:
        self._clock = Clock()
        self._cloud = in_memory_cloud(self._clock, transition_delay=DELAY, accounts=ACCOUNTS)
        self.auth_url = self._cloud.auth_url
        self.user = {
            "username": USER,
            "password": self._cloud.settings.password,
            "project_name": self._cloud.credentials["project_name"],
        }
        self.admin, self.other, self.reader = (
            {"username": name, "password": PASSWORD, "project_name": project}
            for name, project in (("admin", "admin"), ("other", "other"), ("reader", PROJECT))
        )
        self.servers = list(self._cloud.nodes.values())
        self._site = self._cloud.application.site()

    def _restarted(self, **changes: Any) -> BoundedSite:
        """Restart the cloud with other settings."""
        directory = self._cloud.devices_directory
        files = VolumeFiles(os.path.join(os.path.dirname(directory), "volumes"))
        settings = attr.evolve(self._cloud.settings, **changes)
        devices = FileDevices(files, directory)
        application = Application(self._clock, self._cloud.store, devices, settings)
        return application.site()

    async def exchange(self, url: str, request: bytes) -> bytes:
        protocol = self._site.buildProtocol(None)
        transport = StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(request)
        while not transport.disconnecting:
            await self.pause()
        protocol.connectionLost(Failure(ConnectionDone()))
        content: bytes = transport.value()
        return content

    async def pause(self) -> None:
        self._clock.advance(DELAY / 3)

    async def limit(self, volumes: int, gigabytes: int, snapshots: int = -1) -> None:
        self._site = self._restarted(
            max_volumes=volumes, max_gigabytes=gigabytes, max_snapshots=snapshots
        )

    async def application_credential(self, session: Any) -> dict[str, str]:
        ids = Ids.of(self._cloud.store)
        secret = self._cloud.settings.application_secret
        return {"id": ids.application_credential, "name": USER, "secret": secret}

    async def close(self) -> None:
        self._cloud.close()


globals().update(make_wire_tests(lambda test: EmbeddedTarget(), __name__))


class CompletenessTests(SynchronousTestCase):
    """Tests of the suite's completeness: it compares every response of the embedded service."""

    def test_routes(self) -> None:
        """
        A test compares every route; a test fails when it does not use a route that it declares.
        """
        self.assertEqual(routes() - compared(SUITE) - set(NOT_COMPARABLE), set())

    def test_errors(self) -> None:
        """A test compares every error."""
        self.assertEqual(set(errors()) - compared(SUITE) - set(NOT_COMPARABLE), set())

    def test_real(self) -> None:
        """
        All of it but what is pending was compared with a real OpenStack, in its present words;
        otherwise ``tests/openstack/check_wire.py`` must run again.
        """
        names = routes() | set(errors())
        pending = lines(compared(PENDING)) - read()
        self.assertEqual(lines(names - set(NOT_COMPARABLE)) - pending, read())

    def test_pending(self) -> None:
        """A part of each pending test's was never compared."""
        for case in PENDING:
            self.assertTrue(lines(compared([case])) - read(), case)

    def test_nothing_unknown(self) -> None:
        """Tests compare only existing routes and errors, and none of the exceptions."""
        known = routes() | set(errors())
        self.assertEqual(compared(SUITE) - known, set())
        self.assertEqual(set(NOT_COMPARABLE) & compared(SUITE), set())
        self.assertEqual(set(NOT_COMPARABLE) - known, set())

    def test_one_table(self) -> None:
        """OpenStack's errors are made in the tables only, so that the suite misses none."""
        tables = (refusals, account_refusals, volume_refusals, server_refusals, image_refusals)
        self.assertEqual(_makers_of_errors(), {table.__file__ for table in tables})


def _makers_of_errors() -> set[str]:
    """The files in which an error is made from a status."""
    package = os.path.dirname(txstorage.embedded.__file__)
    # EC2's errors are its own, and so are those of the routes for tests and of their clients.
    own = tuple(
        os.path.join(package, *each, "") for each in (("apis", "ec2"), ("control",), ("testing",))
    )
    found = set()
    for path in glob.glob(os.path.join(package, "**", "*.py"), recursive=True):
        if path.startswith(own):
            continue
        with open(path, encoding="utf-8") as source:
            tree = ast.parse(source.read())
        if any(map(_has_error_status, ast.walk(tree))):
            found.add(path)
    return found


def _has_error_status(node: ast.AST) -> bool:
    """Check for a call whose first argument is a status of 400 or more."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    status = node.args[0]
    return (
        isinstance(status, ast.Constant) and type(status.value) is int and 400 <= status.value < 600
    )

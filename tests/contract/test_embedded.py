"""
The wire contract, kept by the embedded service in memory; and that nothing of
it is left out.
"""

from __future__ import annotations

import ast
import os
from typing import Any

import attr
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Site

import txstorage.embedded
from txstorage.embedded.apis.identity import Ids
from txstorage.embedded.application import Application
from txstorage.embedded.machine.devices import FileDevices
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.settings import USER
from txstorage.embedded.testing import in_memory_cloud

from .case import Target
from .record import compared, errors, lines, read, routes
from .suite import SUITE, make_wire_tests

DELAY = 0.3

#: What is not in the suite, and why it can't be.
NOT_COMPARABLE = {
    "none GET /": "no OpenStack service is there: it leads people to the embedded ones",
    "COMPUTE_FAULT": "nothing a client sends makes Compute fail",
    "IDENTITY_FAULT": "nothing a client sends makes Identity fail",
    "NOT_CONNECTED": "nothing a client sends makes the back end fail",
    "NOT_CONNECTED_AGAIN": "nothing a client sends makes the back end fail",
}


class EmbeddedTarget(Target):
    """The embedded service, on a ``Clock``, without a network."""

    # More than a file can have here.
    too_big = 2**31 - 1

    def __init__(self) -> None:
        self._clock = Clock()
        self._cloud = in_memory_cloud(self._clock, transition_delay=DELAY)
        self.auth_url = self._cloud.auth_url
        self.user = {
            "username": USER,
            "password": self._cloud.settings.password,
            "project_name": self._cloud.credentials["project_name"],
        }
        self.admin = dict(self.user)
        self.servers = list(self._cloud.nodes.values())
        self._user_site = Site(self._cloud.resource, reactor=self._clock)
        self._admin_site = self._restarted(roles=("admin", "member"))

    def _restarted(self, **changes: Any) -> Site:
        """The same cloud with other settings."""
        directory = self._cloud.devices_directory
        files = VolumeFiles(os.path.join(os.path.dirname(directory), "volumes"))
        settings = attr.evolve(self._cloud.settings, **changes)
        devices = FileDevices(files, directory)
        application = Application(self._clock, self._cloud.store, devices, settings)
        return Site(application.resource(), reactor=self._clock)

    async def exchange(self, url: str, request: bytes, as_admin: bool) -> bytes:
        site = self._admin_site if as_admin else self._user_site
        protocol = site.buildProtocol(None)
        transport = StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(request)
        while not transport.disconnecting:
            await self.pause()
        content: bytes = transport.value()
        return content

    async def pause(self) -> None:
        self._clock.advance(DELAY / 3)

    async def limit(self, volumes: int, gigabytes: int) -> None:
        self._user_site = self._restarted(max_volumes=volumes, max_gigabytes=gigabytes)

    async def application_credential(self, session: Any) -> dict[str, str]:
        ids = Ids.of(self._cloud.store)
        secret = self._cloud.settings.application_secret
        return {"id": ids.application_credential, "name": USER, "secret": secret}

    async def close(self) -> None:
        self._cloud.close()


globals().update(make_wire_tests(lambda test: EmbeddedTarget(), __name__))


class CompletenessTests(SynchronousTestCase):
    """Whatever the embedded service can say is compared."""

    def test_routes(self) -> None:
        """Every route is compared by a test, which fails when it did not use it."""
        self.assertEqual(routes() - compared(SUITE) - set(NOT_COMPARABLE), set())

    def test_errors(self) -> None:
        """So is every error."""
        self.assertEqual(set(errors()) - compared(SUITE) - set(NOT_COMPARABLE), set())

    def test_real(self) -> None:
        """
        All of it was compared with a real OpenStack as it is now, to the last
        word; else ``tests/openstack/check_wire.py`` has to be run again.
        """
        names = routes() | set(errors())
        self.assertEqual(lines(names - set(NOT_COMPARABLE)), read())

    def test_nothing_unknown(self) -> None:
        """A test compares what there is; and what is compared is no exception."""
        known = routes() | set(errors())
        self.assertEqual(compared(SUITE) - known, set())
        self.assertEqual(set(NOT_COMPARABLE) & compared(SUITE), set())
        self.assertEqual(set(NOT_COMPARABLE) - known, set())

    def test_one_table(self) -> None:
        """Errors are made in ``refusals.py`` only, so that none is forgotten here."""
        self.assertEqual(list(_makers_of_errors()), [])


def _makers_of_errors() -> list[str]:
    """The places where, outside the table, an error is made from a status."""
    found = []
    package = os.path.dirname(txstorage.embedded.__file__)
    for name in sorted(os.listdir(package)):
        if not name.endswith(".py") or name == "refusals.py":
            continue
        with open(os.path.join(package, name)) as source:
            tree = ast.parse(source.read())
        for node in ast.walk(tree):
            # A status of 400 or more, given to whatever is called.
            if isinstance(node, ast.Call) and node.args:
                status = node.args[0]
                if isinstance(status, ast.Constant) and type(status.value) is int:
                    if 400 <= status.value < 600:
                        found.append(f"{name}:{node.lineno}")
    return found

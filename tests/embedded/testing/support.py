"""The common parts of the tests of doubles."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from txstorage.embedded.testing import OpenStackDouble, RunningOpenStack

PATIENCE = 60


class Client:
    """
    A synchronous client of a double, without retries.

    :param double: whose user the client is.
    :param username: another one's name.
    """

    def __init__(self, double: OpenStackDouble, username: str = "") -> None:
        self._double = double
        self._root = double.auth_url[: -len("/identity/v3")]
        name = username or double.username
        user = {"name": name, "domain": {"name": "Default"}, "password": double.password}
        identity = {"methods": ["password"], "password": {"user": user}}
        self.token = ""
        answer = self.ask("POST", "/identity/v3/auth/tokens", {"auth": {"identity": identity}})
        self.token = answer[1]["X-Subject-Token"]

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any, Any]:
        """
        Make one exchange.

        :return: the status, the headers, and the JSON value of the answer.
        :raises OSError: there is no answer.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._root + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("X-Auth-Token", self.token)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE) as response:
                content = response.read()
                return response.status, response.headers, json.loads(content) if content else None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, json.loads(error.read())

    def create(self) -> str:
        """Request a volume; :return: its id."""
        status, _, document = self.ask("POST", "/volume/v3/volumes", {"volume": {"size": 1}})
        assert status == 202, document
        volume_id: str = document["volume"]["id"]
        return volume_id

    def status(self, volume_id: str) -> str:
        """Return a volume's status."""
        shown: str = self.ask("GET", "/volume/v3/volumes/" + volume_id)[2]["volume"]["status"]
        return shown

    def volumes(self) -> list[str]:
        """Return the ids of the volumes."""
        return [each["id"] for each in self.ask("GET", "/volume/v3/volumes")[2]["volumes"]]


class DoubleTests:
    """
    The tests of every double that synchronous clients can reach, for a ``TestCase``.
    """

    def double(self, **settings: Any) -> RunningOpenStack:
        """Return a double, which the test case closes."""
        raise NotImplementedError()

    def test_clients(self: Any) -> None:
        """Clients make volumes, and their requests are recorded."""
        double = self.double()
        client = Client(double)
        volume_id = client.create()
        double.advance(0)
        self.assertEqual(client.status(volume_id), "available")
        recorded = [(each.number, each.method, each.path, each.status) for each in double.requests]
        self.assertEqual(
            recorded,
            [
                (1, "POST", "/identity/v3/auth/tokens", 201),
                (2, "POST", "/volume/v3/volumes", 202),
                (3, "GET", "/volume/v3/volumes/" + volume_id, 200),
            ],
        )
        self.assertEqual(double.requests[1].body, {"volume": {"size": 1}})

    def test_attached(self: Any) -> None:
        """A volume can be attached to one of the servers, whose ids are known."""
        double = self.double(nodes=("one",), transition_delay=5)
        client = Client(double)
        volume_id = client.create()
        double.advance(5)
        path = f"/compute/v2.1/servers/{double.nodes['one']}/os-volume_attachments"
        client.ask("POST", path, {"volumeAttachment": {"volumeId": volume_id}})
        self.assertEqual(client.status(volume_id), "reserved")
        double.advance(10)
        self.assertEqual(client.status(volume_id), "in-use")

    def test_errors(self: Any) -> None:
        """The next answers of a route are errors."""
        double = self.double()
        client = Client(double)
        double.fail("POST /volume/v3/volumes", status=429, retry_after=3, times=2)
        for _ in range(2):
            status, headers, document = client.ask("POST", "/volume/v3/volumes", {})
            self.assertEqual((status, headers["Retry-After"]), (429, "3"))
            self.assertIn("overLimit", document)
        client.create()

    def test_lost(self: Any) -> None:
        """A request is lost before it is carried out, or its answer is lost afterwards."""
        double = self.double()
        client = Client(double)
        for lost, made in (("request", 0), ("answer", 1)):
            double.fail("POST /volume/v3/volumes", lost=lost)
            self.assertRaises(OSError, client.create)
            self.assertEqual(len(client.volumes()), made)
            self.assertIsNone(double.requests[-2].status)

    def test_stuck(self: Any) -> None:
        """A volume is stuck until the fault is removed."""
        double = self.double()
        client = Client(double)
        fault = double.fail_transition("creating", stuck=True)
        volume_id = client.create()
        double.advance(100)
        self.assertEqual(client.status(volume_id), "creating")
        self.assertEqual([each["id"] for each in double.faults], [fault.fault_id])
        fault.remove()
        double.advance(0)
        self.assertEqual((client.status(volume_id), double.faults), ("available", []))

    def test_root_volumes(self: Any) -> None:
        """Servers have root volumes on request only, which stay at a reset."""
        self.assertEqual(Client(self.double()).volumes(), [])
        double = self.double(nodes=("a", "b", "c"), root_volumes=True)
        client = Client(double)
        client.create()
        self.assertEqual(len(client.volumes()), 4)
        double.reset()
        self.assertEqual(len(client.volumes()), 3)

    def test_users(self: Any) -> None:
        """Other users have the same password; projects are separate; a reset keeps the users."""
        users = ["other:other:member", "other:txstorage:reader", "admin:txstorage:admin"]
        double = self.double(users=users)
        client, other, admin = Client(double), Client(double, "other"), Client(double, "admin")
        volume_id = client.create()
        self.assertEqual((other.volumes(), admin.volumes()), ([], [volume_id]))
        double.reset()
        self.assertEqual((other.volumes(), Client(double, "other").volumes()), ([], []))

    def test_reset(self: Any) -> None:
        """A reset takes a double to the beginning, and a client's token stays valid."""
        double = self.double()
        client = Client(double)
        client.create()
        double.fail("volume", status=500, times=None)
        double.advance(100)
        double.reset()
        self.assertEqual((double.requests, double.faults, client.volumes()), ([], [], []))

"""Tests of the routes for tests."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from unittest import mock

from twisted.internet.address import IPv4Address
from twisted.web.test.requesthelper import DummyRequest

from txstorage.embedded.accounts.attempts import MOST, PERIOD
from txstorage.embedded.control import faults
from txstorage.embedded.control.api import PATHS
from txstorage.embedded.machine.devices import DeviceFailure

from ..support import CloudTests
from .support import ControlledTests

LIST = "GET /volume/v3/volumes"


class AbsentTests(CloudTests):
    """Tests of a service without these routes."""

    def test_absent(self) -> None:
        """A service that does not serve them has no such paths."""
        for path in PATHS:
            for method in ("GET", "POST", "DELETE"):
                self.assertEqual(self.ask(method, "/" + path.decode(), {}).code, 404)


class FaultTests(ControlledTests):
    """Tests of ``/faults``."""

    def test_happens(self) -> None:
        """A fault is answered with its id, happens, and is no longer listed."""
        requested = {"route": "GET /volume/v3/volumes", "status": 503, "retry_after": 2}
        got = self.control("POST", "/faults", requested)
        expected = {"id": 1, "times": 1, **requested}
        self.assertEqual((got.code, got.body), (201, {"fault": expected}))
        self.assertEqual(self.control("GET", "/faults").body["faults"], [expected])
        answer = self.volumes("GET")
        self.assertEqual((answer.code, answer.headers["retry-after"]), (503, "2"))
        self.assertIn("serviceUnavailable", answer.body)
        self.assertEqual(self.volumes("GET").code, 200)
        self.assertEqual(self.control("GET", "/faults").body["faults"], [])

    def test_every_service(self) -> None:
        """Each service's routes, in whatever part of it, can have faults."""
        self.fail_with(route="*", status=500, times=None)
        for answer in (
            self.volumes("GET"),
            self.cinder("GET", "/snapshots"),
            self.cinder("GET", "/attachments", version="3.27"),
            self.cinder("GET", "/limits"),
            self.nova("GET", "/servers"),
            self.ask("POST", "/identity/v3/auth/tokens", {}),
        ):
            self.assertEqual(answer.code, 500)

    def test_not_of_control(self) -> None:
        """The routes for tests themselves, and the health check, have no faults."""
        self.fail_with(route="*", status=500, times=None)
        self.assertEqual(self.ask("GET", "/healthcheck").code, 200)
        self.assertEqual(self.control("DELETE", "/faults").code, 204)
        self.assertEqual(self.volumes("GET").code, 200)

    def test_routes(self) -> None:
        """All routes are listed, by names that a fault can have."""
        routes = self.control("GET", "/faults").body["routes"]
        self.assertIn(LIST, routes)
        self.assertIn("POST /identity/v3/auth/tokens", routes)
        self.assertIn("GET /volume/v3/snapshots/{snapshot_id}", routes)
        for route in routes:
            self.fail_with(route=route, delay=1)

    def test_bad(self) -> None:
        """A body that is not a fault is refused with the reason, and puts nothing in force."""
        got = self.control("POST", "/faults", {"route": "GET /volume/v3/volume", "status": 500})
        self.assertEqual(got.code, 400)
        self.assertEqual(list(got.body["error"]), ["code", "title", "message"])
        self.assertIn(f"the nearest one is {LIST!r}", got.message)
        for body in (b"", b"{", b"[]"):
            got = self.control("POST", "/faults", body)
            self.assertEqual((got.code, got.message), (400, "the body must be a JSON object"))
        self.assertEqual(self.control("GET", "/faults").body["faults"], [])

    def test_removed(self) -> None:
        """One fault can be removed, once."""
        kept = self.fail_with(route="volume", status=500)
        number = self.fail_with(route="identity", status=500)
        self.assertEqual(self.control("DELETE", f"/faults/{number}").code, 204)
        got = self.control("DELETE", f"/faults/{number}")
        self.assertEqual((got.code, got.message), (404, f"no fault has the id {number}"))
        self.assertEqual(self.control("DELETE", "/faults/x").code, 404)
        left = self.control("GET", "/faults").body["faults"]
        self.assertEqual([each["id"] for each in left], [kept])

    def test_bound(self) -> None:
        """No more than a number of faults are in force; those that have happened do not count."""
        self.patch(faults, "MOST_FAULTS", 3)
        for _ in range(3):
            self.fail_with(route="GET /volume/v3/volumes", status=500)
        got = self.control("POST", "/faults", {"route": "volume", "status": 500})
        self.assertEqual(got.code, 409)
        self.assertEqual(self.volumes("GET").code, 500)
        self.fail_with(route="volume", status=500)

    def test_other_methods(self) -> None:
        """Other methods and paths are refused."""
        got = self.control("PUT", "/faults", {})
        self.assertEqual((got.code, got.headers["allow"]), (405, "DELETE, GET, HEAD, POST"))
        self.assertEqual(self.control("GET", "/faults/1/2").code, 404)


class RequestsTests(ControlledTests):
    """Tests of ``/requests``."""

    def listed(self, query: str = "") -> list[dict[str, Any]]:
        """The recorded requests."""
        found: list[dict[str, Any]] = self.control("GET", "/requests" + query).body["requests"]
        return found

    def test_recorded(self) -> None:
        """Each request to a service is recorded, with its body, and none of these routes'."""
        body = {"volume": {"size": 1}}
        got = self.cinder("POST", "/volumes?a=b", body, version="3.60")
        recorded = self.listed()[-1]
        self.assertEqual(
            recorded,
            {
                "number": 2,
                "time": self.clock.seconds(),
                "duration": 0.0,
                "method": "POST",
                "path": f"/volume/v3/{self.project}/volumes",
                "query": "a=b",
                "status": 202,
                "request_id": got.headers["x-openstack-request-id"],
                "microversion": "3.60",
                "action": None,
                "body": body,
            },
        )
        self.assertEqual(len(self.listed()), 2)

    def test_no_password(self) -> None:
        """The record of a request for a token has no body."""
        self.assertEqual(self.listed()[0]["path"], "/identity/v3/auth/tokens")
        self.assertIsNone(self.listed()[0]["body"])
        self.assertNotIn(self.cloud.settings.password, str(self.control("GET", "/requests")))

    def test_since(self) -> None:
        """A client can ask for those after one that it knows."""
        for _ in range(3):
            self.volumes("GET")
        self.assertEqual([each["number"] for each in self.listed("?since=2")], [3, 4])
        self.assertEqual(
            self.control("GET", "/requests?since=4").body, {"requests": [], "number": 4}
        )
        got = self.control("GET", "/requests?since=-1")
        self.assertEqual((got.code, "'since' is '-1'" in got.message), (400, True))


class ClockTests(ControlledTests):
    """Tests of ``/clock``."""

    settings = {"transition_delay": 5.0, "token_lifetime": 60.0}

    def test_shown(self) -> None:
        """The time is shown, and by how much it was advanced."""
        now = "1970-01-01T00:16:40.500000Z"
        self.assertEqual(
            self.control("GET", "/clock").body, {"clock": {"now": now, "advanced": 0.0}}
        )
        got = self.control("POST", "/clock", {"advance": 60})
        later = "1970-01-01T00:17:40.500000Z"
        self.assertEqual(got.body, {"clock": {"now": later, "advanced": 60.0}})

    def test_transitions(self) -> None:
        """Transitions that are due have happened when the answer comes, with those after them."""
        volume_id = self.volumes("POST", body={"volume": {"size": 1}}).body["volume"]["id"]
        self.advance(4.5)
        self.assertEqual(self.status(volume_id), "creating")
        self.advance(0.5)
        self.assertEqual(self.status(volume_id), "available")
        server = self.cloud.nodes["node-1"]
        attachment = {"volumeAttachment": {"volumeId": volume_id}}
        self.nova("POST", f"/servers/{server}/os-volume_attachments", attachment)
        self.advance(9)
        self.assertEqual(self.status(volume_id), "attaching")
        self.advance(1)
        self.assertEqual(self.status(volume_id), "in-use")

    def test_times(self) -> None:
        """The times of volumes are those of the clock."""
        self.advance(30)
        got = self.volumes("POST", body={"volume": {"size": 1}})
        self.assertEqual(got.body["volume"]["created_at"], "1970-01-01T00:17:10.500000")

    def test_tokens(self) -> None:
        """Tokens expire by the clock."""
        self.advance(59)
        self.assertEqual(self.volumes("GET").code, 200)
        self.advance(1)
        self.assertEqual(self.volumes("GET").code, 401)

    def test_late_answers(self) -> None:
        """A late answer comes when the clock is advanced."""
        self.fail_with(route="volume", delay=30)
        url = f"{self.cloud.settings.base_url}/volume/v3/{self.project}/volumes"
        answered = self.treq.get(url, headers={"X-Auth-Token": self.token})
        self.advance(29)
        self.treq.flush()
        self.assertNoResult(answered)
        self.advance(1)
        self.treq.flush()
        self.assertEqual(self.successResultOf(answered).code, 200)

    def test_bad(self) -> None:
        """A body without seconds is refused, and so is a step back."""
        got = self.control("POST", "/clock", {"seconds": 1})
        self.assertEqual(
            (got.code, got.message), (400, "the body has one member, 'advance': seconds")
        )
        self.assertEqual(self.control("POST", "/clock", {"advance": -1}).code, 400)
        self.assertEqual(self.control("GET", "/clock").body["clock"]["advanced"], 0.0)


class ResetTests(ControlledTests):
    """Tests of ``/reset``; see also :mod:`.test_controls`."""

    def test_reset(self) -> None:
        """A reset is answered without a body, and forgets volumes and recorded requests."""
        self.create()
        got = self.control("POST", "/reset")
        self.assertEqual((got.code, got.body), (204, None))
        self.assertEqual(self.control("GET", "/requests").body["requests"], [])
        self.assertEqual(self.cloud.store.usage().volumes, 0)

    def test_busy(self) -> None:
        """A device that stays is a conflict, with the reason."""
        failing = mock.Mock(side_effect=DeviceFailure("/dev/loop7 is in use, e.g. mounted"))
        self.patch(self.controls, "reset", failing)
        got = self.control("POST", "/reset")
        reason = "a volume's device stays: /dev/loop7 is in use, e.g. mounted"
        self.assertEqual((got.code, got.message), (409, reason))


class AdmissionTests(ControlledTests):
    """Tests of the clients that may use these routes."""

    def from_elsewhere(self, *, password: str | None = None) -> int:
        """The status of the answer to a client on another machine."""
        request = DummyRequest([])
        request.method, request.uri, request.path = b"GET", b"/clock", b"/clock"
        request.client = IPv4Address("TCP", "192.0.2.1", 5)
        request.getClientAddress = lambda: request.client
        request.getPassword = lambda: (password or "").encode()
        request.isSecure = lambda: False
        request.content = mock.Mock(seek=lambda *_: 0, read=lambda: b"")
        resource = self.cloud.application.resource().getChildWithDefault(b"clock", request)
        resource.render(request)
        return request.responseCode or 200

    def test_elsewhere(self) -> None:
        """A client on another machine needs the password."""
        self.assertEqual(self.from_elsewhere(), 401)
        self.assertEqual(self.from_elsewhere(password="wrong"), 401)
        self.assertEqual(self.from_elsewhere(password=self.cloud.settings.password), 200)

    def test_wrong_passwords(self) -> None:
        """After some wrong passwords of a client, none is checked for a while."""
        for _ in range(MOST + 1):
            self.assertEqual(self.from_elsewhere(), 401)
        for _ in range(MOST):
            self.assertEqual(self.from_elsewhere(password="wrong"), 401)
        self.assertEqual(self.from_elsewhere(password=self.cloud.settings.password), 429)
        # The clock of the tests ends no wait.
        self.advance(2 * PERIOD)
        self.assertEqual(self.from_elsewhere(password=self.cloud.settings.password), 429)
        self.clock.advance(PERIOD)
        self.assertEqual(self.from_elsewhere(password=self.cloud.settings.password), 200)

    def test_not_this_machine(self) -> None:
        """
        A request that a proxy has sent on, or that a web page has sent to its own name, which has
        this machine's address, needs the password.
        """
        right = "Basic " + b64encode(f"any:{self.cloud.settings.password}".encode()).decode()
        for headers in ({"Host": "evil.example"}, {"X_Forwarded_For": "192.0.2.1"}):
            for path in ("/requests", "/clock"):
                self.assertEqual(self.control("GET", path, **headers).code, 401)
                got = self.control("GET", path, Authorization=right, **headers)
                self.assertEqual(got.code, 200)

    def test_web_page(self) -> None:
        """A page of another site can't use them through a browser on this machine."""
        got = self.control("POST", "/reset", Origin="http://evil.example")
        self.assertEqual((got.code, got.message), (403, "no web page may use this route"))

    def test_password(self) -> None:
        """A client on this machine needs none, and may send one."""
        basic = b64encode(b"any:wrong").decode()
        self.assertEqual(self.control("GET", "/clock").code, 200)
        self.assertEqual(self.control("GET", "/clock", Authorization="Basic " + basic).code, 200)

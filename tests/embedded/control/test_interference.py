"""Tests of the answers of routes that have a fault."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from txstorage.embedded.control.faults import Faults, RouteFault
from txstorage.embedded.control.interference import Interferer, error_of, route_of
from txstorage.embedded.control.routes import Route, RouteNames
from txstorage.embedded.wire.exchange import APIResponse

RULE = "/v3/<project_id>/volumes/<volume_id>/action"
ROUTE = Route.of("POST", "/volume/v3/{project_id}/volumes/{volume_id}/action")
NAMES = RouteNames([ROUTE])
ANSWER = APIResponse(202)


class InterfererTests(SynchronousTestCase):
    """Tests of :class:`Interferer`."""

    def setUp(self) -> None:
        self.clock, self.faults = Clock(), Faults()
        self.interferer = Interferer(self.clock, self.faults)
        self.carried_out = 0

    def carry_out(self) -> Deferred[APIResponse]:
        """Carry the request out."""
        self.carried_out += 1
        return succeed(ANSWER)

    def answer(self, body: bytes = b'{"os-extend": {}}') -> Deferred[APIResponse | None]:
        """Answer a request."""
        request = DummyRequest([])
        request.path, request.content = b"/volume/v3/volumes/v/action", BytesIO(body)
        answered = self.interferer("POST", "volume", RULE, request, self.carry_out)
        self.assertEqual(request.content.read(), body)
        return answered

    def add(self, route: str = ROUTE.name, **members: Any) -> None:
        """Put a fault in force."""
        self.faults.add(RouteFault(route=NAMES.requested(route), **members))

    def test_route(self) -> None:
        """A rule of Werkzeug's is a route's template, whatever converter a placeholder has."""
        self.assertEqual(route_of("POST", "volume", RULE), ROUTE)
        self.assertEqual(route_of("GET", "a", "/<path:b>/<c>").segments, ("a", "{b}", "{c}"))

    def test_none(self) -> None:
        """Without a fault, a request is carried out."""
        self.assertEqual(self.successResultOf(self.answer()), ANSWER)
        self.assertEqual(self.carried_out, 1)

    def test_error(self) -> None:
        """An error is answered instead of carrying the request out."""
        self.add(status=503, message="down")
        answer = self.successResultOf(self.answer())
        assert answer is not None
        self.assertEqual((answer.status, self.carried_out), (503, 0))
        self.assertEqual(answer.body, {"serviceUnavailable": {"code": 503, "message": "down"}})

    def test_error_afterwards(self) -> None:
        """An error may be answered although the request was carried out."""
        self.add(status=500, carried_out=True)
        answer = self.successResultOf(self.answer())
        assert answer is not None
        self.assertEqual((answer.status, self.carried_out), (500, 1))

    def test_late(self) -> None:
        """The request of a late answer is carried out at once."""
        self.add(delay=5.0)
        answered = self.answer()
        self.assertEqual(self.carried_out, 1)
        self.clock.advance(4)
        self.assertNoResult(answered)
        self.clock.advance(1)
        self.assertEqual(self.successResultOf(answered), ANSWER)

    def test_lost_request(self) -> None:
        """A lost request is not carried out, and has no answer."""
        self.add(lost="request")
        self.assertIsNone(self.successResultOf(self.answer()))
        self.assertEqual(self.carried_out, 0)

    def test_lost_answer(self) -> None:
        """The request of a lost answer is carried out; the loss may be late."""
        self.add(lost="answer", delay=2.0)
        answered = self.answer()
        self.assertEqual(self.carried_out, 1)
        self.assertNoResult(answered)
        self.clock.advance(2)
        self.assertIsNone(self.successResultOf(answered))

    def test_action(self) -> None:
        """A fault of one action leaves the others, and bodies that have none, alone."""
        self.add(ROUTE.name + " os-extend", status=500)
        for body in (b'{"os-reset_status": {}}', b"", b"{", b"[1]", b"{}"):
            self.assertEqual(self.successResultOf(self.answer(body)), ANSWER)
        answer = self.successResultOf(self.answer())
        assert answer is not None
        self.assertEqual(answer.status, 500)

    def test_stop(self) -> None:
        """A stop ends the connections of late answers, and leaves no timer."""
        self.add(delay=5.0)
        answered = self.answer()
        self.interferer.stop()
        self.assertIsNone(self.successResultOf(answered))
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ErrorTests(SynchronousTestCase):
    """Tests of :func:`error_of`."""

    def error(self, service: str, status: int, **members: Any) -> APIResponse:
        """The error of a fault."""
        fault = RouteFault(route=NAMES.requested("*"), status=status, **members)
        return error_of(fault, status, service)

    def test_identity(self) -> None:
        """Identity's errors have a code, a message and a title."""
        answer = self.error("identity", 503, retry_after=7)
        title = "Service Unavailable"
        message = title + ", as a test has requested."
        error = {"code": 503, "message": message, "title": title}
        self.assertEqual((answer.status, answer.body), (503, {"error": error}))
        self.assertEqual(answer.headers, {"Retry-After": "7"})

    def test_over_limit(self) -> None:
        """An error of a limit repeats its header in the body, as Block Storage and Compute do."""
        answer = self.error("volume", 429, retry_after=7, message="slowly")
        error = {"code": 429, "message": "slowly", "retryAfter": "7"}
        self.assertEqual(answer.body, {"overLimit": error})
        self.assertEqual(answer.headers, {"Retry-After": "7"})
        self.assertEqual(self.error("compute", 413).body["overLimit"]["retryAfter"], "0")

    def test_content_type(self) -> None:
        """An error of Compute has its content type."""
        self.assertEqual(self.error("compute", 500).content_type, "application/json; charset=UTF-8")
        self.assertEqual(self.error("volume", 500).content_type, "application/json")

    def test_any_status(self) -> None:
        """A status that has no name is possible, too."""
        body = self.error("volume", 599).body
        self.assertEqual(list(body), ["computeFault"])
        self.assertIn("Error, as", body["computeFault"]["message"])

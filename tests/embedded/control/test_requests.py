"""Tests of the bodies of requests to the routes for tests."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.control.faults import RouteFault, TransitionFault
from txstorage.embedded.control.requests import BadRequest, advance_of, fault_of
from txstorage.embedded.control.routes import Route, RouteNames
from txstorage.embedded.machine.mishaps import Mishap

LIST = Route.of("GET", "/volume/v3/{project_id}/volumes")
NAMES = RouteNames([LIST])


class FaultTests(SynchronousTestCase):
    """Tests of :func:`fault_of`."""

    def refused(self, **body: Any) -> str:
        """The reason why a body is refused."""
        return str(self.assertRaises(BadRequest, fault_of, body, NAMES))

    def test_route(self) -> None:
        """A body with a route is a fault of its answers, once unless it says more."""
        fault, times = fault_of({"route": LIST.name, "status": 429, "retry_after": 2}, NAMES)
        expected = RouteFault(route=NAMES.requested(LIST.name), status=429, retry_after=2)
        self.assertEqual((fault, times), (expected, 1))
        fault, times = fault_of({"route": LIST.name, "delay": 2, "times": 3}, NAMES)
        self.assertEqual((fault, times), (RouteFault(route=expected.route, delay=2.0), 3))

    def test_without_end(self) -> None:
        """A null number of times is none; other nulls are as if they were left out."""
        fault, times = fault_of(
            {"route": LIST.name, "lost": "request", "status": None, "times": None}, NAMES
        )
        self.assertIsNone(times)
        self.assertEqual(fault, RouteFault(route=NAMES.requested(LIST.name), lost="request"))

    def test_code(self) -> None:
        """An error has a code on EC2's routes only, and only with a status."""
        names = NAMES.with_routes([Route.of_action("ec2", "CreateVolume")])
        body = {"route": "ec2 CreateVolume", "status": 400, "code": "VolumeInUse"}
        fault, _ = fault_of(body, names)
        assert isinstance(fault, RouteFault)
        self.assertEqual((fault.code, fault.as_document()), ("VolumeInUse", body))
        reason = self.refused(route=LIST.name, status=400, code="VolumeInUse")
        self.assertEqual(reason, "only errors of 'ec2' and 'sts' have a 'code'")
        del body["status"]
        self.assertRaises(BadRequest, fault_of, {**body, "lost": "answer"}, names)

    def test_transition(self) -> None:
        """A body with a transition is a fault of volumes, unless it says snapshots."""
        fault, _ = fault_of({"transition": "attaching", "stuck": True}, NAMES)
        stuck = TransitionFault(transition="attaching", mishap=Mishap(stuck=True))
        self.assertEqual(fault, stuck)
        fault, _ = fault_of(
            {
                "transition": "deleting",
                "resource": "snapshot",
                "resource_id": "s",
                "seconds": 2,
                "error": "no",
            },
            NAMES,
        )
        self.assertEqual(
            fault,
            TransitionFault(
                transition="deleting",
                resource="snapshot",
                resource_id="s",
                mishap=Mishap(seconds=2.0, error="no"),
            ),
        )

    def test_neither(self) -> None:
        """A body has a route or a transition, and not both."""
        reason = "a fault has a member 'route' or a member 'transition'"
        self.assertEqual(self.refused(status=500), reason)
        self.assertEqual(self.refused(route=LIST.name, transition="creating"), reason)

    def test_unknown(self) -> None:
        """Unknown members, routes and transitions are errors with the nearest name."""
        nearest = "; the nearest one is "
        self.assertIn(nearest + "'status'", self.refused(route=LIST.name, stauts=500))
        self.assertIn(nearest + repr(LIST.name), self.refused(route="GET /volumes", status=500))
        self.assertIn(nearest + "'creating'", self.refused(transition="create", stuck=True))
        of_snapshots = self.refused(transition="attaching", resource="snapshot", stuck=True)
        self.assertIn("no transition of a snapshot is named 'attaching'", of_snapshots)

    def test_values(self) -> None:
        """A wrong value is an error that names the member and the value."""
        for member, value in (
            ("times", 0),
            ("times", 1.5),
            ("times", True),
            ("status", 200),
            ("status", "503"),
            ("retry_after", -1),
            ("delay", -0.5),
            ("delay", "1"),
            ("message", ""),
            ("carried_out", 1),
            ("lost", "both"),
        ):
            reason = self.refused(**{"route": LIST.name, "status": 500, member: value})
            self.assertIn(f"{member!r} is {value!r}, and must be ", reason)
        for member, value in (("stuck", "yes"), ("seconds", -1), ("error", 3), ("resource", "x")):
            reason = self.refused(**{"transition": "creating", member: value})
            self.assertIn(f"{member!r} is {value!r}, and must be ", reason)

    def test_nothing(self) -> None:
        """A fault that changes nothing is refused."""
        self.assertIn("a route's fault has", self.refused(route=LIST.name))
        self.assertIn("a route's fault has", self.refused(route=LIST.name, delay=0))
        self.assertIn("a transition's fault is", self.refused(transition="creating"))

    def test_contradictions(self) -> None:
        """Members that contradict one another are refused."""
        route = LIST.name
        self.assertIn("'lost'", self.refused(route=route, status=500, lost="answer"))
        self.assertIn("no 'delay'", self.refused(route=route, delay=1, lost="request"))
        for member in ({"message": "m"}, {"retry_after": 1}, {"carried_out": True}):
            self.assertIn("with a 'status'", self.refused(route=route, delay=1, **member))
        self.assertIn("'stuck'", self.refused(transition="creating", stuck=True, seconds=1))


class AdvanceTests(SynchronousTestCase):
    """Tests of :func:`advance_of`."""

    def test_seconds(self) -> None:
        """The one member is the number of seconds."""
        self.assertEqual(advance_of({"advance": 2}), 2.0)
        self.assertEqual(advance_of({"advance": 0}), 0.0)

    def test_refused(self) -> None:
        """Anything else is refused, and so is a step back."""
        for body in ({}, {"seconds": 1}, {"advance": 1, "more": 1}, {"advance": -1}):
            self.assertRaises(BadRequest, advance_of, body)

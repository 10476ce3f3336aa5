"""Tests of the faults in force."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.control.faults import Faults, RouteFault, TransitionFault
from txstorage.embedded.control.routes import Route, RouteNames
from txstorage.embedded.machine.mishaps import Mishap

LIST = Route.of("GET", "/volume/v3/{project_id}/volumes")
SHOW = Route.of("GET", "/volume/v3/{project_id}/volumes/{volume_id}")
NAMES = RouteNames([LIST, SHOW])
PATH = "/volume/v3/volumes"


def of_list(**members: Any) -> RouteFault:
    """A fault of the answers to one request for a list."""
    return RouteFault(route=NAMES.requested(LIST.name), **members)


class RouteFaultTests(SynchronousTestCase):
    """Tests of the faults of routes."""

    def setUp(self) -> None:
        self.faults = Faults()

    def taken(self, route: Route = LIST) -> RouteFault | None:
        """The fault of the next answer of a route."""
        return self.faults.take(route, PATH, "")

    def test_times(self) -> None:
        """A fault happens as often as requested, and to its own route only."""
        fault = of_list(status=503)
        self.faults.add(fault, times=2)
        self.assertIsNone(self.taken(SHOW))
        self.assertEqual([self.taken() for _ in range(3)], [fault, fault, None])

    def test_without_end(self) -> None:
        """A fault without a number of times happens until it is removed."""
        number = self.faults.add(of_list(status=503), times=None)
        self.assertNotIn(None, [self.taken() for _ in range(20)])
        self.assertTrue(self.faults.remove(number))
        self.assertIsNone(self.taken())
        self.assertFalse(self.faults.remove(number))

    def test_order(self) -> None:
        """The oldest fault happens first."""
        first, second = of_list(status=500), of_list(status=429, retry_after=3)
        self.faults.add(first)
        self.faults.add(second)
        self.assertEqual([self.taken(), self.taken()], [first, second])

    def test_documents(self) -> None:
        """The faults that will still happen are listed, with what was requested of them."""
        self.faults.add(of_list(lost="answer"))
        self.faults.add(of_list(status=503, retry_after=1), times=2)
        self.taken()
        self.taken()
        self.assertEqual(
            self.faults.documents(),
            [{"id": 2, "times": 1, "route": LIST.name, "status": 503, "retry_after": 1}],
        )
        self.faults.clear()
        self.assertEqual(self.faults.documents(), [])


class TransitionFaultTests(SynchronousTestCase):
    """Tests of the faults of transitions."""

    def setUp(self) -> None:
        self.faults = Faults()
        self.released: list[str] = []

    def strike(self, status: str = "creating", noun: str = "volume", key: str = "v") -> Any:
        """The mishap of a transition."""
        return self.faults.strike(noun, key, status, lambda: self.released.append(key))

    def test_chosen(self) -> None:
        """A mishap is for a status of a resource, and possibly for one of them."""
        mishap = Mishap(error="no")
        fault = TransitionFault(transition="creating", resource_id="v", mishap=mishap)
        self.faults.add(fault, times=None)
        self.assertEqual(self.strike(), mishap)
        self.assertIsNone(self.strike("deleting"))
        self.assertIsNone(self.strike(noun="snapshot"))
        self.assertIsNone(self.strike(key="other"))

    def test_any(self) -> None:
        """Without an id, the next ones are meant."""
        fault = TransitionFault(
            transition="creating", resource="snapshot", mishap=Mishap(seconds=3.0)
        )
        self.faults.add(fault)
        self.assertIsNone(self.strike())
        self.assertEqual(self.strike(noun="snapshot", key="s"), Mishap(seconds=3.0))
        self.assertIsNone(self.strike(noun="snapshot", key="s"))

    def test_released(self) -> None:
        """A fault that has happened is listed while it keeps transitions; its end releases them."""
        number = self.faults.add(TransitionFault(transition="creating", mishap=Mishap(stuck=True)))
        self.strike()
        self.faults.add(of_list(status=500))
        listed = {"id": number, "times": 0, "transition": "creating", "stuck": True}
        self.assertEqual(self.faults.documents()[0], listed)
        self.assertEqual(self.released, [])
        self.faults.clear()
        self.assertEqual((self.released, self.faults.documents()), (["v"], []))

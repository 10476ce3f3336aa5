"""Tests of the faults and the log of EC2's actions."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseNeverReceived

from txstorage.embedded.control.actions import AskedAction, error_code
from txstorage.embedded.control.controls import Controls
from txstorage.embedded.control.faults import RouteFault
from txstorage.embedded.control.recent import ServedRequest
from txstorage.embedded.control.requests import fault_of
from txstorage.embedded.control.routes import RequestedRoute
from txstorage.embedded.testing import BASE_URL, in_memory_cloud

from ..ec2 import codec
from ..ec2.support import ZONE, EC2Case, Refused, headers_of


class AskedActionTests(SynchronousTestCase):
    """Tests of :class:`AskedAction`."""

    def kept(self, service: str = "ec2", **parameters: str) -> dict[str, str] | None:
        """The parameters of a request that a log keeps."""
        asked = AskedAction(
            service=service, name="A", request_id="r", begun=0.0, parameters=parameters
        )
        return asked.kept()

    def test_kept(self) -> None:
        """Parameters are kept without those of a signature."""
        given = {"Action": "A", "Size": "1", "X-Amz-Security-Token": "secret"}
        self.assertEqual(self.kept(**given), {"Action": "A", "Size": "1"})

    def test_not_kept(self) -> None:
        """Secret, very long and no parameters are not kept."""
        self.assertIsNone(self.kept("sts", WebIdentityToken="secret"))
        self.assertIsNone(self.kept(Value="x" * 20000))
        self.assertIsNone(self.kept())


class CodeTests(SynchronousTestCase):
    """Tests of :func:`error_code`."""

    def test_codes(self) -> None:
        """An error has the code that was given, or one of its status."""
        for status, expected in (
            (500, "InternalError"),
            (503, "RequestLimitExceeded"),
            (504, "Unavailable"),
            (403, "UnauthorizedOperation"),
            (400, "InvalidRequest"),
        ):
            fault = RouteFault(route=RequestedRoute("ec2", "ec2"), status=status)
            self.assertEqual(error_code(fault, status), expected)
        fault = RouteFault(route=RequestedRoute("ec2", "ec2"), status=400, code="VolumeInUse")
        self.assertEqual(error_code(fault, 400), "VolumeInUse")


class ActionControlsTests(EC2Case):
    """Tests of the EC2 face of a service whose tests want faults."""

    def make(self, **more: Any) -> Any:
        """Make a cloud with controls."""
        made = super().make
        self.controls = Controls(self.clock)
        self.settings = {**self.settings, "controls": self.controls}
        return made(**more)

    def fail_with(self, **members: Any) -> None:
        """Put a fault in force."""
        fault, times = fault_of(members, self.controls.routes)
        self.controls.faults.add(fault, times)

    def recorded(self) -> list[ServedRequest]:
        """The recorded requests."""
        return [each for _, each in self.controls.requests.since()]

    def test_named(self) -> None:
        """Each action that is served has a name, beside the other routes."""
        names = self.controls.routes.names
        for name in ("ec2 CreateVolume", "ec2 DescribeVolumes", "sts GetCallerIdentity"):
            self.assertIn(name, names)
        self.cloud.resource  # noqa: B018  (OpenStack's routes become known)
        self.assertIn("POST /volume/v3/volumes", self.controls.routes.names)
        self.assertIn("ec2 CreateVolume", self.controls.routes.names)

    def test_error(self) -> None:
        """An action fails with the code, the message and the status that a test wants, once."""
        wanted = {"status": 503, "code": "Unavailable", "message": "Later."}
        self.fail_with(route="ec2 CreateVolume", **wanted)
        asked = {"AvailabilityZone": ZONE, "Size": 1}
        self.assertEqual(self.ids(), [])
        refused = self.assertRaises(Refused, self.call, "CreateVolume", **asked)
        got = {"status": refused.status, "code": refused.code, "message": refused.message}
        self.assertEqual(got, wanted)
        self.assertEqual(self.ids(), [])
        self.create()
        self.assertEqual(len(self.ids()), 1)

    def test_every_action(self) -> None:
        """A service's name stands for all of its actions, and for those of no other."""
        self.fail_with(route="ec2", status=500, times=None)
        for name in ("DescribeVolumes", "DescribeInstances"):
            self.refused("InternalError", name)
        self.call("GetCallerIdentity", "sts")
        self.fail_with(route="sts", status=503)
        self.refused("RequestLimitExceeded", "GetCallerIdentity", "sts")

    def test_carried_out(self) -> None:
        """An error may come although the action was carried out."""
        self.fail_with(route="ec2 CreateVolume", status=500, carried_out=True)
        self.refused("InternalError", "CreateVolume", AvailabilityZone=ZONE, Size=1)
        self.assertEqual(len(self.ids()), 1)

    def test_lost(self) -> None:
        """A request is lost before it is carried out, or its answer is lost afterwards."""
        asked = {"AvailabilityZone": ZONE, "Size": 1}
        for lost, made in (("request", 0), ("answer", 1)):
            self.fail_with(route="ec2 CreateVolume", lost=lost)
            region, target = self.context.ec2.region, BASE_URL + "/"
            request = codec.request_for(
                "ec2", "CreateVolume", target, region, self.credentials, asked
            )
            sent = self.treq.request(
                request.method, target, headers=headers_of(request), data=request.body
            )
            self.failureResultOf(sent, ResponseNeverReceived)
            self.assertIsNone(self.recorded()[-1].status)
            self.assertEqual(len(self.ids()), made)

    def test_recorded(self) -> None:
        """Requests are recorded with their actions and parameters, and without the signature."""
        self.create()
        self.call("GetCallerIdentity", "sts")
        first, last = self.recorded()[0], self.recorded()[-1]
        self.assertEqual(
            (first.method, first.path, first.query, first.action, first.status),
            ("POST", "/", "", "CreateVolume", 200),
        )
        self.assertEqual((first.body["Size"], first.body["Action"]), ("1", "CreateVolume"))
        self.assertEqual((last.action, last.body), ("GetCallerIdentity", None))
        self.assertRegex(first.request_id, "^[0-9a-f-]{36}$")

    def test_without_controls(self) -> None:
        """A service without routes for tests records no parameters."""
        cloud = in_memory_cloud(self.clock, ec2=self.context.ec2)
        self.addCleanup(cloud.close)
        self.use(cloud)
        self.create()
        [recorded] = [each for _, each in cloud.application.requests.since()][:1]
        self.assertEqual((recorded.action, recorded.body), ("CreateVolume", None))

    def power(self) -> str:
        """Return the state of the first instance."""
        [found] = self.call("DescribeInstances", InstanceIds=[self.node()])["Reservations"]
        state: str = found["Instances"][0]["State"]["Name"]
        return state

    def test_reset(self) -> None:
        """
        A reset ends what the face remembers: transient states, and the copy that describes read,
        of which both belong to a time that was advanced.
        """
        self.settings = {"transition_delay": 2}
        self.use(self.make(lag=5.0))
        self.successResultOf(self.controls.advance(1000))
        self.call("StopInstances", InstanceIds=[self.node()])
        self.call("CreateVolume", AvailabilityZone=ZONE, Size=1)
        self.successResultOf(self.controls.advance(5))
        self.assertEqual(len(self.ids()), 1)
        self.call("StartInstances", InstanceIds=[self.node()])
        self.assertEqual(self.power(), "pending")
        self.successResultOf(self.controls.reset())
        self.assertEqual((self.power(), self.ids()), ("running", []))

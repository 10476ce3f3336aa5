"""Tests of requests that EC2 throttles, refuses for their time, or answers in bulk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.web.iweb import IAgent
from zope.interface import implementer

from tests.clouds.ec2.support import refusal
from tests.helpers.wire import Answer
from txstorage.clouds.ec2.codec.operations import SERVICES
from txstorage.errors import AuthenticationFailed, PermissionDenied

from .support import GIB, FailureCase

THROTTLED = refusal("RequestLimitExceeded", "Request limit exceeded.", 503)


class ThrottleTests(FailureCase):
    """``RequestLimitExceeded``, with status 503."""

    def throttled(self, action: str, operate: Callable[[], Deferred[Any]]) -> Any:
        """Operate while EC2 throttles an action twice; return the result."""
        before = self.face.count(action)
        began = self.clock.seconds()
        self.face.script[action] = [THROTTLED, THROTTLED]
        result = self.get(operate())
        self.assertEqual(self.face.script[action], [], action)
        self.assertGreaterEqual(self.face.count(action), before + 3)
        self.assertLess(self.clock.seconds() - began, 60)
        return result

    def test_each_action(self) -> None:
        """
        kubernetes#76079, ebs-csi#535: whichever action is throttled, the operation backs off and
        succeeds, and nothing is done twice.
        """
        driver, throttled, here = self.driver, self.throttled, self.here
        volume = throttled("CreateVolume", lambda: driver.create_volume(uuid4(), GIB))
        volume_id = volume.blockdevice_id
        self.assertEqual(throttled("DescribeVolumes", driver.list_volumes), [volume])
        attached = throttled("DescribeInstances", lambda: driver.attach_volume(volume_id, here))
        self.assertEqual(attached.attached_to, here)
        throttled("DetachVolume", lambda: driver.detach_volume(volume_id))
        throttled("AttachVolume", lambda: driver.attach_volume(volume_id, here))
        self.assertEqual(self.state(volume_id)[:2], ("in-use", here))
        grow = partial(driver.grow_volume, volume_id, 2 * GIB)
        self.assertEqual(throttled("DescribeVolumesModifications", grow).size, 2 * GIB)
        throttled("ModifyVolume", lambda: driver.grow_volume(volume_id, 3 * GIB))
        take = partial(driver.create_snapshot, volume_id, "before", {})
        snapshot = throttled("CreateSnapshot", take)
        self.assertEqual(throttled("DescribeSnapshots", driver.list_snapshots), [snapshot])
        throttled("DeleteSnapshot", lambda: driver.destroy_snapshot(snapshot.snapshot_id))
        self.assertEqual(self.get(driver.list_snapshots()), [])
        clone = throttled("CopyVolumes", lambda: driver.clone_volume(uuid4(), volume_id))
        throttled("CreateTags", lambda: driver.set_labels(volume_id, {"a": "b"}))
        throttled("DeleteTags", lambda: driver.remove_label(volume_id, "a"))
        self.assertEqual(dict(self.get(driver.get_labelled_volume(volume_id)).labels), {})
        throttled("StartInstances", lambda: driver.start_node(self.there))
        self.get(driver.detach_volume(volume_id))
        for each in (volume_id, clone.blockdevice_id):
            throttled("DeleteVolume", partial(driver.destroy_volume, each))
        self.assertEqual(self.volumes(), [])
        # Only "doctor" looks at the zones and the types.
        of_doctor = {"DescribeAvailabilityZones", "DescribeInstanceTypes"}
        known = set(SERVICES["ec2"].operations) - of_doctor
        self.assertEqual(known, set(self.face.script))

    def test_for_ever(self) -> None:
        """ebs-csi#535: requests that are throttled for ever end as such, and are few."""
        self.face.rules["CreateVolume"] = lambda form: THROTTLED
        create = self.driver.create_volume(uuid4(), GIB)
        error = self.outcome(create).value
        self.assertIn("Request limit exceeded", str(error))
        self.assertLess(self.face.count("CreateVolume"), 30)
        self.assertEqual(self.volumes(), [])

    def test_storm(self) -> None:
        """kubernetes#76079: with EC2's own limits, many operations at once all succeed."""
        self.start(rate=4.0, burst=4)
        created = [self.driver.create_volume(uuid4(), GIB) for _ in range(10)]
        ids = [self.get(each).blockdevice_id for each in created]
        attached = [self.driver.attach_volume(each, self.here) for each in ids]
        self.assertEqual({self.get(each).attached_to for each in attached}, {self.here})
        self.assertEqual(len({self.state(each)[2] for each in ids}), 10)

    def test_errors_on_503(self) -> None:
        """
        A 503 without EC2's document is sent again where that is harmless, and an attach that EC2
        may have processed is looked at before another request.
        """
        volume_id = self.create()
        self.face.script["AttachVolume"] = [Answer(503, b"<html>Service Unavailable</html>", {})]
        self.face.script["DescribeVolumes"] = [Answer(503, b"", {})]
        self.attach(volume_id)
        self.assertEqual(self.state(volume_id)[:2], ("in-use", self.here))


@implementer(IAgent)
class DistantAgent:
    """An agent whose requests take a quarter of a second."""

    def __init__(self, clock: Clock, agent: Any) -> None:
        self._clock = clock
        self._agent = agent

    def request(self, *arguments: Any) -> Any:
        """See ``IAgent``."""
        return deferLater(self._clock, 0.25, self._agent.request, *arguments)

    def flush(self) -> None:
        """Deliver data."""
        self._agent.flush()


class BatchTests(FailureCase):
    """Descriptions of many volumes."""

    def setUp(self) -> None:
        super().setUp()
        self.ids = [self.create() for _ in range(12)]
        self.agent = DistantAgent(self.clock, self.agent)
        self.driver = self.make_driver()
        del self.face.forms[:]

    def test_many(self) -> None:
        """Volumes that wait together share requests: far fewer than one for each and each poll."""
        for operate, action in (
            (lambda each: self.driver.attach_volume(each, self.here), "AttachVolume"),
            (self.driver.detach_volume, "DetachVolume"),
            (self.driver.destroy_volume, "DeleteVolume"),
        ):
            del self.face.forms[:]
            for each in [operate(volume_id) for volume_id in self.ids]:
                self.get(each)
            self.assertEqual(self.face.count(action), 12)
            self.assertLess(self.face.count("DescribeVolumes"), 36)

    def test_bad_id(self) -> None:
        """An id that no volume has does not break the description of the others."""
        missing = "vol-0123456789abcdef0"
        detached = [self.driver.detach_volume(each) for each in [*self.ids[:5], missing]]
        outcomes = [type(self.outcome(each).value).__name__ for each in detached]
        self.assertEqual(outcomes, ["UnattachedVolume"] * 5 + ["UnknownVolume"])
        # It is asked for alone, because its absence from a list would prove nothing.
        alone = [form for form in self.face.forms if form.get("VolumeId.1") == missing]
        self.assertGreaterEqual(len(alone), 1)
        for form in alone:
            self.assertNotIn("VolumeId.2", form)


class ClockTests(FailureCase):
    """A node whose clock is wrong, and keys that EC2 refuses."""

    ec2 = {"clock_skew": 300.0}
    slow = 0.0

    def wall_clock(self) -> float:
        return super().wall_clock() - self.slow

    def test_skew(self) -> None:
        """``RequestExpired``: the driver signs again with EC2's time, and keeps to it."""
        for self.slow in (900.0, -7200.0):
            before = len(self.face.forms)
            self.create()
            expired = self.face.forms[before : before + 2]
            self.assertEqual(expired[0], expired[1])
            self.create()
            sent = self.face.forms[before:]
            # One request was sent twice, of all.
            self.assertEqual(self.face.count("CreateVolume"), len(self.volumes()), sent)

    def test_expired(self) -> None:
        """``RequestExpired`` in spite of a right clock is an error that names the clock."""
        self.face.rules["DescribeVolumes"] = lambda form: refusal(
            "RequestExpired", "Request has expired."
        )
        error = self.error(self.driver.list_volumes(), AuthenticationFailed, "RequestExpired")
        self.assertIn("set this machine's clock", error.remedy)
        self.assertLess(self.face.count("DescribeVolumes"), 4)

    def test_wrong_secret(self) -> None:
        """A wrong secret is an error after few requests, and is not shown."""
        driver = self.make_driver(secret_access_key="barley")
        error = self.error(driver.list_volumes(), AuthenticationFailed, "AuthFailure")
        self.assertNotIn("barley", str(error))
        self.assertLess(self.face.count("DescribeVolumes"), 4)

    def test_permission(self) -> None:
        """A policy without an action is an error that names it, at once."""
        text = "You are not authorized to perform this operation. Encoded message: xyz"
        self.face.rules["CreateVolume"] = lambda form: refusal("UnauthorizedOperation", text, 403)
        create = self.driver.create_volume(uuid4(), GIB)
        error = self.error(create, PermissionDenied, "CreateVolume: UnauthorizedOperation")
        self.assertIn("IAM policy", error.remedy)
        self.assertEqual(self.face.count("CreateVolume"), 1)

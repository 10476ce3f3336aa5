"""
Tests of attaching volumes.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import CancelledError, Deferred

from txstorage._support.compat import text_type
from txstorage.clouds import Attachment
from txstorage.errors import (
    AuthenticationFailed,
    DeviceNotFound,
    MalformedLabels,
    OperationFailed,
    OperationTimedOut,
    RequestRefused,
    ServiceBroken,
    UnknownServer,
    Unreachable,
    UnusableStatus,
)
from txstorage.interfaces import (
    AlreadyAttachedVolume,
    UnknownInstanceID,
    UnknownVolume,
)

from ..helpers.memory import (
    CLUSTER,
    GIB,
    HERE,
    THERE,
    Fault,
    refusal,
)
from .support import WHERE, DriverTestCase, broken, lost, unreachable


class AttachTests(DriverTestCase):
    """``attach_volume``"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.volume_id = self.cloud.add()

    def attach(self, server_id=HERE):
        return self.driver.attach_volume(self.volume_id, server_id)

    def test_attached(self):
        """The Deferred fires with the attached volume, once the volume's device exists."""
        d = self.attach()
        self.clock.advance(5)
        self.assertEqual(u"in-use", self.cloud.volumes[self.volume_id].status)
        self.assertNoResult(d)
        volume = self.success(d)
        self.assertEqual((self.volume_id, HERE), (volume.blockdevice_id, volume.attached_to))
        self.assertEqual([volume], self.success(self.driver.list_volumes()))
        self.assertEqual({self.volume_id}, self.devices.present)

    def test_encrypted(self):
        """The devices of encrypted volumes are looked for as such, and Flocker gets the size."""
        self.cloud.change(self.volume_id, encrypted=True)
        volume = self.success(self.attach())
        self.success(self.driver.get_device_path(self.volume_id))
        self.assertEqual([(self.volume_id, GIB, True)] * 2, self.devices.sizes)
        self.assertEqual(GIB, volume.size)

    def test_elsewhere(self):
        """An attach to another node does not wait for a device on this node."""
        d = self.attach(THERE)
        self.clock.pump([1] * 5)
        self.assertEqual(THERE, self.successResultOf(d).attached_to)

    def test_from_outside(self):
        """A machine that is not a node can attach a volume to a node."""
        self.node.outcome = UnknownInstanceID(u"x")
        self.assertEqual(HERE, self.success(self.attach()).attached_to)
        self.assertEqual(set(), self.devices.present)

    def test_node_not_known_for_now(self):
        """An attach sends no request while this node's own id can't be determined."""
        self.node.outcome = broken()
        self.failure(self.attach(), ServiceBroken)
        self.assertEqual(0, self.cloud.count("attach"))

    def test_node_not_known_in_time(self):
        """An attach ends at its deadline when the search for this node's id does not end."""
        search = Deferred(lambda _: None)
        self.node.instance_id = lambda: search
        d = self.attach()
        self.pass_time(112)
        error = self.failureResultOf(d, OperationTimedOut).value
        for part in ("attach", self.volume_id, "own instance id"):
            self.assertIn(part, str(error))
        self.assertTrue(search.called)
        self.assertEqual([], self.cloud.requests)

    def test_unknown(self):
        """An attach of a volume that does not exist fails with ``UnknownVolume``."""
        self.volume_id = u"nonsense/\xe9"
        self.assertEqual(
            (self.volume_id,), self.failure(self.attach(), UnknownVolume).args
        )

    def test_of_another_cluster(self):
        """A volume of another cluster is unknown to every operation."""
        self.volume_id = self.cloud.add(labels={u"flocker-cluster-id": text_type(uuid4())})
        for operation in (
            self.attach,
            lambda: self.driver.detach_volume(self.volume_id),
            lambda: self.driver.destroy_volume(self.volume_id),
            lambda: self.driver.get_device_path(self.volume_id),
        ):
            self.failure(operation(), UnknownVolume)
        self.assertEqual({"get"}, set(self.cloud.requests))

    def test_without_dataset(self):
        """A volume without a dataset's label is not attached."""
        self.volume_id = self.cloud.add(labels={u"flocker-cluster-id": text_type(CLUSTER)})
        self.failure(self.attach(), MalformedLabels)
        self.assertEqual(0, self.cloud.count("attach"))

    def test_already(self):
        """An attached volume is refused, regardless of the target."""
        for server_id in (HERE, THERE):
            self.volume_id = self.cloud.add(u"in-use", attached_to=server_id)
            for target in (HERE, THERE, u"nonsense"):
                error = self.failure(self.attach(target), AlreadyAttachedVolume)
                self.assertEqual(self.volume_id, error.blockdevice_id)
        self.assertEqual(0, self.cloud.count("attach"))

    def test_unknown_server(self):
        """The error for a node that does not exist names the node."""
        self.assertIn("nonsense", str(self.failure(self.attach(u"nonsense"), UnknownServer)))

    def test_joined(self):
        """A second attach to the same node joins the first, and sends no request."""
        first = self.attach()
        self.clock.advance(1)
        second = self.new_driver().attach_volume(self.volume_id, HERE)
        self.pass_time()
        self.assertEqual(self.successResultOf(first), self.successResultOf(second))
        self.assertEqual(1, self.cloud.count("attach"))

    def test_race_lost(self):
        """The attach that loses a race for a volume fails with ``AlreadyAttachedVolume``."""
        first = self.attach(THERE)
        second = self.new_driver().attach_volume(self.volume_id, HERE)
        self.pass_time()
        self.successResultOf(first)
        self.failureResultOf(second, AlreadyAttachedVolume)

    def test_race_lost_at_the_last_moment(self):
        """A refusal because another node was faster is ``AlreadyAttachedVolume``."""
        self.cloud.break_next("attach", Fault(refusal()))
        d = self.attach()
        self.cloud.change(
            self.volume_id,
            status=u"in-use",
            attachments=(Attachment(self.volume_id, THERE),),
        )
        self.failure(d, AlreadyAttachedVolume)

    def test_refused_for_a_moment(self):
        """A refused request is retried while the volume is available."""
        self.cloud.break_next("attach", Fault(refusal()))
        self.success(self.attach())
        self.assertEqual(2, self.cloud.count("attach"))

    def test_refused_for_good(self):
        """A request that is refused repeatedly fails with the cloud's message."""
        self.cloud.break_next("attach", *[Fault(refusal(detail=u"no way"))] * 9)
        self.assertIn("no way", str(self.failure(self.attach(), RequestRefused)))
        self.assertEqual(3, self.cloud.count("attach"))

    def test_bounced(self):
        """An attach that the cloud accepts and then undoes fails with the cloud's reason."""
        self.cloud.reasons[self.volume_id] = u"no initiator"
        self.cloud._later = lambda *changes: self.cloud.change(
            self.volume_id, status=u"available"
        )
        error = self.failure(self.attach(), OperationFailed)
        self.assertIn("no initiator", str(error))
        self.assertEqual(3, self.cloud.count("attach"))

    def test_lost_after_processing(self):
        """A request that was processed is not repeated when its response is lost."""
        self.cloud.break_next("attach", Fault(lost(), processed=True))
        self.success(self.attach())
        self.assertEqual(1, self.cloud.count("attach"))

    def test_lost_before_processing(self):
        """A request that was lost before it was processed is repeated."""
        self.cloud.break_next("attach", Fault(lost()))
        self.success(self.attach())
        self.assertEqual(2, self.cloud.count("attach"))

    def test_lost_always(self):
        """The error of requests that are always lost reports the loss."""
        self.cloud.break_next("attach", *[Fault(lost()) for _ in range(9)])
        self.assertIn("dropped", str(self.failure(self.attach(), OperationFailed)))

    def test_compute_is_down(self):
        """Requests to an unreachable Compute are retried until the deadline."""
        self.cloud.break_next("attach", *[Fault(unreachable()) for _ in range(999)])
        d = self.attach()
        self.pass_time(112)
        error = self.failureResultOf(d, OperationTimedOut).value
        for part in ("attach", self.volume_id, "available", "refused"):
            self.assertIn(part, str(error))

    def test_cloud_down(self):
        """An attach fails at once when the cloud is unreachable at the first poll."""
        self.cloud.break_next("get", Fault(unreachable()))
        self.failureResultOf(self.attach(), Unreachable)

    def test_cloud_down_meanwhile(self):
        """An attach in progress waits for a cloud that is unreachable for a while."""
        d = self.attach()
        self.cloud.break_next("get", *[Fault(lost()) for _ in range(5)])
        self.success(d)

    def test_turned_away_meanwhile(self):
        """An attach in progress fails when the credentials are revoked."""
        error = AuthenticationFailed(*WHERE + (401, u"no"))
        d = self.attach()
        self.cloud.break_next("get", Fault(error))
        self.failure(d, AuthenticationFailed)

    def test_turned_away(self):
        """A request that fails authentication is not repeated."""
        error = AuthenticationFailed(*WHERE + (401, u"no"))
        self.cloud.break_next("attach", Fault(error))
        self.failure(self.attach(), AuthenticationFailed)

    def test_in_error(self):
        """The error for a volume in error gives the status and the cloud's reason."""
        self.volume_id = self.cloud.add(u"error")
        self.cloud.reasons[self.volume_id] = u"the disk is gone"
        error = self.failure(self.attach(), UnusableStatus)
        self.assertIn("status is error: the disk is gone", str(error))

    def test_queue(self):
        """
        Two attaches to one server are requested at once, and attaches to several servers in
        parallel; the time in the queue does not count towards the deadline.
        """
        self.cloud.delay = 100
        here = [self.driver.attach_volume(self.cloud.add(), HERE) for _ in range(6)]
        there = self.driver.attach_volume(self.cloud.add(), THERE)
        self.assertEqual(2 + 1, self.cloud.count("attach"))
        self.pass_time(102)
        self.successResultOf(there)
        self.pass_time(210)
        for d in here:
            self.successResultOf(d)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_cancelled_in_the_queue(self):
        """An attach that is cancelled in the queue leaves the queue."""
        attaches = [self.driver.attach_volume(self.cloud.add(), HERE) for _ in range(4)]
        cancelled = attaches.pop(2)
        cancelled.cancel()
        self.failureResultOf(cancelled, CancelledError)
        self.pass_time()
        for d in attaches:
            self.successResultOf(d)
        self.assertEqual(3, self.cloud.count("attach"))

    def test_device_never_comes(self):
        """
        The error of an attach whose device does not appear names the device as the awaited event.
        """
        self.devices.settle = lambda: None
        d = self.attach()
        self.pass_time(112)
        error = self.failureResultOf(d, OperationTimedOut).value
        self.assertIn("device to appear", str(error))
        # the reason why the device was not found, with its remedy
        self.assertIn(u"last problem: no device yet", error.last_seen)
        self.assertIn(DeviceNotFound.remedy, error.last_seen)
        self.assertEqual([], self.devices.waits)

    def test_cancelled(self):
        """An attach can be cancelled at any moment; it continues in the cloud."""
        attached = []

        def start():
            attached[:] = [self.cloud.add()]
            return self.driver.attach_volume(attached[0], HERE)

        self.assertGreater(self.cut_short(start), 3)
        self.pass_time()
        self.assertEqual([], self.devices.waits)
        self.assertEqual([], self.clock.getDelayedCalls())
        self.success(self.attach())

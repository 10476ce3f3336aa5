"""
Tests of detaching volumes.
"""

from __future__ import absolute_import, division, print_function

from txstorage.clouds import Attachment
from txstorage.errors import (
    AuthenticationFailed,
    DeviceBusy,
    OperationFailed,
    OperationTimedOut,
    UnknownServer,
)
from txstorage.interfaces import (
    UnattachedVolume,
    UnknownInstanceID,
    UnknownVolume,
)

from ..helpers.memory import (
    GIB,
    HERE,
    THERE,
    Fault,
)
from .support import WHERE, DriverTestCase, lost


class DetachTests(DriverTestCase):
    """``detach_volume``"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.volume_id = self.cloud.add(u"in-use", attached_to=HERE)
        self.devices.present.add(self.volume_id)

    def detach(self):
        return self.driver.detach_volume(self.volume_id)

    def test_detached(self):
        """The Deferred fires once the cloud, Compute and the kernel have released the volume."""
        d = self.detach()
        self.clock.pump([0.5] * 4)
        self.assertEqual(u"available", self.cloud.volumes[self.volume_id].status)
        self.assertTrue(self.cloud.compute)
        self.assertNoResult(d)
        self.clock.pump([0.5] * 4)
        self.assertFalse(self.cloud.compute)
        self.assertNoResult(d)
        self.assertEqual([(u"gone", self.volume_id)], [w[:2] for w in self.devices.waits])
        self.assertIs(None, self.success(d))
        self.assertEqual(set(), self.devices.present)

    def test_from_elsewhere(self):
        """A detach from another node does not check devices of this node."""
        self.volume_id = self.cloud.add(u"in-use", attached_to=THERE)
        self.devices.busy.add(self.volume_id)
        d = self.detach()
        self.clock.pump([1] * 6)
        self.assertIs(None, self.successResultOf(d))

    def test_busy(self):
        """A volume that is in use on this node is not detached."""
        self.devices.busy.add(self.volume_id)
        self.failure(self.detach(), DeviceBusy)
        self.assertEqual(0, self.cloud.count("detach"))

    def test_busy_on_a_nameless_node(self):
        """A node with an unknown id refuses a busy volume, and detaches one without a device."""
        self.node.outcome = UnknownInstanceID(u"x")
        self.devices.busy.add(self.volume_id)
        self.failure(self.detach(), DeviceBusy)
        self.assertEqual(0, self.cloud.count("detach"))
        self.devices.present.clear()
        self.devices.refuse_if_busy = lambda volume_id, names: self.devices.find(volume_id, GIB)
        self.assertIs(None, self.success(self.detach()))

    def test_nameless_for_a_while(self):
        """A search for the node's unknown id serves the operations of five seconds."""
        self.node.outcome = UnknownInstanceID(u"x")
        self.devices.present.clear()
        searches, real = [], self.node.instance_id

        def search():
            searches.append(self.clock.seconds())
            return real()

        self.node.instance_id = search
        volume_ids = [self.cloud.add(u"in-use", attached_to=HERE) for _ in range(3)]
        for d in [self.driver.detach_volume(each) for each in volume_ids[:2]]:
            self.success(d, seconds=4)
        self.assertEqual(1, len(searches))
        self.pass_time(5)
        self.node.outcome = HERE
        self.success(self.driver.detach_volume(volume_ids[2]))
        self.assertGreater(len(searches), 1)

    def test_unknown(self):
        """A detach of a volume that does not exist fails with ``UnknownVolume``."""
        self.volume_id = u"none"
        self.assertEqual((u"none",), self.failure(self.detach(), UnknownVolume).args)

    def test_unattached(self):
        """A detach of an unattached volume fails with ``UnattachedVolume``, in any status."""
        for status in (u"available", u"error", u"creating"):
            self.volume_id = self.cloud.add(status)
            self.assertEqual((self.volume_id,), self.failure(self.detach(), UnattachedVolume).args)

    def test_attaching(self):
        """A detach waits for an attach in progress, and then detaches the volume."""
        volume_id = self.cloud.add()
        attach = self.driver.attach_volume(volume_id, THERE)
        self.assertEqual(u"reserved", self.cloud.volumes[volume_id].status)
        detach = self.driver.detach_volume(volume_id)
        self.pass_time()
        self.successResultOf(detach)
        attach.addErrback(lambda _: None)
        self.assertEqual(u"available", self.cloud.volumes[volume_id].status)
        attach.cancel()

    def test_joined(self):
        """A second detach joins the first."""
        first, second = self.detach(), self.detach()
        self.pass_time()
        self.successResultOf(first)
        self.successResultOf(second)

    def test_refused_by_the_guest(self):
        """A detach that the cloud undoes is requested again, up to the maximum."""
        self.cloud._later = lambda *changes: self.cloud.change(self.volume_id, status=u"in-use")
        self.failure(self.detach(), OperationFailed)
        self.assertEqual(3, self.cloud.count("detach"))

    def test_ends_in_reserved(self):
        """
        A detach is done when the volume is reserved for another attach and Compute has released it
        from the servers of the detach, and not before.
        """
        self.cloud._later = lambda *changes: self.cloud.change(
            self.volume_id, status=u"reserved", attachments=()
        )
        d = self.detach()
        self.pass_time()
        self.assertNoResult(d)
        self.cloud.compute.clear()
        self.assertIs(None, self.success(d))
        self.assertEqual(1, self.cloud.count("detach"))
        self.assertEqual(u"reserved", self.cloud.volumes[self.volume_id].status)

    def test_stays_reserved(self):
        """A volume that is reserved from the start is not detached; the error has the status."""
        volume_id = self.cloud.add(u"reserved")
        d = self.driver.detach_volume(volume_id)
        self.pass_time(112)
        error = self.failureResultOf(d, OperationTimedOut).value
        self.assertEqual(u"reserved", error.last_seen)
        self.assertEqual(0, self.cloud.count("detach"))

    def test_lost(self):
        """A request that was processed is not repeated when its response is lost."""
        self.cloud.break_next("detach", Fault(lost(), processed=True))
        self.success(self.detach())
        self.assertEqual(1, self.cloud.count("detach"))

    def test_server_gone(self):
        """A detach succeeds when the server is deleted and the volume released."""
        self.cloud.break_next("detach", Fault(UnknownServer(HERE)))
        d = self.detach()
        self.cloud.change(self.volume_id, status=u"available", attachments=())
        self.cloud.compute.clear()
        self.success(d)

    def test_server_gone_for_good(self):
        """A detach fails when the server does not exist and the volume stays attached."""
        self.cloud.break_next("detach", *[Fault(UnknownServer(HERE))] * 9)
        self.failure(self.detach(), UnknownServer)

    def test_attached_twice(self):
        """A volume attached to several servers is detached from all."""
        both = tuple(Attachment(self.volume_id, server) for server in (HERE, THERE))
        self.cloud.change(self.volume_id, attachments=both)
        self.cloud.compute.add((self.volume_id, THERE))
        requested = []
        real = self.cloud.request_detach
        self.cloud.request_detach = lambda *a: requested.append(a) or real(*a)
        d = self.detach()
        self.assertEqual(sorted(requested), [(self.volume_id, HERE), (self.volume_id, THERE)])
        self.cloud.compute.clear()
        # The second request is refused, because this cloud has no multiattach.
        self.success(d)

    def test_attached_twice_and_turned_away(self):
        """A permanent failure for one of two servers also ends the polls of the other."""
        both = tuple(Attachment(self.volume_id, server) for server in (HERE, THERE))
        self.cloud.change(self.volume_id, attachments=both)
        self.cloud.compute.add((self.volume_id, THERE))
        self.cloud.break_next("attachments", Fault(AuthenticationFailed(*WHERE + (401, u"no"))))
        self.failure(self.detach(), AuthenticationFailed)

    def test_compute_is_asked_once_for_all(self):
        """
        Detaches from one server share one list of Compute's attachments for each poll; each server
        costs one list.
        """
        volumes = [self.cloud.add(u"in-use", attached_to=THERE) for _ in range(20)]
        volumes += [self.cloud.add(u"in-use", attached_to=HERE) for _ in range(20)]
        detaches = [self.driver.detach_volume(volume) for volume in volumes]
        self.pass_time()
        for d in detaches:
            self.assertIs(None, self.successResultOf(d))
        # The volumes are available after two polls, and released after one or two more.
        self.assertIn(self.cloud.count("attachments"), (4, 6))
        self.assertEqual([], self.clock.getDelayedCalls())

    def in_order(self, number, seconds):
        """
        Detach volumes from this node, of which Compute releases one at a time.

        :param seconds: the time that each takes.
        :return: the Deferreds of the detaches.
        """
        return [self.detach_slowly(seconds * (place + 1)) for place in range(number)]

    def detach_slowly(self, seconds, node=HERE):
        """:return: the Deferred of a detach that takes the cloud some seconds."""
        self.cloud.delay = seconds
        return self.driver.detach_volume(self.cloud.add(u"in-use", attached_to=node))

    def test_behind_others(self):
        """The deadline of a detach begins when the detaches before it on its server have ended."""
        detaches = self.in_order(5, 50)
        self.assertEqual(5, self.cloud.count("detach"))
        self.pass_time(260)
        for d in detaches:
            self.assertIs(None, self.successResultOf(d))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_behind_a_stuck_one(self):
        """Each detach has its whole time after the one before it, and no more."""
        first, second = self.in_order(2, 10000)
        self.pass_time(112)
        self.failureResultOf(first, OperationTimedOut)
        self.pass_time(100)
        self.assertNoResult(second)
        self.pass_time(14)
        self.failureResultOf(second, OperationTimedOut)

    def test_beside_others(self):
        """A detach does not wait longer for those that began after it, or on another server."""
        self.detach_slowly(60)
        d = self.detach_slowly(10000, THERE)
        self.pass_time(50)
        self.detach_slowly(20, THERE)
        self.pass_time(62)
        self.failureResultOf(d, OperationTimedOut)

    def test_one_after_the_other(self):
        """Cinder, Compute and the kernel are polled one after the other, in this order."""
        d = self.detach()
        order = []
        for _ in range(20):
            self.clock.advance(0.5)
            order.append((
                self.cloud.volumes[self.volume_id].status,
                self.cloud.count("attachments") > 0,
                bool(self.cloud.compute),
                bool(self.devices.waits),
            ))
        stages = [stage for n, stage in enumerate(order) if stage not in order[:n]]
        self.assertEqual(
            [
                (u"detaching", False, True, False),
                (u"available", False, True, False),
                (u"available", True, True, False),
                (u"available", True, False, True),
            ],
            stages,
        )
        self.success(d)

    def test_device_never_goes(self):
        """
        The error of a detach whose device does not disappear names the device as the awaited
        event.
        """
        self.devices.settle = lambda: None
        d = self.detach()
        self.pass_time(112)
        error = self.failureResultOf(d, OperationTimedOut).value
        self.assertIn("disappear from this node", str(error))

    def test_compute_never_lets_go(self):
        """The error of a detach names Compute when Compute keeps the volume in its list."""
        self.cloud._later = lambda available, let_go: available()
        d = self.detach()
        self.pass_time(112)
        error = self.failureResultOf(d, OperationTimedOut).value
        self.assertIn("its server to release it", str(error))

    def test_cancelled(self):
        """A detach can be cancelled at any moment; it continues in the cloud."""

        def start():
            self.volume_id = self.cloud.add(u"in-use", attached_to=HERE)
            return self.detach()

        self.assertGreater(self.cut_short(start), 3)
        self.pass_time()
        self.assertEqual([], self.devices.waits)
        self.assertEqual([], self.clock.getDelayedCalls())

"""
Tests for :mod:`txstorage.driver.operations` and the modules it is put together from, on
a cloud in memory.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from eliot.testing import LoggedAction, LoggedMessage, capture_logging
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from txstorage._log import (
    CREATE_RESUMED,
    DRIVER_OPERATION,
    DUPLICATE_VOLUME,
    PROFILE_NOT_MAPPED,
    REQUEST_REFUSED,
    VOLUME_SKIPPED,
)
from txstorage._support.compat import text_type
from txstorage.clouds import Attachment, IVolumeService, VolumePage
from txstorage.errors import (
    AuthenticationFailed,
    DatasetConflict,
    DeviceBusy,
    DeviceNotFound,
    InvalidDatasetID,
    InvalidSize,
    MalformedLabels,
    OperationFailed,
    OperationTimedOut,
    PermissionDenied,
    QuotaExceeded,
    RequestRefused,
    ResponseLost,
    ServiceBroken,
    StillAttached,
    UnknownProfile,
    UnknownServer,
    Unreachable,
    UnusableStatus,
)
from txstorage.interfaces import (
    AlreadyAttachedVolume,
    IBlockDeviceAsyncAPI,
    ICloudAPI,
    IProfiledBlockDeviceAPI,
    UnattachedVolume,
    UnknownInstanceID,
    UnknownVolume,
)

from ..helpers.memory import (
    CLUSTER,
    GIB,
    HERE,
    THERE,
    Fault,
    MemoryCloud,
    MemoryDevices,
    MemoryNode,
    memory_driver,
    refusal,
)

WHERE = (u"POST", u"http://cloud.example/")


def lost():
    return ResponseLost(*WHERE + (u"dropped",))


def unreachable():
    return Unreachable(*WHERE + (u"refused",))


def broken():
    return ServiceBroken(*WHERE + (500, u"oops"))


def logged(logger, message_type):
    return [m for m in logger.messages if m.get(u"message_type") == message_type.message_type]


class DriverTestCase(SynchronousTestCase):
    """A driver on a cloud in memory."""

    def setUp(self):
        self.clock = Clock()
        self.cloud = MemoryCloud(self.clock)
        self.devices = MemoryDevices()
        self.node = MemoryNode()
        self.driver = self.new_driver()

    def new_driver(self, **changes):
        return memory_driver(
            self.clock, self.cloud, devices=self.devices, node=self.node, **changes
        )

    def pass_time(self, seconds=20):
        """Time passes, and this node's kernel does what the cloud says."""
        for _ in range(seconds * 2):
            self.clock.advance(0.5)
            self.devices.settle()

    def success(self, d, seconds=20):
        self.pass_time(seconds)
        result = self.successResultOf(d)
        self.assertEqual([], self.clock.getDelayedCalls(), "something is left behind")
        return result

    def failure(self, d, *errors):
        self.pass_time()
        error = self.failureResultOf(d, *errors).value
        self.assertEqual([], self.clock.getDelayedCalls(), "something is left behind")
        return error

    def cut_short(self, start):
        """
        Cancel an operation after each number of steps it can be cancelled
        after; :return: how many times that was.
        """
        for steps in range(100):
            outcome = []
            d = start()
            d.addBoth(outcome.append)
            for _ in range(steps):
                self.clock.advance(0.5)
                if steps % 2:
                    self.devices.settle()
            if outcome:
                self.assertNotIsInstance(outcome[0], Failure)
                return steps
            d.cancel()
            outcome[0].trap(CancelledError)
        self.fail("it never ends")


class InterfaceTests(DriverTestCase):
    """What the driver is."""

    def test_provides(self):
        """It provides the asynchronous, the profiled and the cloud interface."""
        for interface in (IBlockDeviceAsyncAPI, IProfiledBlockDeviceAPI, ICloudAPI):
            self.assertTrue(verifyObject(interface, self.driver))

    def test_memory_cloud(self):
        """The cloud it is tested on is a volume service."""
        self.assertTrue(verifyObject(IVolumeService, self.cloud))

    def test_allocation_unit(self):
        """Sizes are multiples of what the service allocates."""
        self.assertEqual(GIB, self.success(self.driver.allocation_unit()))

    def test_instance_id(self):
        """This node is who the node says it is."""
        self.assertEqual(HERE, self.success(self.driver.compute_instance_id()))

    def test_instance_id_source(self):
        """Where the node's own id is from is the node's to say."""
        self.assertEqual(u"configuration", self.driver.instance_id_source)

    def test_unknown_instance_id(self):
        """A failed instance id is not remembered."""
        self.node.outcome = UnknownInstanceID(u"x")
        self.failure(self.driver.compute_instance_id(), UnknownInstanceID)
        self.node.outcome = HERE
        self.assertEqual(HERE, self.success(self.driver.compute_instance_id()))


class CreateTests(DriverTestCase):
    """create_volume"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.dataset_id = uuid4()

    def create(self, size=GIB, driver=None):
        return (driver or self.driver).create_volume(self.dataset_id, size)

    def test_created(self):
        """It fires once the volume is usable, with what the list then shows."""
        d = self.create()
        self.clock.advance(1)
        self.assertNoResult(d)
        volume = self.success(d)
        self.assertEqual((self.dataset_id, GIB, None), (
            volume.dataset_id, volume.size, volume.attached_to))
        self.assertEqual([volume], self.success(self.driver.list_volumes()))
        [there] = self.cloud.volumes.values()
        self.assertEqual(
            (u"available", u"flocker-{}".format(self.dataset_id)), (there.status, there.name)
        )

    def test_rounded_up(self):
        """The size is rounded up to the allocation unit."""
        self.assertEqual(2 * GIB, self.success(self.create(GIB + 1)).size)

    def test_bad_size(self):
        """Nothing but a positive whole number is a size, and nothing is asked for."""
        for size in (0, -1, 1.5, True, None, u"1"):
            self.failure(self.create(size), InvalidSize)
        self.assertEqual([], self.cloud.requests)

    def test_bad_dataset_id(self):
        """Nothing but a ``UUID`` is a dataset id, and nothing is asked for."""
        for dataset_id in (text_type(self.dataset_id), None):
            self.failure(self.driver.create_volume(dataset_id, GIB), InvalidDatasetID)
        self.assertEqual([], self.cloud.requests)

    def test_quota(self):
        """A quota that is exceeded is told, and not tried again."""
        self.cloud.break_next("create", Fault(QuotaExceeded(*WHERE + (413, u"VolumeLimit"))))
        self.failure(self.create(), QuotaExceeded)
        self.assertEqual(1, self.cloud.count("create"))

    def test_cloud_down(self):
        """A cloud that is down from the start fails it at once."""
        self.cloud.break_next("list", Fault(unreachable()))
        self.failureResultOf(self.create(), Unreachable)

    def test_lost_after_processing(self):
        """A request whose answer is lost is not sent again when it was processed."""
        for error in (lost(), broken()):
            self.dataset_id = uuid4()
            del self.cloud.requests[:]
            self.cloud.break_next("create", Fault(error, processed=True))
            self.assertEqual(self.dataset_id, self.success(self.create()).dataset_id)
            self.assertEqual(1, self.cloud.count("create"))

    def test_lost_before_processing(self):
        """A request that was lost on the way is sent again."""
        self.cloud.break_next("create", Fault(lost()), Fault(lost()))
        self.success(self.create())
        self.assertEqual((3, 1), (self.cloud.count("create"), len(self.cloud.volumes)))

    def test_lost_always(self):
        """Requests that may have been processed are not repeated without end."""
        self.cloud.break_next("create", *[Fault(lost()) for _ in range(9)])
        self.failure(self.create(), ResponseLost)
        self.assertEqual(3, self.cloud.count("create"))

    def test_not_reached(self):
        """Requests that certainly were not processed are repeated until it works."""
        self.cloud.break_next("create", *[Fault(unreachable()) for _ in range(9)])
        self.success(self.create())
        self.assertEqual(1, len(self.cloud.volumes))

    def test_label_lookup_fails_after_loss(self):
        """After a lost answer a look for the label that fails is repeated, not skipped."""
        self.cloud.break_next("create", Fault(lost(), processed=True))
        d = self.create()
        self.cloud.break_next("list", Fault(broken()), Fault(lost()))
        self.success(d)
        self.assertEqual(1, self.cloud.count("create"))

    @capture_logging(None)
    def test_resumed(self, logger):
        """A dataset that has a volume gets that one, and the log says so."""
        volume_id = self.cloud.add(u"creating", dataset_id=self.dataset_id)
        d = self.create()
        self.clock.advance(1)
        self.assertNoResult(d)
        self.cloud.change(volume_id, status=u"available")
        self.assertEqual(volume_id, self.success(d).blockdevice_id)
        self.assertEqual(0, self.cloud.count("create"))
        self.assertEqual([volume_id], [m[u"volume_id"] for m in logged(logger, CREATE_RESUMED)])

    def test_being_deleted_is_not_resumed(self):
        """A volume that is being deleted is not the dataset's."""
        self.cloud.add(u"deleting", dataset_id=self.dataset_id)
        self.success(self.create())
        self.assertEqual(1, self.cloud.count("create"))

    def test_conflicting_size(self):
        """A dataset whose volume has another size is an error, and nothing is made."""
        volume_id = self.cloud.add(dataset_id=self.dataset_id)
        error = self.failure(self.create(2 * GIB), DatasetConflict)
        self.assertIn(volume_id, str(error))
        self.assertEqual(0, self.cloud.count("create"))

    def test_concurrent(self):
        """Callers at the same time get the same volume, and one is made."""
        first, second = self.create(), self.create()
        self.pass_time()
        self.assertEqual(self.successResultOf(first), self.successResultOf(second))
        self.assertEqual(1, self.cloud.count("create"))

    def test_concurrent_of_different_sizes(self):
        """A caller that joins, but asks for another size, is told."""
        first, second = self.create(), self.create(2 * GIB)
        self.pass_time()
        self.successResultOf(first)
        self.failureResultOf(second, DatasetConflict)

    @capture_logging(None)
    def test_two_nodes_at_once(self, logger):
        """Two drivers that ask at the same moment both answer with the older volume."""
        other = self.new_driver()
        # Neither sees the other's volume when it looks for the label first.
        self.cloud._list = lambda labels: VolumePage(())
        first, second = self.create(), self.create(driver=other)
        del self.cloud._list
        self.pass_time()
        answers = [self.successResultOf(d).blockdevice_id for d in (first, second)]
        self.assertEqual(2, len(self.cloud.volumes))
        oldest = min(self.cloud.volumes.values(), key=lambda v: v.created_at)
        self.assertEqual([oldest.volume_id] * 2, answers)
        duplicates = logged(logger, DUPLICATE_VOLUME)
        self.assertEqual({oldest.volume_id}, {m[u"used"] for m in duplicates})

    def test_failed(self):
        """A volume that ends in error is told with the cloud's reason, and cleared away."""
        d = self.create()
        [volume_id] = self.cloud.volumes
        self.cloud.reasons[volume_id] = u"no weighed back ends"
        self.cloud.change(volume_id, status=u"error")
        self.clock.advance(1)
        error = self.failureResultOf(d, OperationFailed).value
        self.assertIn("no weighed back ends", str(error))
        self.assertEqual(u"deleting", self.cloud.volumes[volume_id].status)

    def test_failed_earlier(self):
        """A volume in error that somebody else made is never cleared away."""
        volume_id = self.cloud.add(u"error", dataset_id=self.dataset_id)
        self.failure(self.create(), UnusableStatus)
        self.assertEqual(u"error", self.cloud.volumes[volume_id].status)
        self.assertEqual(0, self.cloud.count("delete"))

    def test_vanished(self):
        """A volume that vanishes while it is made is an error that says so."""
        d = self.create()
        self.cloud.volumes.clear()
        self.assertIn("create", str(self.failure(d, OperationFailed)))

    def test_timeout(self):
        """A volume that never gets ready is an error that says what was seen, and resumes."""
        self.cloud.delay = 1000
        d = self.create()
        self.clock.advance(111)
        error = self.failureResultOf(d, OperationTimedOut).value
        [volume_id] = self.cloud.volumes
        for part in (volume_id, "create", "110.0 seconds", "creating"):
            self.assertIn(part, str(error))
        self.cloud.change(volume_id, status=u"available")
        d = self.create()
        self.clock.advance(1)
        self.assertEqual(volume_id, self.successResultOf(d).blockdevice_id)

    def test_cancelled(self):
        """Cancelled at any moment and begun again, one volume is made."""
        self.cut_short(self.create)
        self.success(self.create())
        self.assertEqual(1, len(self.cloud.volumes))


class ProfileTests(DriverTestCase):
    """create_volume_with_profile"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.driver = self.new_driver(profiles={u"gold": u"ssd", u"own": u"tape"})

    def create(self, profile):
        return self.driver.create_volume_with_profile(uuid4(), GIB, profile)

    def type_of(self, volume):
        return self.cloud.volumes[volume.blockdevice_id].volume_type

    def test_configured(self):
        """A configured profile, mandatory or not, is its volume type."""
        self.assertEqual(u"ssd", self.type_of(self.success(self.create(u"gold"))))
        self.assertEqual(u"tape", self.type_of(self.success(self.create(u"own"))))

    @capture_logging(None)
    def test_mandatory(self, logger):
        """A mandatory profile that is not configured is the default type; the log says so."""
        self.assertIs(None, self.type_of(self.success(self.create(u"silver"))))
        [message] = logged(logger, PROFILE_NOT_MAPPED)
        self.assertEqual(u"silver", message[u"profile"])

    def test_unknown(self):
        """Any other profile is an error that names those there are."""
        error = self.failure(self.create(u"platinum"), UnknownProfile)
        self.assertIn("gold, own", str(error))
        self.assertEqual([], self.cloud.requests)


class AttachTests(DriverTestCase):
    """attach_volume"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.volume_id = self.cloud.add()

    def attach(self, server_id=HERE):
        return self.driver.attach_volume(self.volume_id, server_id)

    def test_attached(self):
        """It fires with the volume attached, once its device is there."""
        d = self.attach()
        self.clock.advance(5)
        self.assertEqual(u"in-use", self.cloud.volumes[self.volume_id].status)
        self.assertNoResult(d)
        volume = self.success(d)
        self.assertEqual((self.volume_id, HERE), (volume.blockdevice_id, volume.attached_to))
        self.assertEqual([volume], self.success(self.driver.list_volumes()))
        self.assertEqual({self.volume_id}, self.devices.present)

    def test_elsewhere(self):
        """Another node's device is not waited for."""
        d = self.attach(THERE)
        self.clock.pump([1] * 5)
        self.assertEqual(THERE, self.successResultOf(d).attached_to)

    def test_from_outside(self):
        """A machine that is no node can attach to one."""
        self.node.outcome = UnknownInstanceID(u"x")
        self.assertEqual(HERE, self.success(self.attach()).attached_to)
        self.assertEqual(set(), self.devices.present)

    def test_node_not_known_for_now(self):
        """When it can't be told whether the node is this one, nothing is asked for."""
        self.node.outcome = broken()
        self.failure(self.attach(), ServiceBroken)
        self.assertEqual(0, self.cloud.count("attach"))

    def test_node_not_known_in_time(self):
        """A node that does not find out which one it is ends the attach at its deadline."""
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
        """A volume that is not there is unknown."""
        self.volume_id = u"nonsense/\xe9"
        self.assertEqual(
            (self.volume_id,), self.failure(self.attach(), UnknownVolume).args
        )

    def test_of_another_cluster(self):
        """Another cluster's volume does not exist for this one."""
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
        """A volume that does not say of which dataset it is is not attached."""
        self.volume_id = self.cloud.add(labels={u"flocker-cluster-id": text_type(CLUSTER)})
        self.failure(self.attach(), MalformedLabels)
        self.assertEqual(0, self.cloud.count("attach"))

    def test_already(self):
        """A volume that is attached is, wherever to, and whatever the target is."""
        for server_id in (HERE, THERE):
            self.volume_id = self.cloud.add(u"in-use", attached_to=server_id)
            for target in (HERE, THERE, u"nonsense"):
                error = self.failure(self.attach(target), AlreadyAttachedVolume)
                self.assertEqual(self.volume_id, error.blockdevice_id)
        self.assertEqual(0, self.cloud.count("attach"))

    def test_unknown_server(self):
        """A node that is not there is an error that names it."""
        self.assertIn("nonsense", str(self.failure(self.attach(u"nonsense"), UnknownServer)))

    def test_joined(self):
        """A second attach to the same node joins the first, and asks for nothing."""
        first = self.attach()
        self.clock.advance(1)
        second = self.new_driver().attach_volume(self.volume_id, HERE)
        self.pass_time()
        self.assertEqual(self.successResultOf(first), self.successResultOf(second))
        self.assertEqual(1, self.cloud.count("attach"))

    def test_race_lost(self):
        """Who loses a race for a volume is told that it is attached."""
        first = self.attach(THERE)
        second = self.new_driver().attach_volume(self.volume_id, HERE)
        self.pass_time()
        self.successResultOf(first)
        self.failureResultOf(second, AlreadyAttachedVolume)

    def test_race_lost_at_the_last_moment(self):
        """A refusal because somebody else was quicker is looked into."""
        self.cloud.break_next("attach", Fault(refusal()))
        d = self.attach()
        self.cloud.change(
            self.volume_id,
            status=u"in-use",
            attachments=(Attachment(self.volume_id, THERE),),
        )
        self.failure(d, AlreadyAttachedVolume)

    def test_refused_for_a_moment(self):
        """A refusal while nothing speaks against it is tried again."""
        self.cloud.break_next("attach", Fault(refusal()))
        self.success(self.attach())
        self.assertEqual(2, self.cloud.count("attach"))

    def test_refused_for_good(self):
        """A refusal that stays is told in the cloud's words."""
        self.cloud.break_next("attach", *[Fault(refusal(detail=u"no way"))] * 9)
        self.assertIn("no way", str(self.failure(self.attach(), RequestRefused)))
        self.assertEqual(3, self.cloud.count("attach"))

    def test_bounced(self):
        """An attach that the cloud accepts and then takes back is told, with why."""
        self.cloud.reasons[self.volume_id] = u"no initiator"
        self.cloud._later = lambda *changes: self.cloud.change(
            self.volume_id, status=u"available"
        )
        error = self.failure(self.attach(), OperationFailed)
        self.assertIn("no initiator", str(error))
        self.assertEqual(3, self.cloud.count("attach"))

    def test_lost_after_processing(self):
        """A request whose answer is lost is found out about."""
        self.cloud.break_next("attach", Fault(lost(), processed=True))
        self.success(self.attach())
        self.assertEqual(1, self.cloud.count("attach"))

    def test_lost_before_processing(self):
        """A request that got lost is repeated."""
        self.cloud.break_next("attach", Fault(lost()))
        self.success(self.attach())
        self.assertEqual(2, self.cloud.count("attach"))

    def test_lost_always(self):
        """Requests that always get lost are told as that."""
        self.cloud.break_next("attach", *[Fault(lost()) for _ in range(9)])
        self.assertIn("dropped", str(self.failure(self.attach(), OperationFailed)))

    def test_compute_is_down(self):
        """Compute that can't be reached is tried until the deadline, which tells of it."""
        self.cloud.break_next("attach", *[Fault(unreachable()) for _ in range(999)])
        d = self.attach()
        self.pass_time(112)
        error = self.failureResultOf(d, OperationTimedOut).value
        for part in ("attach", self.volume_id, "available", "refused"):
            self.assertIn(part, str(error))

    def test_cloud_down(self):
        """A cloud that is down from the start fails it at once."""
        self.cloud.break_next("get", Fault(unreachable()))
        self.failureResultOf(self.attach(), Unreachable)

    def test_cloud_down_meanwhile(self):
        """A cloud that is down while an attach is on its way is waited for."""
        d = self.attach()
        self.cloud.break_next("get", *[Fault(lost()) for _ in range(5)])
        self.success(d)

    def test_turned_away_meanwhile(self):
        """Credentials that are withdrawn while it waits end it."""
        error = AuthenticationFailed(*WHERE + (401, u"no"))
        d = self.attach()
        self.cloud.break_next("get", Fault(error))
        self.failure(d, AuthenticationFailed)

    def test_turned_away(self):
        """A request that is turned away is not repeated."""
        error = AuthenticationFailed(*WHERE + (401, u"no"))
        self.cloud.break_next("attach", Fault(error))
        self.failure(self.attach(), AuthenticationFailed)

    def test_in_error(self):
        """A volume in error is told with its status and the cloud's reason."""
        self.volume_id = self.cloud.add(u"error")
        self.cloud.reasons[self.volume_id] = u"the disk is gone"
        error = self.failure(self.attach(), UnusableStatus)
        self.assertIn("status is error: the disk is gone", str(error))

    def test_queue(self):
        """
        Attaches to one server go one after the other, those to several side
        by side, and waiting for one's turn does not use up one's time.
        """
        self.cloud.delay = 50
        here = [self.driver.attach_volume(self.cloud.add(), HERE) for _ in range(4)]
        there = self.driver.attach_volume(self.cloud.add(), THERE)
        self.assertEqual(2, self.cloud.count("attach"))
        self.pass_time(52)
        self.successResultOf(there)
        self.pass_time(160)
        for d in here:
            self.successResultOf(d)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_cancelled_in_the_queue(self):
        """Who is cancelled while waiting for a turn leaves the queue."""
        first, second, third = [
            self.driver.attach_volume(self.cloud.add(), HERE) for _ in range(3)
        ]
        second.cancel()
        self.failureResultOf(second, CancelledError)
        self.pass_time()
        self.successResultOf(first)
        self.successResultOf(third)
        self.assertEqual(2, self.cloud.count("attach"))

    def test_device_never_comes(self):
        """A device that does not come is an error that says so."""
        self.devices.settle = lambda: None
        d = self.attach()
        self.pass_time(112)
        self.assertIn("device to appear", str(self.failureResultOf(d, OperationTimedOut).value))
        self.assertEqual([], self.devices.waits)

    def test_cancelled(self):
        """Cancelled at any moment, what was begun goes on, and can be joined or is done."""
        attached = []

        def start():
            attached[:] = [self.cloud.add()]
            return self.driver.attach_volume(attached[0], HERE)

        self.assertGreater(self.cut_short(start), 3)
        self.pass_time()
        self.assertEqual([], self.devices.waits)
        self.assertEqual([], self.clock.getDelayedCalls())
        self.success(self.attach())


class DetachTests(DriverTestCase):
    """detach_volume"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.volume_id = self.cloud.add(u"in-use", attached_to=HERE)
        self.devices.present.add(self.volume_id)

    def detach(self):
        return self.driver.detach_volume(self.volume_id)

    def test_detached(self):
        """It fires once the cloud, Compute and the kernel have let go."""
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
        """Another node's kernel is none of this one's business."""
        self.volume_id = self.cloud.add(u"in-use", attached_to=THERE)
        self.devices.busy.add(self.volume_id)
        d = self.detach()
        self.clock.pump([1] * 6)
        self.assertIs(None, self.successResultOf(d))

    def test_busy(self):
        """A volume in use on this node is not pulled away."""
        self.devices.busy.add(self.volume_id)
        self.failure(self.detach(), DeviceBusy)
        self.assertEqual(0, self.cloud.count("detach"))

    def test_busy_on_a_nameless_node(self):
        """Nor on a node that can't tell its own id; one without devices may detach."""
        self.node.outcome = UnknownInstanceID(u"x")
        self.devices.busy.add(self.volume_id)
        self.failure(self.detach(), DeviceBusy)
        self.assertEqual(0, self.cloud.count("detach"))
        self.devices.present.clear()
        self.devices.refuse_if_busy = lambda volume_id: self.devices.find(volume_id, GIB)
        self.assertIs(None, self.success(self.detach()))

    def test_unknown(self):
        """A volume that is not there is unknown."""
        self.volume_id = u"none"
        self.assertEqual((u"none",), self.failure(self.detach(), UnknownVolume).args)

    def test_unattached(self):
        """A volume that is not attached is told so, whatever its state."""
        for status in (u"available", u"error", u"creating"):
            self.volume_id = self.cloud.add(status)
            self.assertEqual((self.volume_id,), self.failure(self.detach(), UnattachedVolume).args)

    def test_attaching(self):
        """A volume in the middle of attaching is waited for, and then detached."""
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
        """A detach that the cloud takes back is asked for again, and then given up."""
        self.cloud._later = lambda *changes: self.cloud.change(self.volume_id, status=u"in-use")
        self.failure(self.detach(), OperationFailed)
        self.assertEqual(3, self.cloud.count("detach"))

    def test_lost(self):
        """A lost answer is found out about."""
        self.cloud.break_next("detach", Fault(lost(), processed=True))
        self.success(self.detach())
        self.assertEqual(1, self.cloud.count("detach"))

    def test_server_gone(self):
        """A server that is deleted lets go of its volumes by itself."""
        self.cloud.break_next("detach", Fault(UnknownServer(HERE)))
        d = self.detach()
        self.cloud.change(self.volume_id, status=u"available", attachments=())
        self.cloud.compute.clear()
        self.success(d)

    def test_server_gone_for_good(self):
        """A server that is gone while its volume stays attached is told."""
        self.cloud.break_next("detach", *[Fault(UnknownServer(HERE))] * 9)
        self.failure(self.detach(), UnknownServer)

    def test_attached_twice(self):
        """A volume attached to several servers is detached from all."""
        both = tuple(Attachment(self.volume_id, server) for server in (HERE, THERE))
        self.cloud.change(self.volume_id, attachments=both)
        self.cloud.compute.add((self.volume_id, THERE))
        asked = []
        real = self.cloud.request_detach
        self.cloud.request_detach = lambda *a: asked.append(a) or real(*a)
        d = self.detach()
        self.assertEqual(sorted(asked), [(self.volume_id, HERE), (self.volume_id, THERE)])
        self.cloud.compute.clear()
        # the second of them is refused here, since this cloud is not multiattach
        self.success(d)

    def test_attached_twice_and_turned_away(self):
        """When asking one of two servers fails for good, the other is not asked for ever."""
        both = tuple(Attachment(self.volume_id, server) for server in (HERE, THERE))
        self.cloud.change(self.volume_id, attachments=both)
        self.cloud.compute.add((self.volume_id, THERE))
        self.cloud.break_next("attachments", Fault(AuthenticationFailed(*WHERE + (401, u"no"))))
        self.failure(self.detach(), AuthenticationFailed)

    def test_compute_is_asked_once_for_all(self):
        """
        What many detaches from one server cost Compute, beyond the requests
        to detach, is one list a look for all of them, and one for each server.
        """
        volumes = [self.cloud.add(u"in-use", attached_to=THERE) for _ in range(20)]
        volumes += [self.cloud.add(u"in-use", attached_to=HERE) for _ in range(20)]
        detaches = [self.driver.detach_volume(volume) for volume in volumes]
        self.pass_time()
        for d in detaches:
            self.assertIs(None, self.successResultOf(d))
        # Available after two looks, and let go of after one or two more.
        self.assertIn(self.cloud.count("attachments"), (4, 6))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_one_after_the_other(self):
        """Each is asked about only when the one before let go: Cinder, Compute, the kernel."""
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
        """A device that stays is an error that says so."""
        self.devices.settle = lambda: None
        d = self.detach()
        self.pass_time(112)
        self.assertIn("leave this node", str(self.failureResultOf(d, OperationTimedOut).value))

    def test_compute_never_lets_go(self):
        """Compute that goes on listing the volume is an error that says so."""
        self.cloud._later = lambda available, let_go: available()
        d = self.detach()
        self.pass_time(112)
        self.assertIn("Compute", str(self.failureResultOf(d, OperationTimedOut).value))

    def test_cancelled(self):
        """Cancelled at any moment, the detach goes on in the cloud, and can be repeated."""

        def start():
            self.volume_id = self.cloud.add(u"in-use", attached_to=HERE)
            return self.detach()

        self.assertGreater(self.cut_short(start), 3)
        self.pass_time()
        self.assertEqual([], self.devices.waits)
        self.assertEqual([], self.clock.getDelayedCalls())


class DestroyTests(DriverTestCase):
    """destroy_volume"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.volume_id = self.cloud.add()

    def destroy(self):
        return self.driver.destroy_volume(self.volume_id)

    def test_destroyed(self):
        """It fires once the volume is gone, and no other is."""
        other = self.cloud.add()
        d = self.destroy()
        self.clock.advance(2)
        self.assertNoResult(d)
        self.assertIs(None, self.success(d))
        self.assertEqual([other], list(self.cloud.volumes))

    def test_unknown(self):
        """A volume that is not there, or not any more, is unknown."""
        self.success(self.destroy())
        self.assertEqual((self.volume_id,), self.failure(self.destroy(), UnknownVolume).args)

    def test_attached(self):
        """An attached volume is not destroyed."""
        self.volume_id = self.cloud.add(u"in-use", attached_to=THERE)
        self.assertIn(THERE, str(self.failure(self.destroy(), StillAttached)))
        self.assertEqual(0, self.cloud.count("delete"))

    def test_in_error(self):
        """A volume in error can be destroyed."""
        self.volume_id = self.cloud.add(u"error")
        self.success(self.destroy())

    def test_joined(self):
        """Destroying what is being destroyed waits for it."""
        first, second = self.destroy(), self.destroy()
        self.pass_time()
        self.assertEqual([None, None], [self.successResultOf(d) for d in (first, second)])
        self.assertEqual(1, self.cloud.count("delete"))

    def test_gone_in_between(self):
        """A volume that somebody else destroys in between is destroyed."""
        self.cloud.break_next("delete", Fault(UnknownVolume(self.volume_id)))
        d = self.destroy()
        self.cloud.volumes.clear()
        self.success(d)

    def test_lost(self):
        """A lost answer is found out about."""
        self.cloud.break_next("delete", Fault(lost(), processed=True))
        self.success(self.destroy())

    def test_half_deleted(self):
        """A deletion that fails in the cloud is told."""
        d = self.destroy()
        self.cloud.change(self.volume_id, status=u"error_deleting")
        self.clock.advance(1)
        self.assertIn("error_deleting", str(self.failureResultOf(d, UnusableStatus).value))

    def test_goes_back(self):
        """A deletion that the cloud takes back is told."""
        self.cloud._later = lambda *changes: self.cloud.change(
            self.volume_id, status=u"available"
        )
        self.failure(self.destroy(), OperationFailed)
        self.assertEqual(3, self.cloud.count("delete"))

    def test_maintenance(self):
        """A status in which nothing goes is told, with what to do."""
        self.volume_id = self.cloud.add(u"maintenance")
        error = self.failure(self.destroy(), UnusableStatus)
        self.assertIn("maintenance", str(error))
        self.assertIn(error.remedy, str(error))

    def test_cancelled(self):
        """Cancelled at any moment, it can be repeated."""

        def start():
            self.volume_id = self.cloud.add()
            return self.destroy()

        self.assertGreater(self.cut_short(start), 3)
        self.pass_time()
        self.assertEqual([], self.clock.getDelayedCalls())


class ListTests(DriverTestCase):
    """list_volumes"""

    def listed(self):
        return self.success(self.driver.list_volumes())

    def test_empty(self):
        """A cluster without volumes has an empty list."""
        self.assertEqual([], self.listed())

    def test_only_this_cluster(self):
        """Another cluster's volumes are not listed, even if the cloud does not filter."""
        self.cloud.add(labels={u"flocker-cluster-id": text_type(uuid4())})
        volume_id = self.cloud.add()
        real = self.cloud.list_volumes
        self.cloud.list_volumes = lambda labels: real({})
        self.assertEqual([volume_id], [v.blockdevice_id for v in self.listed()])

    def test_attached_to(self):
        """Attached volumes say where; those in the middle of attaching are not attached yet."""
        attached = self.cloud.add(u"in-use", attached_to=THERE)
        attaching = self.cloud.add(u"attaching", attached_to=THERE)
        self.assertEqual(
            {attached: THERE, attaching: None},
            {v.blockdevice_id: v.attached_to for v in self.listed()},
        )

    @capture_logging(None)
    def test_bad_ones_break_nothing(self, logger):
        """What can't be understood is left out and reported; the others are listed."""
        good = self.cloud.add()
        bad = self.cloud.add(
            labels={
                u"flocker-cluster-id": text_type(CLUSTER),
                u"flocker-dataset-id": u"nonsense",
            }
        )
        self.cloud.malformed = ((u"worse", u"has no size"),)
        self.assertEqual([good], [v.blockdevice_id for v in self.listed()])
        skipped = {
            m[u"volume_id"]
            for m in logged(logger, VOLUME_SKIPPED)
        }
        self.assertEqual({bad, u"worse"}, skipped)

    @capture_logging(None)
    def test_duplicates(self, logger):
        """Of a dataset's volumes the oldest is listed, and the others reported."""
        dataset_id = uuid4()
        old, young = [self.cloud.add(dataset_id=dataset_id) for _ in range(2)]
        self.assertEqual([old], [v.blockdevice_id for v in self.listed()])
        [message] = logged(logger, DUPLICATE_VOLUME)
        self.assertEqual((young, old), (message[u"volume_id"], message[u"used"]))

    def duplicates_and_skipped(self, logger):
        """List, and take what is logged about that; :return: two sets of volume ids."""
        self.listed()
        written = [
            {m[u"volume_id"] for m in logged(logger, kind)}
            for kind in (DUPLICATE_VOLUME, VOLUME_SKIPPED)
        ]
        del logger.messages[:]
        return written

    @capture_logging(None)
    def test_reported_once(self, logger):
        """What is left out is reported again only when it, or the reason, was another before."""
        dataset_id = uuid4()
        [old, young] = [self.cloud.add(dataset_id=dataset_id) for _ in range(2)]
        self.cloud.malformed = ((u"worse", u"has no size"),)
        first = [{young}, {u"worse"}]
        nothing = [set(), set()]
        self.assertEqual(first, self.duplicates_and_skipped(logger))
        self.assertEqual(nothing, self.duplicates_and_skipped(logger))
        self.cloud.malformed = ((u"worse", u"has no status"), (u"worst", u"has no size"))
        self.assertEqual([set(), {u"worse", u"worst"}], self.duplicates_and_skipped(logger))
        self.assertEqual(nothing, self.duplicates_and_skipped(logger))
        youngest = self.cloud.add(dataset_id=dataset_id)
        del self.cloud.volumes[old]
        self.assertEqual([{youngest}, set()], self.duplicates_and_skipped(logger))

    @capture_logging(None)
    def test_reported_again(self, logger):
        """What was put right and then wrong again is reported again; nothing else is kept."""
        self.cloud.malformed = ((u"worse", u"has no size"),)
        self.assertEqual([set(), {u"worse"}], self.duplicates_and_skipped(logger))
        self.cloud.malformed = ()
        self.listed()
        self.assertEqual(0, len(self.driver._findings._known))
        self.cloud.malformed = ((u"worse", u"has no size"),)
        self.assertEqual([set(), {u"worse"}], self.duplicates_and_skipped(logger))

    def test_deadline(self):
        """A cloud that never answers is given up on, and the request ended."""
        self.cloud.break_next("list", Fault(None))
        d = self.driver.list_volumes()
        self.clock.advance(112)
        self.assertIn("list volumes", str(self.failureResultOf(d, OperationTimedOut).value))
        self.assertEqual(["list"], self.cloud.cancelled)


class DevicePathTests(DriverTestCase):
    """get_device_path"""

    def path(self, volume_id):
        return self.driver.get_device_path(volume_id)

    def test_attached(self):
        """An attached volume's path is what the devices say, each time anew."""
        volume_id = self.cloud.add(u"in-use", attached_to=HERE)
        self.devices.present.add(volume_id)
        paths = [self.success(self.path(volume_id)) for _ in range(2)]
        self.assertEqual([volume_id] * 2, [path.basename() for path in paths])

    def test_unknown(self):
        """A volume that is not there is unknown."""
        self.assertEqual((u"none",), self.failure(self.path(u"none"), UnknownVolume).args)

    def test_unattached(self):
        """A volume has no path here while it is attached nowhere, or elsewhere, or not yet."""
        for fields in ({}, {"attached_to": THERE}):
            volume_id = self.cloud.add(u"in-use", **fields)
            error = self.failure(self.path(volume_id), UnattachedVolume)
            self.assertEqual((volume_id,), error.args)
        self.failure(self.path(self.cloud.add(u"attaching")), UnattachedVolume)

    def test_no_device(self):
        """An attached volume without a device is an error, not a guess."""
        self.failure(
            self.path(self.cloud.add(u"in-use", attached_to=HERE)), DeviceNotFound
        )


class CloudTests(DriverTestCase):
    """list_live_nodes, start_node"""

    def test_live_nodes(self):
        """All nodes are live but those the cloud says are off."""
        self.cloud.servers.update({u"off": u"SHUTOFF", u"moving": u"MIGRATING"})
        live = self.success(self.driver.list_live_nodes())
        self.assertEqual({HERE, THERE, u"moving"}, set(live))
        self.assertTrue(all(isinstance(node, text_type) for node in live))

    def test_start(self):
        """A node that is off can be started."""
        self.cloud.servers[THERE] = u"SHUTOFF"
        self.assertIs(None, self.success(self.driver.start_node(THERE)))
        self.assertEqual(u"ACTIVE", self.cloud.servers[THERE])

    def test_start_unknown(self):
        """A node that is not there can't."""
        self.failure(self.driver.start_node(u"none"), UnknownServer)


class UnfinishedTests(DriverTestCase):
    """What somebody began, and may have left unfinished."""

    def settled(self):
        """How often the cloud was asked to end it."""
        return self.cloud.count("settle")

    def test_not_at_once(self):
        """Whoever began it has a moment; then it is ended, for every operation."""
        for operation in (
            lambda v: self.driver.attach_volume(v, THERE),
            self.driver.detach_volume,
            self.driver.destroy_volume,
        ):
            volume_id = self.cloud.add(u"attaching")
            before = self.settled()
            d = operation(volume_id)
            self.assertEqual(before, self.settled())
            self.clock.pump([1.0] * 4)
            self.assertGreater(self.settled(), before)
            d.addErrback(lambda failure: failure.trap(CancelledError))
            d.cancel()

    def test_refused(self):
        """When that is refused, or fails in passing, it is waited for all the same."""
        for error in (refusal(), ServiceBroken(u"POST", u"http://cloud", 500, u"no")):
            volume_id = self.cloud.add(u"attaching")
            d = self.driver.attach_volume(volume_id, THERE)
            self.cloud.break_next("settle", Fault(error))
            self.clock.pump([1.0] * 4)
            self.assertNoResult(d)
            self.cloud.change(
                volume_id, status=u"in-use", attachments=(Attachment(volume_id, THERE),)
            )
            self.success(d)

    def test_forbidden(self):
        """What looking again can't help ends the operation."""
        volume_id = self.cloud.add(u"attaching")
        d = self.driver.attach_volume(volume_id, THERE)
        error = PermissionDenied(u"GET", u"http://cloud", 403, u"no")
        self.cloud.break_next("settle", Fault(error))
        self.clock.pump([1.0] * 4)
        self.failureResultOf(d, PermissionDenied)


class InconsistentCloudTests(DriverTestCase):
    """States that last only for a moment, and make no sense."""

    def test_waited_out(self):
        """Each operation waits until the cloud makes sense again."""
        for operation, status, error in [
            (lambda v: self.driver.attach_volume(v, HERE), u"in-use", AlreadyAttachedVolume),
            (self.driver.detach_volume, u"available", None),
        ]:
            volume_id = self.cloud.add(u"in-use")
            if status == u"available":
                self.cloud.change(
                    volume_id, status=status, attachments=(Attachment(volume_id, THERE),)
                )
            d = operation(volume_id)
            self.clock.advance(1)
            self.assertNoResult(d)
            self.cloud.change(
                volume_id, status=u"in-use", attachments=(Attachment(volume_id, THERE),)
            )
            if error is None:
                self.success(d)
            else:
                self.failure(d, error)


class LoggingTests(DriverTestCase):
    """What the log tells."""

    @capture_logging(None)
    def test_one_action_an_operation(self, logger):
        """Each operation is one action, with its subject, that ends as the operation does."""
        volume_id = self.cloud.add()
        self.success(self.driver.attach_volume(volume_id, HERE))
        self.failure(self.driver.destroy_volume(volume_id), StillAttached)
        actions = [
            (m[u"action_status"], m.get(u"operation"), m.get(u"subject"))
            for m in logger.messages
            if m.get(u"action_type") == DRIVER_OPERATION.action_type
        ]
        self.assertEqual(
            [
                (u"started", u"attach", u"volume " + volume_id),
                (u"succeeded", None, None),
                (u"started", u"destroy", u"volume " + volume_id),
                (u"failed", None, None),
            ],
            actions,
        )

    @capture_logging(None)
    def test_after_a_wait(self, logger):
        """What an operation does after a wait is in its action; the caller goes on outside it."""
        volume_id = self.cloud.add(u"creating")
        self.cloud.break_next("attach", Fault(refusal()))
        done = self.driver.attach_volume(volume_id, HERE)
        done.addCallback(lambda _: self.driver.list_volumes())
        self.clock.advance(1)
        self.cloud.change(volume_id, status=u"available")
        self.success(done)
        attach, listed = LoggedAction.of_type(logger.messages, DRIVER_OPERATION)
        self.assertEqual(u"attach", attach.startMessage[u"operation"])
        self.assertEqual([1], listed.startMessage[u"task_level"])
        (refused,) = LoggedMessage.of_type(logger.messages, REQUEST_REFUSED)
        self.assertEqual(attach.startMessage[u"task_uuid"], refused.message[u"task_uuid"])

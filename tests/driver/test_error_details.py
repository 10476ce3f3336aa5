"""
Tests of the errors' attributes: the volume, the servers, the sizes and the times that they name.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from txstorage._support.compat import text_type
from txstorage.errors import (
    DatasetConflict,
    MalformedLabels,
    OperationFailed,
    OperationTimedOut,
    StillAttached,
    UnknownProfile,
    UnknownServer,
    UnusableStatus,
)
from txstorage.interfaces import AlreadyAttachedVolume, UnattachedVolume, UnknownVolume

from ..helpers.memory import CLUSTER, GIB, HERE, THERE, Fault, refusal
from .support import DriverTestCase, lost


class ErrorDetailTests(DriverTestCase):
    """The attributes of the errors that the driver raises."""

    def timed_out(self, d, seconds=112):
        """:return: the error of an operation that never ends."""
        self.pass_time(seconds)
        return self.failureResultOf(d, OperationTimedOut).value

    def test_still_attached(self):
        """The error names the volume and all its servers."""
        volume_id = self.cloud.add(u"in-use", attached_to=THERE)
        error = self.failure(self.driver.destroy_volume(volume_id), StillAttached)
        self.assertEqual((volume_id, (THERE,)), (error.volume_id, error.servers))

    def test_unusable(self):
        """The error names the operation, the volume, its status and the cloud's reason."""
        volume_id = self.cloud.add(u"maintenance")
        self.cloud.reasons[volume_id] = u"the disk is gone"
        for operation, start in [
            (u"attach", lambda: self.driver.attach_volume(volume_id, HERE)),
            (u"destroy", lambda: self.driver.destroy_volume(volume_id)),
        ]:
            error = self.failure(start(), UnusableStatus)
            self.assertEqual(
                (operation, volume_id, u"maintenance", u"the disk is gone"),
                (error.operation, error.volume_id, error.status, error.reason),
            )

    def test_failed(self):
        """The error names the operation and the volume, and counts the requests."""
        volume_id = self.cloud.add()
        self.cloud._later = lambda *changes: self.cloud.change(volume_id, status=u"available")
        error = self.failure(self.driver.destroy_volume(volume_id), OperationFailed)
        self.assertEqual((u"destroy", volume_id), (error.operation, error.volume_id))
        self.assertIn(u"accepted 3 requests", error.message)
        self.assertIn(u"returned to available", error.message)

    def test_failed_without_a_reason(self):
        """The text of an error without a reason or problem ends with the status."""
        volume_id = self.cloud.add()
        self.cloud._later = lambda *changes: self.cloud.change(volume_id, status=u"available")
        error = self.failure(self.driver.destroy_volume(volume_id), OperationFailed)
        self.assertTrue(error.message.endswith(u"returned to available"), error.message)

    def test_failed_create(self):
        """The error of a failed create names the volume that was deleted, and the reason."""
        d = self.driver.create_volume(uuid4(), GIB)
        [volume_id] = self.cloud.volumes
        self.cloud.change(volume_id, status=u"error")
        self.clock.advance(1)
        error = self.failureResultOf(d, OperationFailed).value
        self.assertEqual((u"create", volume_id), (error.operation, error.volume_id))
        self.assertTrue(error.message.endswith(u"it was deleted"), error.message)

    def test_conflicting_size(self):
        """The error names the volume, its size and the requested size."""
        dataset_id = uuid4()
        volume_id = self.cloud.add(dataset_id=dataset_id)
        error = self.failure(self.driver.create_volume(dataset_id, 3 * GIB), DatasetConflict)
        self.assertEqual(volume_id, error.volume_id)
        self.assertIn(
            u"Dataset {} already has a volume of {} bytes, {}; the requested size is {}".format(
                dataset_id, GIB, volume_id, 3 * GIB
            ),
            error.message,
        )
        self.assertIn(u"request that volume's size", error.remedy)
        self.assertNotIn(u"destroy", error.remedy)

    def test_timed_out(self):
        """The error has the operation, its subject, the awaited event, the time and the status."""
        volume_id = self.cloud.add(u"in-use", attached_to=THERE)
        self.cloud._later = lambda *changes: None
        error = self.timed_out(self.driver.detach_volume(volume_id))
        self.assertEqual(
            (
                u"detach",
                u"volume " + volume_id,
                u"the volume to be detached",
                110.0,
                u"detaching, attached to " + THERE,
            ),
            (error.operation, error.subject, error.awaited, error.seconds, error.last_seen),
        )

    def test_timed_out_attach(self):
        """The error of an attach names the awaited event, and has seen an unattached volume."""
        volume_id = self.cloud.add(u"creating")
        error = self.timed_out(self.driver.attach_volume(volume_id, HERE))
        self.assertEqual(
            (u"attach", u"volume " + volume_id, u"the volume to be attached", u"creating"),
            (error.operation, error.subject, error.awaited, error.last_seen),
        )

    def test_timed_out_unsettled(self):
        """The refusal to end another caller's transition is the last problem."""
        self.cloud.settles = True
        volume_id = self.cloud.add(u"attaching")
        self.cloud.break_next("settle", Fault(refusal(detail=u"not mine")))
        error = self.timed_out(self.driver.attach_volume(volume_id, HERE))
        self.assertTrue(error.last_seen.startswith(u"attaching; last problem: "), error.last_seen)
        self.assertIn(u"not mine", error.last_seen)

    def test_vanished(self):
        """The error of a create whose volume disappears counts one request."""
        d = self.driver.create_volume(uuid4(), GIB)
        [volume_id] = self.cloud.volumes
        self.cloud.volumes.clear()
        error = self.failure(d, OperationFailed)
        self.assertEqual((u"create", volume_id), (error.operation, error.volume_id))
        self.assertIn(u"accepted 1 requests", error.message)

    def test_timed_out_create(self):
        """The subject of a create is its dataset until it has a volume."""
        dataset_id = uuid4()
        self.cloud.break_next("list", Fault(None))
        error = self.timed_out(self.driver.create_volume(dataset_id, GIB))
        self.assertEqual(
            (
                u"create",
                u"volume for dataset {}".format(dataset_id),
                u"the volume to be created",
                u"nothing",
            ),
            (error.operation, error.subject, error.awaited, error.last_seen),
        )
        self.cloud._later = lambda *changes: None
        d = self.driver.create_volume(dataset_id, GIB)
        [volume_id] = self.cloud.volumes
        error = self.timed_out(d)
        self.assertEqual(
            (u"volume " + volume_id, u"creating"), (error.subject, error.last_seen)
        )

    def test_timed_out_without_an_answer(self):
        """Nothing was seen when the first poll gets no response."""
        volume_id = self.cloud.add()
        self.cloud.break_next("get", Fault(None))
        error = self.timed_out(self.driver.destroy_volume(volume_id))
        self.assertEqual(
            (u"destroy", u"volume " + volume_id, u"the volume to be deleted", u"nothing"),
            (error.operation, error.subject, error.awaited, error.last_seen),
        )

    def test_timed_out_with_a_problem(self):
        """The last status seen is followed by the last problem."""
        volume_id = self.cloud.add()
        self.cloud._later = lambda *changes: None
        self.cloud.break_next("delete", Fault(lost(), processed=True))
        error = self.timed_out(self.driver.destroy_volume(volume_id))
        self.assertTrue(error.last_seen.startswith(u"deleting; last problem: "), error.last_seen)
        self.assertIn(u"dropped", error.last_seen)

    def test_subjects(self):
        """Operations that do not converge name their operation and subject."""
        for request, start, operation, subject in [
            ("list", self.driver.list_volumes, u"list", u"volumes"),
            ("servers", self.driver.list_live_nodes, u"list", u"nodes"),
            ("start", lambda: self.driver.start_node(THERE), u"start", u"node " + THERE),
            (
                "get",
                lambda: self.driver.get_device_path(u"v"),
                u"find the device of",
                u"volume v",
            ),
        ]:
            self.cloud.break_next(request, Fault(None))
            error = self.timed_out(start())
            self.assertEqual(
                (operation, subject, u"the cloud's response", u"nothing"),
                (error.operation, error.subject, error.awaited, error.last_seen),
            )

    def test_identify(self):
        """The search for the instance id names this node."""
        self.node.instance_id = lambda: self.cloud._answer("identify", None)
        self.cloud.break_next("identify", Fault(None))
        error = self.timed_out(self.driver.compute_instance_id())
        self.assertEqual((u"identify", u"this node"), (error.operation, error.subject))

    def test_timeout_is_an_option(self):
        """An operation ends after the configured number of seconds, and reports them."""
        self.driver = self.new_driver(timeout=30.0)
        self.cloud.break_next("list", Fault(None))
        error = self.timed_out(self.driver.list_volumes(), 32)
        self.assertEqual(30.0, error.seconds)

    def test_interfaces_errors(self):
        """Flocker's errors carry the volume's id."""
        free, taken = self.cloud.add(), self.cloud.add(u"in-use", attached_to=THERE)
        for start, kind, volume_id in [
            (lambda: self.driver.attach_volume(taken, HERE), AlreadyAttachedVolume, taken),
            (lambda: self.driver.detach_volume(free), UnattachedVolume, free),
            (lambda: self.driver.get_device_path(free), UnattachedVolume, free),
            (lambda: self.driver.destroy_volume(u"none"), UnknownVolume, u"none"),
            (lambda: self.driver.get_device_path(u"none"), UnknownVolume, u"none"),
        ]:
            error = self.failure(start(), kind)
            self.assertEqual((volume_id, (volume_id,)), (error.blockdevice_id, error.args))

    def test_malformed_labels(self):
        """The error names the volume and the label."""
        volume_id = self.cloud.add(labels={u"flocker-cluster-id": text_type(CLUSTER)})
        error = self.failure(self.driver.attach_volume(volume_id, HERE), MalformedLabels)
        self.assertEqual(volume_id, error.volume_id)
        self.assertTrue(error.message.endswith(u"flocker-dataset-id is missing"), error.message)

    def test_reason_is_kept(self):
        """The cloud's own reason takes precedence over the last problem of a request."""
        volume_id = self.cloud.add()
        self.cloud.reasons[volume_id] = u"the array is full"
        self.cloud._later = lambda *changes: self.cloud.change(volume_id, status=u"available")
        self.cloud.break_next("delete", Fault(lost(), processed=True))
        error = self.failure(self.driver.destroy_volume(volume_id), OperationFailed)
        self.assertTrue(error.message.endswith(u": the array is full"), error.message)

    def test_unknown_server(self):
        """The error names the server."""
        error = self.failure(self.driver.start_node(u"none"), UnknownServer)
        self.assertEqual(u"none", error.server_id)

    def test_no_profiles(self):
        """The error for a profile reports that none is configured."""
        d = self.driver.create_volume_with_profile(uuid4(), GIB, u"platinum")
        error = self.failure(d, UnknownProfile)
        self.assertTrue(error.message.endswith(u"configured are: none"), error.message)

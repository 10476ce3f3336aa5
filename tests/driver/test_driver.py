"""
Tests of the driver as a whole: interfaces, unfinished volumes, inconsistent clouds, the log.
"""

from __future__ import absolute_import, division, print_function

from eliot.testing import LoggedAction, LoggedMessage, capture_logging
from twisted.internet.defer import CancelledError
from zope.interface.verify import verifyObject

from txstorage._log import (
    DRIVER_OPERATION,
    REQUEST_REFUSED,
)
from txstorage.clouds import Attachment, IVolumeService
from txstorage.errors import (
    PermissionDenied,
    ServiceBroken,
    StillAttached,
)
from txstorage.interfaces import (
    AlreadyAttachedVolume,
    IBlockDeviceAsyncAPI,
    ICloudAPI,
    IProfiledBlockDeviceAPI,
    UnknownInstanceID,
)

from ..helpers.memory import (
    GIB,
    HERE,
    THERE,
    Fault,
    refusal,
)
from .support import DriverTestCase


class InterfaceTests(DriverTestCase):
    """The driver's interfaces and constants."""

    def test_provides(self):
        """The driver provides the asynchronous, the profiled and the cloud interface."""
        for interface in (IBlockDeviceAsyncAPI, IProfiledBlockDeviceAPI, ICloudAPI):
            self.assertTrue(verifyObject(interface, self.driver))

    def test_memory_cloud(self):
        """The cloud in memory provides ``IVolumeService``."""
        self.assertTrue(verifyObject(IVolumeService, self.cloud))

    def test_allocation_unit(self):
        """The allocation unit is the service's."""
        self.assertEqual(GIB, self.success(self.driver.allocation_unit()))

    def test_instance_id(self):
        """The instance id is the node's."""
        self.assertEqual(HERE, self.success(self.driver.compute_instance_id()))

    def test_instance_id_source(self):
        """The source of the instance id is the node's."""
        self.assertEqual(u"configuration", self.driver.instance_id_source)

    def test_unknown_instance_id(self):
        """A failed search for the instance id is not cached."""
        self.node.outcome = UnknownInstanceID(u"x")
        self.failure(self.driver.compute_instance_id(), UnknownInstanceID)
        self.node.outcome = HERE
        self.assertEqual(HERE, self.success(self.driver.compute_instance_id()))


class UnfinishedTests(DriverTestCase):
    """Transitions that another caller began and may not have completed."""

    def setUp(self):
        super(UnfinishedTests, self).setUp()
        self.cloud.settles = True

    def settled(self):
        """Return the number of requests to settle a volume."""
        return self.cloud.count("settle")

    def test_not_at_once(self):
        """Every operation ends another caller's transition, but not at its first poll."""
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
        """A refusal or a transient failure of that request does not end the wait."""
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
        """An error that polling again can't help ends the operation."""
        volume_id = self.cloud.add(u"attaching")
        d = self.driver.attach_volume(volume_id, THERE)
        error = PermissionDenied(u"GET", u"http://cloud", 403, u"no")
        self.cloud.break_next("settle", Fault(error))
        self.clock.pump([1.0] * 4)
        self.failureResultOf(d, PermissionDenied)


class InconsistentCloudTests(DriverTestCase):
    """Transient states in which the cloud contradicts itself."""

    def test_waited_out(self):
        """Each operation waits until the cloud's state is consistent again."""
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
    """The log of an operation."""

    @capture_logging(None)
    def test_one_action_an_operation(self, logger):
        """Each operation is one action that has a subject and ends as the operation does."""
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
        """
        Messages after a wait belong to the operation's action; the caller continues outside it.
        """
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

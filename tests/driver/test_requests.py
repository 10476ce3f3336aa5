"""
Tests of the requests that operations send: to which servers, how often, and after which refusals.
"""

from __future__ import absolute_import, division, print_function

from txstorage.clouds import Attachment
from txstorage.errors import (
    Conflict,
    DeviceError,
    OperationTimedOut,
    RequestRefused,
    ResourceNotFound,
    UnknownServer,
)
from txstorage.interfaces import UnknownInstanceID, UnknownVolume

from ..helpers.memory import HERE, THERE, Fault
from .support import WHERE, DriverTestCase, unreachable

CONFLICT = Conflict(*WHERE + (409, u"while it is in task_state rebooting"))
COUNTED = [
    RequestRefused(*WHERE + (400, u"not now")),
    ResourceNotFound(*WHERE + (404, u"not now")),
    UnknownVolume(u"not now"),
]


class RefusalTests(DriverTestCase):
    """Requests that the cloud refuses in the volume's current state."""

    def test_retried(self):
        """One refusal of any kind does not end an operation, and the request is sent again."""
        for error in COUNTED + [CONFLICT]:
            attached = self.cloud.add(u"in-use", attached_to=THERE)
            for request, operation, argument in [
                ("attach", self.driver.attach_volume, (self.cloud.add(), THERE)),
                ("detach", self.driver.detach_volume, (attached,)),
                ("destroy", self.driver.destroy_volume, (self.cloud.add(),)),
            ]:
                request = {"destroy": "delete"}.get(request, request)
                before = self.cloud.count(request)
                self.cloud.break_next(request, Fault(error))
                self.success(operation(*argument))
                self.assertEqual(before + 2, self.cloud.count(request), (request, error))

    def test_repeated(self):
        """A request that is refused three times fails as the cloud refused it last."""
        for error in COUNTED:
            self.cloud.break_next("attach", *[Fault(error)] * 3)
            before = self.cloud.count("attach")
            d = self.driver.attach_volume(self.cloud.add(), THERE)
            self.assertIs(error, self.failure(d, type(error)))
            self.assertEqual(before + 3, self.cloud.count("attach"))

    def test_no_such_server(self):
        """An attach to a server that does not exist is requested once."""
        error = self.failure(
            self.driver.attach_volume(self.cloud.add(), u"nowhere"), UnknownServer
        )
        self.assertEqual(u"nowhere", error.server_id)
        self.assertEqual(1, self.cloud.count("attach"))


class ConflictTests(DriverTestCase):
    """Requests that meet a conflict (409), which passes."""

    def operations(self):
        """Yield each operation that requests, with the name of its request."""
        yield "attach", lambda: self.driver.attach_volume(self.cloud.add(), THERE)
        attached = self.cloud.add(u"in-use", attached_to=THERE)
        yield "detach", lambda: self.driver.detach_volume(attached)
        yield "delete", lambda: self.driver.destroy_volume(self.cloud.add())

    def test_passes(self):
        """Many conflicts do not end an operation; the request succeeds when they have passed."""
        for request, operation in self.operations():
            self.cloud.break_next(request, *[Fault(CONFLICT)] * 30)
            self.success(operation(), seconds=60)
            self.assertEqual(31, self.cloud.count(request))

    def test_does_not_pass(self):
        """An operation uses all of its time, and its error has the last conflict."""
        for request, operation in self.operations():
            self.cloud.break_next(request, *[Fault(CONFLICT)] * 999)
            d = operation()
            self.pass_time(109)
            self.assertNoResult(d)
            self.pass_time(3)
            error = self.failureResultOf(d, OperationTimedOut).value
            self.assertIn(u"last problem: ", error.message)
            self.assertIn(u"task_state rebooting", error.message)
            self.cloud.faults.clear()

    def test_not_counted(self):
        """Conflicts do not count towards the maximum of other refusals."""
        self.cloud.break_next("attach", *[Fault(CONFLICT)] * 5 + [Fault(COUNTED[0])] * 2)
        self.success(self.driver.attach_volume(self.cloud.add(), THERE))
        self.assertEqual(8, self.cloud.count("attach"))


class UnprocessedTests(DriverTestCase):
    """Requests that the cloud certainly did not process."""

    def test_another_caller_attaches(self):
        """An attach that was not processed joins another caller's attach to the same server."""
        volume_id = self.cloud.add()
        self.cloud.break_next("attach", Fault(unreachable()))
        d = self.driver.attach_volume(volume_id, THERE)
        self.cloud.change(
            volume_id, status=u"in-use", attachments=(Attachment(volume_id, THERE),)
        )
        self.assertEqual(THERE, self.success(d).attached_to)
        self.assertEqual(1, self.cloud.count("attach"))

    def test_another_caller_destroys(self):
        """A destroy that was not processed succeeds when another caller destroys the volume."""
        volume_id = self.cloud.add()
        self.cloud.break_next("delete", Fault(unreachable()))
        d = self.driver.destroy_volume(volume_id)
        self.cloud.volumes.clear()
        self.assertIs(None, self.success(d))

    def test_not_counted(self):
        """Requests that were not processed do not count towards the maximum."""
        volume_id = self.cloud.add()
        self.cloud.break_next("attach", *[Fault(unreachable()) for _ in range(7)])
        self.success(self.driver.attach_volume(volume_id, THERE))
        self.assertEqual(8, self.cloud.count("attach"))


class ServersTests(DriverTestCase):
    """The servers that a detach is about."""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.volume_id = self.cloud.add(u"in-use", attached_to=HERE)
        self.requested = []
        real = self.cloud.request_detach
        self.cloud.request_detach = lambda *a: self.requested.append(a) or real(*a)

    def test_repeated(self):
        """A repeated detach leaves out the servers that attached the volume meanwhile."""
        both = tuple(Attachment(self.volume_id, server) for server in (HERE, THERE))
        self.cloud._later = lambda *changes: self.cloud.change(
            self.volume_id, status=u"in-use", attachments=both
        )
        d = self.driver.detach_volume(self.volume_id)
        self.pass_time()
        self.failureResultOf(d)
        self.assertEqual([(self.volume_id, HERE)] * 3, self.requested)

    def test_unreadable_devices(self):
        """
        A node that knows its id does not detach a volume whose device it can't check; a machine
        without an id does.
        """

        def unreadable(volume_id, names):
            raise DeviceError(volume_id, u"unreadable")

        self.devices.refuse_if_busy = unreadable
        error = self.failure(self.driver.detach_volume(self.volume_id), DeviceError)
        self.assertEqual(self.volume_id, error.volume_id)
        self.assertEqual([], self.requested)
        self.node.outcome = UnknownInstanceID(u"x")
        self.success(self.driver.detach_volume(self.volume_id))
        self.assertEqual([(self.volume_id, HERE)], self.requested)

    def test_defect(self):
        """A defect in the check of a device is reported, also by a machine without an id."""

        def defective(volume_id, names):
            raise ValueError("a defect")

        self.devices.refuse_if_busy = defective
        self.node.outcome = UnknownInstanceID(u"x")
        self.failure(self.driver.detach_volume(self.volume_id), ValueError)
        self.assertEqual([], self.requested)

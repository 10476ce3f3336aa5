"""
Tests of the parts that all operations on snapshots, copies and sizes have in common.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from eliot.testing import LoggedAction, capture_logging

from txstorage._log import DRIVER_OPERATION
from txstorage._support.compat import text_type
from txstorage.errors import OperationTimedOut

from ...helpers.memory import GIB, Fault
from ..support import DriverTestCase


class OperationsTests(DriverTestCase):
    """Deadlines and the log."""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.driver = self.new_driver(timeout=5.0, copy_timeout=10.0)
        self.volume_id = self.cloud.add()
        self.snapshot_id = self.cloud.add_snapshot(self.volume_id)
        self.dataset_id = uuid4()

    def operations(self):
        """
        :return: list of ``(name, arguments, operation, subject, seconds, request)``: the method and
            its arguments, its name and subject in the log and in errors, its deadline, and a
            request that it waits for.
        """
        volume, snapshot = u"volume " + self.volume_id, u"snapshot " + self.snapshot_id
        made = u"volume for dataset {}".format(self.dataset_id)
        named = u"snapshot 'nightly' of " + volume
        return [
            ("create_snapshot", (self.volume_id, u"nightly", {}), u"create", named, 10, "snapshot"),
            ("list_snapshots", (), u"list", u"snapshots", 5, "list snapshots"),
            (
                "create_volume_from_snapshot",
                (self.dataset_id, self.snapshot_id),
                u"create",
                made,
                10,
                "create",
            ),
            ("clone_volume", (uuid4(), self.volume_id), u"create", None, 10, "create"),
            ("grow_volume", (self.volume_id, 2 * GIB), u"grow", volume, 5, "extend"),
            ("destroy_snapshot", (self.snapshot_id,), u"destroy", snapshot, 5, "delete snapshot"),
        ]

    def test_deadlines(self):
        """Each operation ends at its deadline when the cloud does not answer, and says which."""
        for name, arguments, operation, subject, seconds, request in self.operations():
            self.cloud.break_next(request, Fault(None))
            d = getattr(self.driver, name)(*arguments)
            self.pass_time(seconds - 1)
            self.assertNoResult(d)
            self.pass_time(2)
            error = self.failureResultOf(d, OperationTimedOut).value
            self.assertEqual([], self.clock.getDelayedCalls(), "timers are left")
            self.assertIn(u"Can't {} {}".format(operation, subject or u"volume for"), error.message)
            self.assertIn(text_type(float(seconds)), error.message)
            key = u"'copy_timeout'" if seconds == 10 else u"'timeout'"
            self.assertIn(u"raise " + key, error.remedy)
            self.assertEqual([request], self.cloud.cancelled)
            self.cloud.cancelled = []

    @capture_logging(None)
    def test_actions(self, logger):
        """Each operation is one action of its name, with its subject, and ends as it does."""
        expected = []
        for name, arguments, operation, subject, _, _ in self.operations():
            self.success(getattr(self.driver, name)(*arguments))
            expected.append((operation, subject))
        actions = LoggedAction.of_type(logger.messages, DRIVER_OPERATION)
        self.assertEqual(
            [operation for operation, _ in expected],
            [each.startMessage[u"operation"] for each in actions],
        )
        for (_, subject), each in zip(expected, actions):
            self.assertIn(subject, (None, each.startMessage[u"subject"]))
            self.assertTrue(each.succeeded)

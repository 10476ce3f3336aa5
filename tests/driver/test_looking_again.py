"""
Tests of the GET that confirms a list, before an operation acts on the list.
"""

from __future__ import absolute_import, division, print_function

from txstorage.errors import AuthenticationFailed, OperationTimedOut

from ..helpers.memory import HERE, THERE, Fault
from .support import WHERE, DriverTestCase, lost


class ConfirmationTests(DriverTestCase):
    """Two attaches, which poll with a list."""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.volume_ids = [self.cloud.add(), self.cloud.add()]
        self.attaches = [
            self.driver.attach_volume(volume_id, server_id)
            for volume_id, server_id in zip(self.volume_ids, (THERE, HERE))
        ]
        del self.cloud.requests[:]

    def test_waiting_needs_none(self):
        """A list that leads to waiting is not confirmed."""
        self.clock.pump([1.0] * 2)
        self.assertEqual(["list"] * 2, [r for r in self.cloud.requests if r != "settle"])

    def test_each_is_confirmed(self):
        """A list that ends operations is confirmed by one GET for each."""
        self.pass_time()
        for d, server_id in zip(self.attaches, (THERE, HERE)):
            self.assertEqual(server_id, self.successResultOf(d).attached_to)
        self.assertEqual(2, self.cloud.count("get"))

    def test_failed(self):
        """A GET that fails for a transient reason is followed by another poll."""
        self.cloud.break_next("get", Fault(lost()))
        self.clock.pump([1.0] * 3)
        self.assertNoResult(self.attaches[0])
        self.pass_time()
        for d in self.attaches:
            self.successResultOf(d)

    def test_failed_always(self):
        """The failure of the GET is the last problem when the time is over."""
        self.cloud.break_next("get", *[Fault(lost()) for _ in range(999)])
        self.pass_time(112)
        for d in self.attaches:
            error = self.failureResultOf(d, OperationTimedOut).value
            self.assertIn(u"last problem: ", error.last_seen)
            self.assertIn(u"dropped", error.last_seen)

    def test_turned_away(self):
        """A GET that fails permanently ends its operation, and no other."""
        self.cloud.break_next("get", Fault(AuthenticationFailed(*WHERE + (401, u"no"))))
        self.clock.pump([1.0] * 3)
        failed = [d for d in self.attaches if d.called]
        self.assertEqual(1, len(failed))
        self.failureResultOf(failed[0], AuthenticationFailed)
        self.pass_time()
        [other] = [d for d in self.attaches if d is not failed[0]]
        self.successResultOf(other)

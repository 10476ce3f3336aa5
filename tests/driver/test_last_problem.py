"""
Tests of an outage while an operation waits: its error shows the outage.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.compat import as_text
from txstorage.driver.last_problem import LastProblem
from txstorage.errors import OperationTimedOut

from ..helpers.memory import GIB, HERE, THERE, Fault
from .support import DriverTestCase, broken, lost, unreachable


class LastProblemTests(SynchronousTestCase):
    """The text of the last problem."""

    def setUp(self):
        self.problem = LastProblem()

    def test_none(self):
        """Without a problem there is only the status."""
        self.assertEqual(
            (u"creating", u""), (self.problem.after(u"creating"), as_text(str(self.problem)))
        )

    def test_retries(self):
        """The retries are counted until one succeeds; the last problem stays."""
        for shown in (u"1 retry", u"2 retries", u"3 retries"):
            self.problem.retry(Failure(unreachable()))
            text = self.problem.after(u"creating")
            self.assertTrue(text.startswith(u"creating; last problem: "), text)
            self.assertIn(u"refused", text)
            self.assertTrue(text.endswith(u" ({})".format(shown)), text)
        self.problem.ended()
        self.assertNotIn(u"retr", self.problem.after(u"creating"))
        self.assertIn(u"refused", self.problem.after(u"creating"))

    def test_record(self):
        """A request that is not simply repeated does not count as a retry."""
        self.problem.record(Failure(lost()))
        self.assertTrue(self.problem.after(u"x").endswith(as_text(str(lost()))))


class OutageTests(DriverTestCase):
    """Operations during an outage."""

    def outage(self, *requests):
        """From now on, the cloud is unreachable for these requests."""
        for request in requests:
            self.cloud.break_next(request, *[Fault(unreachable()) for _ in range(999)])

    def timed_out(self, d):
        """The last thing seen by an operation that never ends."""
        self.pass_time(112)
        return self.failureResultOf(d, OperationTimedOut).value.last_seen

    def assert_outage(self, seen, status):
        """Check for the status, the problem and a plausible count."""
        self.assertTrue(seen.startswith(status + u"; last problem: "), seen)
        self.assertIn(u"refused", seen)
        count = int(seen.rsplit(u"(", 1)[1].split(u" ")[0])
        self.assertTrue(50 < count < 120, seen)

    def test_while_waiting(self):
        """Each operation that waits for a status shows the outage."""
        self.cloud._later = lambda *changes: None
        free = self.cloud.add()
        taken = self.cloud.add(u"in-use", attached_to=THERE)
        creating = self.driver.create_volume(uuid4(), GIB)
        operations = [
            (creating, u"creating"),
            (self.driver.destroy_volume(free), u"deleting"),
            (self.driver.detach_volume(taken), u"detaching, attached to " + THERE),
        ]
        self.clock.pump([1.0] * 3)
        self.outage("get", "list", "attachments")
        for d, _ in operations:
            self.assertNoResult(d)
        self.pass_time(112)
        for d, status in operations:
            self.assert_outage(self.failureResultOf(d, OperationTimedOut).value.last_seen, status)

    def test_while_polling_alone(self):
        """A single operation, which polls its volume alone, shows it, too."""
        self.cloud._later = lambda *changes: None
        volume_id = self.cloud.add()
        d = self.driver.attach_volume(volume_id, HERE)
        self.clock.pump([1.0] * 3)
        self.outage("get")
        self.assert_outage(self.timed_out(d), u"reserved")

    def test_before_the_volume(self):
        """A create whose request gets no answer shows it, before it has a volume."""
        self.outage("create")
        seen = self.timed_out(self.driver.create_volume(uuid4(), GIB))
        self.assertTrue(seen.startswith(u"nothing; last problem: "), seen)
        self.assertIn(u"refused", seen)
        self.assertIn(u" retries)", seen)

    def test_while_choosing(self):
        """A create whose volume is usable shows an outage of the lists that it confirms it with."""
        d = self.driver.create_volume(uuid4(), GIB)
        self.outage("list")
        self.assert_outage(self.timed_out(d), u"available")

    def test_over(self):
        """An outage that is over leaves no count."""
        self.cloud._later = lambda *changes: None
        d = self.driver.destroy_volume(self.cloud.add())
        self.clock.pump([1.0] * 3)
        self.cloud.break_next("get", *[Fault(broken()) for _ in range(9)])
        seen = self.timed_out(d)
        self.assertTrue(seen.startswith(u"deleting; last problem: "), seen)
        self.assertNotIn(u"retr", seen)

"""
Tests of the times at which operations send their requests, with intervals that grow.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from eliot.testing import capture_logging
from twisted.internet.defer import CancelledError, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage._log import POLL_FAILED
from txstorage.driver.convergence import PlainSubject, VolumeConvergence
from txstorage.driver.polling import Intervals, SharedPoll, Watcher, until
from txstorage.errors import Conflict

from ..helpers.memory import CLUSTER, GIB, HERE, THERE, Fault, MemoryCloud
from .support import WHERE, DriverTestCase, logged, lost, unreachable

GROWING = Intervals(first=1.0, factor=2.0, longest=8.0, jitter=0.0, learning=False)


class IntervalsValueTests(SynchronousTestCase):
    """The intervals as a value."""

    def test_defaults(self):
        """By default, intervals grow from 0.05 to 2 seconds, each by 25 %, and vary by 20 %."""
        intervals = Intervals()
        self.assertTrue(intervals.learning)
        self.assertEqual(
            (0.05, 1.25, 2.0, 0.2),
            (intervals.first, intervals.factor, intervals.longest, intervals.jitter),
        )

    def test_values(self):
        """Intervals and subjects can't be changed in place; the source of chance is not shown."""
        self.assertRaises(AttributeError, setattr, Intervals(), "first", 1.0)
        self.assertRaises(AttributeError, setattr, PlainSubject(u"x"), "name", u"y")
        self.assertNotIn("random", repr(Intervals()))

    def test_subject(self):
        """A subject of a single request awaits the cloud's response, and has seen nothing."""
        subject = PlainSubject(u"x")
        self.assertEqual(
            (u"the cloud's response", u"nothing"), (subject.awaited, subject.last_seen)
        )


class RequestTimesTests(DriverTestCase):
    """The times of an operation's requests."""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.driver = self.new_driver(intervals=GROWING)
        self.times = []
        real = self.cloud._answer

        def answer(request, *call):
            self.times.append((request, self.clock.seconds()))
            return real(request, *call)

        self.cloud._answer = answer
        self.cloud._later = lambda *changes: None

    def times_of(self, request, d, seconds=30):
        """:return: the times of the requests of a name, while an operation waits."""
        self.clock.pump([0.5] * (2 * seconds))
        self.assertNoResult(d)
        d.addErrback(lambda failure: failure.trap(CancelledError))
        d.cancel()
        self.assertEqual([], self.clock.getDelayedCalls())
        return [at for name, at in self.times if name == request]

    def test_polls(self):
        """The intervals between polls of a volume grow to the longest."""
        d = self.driver.destroy_volume(self.cloud.add())
        self.assertEqual([0, 1, 3, 7, 15, 23], self.times_of("get", d))

    def test_after_a_request(self):
        """The intervals start again after a request."""
        volume_id = self.cloud.add(u"creating")
        d = self.driver.destroy_volume(volume_id)
        self.clock.pump([0.5] * 8)
        self.cloud.change(volume_id, status=u"available")
        self.assertEqual([0, 1, 3, 7, 8, 10, 14, 22], self.times_of("get", d, 25))

    def test_after_refusals(self):
        """The intervals before a refused request is repeated grow, for refusals of every kind."""
        for error in (Conflict(*WHERE + (409, u"not now")), unreachable()):
            self.times[:] = []
            begin = self.clock.seconds()
            self.cloud.break_next("delete", *[Fault(error) for _ in range(99)])
            d = self.driver.destroy_volume(self.cloud.add())
            times = [at - begin for at in self.times_of("delete", d)]
            self.assertEqual([0, 1, 3, 7, 15, 23], times)
            self.cloud.faults.clear()

    def test_failed_polls(self):
        """The intervals also grow while polls fail."""
        d = self.driver.destroy_volume(self.cloud.add())
        self.cloud.break_next("get", *[Fault(lost()) for _ in range(9)])
        self.assertEqual([0, 1, 3, 7, 15, 23], self.times_of("get", d))

    def test_compute(self):
        """The first poll of Compute's attachments takes place at once; then the intervals grow."""
        volume_id = self.cloud.add(u"in-use", attached_to=THERE)
        self.cloud._later = lambda available, released: available()
        d = self.driver.detach_volume(volume_id)
        self.assertEqual([1, 2, 4, 8, 16, 24], self.times_of("attachments", d))

    def test_creates(self):
        """The pauses before repeated requests for a volume grow."""
        self.cloud.break_next("create", *[Fault(unreachable()) for _ in range(99)])
        d = self.driver.create_volume(uuid4(), GIB)
        self.assertEqual([0, 1, 3, 7, 15, 23], self.times_of("create", d))

    def test_lookups(self):
        """The intervals between label lookups grow while lookups fail after a request."""
        self.cloud.break_next("create", Fault(lost(), processed=True))
        d = self.driver.create_volume(uuid4(), GIB)
        self.cloud.break_next("list", *[Fault(lost()) for _ in range(99)])
        self.assertEqual([0, 1, 2, 4, 8, 16, 24], self.times_of("list", d))


class PollTests(SynchronousTestCase):
    """Single polls with growing intervals."""

    def setUp(self):
        self.clock = Clock()
        self.polled = []

    def look_up(self, subject=None):
        self.polled.append(self.clock.seconds())
        return succeed(None).addCallback(lambda _: self.outcome())

    def outcome(self):
        raise lost()

    def test_first_poll_fails(self):
        """A first poll that fails is repeated after the first interval, and then the next."""
        poll = SharedPoll(self.clock, self.look_up, GROWING)
        d = poll.next_poll(u"a", poll.pace(at_once=True))
        self.clock.pump([0] + [0.5] * 16)
        self.assertEqual([0, 1, 3, 7], self.polled)
        self.assertNoResult(d)

    def test_until(self):
        """:func:`until` polls at growing intervals, after failures and other results alike."""
        d = until(self.clock, GROWING, self.look_up, lambda result: False)
        self.clock.pump([0.5] * 8)
        self.outcome = lambda: None
        self.clock.pump([0.5] * 24)
        self.assertEqual([0, 1, 3, 7, 15], self.polled)
        self.assertNoResult(d)

    def test_cancelled_after_a_failure(self):
        """A caller whose poll failed can be cancelled before the next poll."""
        poll = SharedPoll(self.clock, self.look_up, GROWING)
        d = poll.next_poll(u"a", poll.pace())
        self.clock.advance(1)
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertEqual([], self.clock.getDelayedCalls())

    @capture_logging(None)
    def test_failure_is_logged(self, logger):
        """The log has the reason of a failed poll, and the number of waiting operations."""
        poll = SharedPoll(self.clock, self.look_up, GROWING)
        waits = [poll.next_poll(u"a", poll.pace()) for _ in range(3)]
        waits.pop().addErrback(lambda failure: failure.trap(CancelledError)).cancel()
        self.clock.advance(1)
        [message] = logged(logger, POLL_FAILED)
        self.assertIn(u"dropped", message[u"reason"])
        self.assertEqual(2, message[u"waiting"])
        for d in waits:
            self.assertNoResult(d)


class ConvergenceTests(SynchronousTestCase):
    """A convergence by itself."""

    def test_without_check(self):
        """A convergence without a check accepts every volume."""
        clock = Clock()
        cloud = MemoryCloud(clock)
        volume_id = cloud.add(u"in-use", attached_to=HERE)
        watcher = Watcher(clock, cloud, CLUSTER, GROWING)
        d = VolumeConvergence(cloud, watcher, u"create", volume_id).run()
        clock.advance(0)
        self.assertEqual(volume_id, self.successResultOf(d).volume_id)

"""
Tests for :mod:`txstorage._support.deferreds`.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.deferreds import SharedCall, all_of, with_deadline


class SharedCallTests(SynchronousTestCase):
    """One call, several callers."""

    def setUp(self):
        self.cancelled = []
        self.calls = []
        self.shared = SharedCall(self.function)

    def function(self):
        d = Deferred(lambda _: self.cancelled.append(True))
        self.calls.append(d)
        return d

    def test_shared(self):
        """Callers during one call get its result, and cause no other."""
        callers = [self.shared.join(), self.shared.join()]
        self.calls[0].callback(7)
        self.assertEqual([7, 7], [self.successResultOf(d) for d in callers])
        self.assertEqual(1, len(self.calls))

    def test_failure_shared(self):
        """Callers during one call get its failure."""
        callers = [self.shared.join(), self.shared.join()]
        self.calls[0].errback(ValueError("x"))
        for d in callers:
            self.failureResultOf(d, ValueError)

    def test_next(self):
        """A caller after a call starts another; nothing is remembered."""
        first = self.shared.join()
        self.calls[0].errback(ValueError("x"))
        self.failureResultOf(first, ValueError)
        second = self.shared.join()
        self.calls[1].callback(8)
        self.assertEqual(8, self.successResultOf(second))

    def test_synchronous(self):
        """A function that answers at once is called once for each caller."""
        answers = iter([1, 2])
        shared = SharedCall(lambda: succeed(next(answers)))
        self.assertEqual([1, 2], [self.successResultOf(shared.join()) for _ in "ab"])

    def test_one_leaves(self):
        """A caller that is cancelled does not take the call from the others."""
        stays, leaves = self.shared.join(), self.shared.join()
        leaves.cancel()
        self.failureResultOf(leaves, CancelledError)
        self.assertEqual([], self.cancelled)
        self.calls[0].callback(7)
        self.assertEqual(7, self.successResultOf(stays))

    def test_all_leave(self):
        """The last caller to leave cancels the call, and the next starts another."""
        callers = [self.shared.join(), self.shared.join()]
        for d in callers:
            d.cancel()
            self.failureResultOf(d, CancelledError)
        self.assertEqual([True], self.cancelled)
        self.assertNoResult(self.shared.join())
        self.assertEqual(2, len(self.calls))

    def test_one_takes_another_away(self):
        """A caller may cancel another when it is answered; all others are answered still."""
        first, second, third = [self.shared.join() for _ in "abc"]
        first.addCallback(lambda result: second.cancel() or result)
        self.calls[0].callback(7)
        self.failureResultOf(second, CancelledError)
        self.assertEqual([7, 7], [self.successResultOf(d) for d in (first, third)])


class WithDeadlineTests(SynchronousTestCase):
    """A deadline on a Deferred."""

    def setUp(self):
        self.clock = Clock()

    def limited(self, d):
        return with_deadline(self.clock.callLater, 5, d, lambda: KeyError("late"))

    def test_in_time(self):
        """What fires in time fires through, and leaves no timer."""
        d = self.limited(succeed(3))
        self.assertEqual(3, self.successResultOf(d))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_fails_in_time(self):
        """What fails in time fails through."""
        inner = Deferred()
        d = self.limited(inner)
        inner.errback(ValueError("x"))
        self.failureResultOf(d, ValueError)

    def test_late(self):
        """What is late is cancelled, and fails with the error that says so."""
        d = self.limited(Deferred())
        self.clock.advance(5)
        self.failureResultOf(d, KeyError)

    def test_cancelled_by_the_caller(self):
        """A caller's own cancellation is not called a timeout."""
        d = self.limited(Deferred())
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_late_answer(self):
        """An answer that comes when it is cancelled counts: it has happened."""
        d = self.limited(Deferred(lambda inner: inner.callback(3)))
        self.clock.advance(5)
        self.assertEqual(3, self.successResultOf(d))

    def test_timer_that_comes_all_the_same(self):
        """A timer that goes off after the end cancels nothing of what came after the end."""
        timers, cancelled = [], []

        class Deaf(object):
            cancel = staticmethod(lambda: None)

        d = with_deadline(lambda _, f: timers.append(f) or Deaf, 5, Deferred(), KeyError)
        d.addCallback(lambda _: Deferred(cancelled.append))
        d.callback(3)
        timers[0]()
        self.assertEqual([], cancelled)


class AllOfTests(SynchronousTestCase):
    """All, or an end."""

    def setUp(self):
        self.cancelled = []
        self.waits = [Deferred(self.cancelled.append) for _ in range(3)]
        self.d = all_of(self.waits)

    def test_results(self):
        """It fires with all results, in order."""
        for number in (2, 0, 1):
            self.waits[number].callback(number)
        self.assertEqual([0, 1, 2], self.successResultOf(self.d))

    def test_none(self):
        """There may be nothing to wait for."""
        self.assertEqual([], self.successResultOf(all_of([])))

    def test_failure(self):
        """It fails as the first does, and the others are ended."""
        error = ValueError()
        self.waits[0].callback(0)
        self.waits[1].errback(error)
        self.assertIs(error, self.failureResultOf(self.d, ValueError).value)
        self.assertEqual([self.waits[2]], self.cancelled)

    def test_cancelled(self):
        """Its cancellation reaches them, and what is chained behind it when all have fired."""
        self.d.cancel()
        self.failureResultOf(self.d, CancelledError)
        self.assertEqual(self.waits, self.cancelled)
        behind = Deferred(self.cancelled.append)
        d = all_of([succeed(1)]).addCallback(lambda _: behind)
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertIs(behind, self.cancelled[-1])

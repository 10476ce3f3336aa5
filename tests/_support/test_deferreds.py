"""
Tests for :mod:`txstorage._support.deferreds`.
"""

from __future__ import absolute_import, division, print_function

import gc
import weakref

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.deferreds import SharedCall, SharedCalls, all_of, with_deadline


class SharedCallTests(SynchronousTestCase):
    """A call shared by several callers."""

    def setUp(self):
        self.cancelled = []
        self.calls = []
        self.shared = SharedCall(self.function)

    def function(self):
        d = Deferred(lambda _: self.cancelled.append(True))
        self.calls.append(d)
        return d

    def test_shared(self):
        """Callers that join during a call get its result, and start no other call."""
        callers = [self.shared.join(), self.shared.join()]
        self.calls[0].callback(7)
        self.assertEqual([7, 7], [self.successResultOf(d) for d in callers])
        self.assertEqual(1, len(self.calls))

    def test_failure_shared(self):
        """Callers that join during a call get its failure."""
        callers = [self.shared.join(), self.shared.join()]
        self.calls[0].errback(ValueError("x"))
        for d in callers:
            self.failureResultOf(d, ValueError)

    def test_next(self):
        """A caller after the end of a call starts another; no result is kept."""
        first = self.shared.join()
        self.calls[0].errback(ValueError("x"))
        self.failureResultOf(first, ValueError)
        second = self.shared.join()
        self.calls[1].callback(8)
        self.assertEqual(8, self.successResultOf(second))

    def test_synchronous(self):
        """A function that returns a fired Deferred is called once for each caller."""
        answers = iter([1, 2])
        shared = SharedCall(lambda: succeed(next(answers)))
        self.assertEqual([1, 2], [self.successResultOf(shared.join()) for _ in "ab"])

    def test_one_leaves(self):
        """Cancelling one caller does not cancel the call for the others."""
        stays, leaves = self.shared.join(), self.shared.join()
        leaves.cancel()
        self.failureResultOf(leaves, CancelledError)
        self.assertEqual([], self.cancelled)
        self.calls[0].callback(7)
        self.assertEqual(7, self.successResultOf(stays))

    def test_all_leave(self):
        """Cancelling the last caller cancels the call, and the next caller starts another."""
        callers = [self.shared.join(), self.shared.join()]
        for d in callers:
            d.cancel()
            self.failureResultOf(d, CancelledError)
        self.assertEqual([True], self.cancelled)
        self.assertNoResult(self.shared.join())
        self.assertEqual(2, len(self.calls))

    def test_one_cancels_another(self):
        """A caller's callback may cancel another caller; all others still get the result."""
        first, second, third = [self.shared.join() for _ in "abc"]
        first.addCallback(lambda result: second.cancel() or result)
        self.calls[0].callback(7)
        self.failureResultOf(second, CancelledError)
        self.assertEqual([7, 7], [self.successResultOf(d) for d in (first, third)])


class SharedCallsTests(SynchronousTestCase):
    """Calls by key, each shared by its callers."""

    def setUp(self):
        self.calls = []
        self.shared = SharedCalls()

    def join(self, key):
        def function():
            self.calls.append((key, Deferred()))
            return self.calls[-1][1]

        return self.shared.join(key, function)

    def keys(self):
        return [key for key, _ in self.calls]

    def test_same_key(self):
        """Callers with one key share a call and its result."""
        callers = [self.join(u"a"), self.join(u"a")]
        self.calls[0][1].callback(7)
        self.assertEqual([7, 7], [self.successResultOf(d) for d in callers])
        self.assertEqual([u"a"], self.keys())

    def test_other_key(self):
        """Each key has a call of its own."""
        first, second = self.join(u"a"), self.join(u"b")
        self.calls[1][1].callback(8)
        self.assertEqual(8, self.successResultOf(second))
        self.assertNoResult(first)

    def test_forgotten(self):
        """A key is forgotten with its result or failure; the next caller starts another call."""
        first = self.join(u"a")
        self.calls[0][1].errback(ValueError("x"))
        self.failureResultOf(first, ValueError)
        second = self.join(u"a")
        self.calls[1][1].callback(8)
        self.assertEqual(8, self.successResultOf(second))
        self.join(u"a")
        self.assertEqual([u"a"] * 3, self.keys())

    def test_forgotten_when_cancelled(self):
        """The key of a call whose last caller leaves is forgotten."""
        left = self.join(u"a")
        left.cancel()
        self.failureResultOf(left, CancelledError)
        second = self.join(u"a")
        self.calls[1][1].callback(8)
        self.assertEqual(8, self.successResultOf(second))

    def test_forgotten_before_the_result(self):
        """A caller can start the key's next call from the callback of the previous one."""
        d = self.join(u"a").addCallback(lambda _: self.join(u"a"))
        self.calls[0][1].callback(7)
        self.assertNoResult(d)
        self.calls[1][1].callback(8)
        self.assertEqual(8, self.successResultOf(d))

    def test_synchronous(self):
        """A call that ends at once leaves no key behind."""
        answers = iter([1, 2])
        results = [self.shared.join(u"a", lambda: next(answers)) for _ in range(2)]
        self.assertEqual([1, 2], [self.successResultOf(d) for d in results])

    def test_all_leave(self):
        """Cancelling the last caller cancels the call, and the key's next caller starts another."""
        left = self.join(u"a")
        left.cancel()
        self.failureResultOf(left, CancelledError)
        self.assertTrue(self.calls[0][1].called)
        stays = self.join(u"a")
        self.calls[1][1].callback(8)
        self.assertEqual(8, self.successResultOf(stays))

    def test_late_end_of_a_cancelled_call(self):
        """A cancelled call that ends late does not end the sharing of the key's next call."""
        late = Deferred()
        left = self.shared.join(u"a", lambda: Deferred().addErrback(lambda _: late))
        left.cancel()
        self.failureResultOf(left, CancelledError)
        first = self.join(u"a")
        late.callback(None)
        second = self.join(u"a")
        self.assertEqual([u"a"], self.keys())
        self.calls[0][1].callback(8)
        self.assertEqual([8, 8], [self.successResultOf(d) for d in (first, second)])


class WithDeadlineTests(SynchronousTestCase):
    """Deferreds with a deadline."""

    def setUp(self):
        self.clock = Clock()

    def limited(self, d):
        return with_deadline(self.clock.callLater, 5, d, lambda: KeyError("late"))

    def test_in_time(self):
        """A Deferred that fires in time keeps its result, and no timer remains."""
        d = self.limited(succeed(3))
        self.assertEqual(3, self.successResultOf(d))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_no_cycle(self):
        """A deadline that has ended is not garbage in a cycle with its timer."""

        class Timer(object):
            def __init__(self, seconds, function):
                self.function = function

            def cancel(self):
                ended.append(weakref.ref(self))

        ended = []
        gc.disable()
        self.addCleanup(gc.enable)
        with_deadline(Timer, 5, succeed(3), KeyError)
        self.assertEqual([None], [timer() for timer in ended])

    def test_fails_in_time(self):
        """A Deferred that fails in time keeps its failure."""
        inner = Deferred()
        d = self.limited(inner)
        inner.errback(ValueError("x"))
        self.failureResultOf(d, ValueError)

    def test_late(self):
        """A late Deferred is cancelled, and fails with the deadline's error."""
        d = self.limited(Deferred())
        self.clock.advance(5)
        self.failureResultOf(d, KeyError)

    def test_extended(self):
        """A deadline is extended for as long as there are reasons to, and then holds."""
        extensions = [3, 2, 0]
        d = with_deadline(
            self.clock.callLater, 5, Deferred(), lambda: KeyError("late"), lambda: extensions.pop(0)
        )
        self.clock.pump([5, 3, 1])
        self.assertNoResult(d)
        self.clock.advance(1)
        self.failureResultOf(d, KeyError)

    def test_ends_in_the_extension(self):
        """A Deferred that fires within the extension keeps its result, and no timer remains."""
        inner = Deferred()
        d = with_deadline(self.clock.callLater, 5, inner, lambda: KeyError("late"), lambda: 3)
        self.clock.advance(6)
        inner.callback(4)
        self.assertEqual(4, self.successResultOf(d))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_cancelled_by_the_caller(self):
        """A cancellation by the caller is not reported as a timeout."""
        d = self.limited(Deferred())
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_late_answer(self):
        """A result that the cancellation itself brings about is kept."""
        d = self.limited(Deferred(lambda inner: inner.callback(3)))
        self.clock.advance(5)
        self.assertEqual(3, self.successResultOf(d))

    def test_timer_after_the_end(self):
        """A timer that goes off after the end does not cancel the work of later callbacks."""
        timers, cancelled = [], []

        class RunningTimer(object):
            cancel = staticmethod(lambda: None)

        d = with_deadline(lambda _, f: timers.append(f) or RunningTimer, 5, Deferred(), KeyError)
        d.addCallback(lambda _: Deferred(cancelled.append))
        d.callback(3)
        timers[0]()
        self.assertEqual([], cancelled)


class AllOfTests(SynchronousTestCase):
    """Several Deferreds, waited for together."""

    def setUp(self):
        self.cancelled = []
        self.waits = [Deferred(self.cancelled.append) for _ in range(3)]
        self.d = all_of(self.waits)

    def test_results(self):
        """The results come in the order of the Deferreds."""
        for number in (2, 0, 1):
            self.waits[number].callback(number)
        self.assertEqual([0, 1, 2], self.successResultOf(self.d))

    def test_none(self):
        """An empty list of Deferreds gives an empty list of results."""
        self.assertEqual([], self.successResultOf(all_of([])))

    def test_failure(self):
        """The first failure is the failure of all, and the other Deferreds are cancelled."""
        error = ValueError()
        self.waits[0].callback(0)
        self.waits[1].errback(error)
        self.assertIs(error, self.failureResultOf(self.d, ValueError).value)
        self.assertEqual([self.waits[2]], self.cancelled)

    def test_cancelled(self):
        """Cancelling reaches the Deferreds, and later the Deferred that a callback returns."""
        self.d.cancel()
        self.failureResultOf(self.d, CancelledError)
        self.assertEqual(self.waits, self.cancelled)
        behind = Deferred(self.cancelled.append)
        d = all_of([succeed(1)]).addCallback(lambda _: behind)
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertIs(behind, self.cancelled[-1])

# -*- test-case-name: tests.driver.polling.test_shared -*-
"""
Polls that callers share.

A poll that fails for a transient reason is repeated, and the caller keeps waiting until its
deadline, which the caller keeps.
"""

from __future__ import absolute_import, division, print_function

from collections import OrderedDict
from heapq import heappop, heappush
from itertools import count

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from ..._log import POLL_FAILED
from ..._support.eliot_context import copy_context, in_current_context, resume_context
from ...errors import (
    CertificateRejected,
    RateLimited,
    ServiceBroken,
    TransportError,
)
from .timing import Pace

MYPY = False
if MYPY:
    from typing import Any, Callable, Iterable, List, Optional, Tuple  # noqa: F401

    from twisted.internet.interfaces import IDelayedCall, IReactorTime  # noqa: F401

    from .timing import Intervals  # noqa: F401

def is_passing(failure):
    # type: (Failure) -> bool
    """
    Check whether polling again may help.

    :param failure: a ``Failure``.
    :return: ``bool``.
    """
    if failure.check(CertificateRejected):
        return False
    return failure.check(TransportError, ServiceBroken, RateLimited) is not None


def _ignore(failure):
    # type: (Failure) -> None
    pass


def _any(result):
    # type: (Any) -> bool
    return True


class Waiter(object):
    """
    A caller that waits for a poll of a subject.

    :ivar pace: the :class:`~txstorage.driver.polling.timing.Pace` of its polls.
    :ivar bool repeats: whether a poll that fails for a transient reason is repeated.
    :ivar failed: called with the ``Failure`` of each poll that is repeated.
    :ivar ends: called with the result of each poll; returns whether it ends the wait.
    :ivar answer: fires in the caller's Eliot action with the result that ends the wait; ``None``
        once that has happened or the wait was cancelled.
    :ivar alone: polls the subject in the caller's Eliot action, when no other caller shares the
        poll; ``None`` for a caller that waits, whose polls are tasks of their own.
    :ivar poll: the poll in progress that will answer, or ``None``.
    """

    # Thousands may wait, so that each object of a wait counts.
    __slots__ = (
        "_context", "_shared", "alone", "answer", "due", "ends", "failed", "hasty", "pace", "poll",
        "repeats", "subject",
    )

    def __init__(self, shared, subject, pace, repeats, failed, ends=_any):
        # type: (SharedPoll, Any, Pace, bool, Callable[[Failure], object], Callable[[Any], bool]) -> None
        self._shared = shared
        self._context = copy_context()  # type: Any
        self.subject = subject
        self.pace = pace
        self.repeats = repeats
        self.failed = failed
        self.ends = ends
        self.alone = None  # type: Optional[Callable[[Any], Deferred[Any]]]
        self.hasty = False
        self.due = 0.0
        self.answer = Deferred(self._leave)  # type: Optional[Deferred[Any]]
        self.poll = None  # type: Optional[Poll]

    def take(self, result):
        # type: (Any) -> bool
        """
        Take a poll's result.

        :return: whether the wait has ended.
        """
        try:
            ended = isinstance(result, Failure) or self.ends(result)
        except Exception:
            result, ended = Failure(), True
        if ended:
            answer, context = self.answer, self._context
            self._end()
            # A poll that stays reachable from its callers would be garbage in a cycle.
            self.poll = None
            if answer is not None:
                context.run(answer.callback, result)
        return ended

    def _leave(self, _):
        # type: (Deferred[Any]) -> None
        self._end()
        self._shared.leave(self)

    def _end(self):
        # type: () -> None
        # The times of polls have the waiter until it would be due, but not its caller.
        self.answer = self._context = None
        self.ends, self.failed = _any, _ignore


class Poll(object):
    """Requests in progress, and the callers that wait for them."""

    def __init__(self, waiters):
        # type: (List[Waiter]) -> None
        self.waiters = waiters
        self.deferred = None  # type: Optional[Deferred[Any]]
        for waiter in waiters:
            waiter.poll = self

    def abandoned(self):
        # type: () -> bool
        return all(waiter.answer is None for waiter in self.waiters)

    def sender(self, shared):
        # type: (Callable[[Any], Deferred[Any]]) -> Callable[[Any], Deferred[Any]]
        """:return: the function that polls, of the only caller or else ``shared``."""
        alone = self.waiters[0].alone if len(self.waiters) == 1 else None
        return shared if alone is None else alone


class SharedPoll(object):
    """
    Polls subjects repeatedly, once for all callers that wait for the same subject.

    :param reactor: provides ``IReactorTime``.
    :param poll: called with a subject; returns a ``Deferred``.
    :param Intervals intervals: the intervals between polls.
    """

    def __init__(self, reactor, poll, intervals):
        # type: (IReactorTime, Callable[[Any], Deferred[Any]], Intervals) -> None
        self._reactor = reactor
        self._poll = poll
        self._intervals = intervals
        # In the order of their arrival, in which they are answered.
        self._waiting = OrderedDict()  # type: OrderedDict[Any, List[Waiter]]
        # The times at which they are due.  A time that is no longer its waiter's is passed over.
        self._times = []  # type: List[Tuple[float, int, Waiter]]
        self._entries = count()
        self._tick = None  # type: Optional[IDelayedCall]
        self._tick_at = 0.0

    def pace(self, at_once=False):
        # type: (bool) -> Pace
        """
        Begin to wait for something whose duration is unknown.

        :param bool at_once: whether the first poll takes place without an interval.
        :return: a :class:`~txstorage.driver.polling.timing.Pace`.
        """
        return Pace(self._reactor, self._intervals, at_once=at_once)

    def look(self, subject):
        # type: (Any) -> Deferred[Any]
        """
        Poll a subject in the reactor's next iteration, so that all callers of this iteration share
        the poll.

        :param subject: an id.
        :return: a ``Deferred`` that fires with the result of the poll, or fails as the poll does.
        """
        waiter = Waiter(self, subject, self.pace(at_once=True), False, _ignore)
        waiter.alone = in_current_context(self._poll)
        return self._wait(waiter)

    def next_poll(self, subject, pace, failed=_ignore, ends=_any):
        # type: (Any, Pace, Callable[[Failure], object], Callable[[Any], bool]) -> Deferred[Any]
        """
        Poll a subject when its pace says so, together with all other subjects that are due, until a
        result ends the wait.  The result is that of a request sent after this call.

        Polls that do not end the wait leave nothing behind, however many there are.

        :param subject: an id.
        :param Pace pace: the times of the caller's polls.
        :param failed: called with the ``Failure`` of each poll that is repeated.
        :param ends: called with the result of each poll; returns whether it ends the wait, as any
            does by default.
        :return: a ``Deferred`` that fires with the result of the last poll.  It fails only when
            polling again can't help, or as ``ends`` does.
        """
        return self._wait(Waiter(self, subject, pace, True, failed, ends))

    def _wait(self, waiter):
        # type: (Waiter) -> Deferred[Any]
        answer = waiter.answer
        self._enter(waiter)
        return answer  # type: ignore[return-value]

    def _enter(self, waiter):
        # type: (Waiter) -> None
        waiter.poll = None
        waiter.hasty = waiter.pace.at_once
        self._waiting.setdefault(waiter.subject, []).append(waiter)
        self._be_due(waiter, self._reactor.seconds() + waiter.pace.delay())

    def _be_due(self, waiter, at):
        # type: (Waiter, float) -> None
        waiter.due = at
        heappush(self._times, (at, next(self._entries), waiter))
        self._tick_by(at)

    def leave(self, waiter):
        # type: (Waiter) -> None
        """
        Forget a caller that no longer waits.

        :param Waiter waiter: the caller.
        """
        if waiter.poll is None:
            waiters = self._waiting[waiter.subject]
            waiters.remove(waiter)
            if not waiters:
                del self._waiting[waiter.subject]
            if not self._waiting:
                self._stop()
        elif waiter.poll.deferred is not None and waiter.poll.abandoned():
            waiter.poll.deferred.cancel()

    def _tick_by(self, due):
        # type: (float) -> None
        if self._tick is not None:
            if self._tick_at <= due:
                return
            self._tick.cancel()
        self._tick_at = due
        delay = max(0.0, due - self._reactor.seconds())
        self._tick = self._reactor.callLater(delay, self._ticked)

    def _stop(self):
        # type: () -> None
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        self._times = []

    def _ticked(self):
        # type: () -> None
        self._tick = None
        due = self._take_due(self._reactor.seconds())
        if due:
            self._poll_due(due)
        self._take_due(float("-inf"))
        if self._times:
            self._tick_by(self._times[0][0])

    def _take_due(self, now):
        # type: (float) -> List[Waiter]
        """Remove the times up to now, and those at the beginning that are not a waiter's."""
        due = []  # type: List[Waiter]
        while self._times:
            at, _, waiter = self._times[0]
            current = waiter.answer is not None and waiter.poll is None and waiter.due == at
            if current and at > now:
                break
            heappop(self._times)
            if current:
                due.append(waiter)
        return due

    def _postpone(self, due, until):
        # type: (List[Waiter], float) -> None
        for waiter in due:
            self._be_due(waiter, until)

    def _poll_due(self, due):
        # type: (List[Waiter]) -> None
        # A poll also answers the subject's waiters that are not due yet.
        subjects = OrderedDict((waiter.subject, None) for waiter in due)
        self._poll_each([(subject, self._waiting.pop(subject)) for subject in subjects])

    def _poll_each(self, waiting):
        # type: (Iterable[Tuple[Any, List[Waiter]]]) -> None
        # Create all before the first request: the callbacks of one caller may cancel another.
        polls = [(subject, Poll(waiters)) for subject, waiters in waiting]
        for subject, poll in polls:
            if not poll.abandoned():
                poll.deferred = requests = poll.sender(self._poll)(subject)
                requests.addCallbacks(
                    self._answer, self._failed, callbackArgs=(poll,), errbackArgs=(poll,)
                )

    def _answer(self, result, poll):
        # type: (Any, Poll) -> None
        for waiter in poll.waiters:
            # The callbacks of one caller may cancel another: check each time.
            if waiter.answer is not None and not waiter.take(result):
                self._enter(waiter)

    def _failed(self, failure, poll):
        # type: (Failure, Poll) -> None
        if not is_passing(failure):
            self._answer(failure, poll)
            return
        waiters = [waiter for waiter in poll.waiters if waiter.answer is not None]
        again = sum(waiter.repeats for waiter in waiters)
        if again:
            POLL_FAILED(reason=failure.getErrorMessage(), waiting=again).write()
        for waiter in waiters:
            if waiter.repeats:
                waiter.failed(failure)
                self._enter(waiter)
            else:
                waiter.take(failure)


def until(reactor, intervals, poll, satisfied, failed=_ignore):
    # type: (IReactorTime, Intervals, Callable[[], Deferred[Any]], Callable[[Any], bool], Callable[[Failure], object]) -> Deferred[Any]
    """
    Poll repeatedly until a result satisfies a condition.

    :param reactor: provides ``IReactorTime``.
    :param Intervals intervals: the intervals between polls, after the first.
    :param poll: called without arguments; returns a ``Deferred``.
    :param satisfied: called with the result; returns ``bool``.
    :param failed: called with the ``Failure`` of each poll that is repeated.
    :return: a ``Deferred`` that fires with the satisfying result; it can be cancelled.  It fails
        only when polling again can't help.
    """
    return _Repetition(reactor, intervals, poll, satisfied, failed).poll_now()


class _Repetition(object):
    """Polls that are repeated; see :func:`until`."""

    def __init__(self, reactor, intervals, poll, satisfied, failed):
        # type: (IReactorTime, Intervals, Callable[[], Deferred[Any]], Callable[[Any], bool], Callable[[Failure], object]) -> None
        self._reactor = reactor
        self._pace = Pace(reactor, intervals)
        self._poll = poll
        self._satisfied = satisfied
        self._failed = failed

    def poll_now(self):
        # type: () -> Deferred[Any]
        return self._poll().addCallbacks(self._got, self._not_got)

    def _got(self, result):
        # type: (Any) -> Any
        return result if self._satisfied(result) else self._poll_later()

    def _not_got(self, failure):
        # type: (Failure) -> Any
        if not is_passing(failure):
            return failure
        self._failed(failure)
        return self._poll_later()

    def _poll_later(self):
        # type: () -> Deferred[Any]
        pause = resume_context(deferLater(self._reactor, self._pace.delay(), lambda: None))
        return pause.addCallback(lambda _: self.poll_now())


__all__ = ["SharedPoll", "is_passing", "until"]

# -*- test-case-name: tests.driver.test_polling -*-
"""
One shared poll for all waiting operations.

Waiting costs the cloud one exchange per tick, not one per volume: when several operations wait, one
filtered list serves them all; when few do, single GETs are cheaper, and the watcher picks the
cheaper.  A poll that fails for a transient reason is repeated, and the operation keeps waiting
until its deadline, which the caller keeps.
"""

from __future__ import absolute_import, division, print_function

from random import random

import attr
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from txaio._common import _BatchedTimer

from .._log import POLL_FAILED
from .._support.eliot_context import resume_context
from ..errors import (
    CertificateRejected,
    RateLimited,
    ServiceBroken,
    TransportError,
)
from ..interfaces import UnknownVolume

MYPY = False
if MYPY:
    from typing import Any, Callable, List, Mapping, Optional, Text  # noqa: F401

    from twisted.internet.interfaces import IDelayedCall, IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..clouds.interface import IVolumeService  # noqa: F401
    from ..clouds.values import Volume, VolumePage  # noqa: F401

# The number of polls of a caller that does not wait before its first poll.
_AT_ONCE = -1


@attr.s(frozen=True)
class Intervals(object):
    """
    The intervals between polls, which grow from the first to the longest.

    :ivar float first: seconds before the first poll.
    :ivar float factor: the ratio of each interval to the one before.
    :ivar float longest: the maximum interval, in seconds.
    :ivar float jitter: the fraction of itself by which each interval varies, so that nodes that
        start together do not stay together.
    :ivar random: returns a number from 0 to 1.
    """

    first = attr.ib(default=0.2)  # type: float
    factor = attr.ib(default=1.6)  # type: float
    longest = attr.ib(default=2.0)  # type: float
    jitter = attr.ib(default=0.2)  # type: float
    random = attr.ib(default=random, repr=False)  # type: Callable[[], float]

    def seconds(self, polls):
        # type: (int) -> float
        """
        :param int polls: the number of polls so far.
        :return: ``float``, seconds until the next poll.
        """
        # the exponent is capped because a float overflows long before a wait ends
        interval = min(self.longest, self.first * self.factor ** min(polls, 64))
        return interval * (1 + self.jitter * (2 * self.random() - 1))


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


def make_timer(reactor):
    # type: (IReactorTime) -> Callable[[float, Callable[[], object]], Any]
    """
    Make a timer for the deadlines of many operations, at the price of one timer per second.

    txaio rounds down to the second, so a second is added: a deadline is late by up to a second and
    never early.  txaio's public constructor takes the global reactor, hence the private class;
    no release up to txaio 26.6 has a public one that takes a reactor.

    :return: ``(seconds, function) -> object with .cancel()``.
    """
    timer = _BatchedTimer(1000.0, 100, reactor.seconds, reactor.callLater)

    def call_later(seconds, function):
        # type: (float, Callable[[], object]) -> Any
        return timer.call_later(seconds + 1, function)

    return call_later


def _ignore(failure):
    # type: (Failure) -> None
    pass


class _Waiter(object):
    """
    A caller that waits for a poll of a subject.

    :ivar failed: called with the ``Failure`` of each poll that is repeated.
    :ivar answer: the ``Deferred`` to fire; ``None`` once it has fired or was cancelled.
    :ivar poll: the poll in progress that will answer, or ``None``.
    """

    def __init__(self, subject, polls, failed):
        # type: (Text, int, Callable[[Failure], object]) -> None
        self.subject = subject
        self.polls = polls
        self.failed = failed
        self.due = 0.0
        self.answer = None  # type: Optional[Deferred[Any]]
        self.poll = None  # type: Optional[_Poll]


class _Poll(object):
    """Requests in progress, and the callers that wait for them."""

    def __init__(self, waiters):
        # type: (List[_Waiter]) -> None
        self.waiters = waiters
        self.deferred = None  # type: Optional[Deferred[Any]]
        for waiter in waiters:
            waiter.poll = self

    def abandoned(self):
        # type: () -> bool
        return all(waiter.answer is None for waiter in self.waiters)

    def answer(self, result):
        # type: (Any) -> None
        for waiter in self.waiters:
            # The callbacks of one caller may cancel another: check each time.
            if waiter.answer is not None:
                answer, waiter.answer = waiter.answer, None
                answer.callback(result)


class SharedPoll(object):
    """
    Polls subjects repeatedly, once for all callers that wait for the same subject.

    :param reactor: provides ``IReactorTime``.
    :param poll: called with a subject; returns a ``Deferred``.
    :param Intervals intervals: the intervals between polls.
    """

    def __init__(self, reactor, poll, intervals):
        # type: (IReactorTime, Callable[[Text], Deferred[Any]], Intervals) -> None
        self._reactor = reactor
        self._poll = poll
        self._intervals = intervals
        self._waiting = []  # type: List[_Waiter]
        self._tick = None  # type: Optional[IDelayedCall]

    def first_poll(self, subject, failed=_ignore):
        # type: (Text, Callable[[Failure], object]) -> Deferred[Any]
        """
        Poll as :meth:`next_poll` does, but without an interval: in the reactor's next iteration, so
        that all callers of this iteration share the poll.
        """
        return self.next_poll(subject, _AT_ONCE, failed)

    def next_poll(self, subject, polls, failed=_ignore):
        # type: (Text, int, Callable[[Failure], object]) -> Deferred[Any]
        """
        Poll a subject after the interval, together with all other subjects that are due.  The
        result is that of a request sent after this call.

        :param text subject: an id.
        :param int polls: the number of the caller's polls so far; the more, the longer the
            interval.
        :param failed: called with the ``Failure`` of each poll that is repeated.
        :return: a ``Deferred`` that fires with the result of the poll.  It fails only when polling
            again can't help.
        """
        waiter = _Waiter(subject, polls, failed)
        answer = Deferred(lambda _: self._leave(waiter))  # type: Deferred[Any]
        waiter.answer = answer
        self._enter(waiter)
        return resume_context(answer)

    def _enter(self, waiter):
        # type: (_Waiter) -> None
        waiter.poll = None
        waiter.due = self._reactor.seconds()
        if waiter.polls != _AT_ONCE:
            waiter.due += self._intervals.seconds(waiter.polls)
        self._waiting.append(waiter)
        self._schedule()

    def _leave(self, waiter):
        # type: (_Waiter) -> None
        waiter.answer = None
        if waiter.poll is None:
            self._waiting.remove(waiter)
            self._schedule()
        elif waiter.poll.deferred is not None and waiter.poll.abandoned():
            waiter.poll.deferred.cancel()

    def _schedule(self):
        # type: () -> None
        if self._tick is not None and self._tick.active():
            self._tick.cancel()
        self._tick = None
        if self._waiting:
            due = min(waiter.due for waiter in self._waiting)
            self._tick = self._reactor.callLater(
                max(0.0, due - self._reactor.seconds()), self._poll_due
            )

    def _poll_due(self):
        # type: () -> None
        waiting, now = self._waiting, self._reactor.seconds()
        # A poll also answers the subject's waiters that are not due yet.
        due = {waiter.subject for waiter in waiting if waiter.due <= now}
        self._waiting = [waiter for waiter in waiting if waiter.subject not in due]
        self._poll_each([waiter for waiter in waiting if waiter.subject in due])
        self._schedule()

    def _poll_each(self, waiters):
        # type: (List[_Waiter]) -> None
        subjects = sorted({waiter.subject for waiter in waiters})
        # Create all before the first request: the callbacks of one caller may cancel another.
        polls = [_Poll([w for w in waiters if w.subject == subject]) for subject in subjects]
        for subject, poll in zip(subjects, polls):
            if not poll.abandoned():
                poll.deferred = requests = self._poll(subject)
                requests.addCallbacks(poll.answer, self._failed, errbackArgs=(poll,))

    def _failed(self, failure, poll):
        # type: (Failure, _Poll) -> None
        if not is_passing(failure):
            poll.answer(failure)
            return
        waiters = [waiter for waiter in poll.waiters if waiter.answer is not None]
        POLL_FAILED(reason=failure.getErrorMessage(), waiting=len(waiters)).write()
        for waiter in waiters:
            waiter.failed(failure)
            waiter.polls += 1
            self._enter(waiter)


class Watcher(SharedPoll):
    """
    Polls volumes: a poll fires with the :class:`~txstorage.clouds.Volume`, or ``None`` when the
    volume does not exist.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param dict labels: the labels that every volume of interest has.
    :param Intervals intervals: the intervals between polls.
    """

    def __init__(self, reactor, service, labels, intervals):
        # type: (IReactorTime, IVolumeService, Mapping[Text, Text], Intervals) -> None
        SharedPoll.__init__(self, reactor, self.poll, intervals)
        self._service = service
        self._labels = labels
        self._list_cost = 1

    def poll(self, volume_id):
        # type: (Text) -> Deferred[Optional[Volume]]
        """
        Poll one volume now.

        :return: a ``Deferred`` that fires with the :class:`~txstorage.clouds.Volume`, or ``None``
            when the volume does not exist.
        """
        d = self._service.get_volume(volume_id)
        return d.addErrback(_no_volume)

    def _poll_due(self):
        # type: () -> None
        if len({waiter.subject for waiter in self._waiting}) > self._list_cost:
            waiting, self._waiting = self._waiting, []
            self._poll_all(waiting)
            self._schedule()
        else:
            SharedPoll._poll_due(self)

    def _poll_all(self, waiters):
        # type: (List[_Waiter]) -> None
        poll = _Poll(waiters)
        poll.deferred = listed = self._service.list_volumes(self._labels)
        listed.addCallbacks(
            self._got_list, self._failed, callbackArgs=(poll,), errbackArgs=(poll,)
        )

    def _got_list(self, page, poll):
        # type: (VolumePage, _Poll) -> None
        self._list_cost = page.requests
        listed = {volume.volume_id: volume for volume in page.volumes}
        waiters = [waiter for waiter in poll.waiters if waiter.answer is not None]
        # Absence from a list proves nothing; only a direct GET does.
        self._poll_each([w for w in waiters if w.subject not in listed])
        for waiter in waiters:
            if waiter.subject in listed:
                _Poll([waiter]).answer(listed[waiter.subject])


def _no_volume(failure):
    # type: (Failure) -> None
    failure.trap(UnknownVolume)


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

    def attempt(polls):
        # type: (int) -> Deferred[Any]
        d = poll()
        return d.addCallbacks(finish, retry, callbackArgs=(polls,), errbackArgs=(polls,))

    def finish(result, polls):
        # type: (Any, int) -> Any
        return result if satisfied(result) else later(polls)

    def retry(failure, polls):
        # type: (Failure, int) -> Any
        if not is_passing(failure):
            return failure
        failed(failure)
        return later(polls)

    def later(polls):
        # type: (int) -> Deferred[Any]
        pause = resume_context(deferLater(reactor, intervals.seconds(polls), lambda: None))
        return pause.addCallback(lambda _: attempt(polls + 1))

    return attempt(0)


__all__ = ["Intervals", "SharedPoll", "Watcher", "is_passing", "make_timer", "until"]

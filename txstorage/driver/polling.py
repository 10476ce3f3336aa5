# -*- test-case-name: tests.driver.test_polling -*-
"""
One shared poll for all waiting operations.

Waiting costs the cloud one exchange per tick, not one per volume: when several operations wait, one
filtered list serves them all; when few do, single GETs are cheaper, and the watcher picks the
cheaper. A poll that fails for a transient reason is ignored, and the operation keeps waiting until
its deadline, which is kept elsewhere.
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

# The number of polls of a caller that need not wait before the first.
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

    def seconds(self, looks):
        # type: (int) -> float
        """
        :param int looks: the number of polls so far.
        :return: ``float``, seconds until the next poll.
        """
        # the exponent is capped because a float overflows long before a wait ends
        interval = min(self.longest, self.first * self.factor ** min(looks, 64))
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
    never early.  Its public constructor would take the global reactor, hence the private class;
    txaio 26.6 still has no other way.

    :return: ``(seconds, function) -> object with .cancel()``.
    """
    timer = _BatchedTimer(1000.0, 100, reactor.seconds, reactor.callLater)

    def call_later(seconds, function):
        # type: (float, Callable[[], object]) -> Any
        return timer.call_later(seconds + 1, function)

    return call_later


class _Waiter(object):
    """
    A caller that waits for a poll of a subject.

    :ivar answer: the ``Deferred`` to fire; ``None`` once it has been fired or cancelled.
    :ivar look: the poll under way that will answer, or ``None``.
    """

    def __init__(self, subject, looks):
        # type: (Text, int) -> None
        self.subject = subject
        self.looks = looks
        self.due = 0.0
        self.answer = None  # type: Optional[Deferred[Any]]
        self.look = None  # type: Optional[_Look]


class _Look(object):
    """Requests under way, and the callers that wait for them."""

    def __init__(self, waiters):
        # type: (List[_Waiter]) -> None
        self.waiters = waiters
        self.deferred = None  # type: Optional[Deferred[Any]]
        for waiter in waiters:
            waiter.look = self

    def abandoned(self):
        # type: () -> bool
        return all(waiter.answer is None for waiter in self.waiters)

    def answer(self, result):
        # type: (Any) -> None
        for waiter in self.waiters:
            # a caller that is answered may cancel another: check each time
            if waiter.answer is not None:
                answer, waiter.answer = waiter.answer, None
                answer.callback(result)


class SharedPoll(object):
    """
    Polls subjects again and again, once for all callers that wait for the same subject.

    :param reactor: provides ``IReactorTime``.
    :param look: called with a subject; returns a ``Deferred``.
    :param Intervals intervals: the intervals between polls.
    """

    def __init__(self, reactor, look, intervals):
        # type: (IReactorTime, Callable[[Text], Deferred[Any]], Intervals) -> None
        self._reactor = reactor
        self._look = look
        self._intervals = intervals
        self._waiting = []  # type: List[_Waiter]
        self._tick = None  # type: Optional[IDelayedCall]

    def first_look(self, subject):
        # type: (Text) -> Deferred[Any]
        """
        Poll as :meth:`next_look` does, but without an interval before: as soon as all callers of
        this very moment have asked.
        """
        return self.next_look(subject, _AT_ONCE)

    def next_look(self, subject, looks):
        # type: (Text, int) -> Deferred[Any]
        """
        Poll a subject again when it is time, together with all others that are waited for.  The
        result was seen by a request that began after this call.

        :param text subject: an id.
        :param int looks: the number of the caller's polls so far; the more, the longer the
            interval.
        :return: a ``Deferred`` that fires with the result of the poll.  Fails only when polling
            again can't help.
        """
        waiter = _Waiter(subject, looks)
        answer = Deferred(lambda _: self._leave(waiter))  # type: Deferred[Any]
        waiter.answer = answer
        self._enter(waiter)
        return resume_context(answer)

    def _enter(self, waiter):
        # type: (_Waiter) -> None
        waiter.look = None
        waiter.due = self._reactor.seconds()
        if waiter.looks != _AT_ONCE:
            waiter.due += self._intervals.seconds(waiter.looks)
        self._waiting.append(waiter)
        self._schedule()

    def _leave(self, waiter):
        # type: (_Waiter) -> None
        waiter.answer = None
        if waiter.look is None:
            self._waiting.remove(waiter)
            self._schedule()
        elif waiter.look.deferred is not None and waiter.look.abandoned():
            waiter.look.deferred.cancel()

    def _schedule(self):
        # type: () -> None
        if self._tick is not None and self._tick.active():
            self._tick.cancel()
        self._tick = None
        if self._waiting:
            due = min(waiter.due for waiter in self._waiting)
            self._tick = self._reactor.callLater(
                max(0.0, due - self._reactor.seconds()), self._look_around
            )

    def _look_around(self):
        # type: () -> None
        waiting, now = self._waiting, self._reactor.seconds()
        # a poll answers the waiters that are not due yet just as well
        due = {waiter.subject for waiter in waiting if waiter.due <= now}
        self._waiting = [waiter for waiter in waiting if waiter.subject not in due]
        self._look_at_each([waiter for waiter in waiting if waiter.subject in due])
        self._schedule()

    def _look_at_each(self, waiters):
        # type: (List[_Waiter]) -> None
        subjects = sorted({waiter.subject for waiter in waiters})
        # all before the first poll: a caller that is answered may cancel another
        looks = [_Look([w for w in waiters if w.subject == subject]) for subject in subjects]
        for subject, look in zip(subjects, looks):
            if not look.abandoned():
                look.deferred = requests = self._look(subject)
                requests.addCallbacks(look.answer, self._failed, errbackArgs=(look,))

    def _failed(self, failure, look):
        # type: (Failure, _Look) -> None
        if not is_passing(failure):
            look.answer(failure)
            return
        waiters = [waiter for waiter in look.waiters if waiter.answer is not None]
        POLL_FAILED(reason=failure.getErrorMessage(), waiting=len(waiters)).write()
        for waiter in waiters:
            waiter.looks += 1
            self._enter(waiter)


class Watcher(SharedPoll):
    """
    Polls volumes: a poll fires with the :class:`~txstorage.clouds.Volume`, or ``None`` when there
    is none.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param dict labels: the labels that every volume of interest has.
    :param Intervals intervals: the intervals between polls.
    """

    def __init__(self, reactor, service, labels, intervals):
        # type: (IReactorTime, IVolumeService, Mapping[Text, Text], Intervals) -> None
        SharedPoll.__init__(self, reactor, self.look, intervals)
        self._service = service
        self._labels = labels
        self._list_cost = 1

    def look(self, volume_id):
        # type: (Text) -> Deferred[Optional[Volume]]
        """
        Poll one volume now.

        :return: a ``Deferred`` that fires with the :class:`~txstorage.clouds.Volume`, or ``None``
            when there is none.
        """
        d = self._service.get_volume(volume_id)
        return d.addErrback(_no_volume)

    def _look_around(self):
        # type: () -> None
        if len({waiter.subject for waiter in self._waiting}) > self._list_cost:
            waiting, self._waiting = self._waiting, []
            self._look_at_all(waiting)
            self._schedule()
        else:
            SharedPoll._look_around(self)

    def _look_at_all(self, waiters):
        # type: (List[_Waiter]) -> None
        look = _Look(waiters)
        look.deferred = listed = self._service.list_volumes(self._labels)
        listed.addCallbacks(
            self._got_list, self._failed, callbackArgs=(look,), errbackArgs=(look,)
        )

    def _got_list(self, page, look):
        # type: (VolumePage, _Look) -> None
        self._list_cost = page.requests
        listed = {volume.volume_id: volume for volume in page.volumes}
        waiters = [waiter for waiter in look.waiters if waiter.answer is not None]
        # absence from a list proves nothing: only a direct GET does
        self._look_at_each([w for w in waiters if w.subject not in listed])
        for waiter in waiters:
            if waiter.subject in listed:
                _Look([waiter]).answer(listed[waiter.subject])


def _no_volume(failure):
    # type: (Failure) -> None
    failure.trap(UnknownVolume)


def until(reactor, intervals, look, satisfied):
    # type: (IReactorTime, Intervals, Callable[[], Deferred[Any]], Callable[[Any], bool]) -> Deferred[Any]
    """
    Poll again and again until the result satisfies.

    :param reactor: provides ``IReactorTime``.
    :param Intervals intervals: the intervals between polls, after the first.
    :param look: called without arguments; returns a ``Deferred``.
    :param satisfied: called with the result; returns ``bool``.
    :return: a ``Deferred`` that fires with the satisfying result; can be cancelled.  Fails only
        when polling again can't help.
    """

    def attempt(looks):
        # type: (int) -> Deferred[Any]
        d = look()
        d.addErrback(lambda failure: failure if not is_passing(failure) else _NOTHING)
        d.addCallback(
            lambda seen: seen
            if seen is not _NOTHING and satisfied(seen)
            else later(looks)
        )
        return d

    def later(looks):
        # type: (int) -> Deferred[Any]
        pause = resume_context(deferLater(reactor, intervals.seconds(looks), lambda: None))
        return pause.addCallback(lambda _: attempt(looks + 1))

    return attempt(0)


_NOTHING = object()

__all__ = ["Intervals", "SharedPoll", "Watcher", "is_passing", "make_timer", "until"]

# -*- test-case-name: tests.driver.test_polling -*-
"""
One shared poll for every operation in flight.

Waiting costs the cloud one exchange a tick, not one a volume: when several
operations wait, one filtered list answers them all; when few do, single GETs
are cheaper, and the watcher picks the cheaper.  A look that fails for a
passing reason is no answer, so the operation goes on waiting: its deadline,
which is not kept here, is what ends it.
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

# How many looks someone took who need not wait for the first.
_AT_ONCE = -1


@attr.s(frozen=True)
class Intervals(object):
    """
    How long to wait before each look: the first, then ever longer.

    :ivar float first: seconds before the first look.
    :ivar float factor: each interval over the one before.
    :ivar float longest: seconds; never more than this.
    :ivar float jitter: each interval is off by up to this part of itself, so
        that many nodes that start together do not stay together.
    :ivar random: returns a number from 0 to 1.
    """

    first = attr.ib(default=0.2)
    factor = attr.ib(default=1.6)
    longest = attr.ib(default=2.0)
    jitter = attr.ib(default=0.2)
    random = attr.ib(default=random, repr=False)

    def seconds(self, looks):
        """
        :param int looks: how many looks were taken already.
        :return: ``float``, seconds until the next one.
        """
        # the exponent is capped because a float overflows long before a wait ends
        interval = min(self.longest, self.first * self.factor ** min(looks, 64))
        return interval * (1 + self.jitter * (2 * self.random() - 1))


def is_passing(failure):
    """
    Whether looking again may help.

    :param failure: a ``Failure``.
    :return: ``bool``.
    """
    if failure.check(CertificateRejected):
        return False
    return failure.check(TransportError, ServiceBroken, RateLimited) is not None


def make_timer(reactor):
    """
    Deadlines of many operations for the price of one timer a second.

    txaio rounds down to the second, so a second is added: a deadline is late
    by up to a second and never early.  Its public constructor would take the
    global reactor, hence the private one.

    :return: ``(seconds, function) -> object with .cancel()``.
    """
    timer = _BatchedTimer(1000.0, 100, reactor.seconds, reactor.callLater)

    def call_later(seconds, function):
        return timer.call_later(seconds + 1, function)

    return call_later


class _Waiter(object):
    """
    Somebody who waits for a look at a subject.

    :ivar answer: the ``Deferred`` to fire; ``None`` once that is settled.
    :ivar look: the look under way that will answer, or ``None``.
    """

    def __init__(self, subject, looks):
        self.subject = subject
        self.looks = looks
        self.due = None
        self.answer = None
        self.look = None


class _Look(object):
    """Requests under way, and who waits for them."""

    def __init__(self, waiters):
        self.waiters = waiters
        self.deferred = None
        for waiter in waiters:
            waiter.look = self

    def abandoned(self):
        return all(waiter.answer is None for waiter in self.waiters)

    def answer(self, result):
        for waiter in self.waiters:
            # a caller that is answered may cancel another: ask each time
            if waiter.answer is not None:
                answer, waiter.answer = waiter.answer, None
                answer.callback(result)


class SharedPoll(object):
    """
    Looks at subjects again and again, one look for all who wait for a subject.

    :param reactor: provides ``IReactorTime``.
    :param look: called with a subject; returns a ``Deferred``.
    :param Intervals intervals: when to look.
    """

    def __init__(self, reactor, look, intervals):
        self._reactor = reactor
        self._look = look
        self._intervals = intervals
        self._waiting = []
        self._tick = None

    def first_look(self, subject):
        """
        As :meth:`next_look`, without an interval before: as soon as all who
        want a look at this very moment have asked.
        """
        return self.next_look(subject, _AT_ONCE)

    def next_look(self, subject, looks):
        """
        Look at a subject again, when it is time, together with all the others
        that are waited for.  What it fires with was seen by a request that
        began after this call.

        :param text subject: an id.
        :param int looks: how many looks the caller took already; the more,
            the longer until the next.
        :return: a ``Deferred`` that fires with what was seen.  Fails only when
            looking again can't help.
        """
        waiter = _Waiter(subject, looks)
        waiter.answer = answer = Deferred(lambda _: self._leave(waiter))
        self._enter(waiter)
        return resume_context(answer)

    def _enter(self, waiter):
        waiter.look = None
        waiter.due = self._reactor.seconds()
        if waiter.looks != _AT_ONCE:
            waiter.due += self._intervals.seconds(waiter.looks)
        self._waiting.append(waiter)
        self._schedule()

    def _leave(self, waiter):
        waiter.answer = None
        if waiter.look is None:
            self._waiting.remove(waiter)
            self._schedule()
        elif waiter.look.deferred is not None and waiter.look.abandoned():
            waiter.look.deferred.cancel()

    def _schedule(self):
        if self._tick is not None and self._tick.active():
            self._tick.cancel()
        self._tick = None
        if self._waiting:
            due = min(waiter.due for waiter in self._waiting)
            self._tick = self._reactor.callLater(
                max(0.0, due - self._reactor.seconds()), self._look_around
            )

    def _look_around(self):
        waiting, now = self._waiting, self._reactor.seconds()
        # a look answers those that are not due yet just as well
        due = {waiter.subject for waiter in waiting if waiter.due <= now}
        self._waiting = [waiter for waiter in waiting if waiter.subject not in due]
        self._look_at_each([waiter for waiter in waiting if waiter.subject in due])
        self._schedule()

    def _look_at_each(self, waiters):
        subjects = sorted({waiter.subject for waiter in waiters})
        # all before the first is taken: who is answered may cancel another
        looks = [_Look([w for w in waiters if w.subject == subject]) for subject in subjects]
        for subject, look in zip(subjects, looks):
            if not look.abandoned():
                look.deferred = self._look(subject)
                look.deferred.addCallbacks(look.answer, self._failed, errbackArgs=(look,))

    def _failed(self, failure, look):
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
    Looks at volumes: a look fires with the
    :class:`~txstorage.clouds.Volume`, or ``None`` when there is none.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param dict labels: what every volume of interest has.
    :param Intervals intervals: when to look.
    """

    def __init__(self, reactor, service, labels, intervals):
        SharedPoll.__init__(self, reactor, self.look, intervals)
        self._service = service
        self._labels = labels
        self._list_cost = 1

    def look(self, volume_id):
        """
        Look at one volume now.

        :return: a ``Deferred`` that fires with the
            :class:`~txstorage.clouds.Volume`, or ``None`` when there is none.
        """
        d = self._service.get_volume(volume_id)
        d.addErrback(lambda failure: failure.trap(UnknownVolume) and None)
        return d

    def _look_around(self):
        if len({waiter.subject for waiter in self._waiting}) > self._list_cost:
            waiting, self._waiting = self._waiting, []
            self._look_at_all(waiting)
            self._schedule()
        else:
            SharedPoll._look_around(self)

    def _look_at_all(self, waiters):
        look = _Look(waiters)
        look.deferred = self._service.list_volumes(self._labels)
        look.deferred.addCallbacks(self._got_list, self._failed, (look,), None, (look,))

    def _got_list(self, page, look):
        self._list_cost = page.requests
        listed = {volume.volume_id: volume for volume in page.volumes}
        waiters = [waiter for waiter in look.waiters if waiter.answer is not None]
        # absence from a list proves nothing: a direct look does
        self._look_at_each([w for w in waiters if w.subject not in listed])
        for waiter in waiters:
            if waiter.subject in listed:
                _Look([waiter]).answer(listed[waiter.subject])


def until(reactor, intervals, look, satisfied):
    """
    Look again and again until what is seen satisfies.

    :param reactor: provides ``IReactorTime``.
    :param Intervals intervals: when to look after the first time.
    :param look: called without arguments; returns a ``Deferred``.
    :param satisfied: called with what it fired with; returns ``bool``.
    :return: a ``Deferred`` that fires with what satisfied; can be cancelled.
        Fails only when looking again can't help.
    """

    def attempt(looks):
        d = look()
        d.addErrback(lambda failure: failure if not is_passing(failure) else _NOTHING)
        d.addCallback(
            lambda seen: seen
            if seen is not _NOTHING and satisfied(seen)
            else later(looks)
        )
        return d

    def later(looks):
        pause = resume_context(deferLater(reactor, intervals.seconds(looks), lambda: None))
        return pause.addCallback(lambda _: attempt(looks + 1))

    return attempt(0)


_NOTHING = object()

__all__ = ["Intervals", "SharedPoll", "Watcher", "is_passing", "make_timer", "until"]

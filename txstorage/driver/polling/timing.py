# -*- test-case-name: tests.driver.polling.test_timing -*-
"""
The times of polls and deadlines.

A wait polls first when the cloud has probably finished, by what it took for the same operation
before, and then at growing intervals.
"""

from __future__ import absolute_import, division, print_function

from random import random

import attr
from txaio._common import _BatchedTimer

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Optional, Text  # noqa: F401

    from twisted.internet.interfaces import IReactorTime  # noqa: F401

# A poll after the expected time follows after this fraction of the expected time.
_RESOLUTION = 0.125

# The weight of the latest transition in the running estimate.
_WEIGHT = 0.5


@attr.s(frozen=True)
class Intervals(object):
    """
    The intervals between polls, which grow from the first to the longest.

    :ivar float first: seconds before the first poll.
    :ivar float factor: the ratio of each interval to the one before.
    :ivar float longest: the maximum interval, in seconds.
    :ivar float jitter: the fraction of itself by which each interval varies, so that nodes that
        start together do not stay together.
    :ivar bool learning: whether the first poll waits for the time that the cloud took before.
    :ivar random: returns a number from 0 to 1.
    """

    first = attr.ib(default=0.05)  # type: float
    factor = attr.ib(default=1.15)  # type: float
    longest = attr.ib(default=2.0)  # type: float
    jitter = attr.ib(default=0.2)  # type: float
    learning = attr.ib(default=True)  # type: bool
    random = attr.ib(default=random, repr=False)  # type: Callable[[], float]

    def seconds(self, age, expected=None):
        # type: (float, Optional[float]) -> float
        """
        :param float age: seconds since the wait began.
        :param expected: seconds that the wait will probably take, or ``None``.
        :return: ``float``, seconds until the next poll.
        """
        if expected is None:
            return self._varied(min(self.longest, self.first + (self.factor - 1) * age))
        step = _RESOLUTION * expected
        if age < expected:
            # Late rather than early: a poll before the end is a poll too many.
            left = expected - age + self.jitter * step * self.random()
            return min(self.longest, left)
        return self._varied(min(self.longest, step + (self.factor - 1) * (age - expected)))

    def _varied(self, interval):
        # type: (float) -> float
        return interval * (1 + self.jitter * (2 * self.random() - 1))


class Pace(object):
    """
    The times of one caller's polls.

    :param reactor: provides ``IReactorTime``.
    :param Intervals intervals: the intervals between polls.
    :param expected: seconds that the wait, which begins now, will probably take, or ``None``.
    :param bool at_once: whether the first poll takes place without an interval.

    :ivar bool at_once: whether the next poll does.
    """

    def __init__(self, reactor, intervals, expected=None, at_once=False):
        # type: (IReactorTime, Intervals, Optional[float], bool) -> None
        self._reactor = reactor
        self._intervals = intervals
        self._expected = expected
        self._began = reactor.seconds()
        self.at_once = at_once

    @property
    def age(self):
        # type: () -> float
        """:return: seconds since the wait began."""
        return self._reactor.seconds() - self._began

    def delay(self):
        # type: () -> float
        """:return: seconds from now until the next poll."""
        at_once, self.at_once = self.at_once, False
        return 0.0 if at_once else self._intervals.seconds(self.age, self._expected)


class TransitionTimes(object):
    """
    Running estimates of the seconds that the cloud takes for each operation.

    :param reactor: provides ``IReactorTime``.
    :param Intervals intervals: the intervals between polls.
    """

    def __init__(self, reactor, intervals):
        # type: (IReactorTime, Intervals) -> None
        self._reactor = reactor
        self._intervals = intervals
        self._expected = {}  # type: Dict[Text, Optional[float]]

    def pace(self, operation):
        # type: (Text) -> Pace
        """
        Begin to wait.

        The first wait for an operation polls at once, since a cloud may need no time at all.

        :param text operation: the operation, such as ``u"attach"``.
        :return: a :class:`Pace`.
        """
        unknown = self._intervals.learning and operation not in self._expected
        expected = self._expected.setdefault(operation, None)
        return Pace(self._reactor, self._intervals, expected, at_once=unknown)

    def expected(self, operation):
        # type: (Text) -> Optional[float]
        """:return: seconds that the cloud will probably take; ``None`` when unknown."""
        return self._expected.get(operation)

    def learn(self, operation, after, until):
        # type: (Text, float, float) -> None
        """
        Take account of a transition.

        :param text operation: the operation.
        :param float after: seconds from the request to the last poll before the transition; 0 if
            there was none.
        :param float until: seconds from the request to the poll that saw its result.
        """
        if not self._intervals.learning:
            return
        expected = self.expected(operation)
        # A transition that the first poll found done may have been much shorter.
        seen = (after + until) / 2
        if expected is None:
            self._expected[operation] = seen
        else:
            self._expected[operation] = expected + _WEIGHT * (seen - expected)

    @property
    def resolution(self):
        # type: () -> float
        """:return: seconds: the error of a wait's end that is small beside the wait."""
        known = [each for each in self._expected.values() if each is not None]
        step = _RESOLUTION * min(known) if known else self._intervals.first
        return min(step, self._intervals.longest)


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


__all__ = ["Intervals", "Pace", "TransitionTimes", "make_timer"]

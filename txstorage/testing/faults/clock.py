# -*- test-case-name: tests.testing.test_faults -*-
"""
Steps of the wall clock of the process under test, which a proxy can't cause from outside.
"""

from __future__ import absolute_import, division, print_function

import time

MYPY = False
if MYPY:
    from typing import Any  # noqa: F401

_wall_clock = time.time


class ClockSteps(object):
    """
    Steps of this process's wall clock, as an administrator or NTP causes them.

    ``time.time`` steps, and the reactor's ``seconds`` with it, if that is the wall clock.  A
    reactor whose time is monotonic keeps its time.  Use only one instance at a time.

    :param reactor: a reactor of Twisted's.
    :ivar float offset: the sum of the steps, in seconds.
    """

    def __init__(self, reactor):
        # type: (Any) -> None
        self._reactor = reactor
        self.offset = 0.0

    def _seconds(self):
        # type: () -> float
        return _wall_clock() + self.offset

    def step(self, seconds):
        # type: (float) -> None
        """
        Set the clock forward, or back.

        :param float seconds: the step; negative to set the clock back.
        """
        self.offset += seconds
        time.time = self._seconds
        if self._reactor.seconds is _wall_clock:
            self._reactor.seconds = self._seconds

    def restore(self):
        # type: () -> None
        """Set the clock right again, and remove every trace of this object."""
        self.offset = 0.0
        if time.time == self._seconds:
            time.time = _wall_clock
        if vars(self._reactor).get("seconds") == self._seconds:
            del self._reactor.seconds


__all__ = ["ClockSteps"]

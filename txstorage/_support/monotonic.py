# -*- test-case-name: tests._support.test_monotonic -*-
"""
A reactor whose time does not follow steps of the wall clock.

Twisted's reactors read the time with ``time.time``, from 16.6 to the current release, and compare
it with the due time of each delayed call. When the wall clock steps back by an hour, every timer is
an hour late; when it steps forward, every timer expires at once. This applies to all reactors:
they inherit ``seconds``, ``callLater``, ``timeout`` and ``runUntilCurrent`` from ``ReactorBase``,
and the asyncio reactor asks the same ``timeout`` before it sets a timer of its event loop.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.base import ReactorBase

try:
    from time import monotonic
except ImportError:  # Python 2
    import ctypes

    # Source: clock_gettime(2) and linux/time.h.
    _CLOCK_MONOTONIC = 1

    class _TimeSpec(ctypes.Structure):
        """The ``struct timespec`` of C."""

        _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]

    _clock_gettime = ctypes.CDLL(None, use_errno=True).clock_gettime
    _clock_gettime.argtypes = [ctypes.c_int, ctypes.POINTER(_TimeSpec)]

    def monotonic():
        # type: () -> float
        """Return seconds since an arbitrary moment, on a clock that never steps."""
        now = _TimeSpec()
        if _clock_gettime(_CLOCK_MONOTONIC, ctypes.byref(now)) != 0:
            raise OSError(ctypes.get_errno(), "clock_gettime")
        return float(now.seconds + now.nanoseconds * 1e-9)


MYPY = False
if MYPY:
    from typing import Any  # noqa: F401


class MonotonicSeconds(object):
    """
    A clock that starts at a given time and never steps.

    :param float start: the current time, in seconds.
    """

    def __init__(self, start):
        # type: (float) -> None
        self._offset = start - monotonic()

    def __call__(self):
        # type: () -> float
        """Return the time in seconds."""
        return monotonic() + self._offset


def use_monotonic_time(reactor):
    # type: (Any) -> None
    """
    Make a reactor's own time monotonic, once.

    The time continues from its current value, so that pending delayed calls stay valid. Call in the
    reactor's thread, or before the reactor runs.

    :param reactor: a Twisted reactor. Any other clock, such as a test's ``Clock``, does not change.
    """
    if not isinstance(reactor, ReactorBase):
        return
    changed = reactor  # type: Any
    if isinstance(changed.seconds, MonotonicSeconds):
        return
    changed.seconds = MonotonicSeconds(changed.seconds())
    for call in changed.getDelayedCalls():
        # A delayed call reads the time when it is reset.
        call.seconds = changed.seconds


__all__ = ["MonotonicSeconds", "monotonic", "use_monotonic_time"]

# -*- test-case-name: tests._support.test_slices -*-
"""
Long computations, cut into slices of time: the reactor serves other events between two slices.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Cooperator, TaskStopped
from twisted.python.failure import Failure

from .eliot_context import resume_context

MYPY = False
if MYPY:
    from typing import Any, Callable, Iterator  # noqa: F401

    from twisted.internet.interfaces import IReactorTime  # noqa: F401

# Seconds of the first slice of each computation: several answers may arrive in one turn of the
# reactor.
_FIRST = 0.002
# Seconds of a turn of the reactor, for all computations that a first slice did not end.
_SLICE = 0.005


class Slices(object):
    """
    Runs long computations in slices of time.

    A short computation ends at once, in its first slice.

    :param reactor: provides ``IReactorTime``.
    """

    def __init__(self, reactor):
        # type: (IReactorTime) -> None
        self._reactor = reactor
        self._cooperator = Cooperator(
            terminationPredicateFactory=partial(self._timer, _SLICE),
            scheduler=lambda turn: reactor.callLater(0, turn),
        )

    def run(self, steps):
        # type: (Iterator[object]) -> Deferred[None]
        """
        Run a computation.

        :param steps: an iterator, of which each step takes a few milliseconds at most.
        :return: a ``Deferred`` that fires with ``None`` after the last step, and fails as a step
            does; cancelling it stops the computation.
        """
        return maybeDeferred(self._begin, steps)

    def _begin(self, steps):
        # type: (Iterator[object]) -> Any
        over = self._timer(_FIRST)
        for _ in steps:
            if over():
                return resume_context(self._continue(steps))
        return None

    def _continue(self, steps):
        # type: (Iterator[object]) -> Deferred[None]
        task = self._cooperator.cooperate(steps)
        ended = Deferred(lambda _: task.stop())  # type: Deferred[None]

        def deliver(result):
            # type: (Any) -> None
            if not isinstance(result, Failure):
                ended.callback(None)
            elif not result.check(TaskStopped):
                ended.errback(result)
            # A stopped task was cancelled, and so the Deferred fails with CancelledError.

        done = task.whenDone()  # type: Deferred[Any]
        done.addBoth(deliver)
        return ended

    def _timer(self, seconds):
        # type: (float) -> Callable[[], bool]
        """
        :param float seconds: a duration that begins now.
        :return: a function that checks whether the duration is over.
        """
        now = self._reactor.seconds
        end = now() + seconds
        return lambda: now() >= end


__all__ = ["Slices"]

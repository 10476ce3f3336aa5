# -*- test-case-name: tests.driver.test_driver -*-
"""
TimedOperations in their Eliot actions, with their deadlines.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from twisted.internet.defer import maybeDeferred

from .._log import DRIVER_OPERATION
from .._support.deferreds import never, with_deadline
from .._support.eliot_context import in_action
from ..errors import OperationTimedOut
from ..errors.remedies import use_remedies
from .polling import make_timer

MYPY = False
if MYPY:
    from typing import Any, Callable, Mapping, Optional, Text, Tuple, Union  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from .convergence import PlainSubject  # noqa: F401
    from .convergence.base import Convergence  # noqa: F401
    from .creation.once import Creation  # noqa: F401
    from .labelling.changes import LabelChange  # noqa: F401

    Subject = Union[PlainSubject, Convergence, Creation, LabelChange]


class TimedOperations(object):
    """
    Runs operations, each in an Eliot action and with a deadline.

    :param reactor: provides ``IReactorTime``.
    :param float seconds: the time that each may take.
    :param text key: the configuration key of this time, for messages.
    :param dict remedies: the cloud's own, see :class:`~txstorage.clouds.IVolumeService`.
    """

    def __init__(self, reactor, seconds, key=u"timeout", remedies=None):
        # type: (IReactorTime, float, Text, Optional[Mapping[Text, Text]]) -> None
        self._timer = make_timer(reactor)
        self._seconds = seconds
        self._key = key
        self._remedies = remedies or {}

    def run(self, operation, subject, function, *args, **clock):
        # type: (Text, Subject, Callable[..., Any], *Any, **Any) -> Deferred[Any]
        """
        Run an operation.

        :param text operation: its name, for the log and for messages, e.g. ``u"attach"``.
        :param subject: has a ``name``, and the events that are ``awaited`` and ``last_seen``.
        :param function: called with the arguments; may return a ``Deferred``.
        :param clock: an object whose ``time_left(seconds)`` extends the deadline, for operations
            that wait for others.
        :return: a ``Deferred`` that fires as the function's does; fails with
            :class:`~txstorage.errors.OperationTimedOut` at the deadline.
        """
        action = DRIVER_OPERATION(operation=operation, subject=subject.name)
        return in_action(action, self._in_time, operation, subject, function, args, **clock)

    def _in_time(self, operation, subject, function, args, clock=None):
        # type: (Text, Subject, Callable[..., Any], Tuple[Any, ...], Any) -> Deferred[Any]
        d = with_deadline(
            self._timer,
            self._seconds,
            maybeDeferred(function, *args),
            partial(self._timed_out, operation, subject),
            never if clock is None else partial(clock.time_left, self._seconds),
        )  # type: Deferred[Any]
        return d.addErrback(self._advised)

    def _advised(self, failure):
        # type: (Failure) -> Failure
        use_remedies(failure.value, self._remedies)
        return failure

    def _timed_out(self, operation, subject):
        # type: (Text, Subject) -> OperationTimedOut
        return OperationTimedOut(
            operation,
            subject.name,
            subject.awaited,
            self._seconds,
            subject.last_seen,
            self._key,
        )


def timed_operations(reactor, timeout, copy_timeout, remedies):
    # type: (IReactorTime, float, float, Mapping[Text, Text]) -> Tuple[TimedOperations, TimedOperations]
    """
    :param reactor: provides ``IReactorTime``.
    :param float timeout: seconds that an operation may take.
    :param float copy_timeout: seconds that an operation may take that makes the cloud copy data.
    :param dict remedies: the cloud's own, see :class:`~txstorage.clouds.IVolumeService`.
    :return: the :class:`TimedOperations` of each kind.
    """
    return (
        TimedOperations(reactor, timeout, u"timeout", remedies),
        TimedOperations(reactor, copy_timeout, u"copy_timeout", remedies),
    )


__all__ = ["TimedOperations", "timed_operations"]

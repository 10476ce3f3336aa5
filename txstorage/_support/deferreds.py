# -*- test-case-name: tests._support.test_deferreds -*-
"""
Helpers that Twisted's Deferreds lack: calls shared between callers, deadlines, and joint failure.
"""

from __future__ import absolute_import, division, print_function

from collections import OrderedDict

from twisted.internet.defer import (
    CancelledError,
    Deferred,
    FirstError,
    gatherResults,
    maybeDeferred,
    succeed,
)
from twisted.python.failure import Failure

from .eliot_context import copy_context

MYPY = False
if MYPY:
    from typing import (  # noqa: F401
        Any,
        Callable,
        Dict,
        Hashable,
        List,
        Optional,
        Protocol,
        Sequence,
        TypeVar,
        Union,
    )

    T = TypeVar("T")

    class Timer(Protocol):
        """A timer that can be cancelled: Twisted's ``IDelayedCall``, or one of txaio's."""

        def cancel(self):
            # type: () -> object
            """Stop the timer."""


class _Call(object):
    """
    A call in progress, and its callers.

    Each caller gets its own ``Deferred``, whose callbacks run in the caller's Eliot action.
    Cancelling that ``Deferred`` removes only its caller; when no caller is left, the call itself is
    cancelled.
    """

    def __init__(self):
        # type: () -> None
        self._call = None  # type: Optional[Deferred[Any]]
        # The callers, in the order of their arrival, with their Eliot actions.
        self._callers = OrderedDict()  # type: OrderedDict[Deferred[Any], Any]

    def join_or_start(self, function):
        # type: (Callable[[], Any]) -> Deferred[Any]
        """
        Join the call in progress, or start one.

        :param function: called without arguments to start the call; may return a ``Deferred``.
        :return: a ``Deferred`` that fires with the call's result, or fails as the call does.
        """
        caller = Deferred(self._leave)  # type: Deferred[Any]
        self._callers[caller] = copy_context()
        if self._call is None:
            self._call = call = maybeDeferred(function)
            call.addBoth(self._finish, call)
        return caller

    def _ended(self):
        # type: () -> None
        """Take note that the call has ended or was cancelled, before its callers do."""

    def _finish(self, result, call):
        # type: (object, Deferred[Any]) -> None
        if self._call is call:
            callers, self._callers, self._call = self._callers, OrderedDict(), None
            self._ended()
            for caller, context in callers.items():
                # The callbacks of an earlier caller may have cancelled this one.
                if not caller.called:
                    context.run(caller.callback, result)

    def _leave(self, caller):
        # type: (Deferred[Any]) -> None
        if caller not in self._callers:
            return
        del self._callers[caller]
        call = self._call
        if call is not None and not self._callers:
            self._call = None
            self._ended()
            call.cancel()


class SharedCall(_Call):
    """
    A call that is shared by all callers that join it while it is in progress.

    :param function: called without arguments; may return a ``Deferred``.
    """

    def __init__(self, function):
        # type: (Callable[[], Any]) -> None
        _Call.__init__(self)
        self._function = function

    def join(self):
        # type: () -> Deferred[Any]
        """
        Join the call in progress, or start one.

        :return: a ``Deferred`` that fires with the function's result, or fails as the function
            does.
        """
        return self.join_or_start(self._function)


class _KeyedCall(_Call):
    """
    The call of one key.

    :param dict calls: the calls in progress, by key.
    :param key: the call's.
    """

    def __init__(self, calls, key):
        # type: (Dict[Hashable, _KeyedCall], Hashable) -> None
        _Call.__init__(self)
        self._calls = calls
        self._key = key

    def _ended(self):
        # type: () -> None
        del self._calls[self._key]


class SharedCalls(object):
    """
    Shared calls by key: at most one call per key is in progress.

    A key is forgotten when its call ends, so results are never kept.
    """

    def __init__(self):
        # type: () -> None
        self._calls = {}  # type: Dict[Hashable, _KeyedCall]

    def join(self, key, function):
        # type: (Hashable, Callable[[], Union[T, Deferred[T]]]) -> Deferred[T]
        """
        Join the key's call in progress, or start one.

        :param key: hashable.
        :param function: called without arguments to start the call; may return a ``Deferred``.
            Not called when a call is in progress.
        :return: a ``Deferred`` that fires with the call's result, or fails as the call does.
            Cancelling it works as with :class:`SharedCall`.
        """
        if key not in self._calls:
            self._calls[key] = _KeyedCall(self._calls, key)
        return self._calls[key].join_or_start(function)


def never():
    # type: () -> float
    """:return: no extension of a deadline."""
    return 0.0


class _Deadline(object):
    """
    The time limit of one Deferred.

    :param deferred: cancelled when the time is over.
    :param error: called without arguments; returns the exception of a late Deferred.
    :param extension: called without arguments; returns the seconds by which to extend the deadline.
    :param call_later: called with seconds and a function; returns an object with ``cancel()``.
    """

    __slots__ = (
        "_call_later", "_deferred", "_ended", "_error", "_expired", "_extension", "_timer"
    )

    def __init__(self, deferred, error, extension, call_later):
        # type: (Deferred[Any], Callable[[], BaseException], Callable[[], float], Callable[[float, Callable[[], None]], Timer]) -> None
        self._deferred = deferred
        self._error = error
        self._extension = extension
        self._call_later = call_later
        self._timer = None  # type: Optional[Timer]
        self._expired = False
        self._ended = False

    def begin(self, seconds):
        # type: (float) -> None
        """
        Start the timer.

        :param float seconds: the time from now to the deadline.
        """
        self._timer = self._call_later(seconds, self._expire)

    def _expire(self):
        # type: () -> None
        # A batched timer may go off although it was cancelled a moment ago; by then the Deferred
        # may wait for something else, which has no deadline.
        if self._ended:
            return
        extension = self._extension()
        if extension > 0:
            self.begin(extension)
        else:
            self._expired = True
            self._deferred.cancel()

    def end(self, result):
        # type: (Any) -> Any
        """
        Stop the timer.

        :param result: the Deferred's result.
        :return: the result.
        :raises Exception: the deadline's error, when the Deferred was cancelled by the deadline.
        """
        self._ended = True
        # The timer has a reference to this object, and both would be garbage in a cycle.
        timer, self._timer = self._timer, None
        if not self._expired:
            if timer is not None:
                timer.cancel()
        elif isinstance(result, Failure) and isinstance(result.value, CancelledError):
            raise self._error()
        return result


def with_deadline(
    call_later,  # type: Callable[[float, Callable[[], None]], Timer]
    seconds,  # type: float
    deferred,  # type: Deferred[T]
    error,  # type: Callable[[], BaseException]
    extension=never,  # type: Callable[[], float]
):
    # type: (...) -> Deferred[T]
    """
    Cancel a Deferred that has not fired by a deadline, with a timer of the caller's choice.

    ``Deferred.addTimeout`` does the same with the reactor's own timers.

    :param call_later: called with seconds and a function; returns an object with ``cancel()``.
    :param float seconds: the time from now to the deadline.
    :param deferred: must end when it is cancelled.
    :param error: called without arguments; returns the exception to fail with.
    :param extension: called without arguments at the deadline; returns the seconds by which to
        extend it, or 0.
    :return: ``deferred``.
    """
    deadline = _Deadline(deferred, error, extension, call_later)
    deadline.begin(seconds)
    return deferred.addBoth(deadline.end)


def all_of(deferreds):
    # type: (Sequence[Deferred[Any]]) -> Deferred[List[Any]]
    """
    Wait for all Deferreds; when one fails, cancel the others.

    :param list deferreds: the Deferreds to wait for.
    :return: a ``Deferred`` that fires with the list of results in the same order; fails as the
        first Deferred to fail did.
    """
    # A DeferredList that has fired passes no cancellation to the Deferreds that its callbacks
    # return, so it must not stand at the head of a chain.
    d = succeed(None).addCallback(lambda _: gatherResults(deferreds, consumeErrors=True))

    def failed(failure):
        # type: (Failure) -> Failure
        for deferred in deferreds:
            deferred.cancel()
        return failure.value.subFailure if isinstance(failure.value, FirstError) else failure

    return d.addErrback(failed)


__all__ = ["SharedCall", "SharedCalls", "all_of", "with_deadline"]

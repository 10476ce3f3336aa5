# -*- test-case-name: tests._support.test_eliot_context -*-
"""
Eliot's current action, preserved across asynchronous waits.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from .old_twisted import copy_context

MYPY = False
if MYPY:
    from typing import Any, Callable, Optional, TypeVar  # noqa: F401

    from eliot import Action  # noqa: F401

    T = TypeVar("T")


def in_action(action, function, *args, **kwargs):
    # type: (Action, Callable[..., Deferred[T]], *Any, **Any) -> Deferred[T]
    """
    Run an asynchronous function in an Eliot action; finish the action when its Deferred fires.

    :param action: a started ``eliot.Action``.
    :param function: called with ``args`` and ``kwargs`` in the action; returns a ``Deferred``.
    :return: a ``Deferred`` that fires with the function's result, or fails as the function does.
        Its callbacks run in the action that was current before.
    """
    relay = _Relay(action)
    with action.context():
        deferred = function(*args, **kwargs)
    return relay.of(deferred)


def in_current_context(function):
    # type: (Callable[..., T]) -> Callable[..., T]
    """
    Bind a callback to the current Eliot action, or to the absence of one.

    Unbound callbacks of a Deferred run in the context of the code that fires the Deferred.

    :return: a callable with the arguments and the result of ``function``; must not be called
        while it is running.
    """
    return partial(copy_context().run, function)


def resume_context(deferred):
    # type: (Deferred[T]) -> Deferred[T]
    """
    Resume the current Eliot action after a wait, so that later messages are logged in that action.

    :param deferred: a Deferred that may be fired in any context.
    :return: a ``Deferred`` that fires or fails as ``deferred`` does; its callbacks run in the
        action that is current now. Cancelling it cancels ``deferred``.
    """
    return _Relay().of(deferred)


class _Relay(object):
    """
    A Deferred in the context of its maker.  Thousands may wait, so a relay consists of few objects.

    :param action: an ``eliot.Action`` to finish, or ``None``.
    """

    __slots__ = ("_action", "_context", "_inner", "_outer")

    def __init__(self, action=None):
        # type: (Optional[Action]) -> None
        self._context = copy_context()
        self._action = action
        self._inner = None  # type: Optional[Deferred[Any]]
        self._outer = None  # type: Optional[Deferred[Any]]

    def of(self, deferred):
        # type: (Deferred[T]) -> Deferred[T]
        outer = Deferred(self._cancel)  # type: Deferred[T]
        self._inner, self._outer = deferred, outer
        deferred.addBoth(self._fired)
        return outer

    def _cancel(self, _):
        # type: (Deferred[Any]) -> None
        if self._inner is not None:
            self._inner.cancel()

    def _fired(self, result):
        # type: (Any) -> None
        outer, self._inner, self._outer = self._outer, None, None
        if self._action is not None:
            self._action.finish(result.value if isinstance(result, Failure) else None)
        if outer is not None and not outer.called:
            self._context.run(outer.callback, result)


__all__ = ["copy_context", "in_action", "in_current_context", "resume_context"]

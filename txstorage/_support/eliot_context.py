# -*- test-case-name: tests._support.test_eliot_context -*-
"""
Eliot's current action, preserved across asynchronous waits.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from eliot.twisted import DeferredContext
from twisted.internet.defer import Deferred

from .old_twisted import copy_context

MYPY = False
if MYPY:
    from typing import Any, Callable, TypeVar  # noqa: F401

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
    fire = in_current_context(_fire)
    with action.context():
        context = DeferredContext(function(*args, **kwargs))
        context.addActionFinish()
    return _relayed(context.result, fire)


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
    return _relayed(deferred, in_current_context(_fire))


def _relayed(deferred, fire):
    # type: (Deferred[T], Callable[[Deferred[T], Any], None]) -> Deferred[T]
    relay = Deferred(lambda _: deferred.cancel())  # type: Deferred[T]
    deferred.addBoth(lambda result: fire(relay, result))
    return relay


def _fire(relay, result):
    # type: (Deferred[Any], Any) -> None
    if not relay.called:
        relay.callback(result)


__all__ = ["in_action", "in_current_context", "resume_context"]

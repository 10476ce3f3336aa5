# -*- test-case-name: tests._support.test_eliot_context -*-
"""
Eliot's current action, kept across the waits of a Deferred.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from eliot.twisted import DeferredContext
from twisted.internet.defer import Deferred

from .old_twisted import copy_context


def in_action(action, function, *args, **kwargs):
    """
    Run a Deferred-returning function inside an Eliot action, and finish the
    action when the Deferred fires.

    :param action: a started ``eliot.Action``.
    :param function: called with ``args`` and ``kwargs`` in the action.
    :return: a ``Deferred`` that fires as the function's does, outside of the
        action again.
    """
    resume = in_current_context(_fire)
    with action.context():
        context = DeferredContext(function(*args, **kwargs))
        context.addActionFinish()
    return _resumed(context.result, resume)


def in_current_context(function):
    """
    Bind a callback to the Eliot action that is current now, or to none: a
    Deferred's callbacks run in the context of whatever fires it.

    :return: a callable like ``function``; not to be called by itself.
    """
    return partial(copy_context().run, function)


def resume_context(deferred):
    """
    Let a wait end in the Eliot action in which it began, so that the log has
    what comes after it in its place.

    :param deferred: what is waited for, and fired from elsewhere.
    :return: a ``Deferred`` that fires as it does; can be cancelled as it can.
    """
    return _resumed(deferred, in_current_context(_fire))


def _resumed(deferred, fire):
    answer = Deferred(lambda _: deferred.cancel())
    deferred.addBoth(lambda result: fire(answer, result))
    return answer


def _fire(answer, result):
    if not answer.called:
        answer.callback(result)


__all__ = ["in_action", "in_current_context", "resume_context"]

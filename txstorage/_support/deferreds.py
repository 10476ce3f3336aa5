# -*- test-case-name: tests._support.test_deferreds -*-
"""
Three things that Twisted's Deferreds do not bring along: sharing one call
between several callers, a deadline, and an end for the rest when one fails.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import (
    CancelledError,
    Deferred,
    FirstError,
    gatherResults,
    maybeDeferred,
    succeed,
)
from twisted.python.failure import Failure


class SharedCall(object):
    """
    One call in progress, shared by all who ask for it meanwhile.

    Each caller has a ``Deferred`` of its own: cancelling it only takes that
    caller away, and the last one to leave cancels the call itself.

    :param function: called without arguments; may return a ``Deferred``.
    """

    def __init__(self, function):
        self._function = function
        self._call = None
        self._callers = []

    def join(self):
        """
        Join the call in progress, or start one.

        :return: a ``Deferred`` that fires as the function's result does.
        """
        caller = Deferred(self._leave)
        self._callers.append(caller)
        if self._call is None:
            self._call = call = maybeDeferred(self._function)
            call.addBoth(self._finish, call)
        return caller

    def _finish(self, result, call):
        if self._call is call:
            callers, self._callers, self._call = self._callers, [], None
            for caller in callers:
                # an answer to one may have made it cancel another
                if not caller.called:
                    caller.callback(result)

    def _leave(self, caller):
        if caller not in self._callers:
            return
        self._callers.remove(caller)
        if not self._callers:
            call, self._call = self._call, None
            call.cancel()


def with_deadline(call_later, seconds, deferred, error):
    """
    Cancel a ``Deferred`` that takes too long.

    :param call_later: ``(seconds, function) -> object with .cancel()``.
    :param float seconds: how long it may take from now.
    :param deferred: what to watch; its cancellation must end it.
    :param error: called without arguments for the exception to fail with.
    :return: ``deferred``.
    """
    late, over = [], []

    def expire():
        # A batched timer may go off although it was cancelled a moment ago,
        # and what comes after the result is not for this to cancel.
        if not over:
            late.append(True)
            deferred.cancel()

    timer = call_later(seconds, expire)

    def ended(result):
        over.append(True)
        if not late:
            timer.cancel()
        elif isinstance(result, Failure) and result.check(CancelledError):
            raise error()
        return result

    return deferred.addBoth(ended)


def all_of(deferreds):
    """
    Wait for all, and end the rest when one fails: what they wait for may never
    come, and nobody would know.

    :param list deferreds: what is waited for.
    :return: a ``Deferred`` that fires with the list of results; fails as the
        first one that failed did.
    """
    # A DeferredList that has fired does not hand a cancellation on to what it
    # waits for next, so it must not stand at the head of a chain.
    d = succeed(None).addCallback(lambda _: gatherResults(deferreds, consumeErrors=True))

    def failed(failure):
        for deferred in deferreds:
            deferred.cancel()
        return failure.value.subFailure if failure.check(FirstError) else failure

    return d.addErrback(failed)

# -*- test-case-name: tests.clouds.ec2.test_batches -*-
"""
Descriptions by id, of which those that are asked for at the same time share a request.

A request is sent at once when few are in progress; the ids that come while they are travel together
in the next one.  So a lone caller does not wait, and a thousand callers cost ten requests.
"""

from __future__ import absolute_import, division, print_function

from collections import OrderedDict

from twisted.internet.defer import Deferred

from ...._support.eliot_context import copy_context

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, List, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    _Callers = OrderedDict[Text, List[Tuple[Deferred[Any], Any]]]

#: The ids of one request.
SIZE = 100
#: The requests in progress that new ids wait for.
AT_ONCE = 2
# Seconds after which a request that is not answered no longer keeps others waiting.
_PATIENCE = 2.0


class _Request(object):
    """
    A request in progress.

    :ivar callers: the callers of each id: an ordered dict of lists of pairs of a ``Deferred`` and
        an Eliot context.
    :ivar asked: fires when the request has ended, or ``None`` before it is sent.
    """

    def __init__(self, callers):
        # type: (_Callers) -> None
        self.callers = callers
        self.asked = None  # type: Optional[Deferred[Any]]

    def leave(self, object_id, caller):
        # type: (Text, Deferred[Any]) -> None
        """Forget a caller, and cancel the request when the caller was the last one."""
        if _forget(self.callers, object_id, caller) and not self.callers:
            if self.asked is not None:
                self.asked.cancel()


class Descriptions(object):
    """
    Descriptions of one kind of object.

    :param reactor: provides ``IReactorTime``.
    :param describe: called with a list of ids; returns a ``Deferred`` that fires with a dict of the
        ids that were found to their descriptions, and that can be cancelled.
    """

    def __init__(self, reactor, describe):
        # type: (IReactorTime, Callable[[List[Text]], Deferred[Dict[Text, Any]]]) -> None
        self._reactor = reactor
        self._describe = describe
        self._waiting = OrderedDict()  # type: _Callers
        self._requests = []  # type: List[_Request]
        self._active = 0

    def get(self, object_id):
        # type: (Text) -> Deferred[Any]
        """
        Describe an object, in a request that begins now or later.

        :param text object_id: its id.
        :return: a ``Deferred`` that fires with the description, or ``None`` when there is no such
            object.  Cancelling it also ends a request that no other caller waits for.
        """
        caller = Deferred(lambda _: self._leave(object_id, caller))  # type: Deferred[Any]
        self._waiting.setdefault(object_id, []).append((caller, copy_context()))
        self._serve()
        return caller

    def _leave(self, object_id, caller):
        # type: (Text, Deferred[Any]) -> None
        if not _forget(self._waiting, object_id, caller):
            for request in list(self._requests):
                request.leave(object_id, caller)

    def _serve(self):
        # type: () -> None
        while self._waiting and self._active < AT_ONCE:
            ids = list(self._waiting)[:SIZE]
            self._send(OrderedDict((each, self._waiting.pop(each)) for each in ids))

    def _send(self, callers):
        # type: (_Callers) -> None
        self._active += 1
        request = _Request(callers)
        self._requests.append(request)
        late = self._reactor.callLater(_PATIENCE, self._release)
        ids = list(callers)

        def ended(result):
            # type: (Any) -> Any
            self._requests.remove(request)
            if late.active():
                late.cancel()
                self._active -= 1
            return result

        asked = request.asked = self._describe(ids).addBoth(ended)
        asked.addCallbacks(
            self._found,
            self._failed,
            callbackArgs=(callers, len(ids) == 1),
            errbackArgs=(callers,),
        )
        asked.addCallback(lambda _: self._serve())

    def _release(self):
        # type: () -> None
        self._active -= 1
        self._serve()

    def _found(self, found, callers, proved):
        # type: (Dict[Text, Any], _Callers, bool) -> None
        for object_id in list(callers):
            if object_id in found or proved:
                _deliver(callers[object_id], found.get(object_id))
                continue
            # Several ids are a filter, and an absence from a list proves nothing.  A callback of
            # an earlier caller may have cancelled these ones.
            left = [each for each in callers[object_id] if not each[0].called]
            if left:
                self._send(OrderedDict([(object_id, left)]))

    def _failed(self, failure, callers):
        # type: (Failure, _Callers) -> None
        for object_id in list(callers):
            _deliver(callers[object_id], failure)


def _forget(callers, object_id, caller):
    # type: (_Callers, Text, Deferred[Any]) -> bool
    """:return: whether the caller was among them."""
    of_object = callers.get(object_id, [])
    left = [each for each in of_object if each[0] is not caller]
    if len(left) == len(of_object):
        return False
    callers[object_id] = left
    if not left:
        del callers[object_id]
    return True


def _deliver(callers, result):
    # type: (List[Tuple[Deferred[Any], Any]], Any) -> None
    for caller, context in callers:
        # A callback of an earlier caller may have cancelled this one.
        if not caller.called:
            context.run(caller.callback, result)


__all__ = ["AT_ONCE", "SIZE", "Descriptions"]

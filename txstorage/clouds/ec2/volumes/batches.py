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
    from typing import Any, Callable, Dict, List, Text, Tuple  # noqa: F401

    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

#: The ids of one request.
SIZE = 100
#: The requests in progress that new ids wait for.
AT_ONCE = 2
# Seconds after which a request that is not answered no longer keeps others waiting.
_PATIENCE = 2.0


class Descriptions(object):
    """
    Descriptions of one kind of object.

    :param reactor: provides ``IReactorTime``.
    :param describe: called with a list of ids; returns a ``Deferred`` that fires with a dict of the
        ids that were found to their descriptions.
    """

    def __init__(self, reactor, describe):
        # type: (IReactorTime, Callable[[List[Text]], Deferred[Dict[Text, Any]]]) -> None
        self._reactor = reactor
        self._describe = describe
        self._waiting = OrderedDict()  # type: OrderedDict[Text, List[Tuple[Deferred[Any], Any]]]
        self._active = 0

    def get(self, object_id):
        # type: (Text) -> Deferred[Any]
        """
        Describe an object, in a request that begins now or later.

        :param text object_id: its id.
        :return: a ``Deferred`` that fires with the description, or ``None`` when there is no such
            object.
        """
        caller = Deferred(lambda _: self._leave(object_id, caller))  # type: Deferred[Any]
        self._waiting.setdefault(object_id, []).append((caller, copy_context()))
        self._serve()
        return caller

    def _leave(self, object_id, caller):
        # type: (Text, Deferred[Any]) -> None
        # The answer to a request in progress is for nobody, then.
        callers = self._waiting.get(object_id, [])
        callers[:] = [each for each in callers if each[0] is not caller]
        if object_id in self._waiting and not callers:
            del self._waiting[object_id]

    def _serve(self):
        # type: () -> None
        while self._waiting and self._active < AT_ONCE:
            ids = list(self._waiting)[:SIZE]
            taken = OrderedDict((each, self._waiting.pop(each)) for each in ids)
            self._send(taken)

    def _send(self, taken):
        # type: (OrderedDict[Text, List[Tuple[Deferred[Any], Any]]]) -> None
        self._active += 1
        late = self._reactor.callLater(_PATIENCE, self._release)

        def ended(result):
            # type: (Any) -> Any
            if late.active():
                late.cancel()
                self._active -= 1
            return result

        asked = self._describe(list(taken)).addBoth(ended)  # type: Deferred[Any]
        asked.addCallbacks(
            self._found, self._failed, callbackArgs=(taken,), errbackArgs=(taken,)
        )
        asked.addCallback(lambda _: self._serve())

    def _release(self):
        # type: () -> None
        self._active -= 1
        self._serve()

    def _found(self, found, taken):
        # type: (Dict[Text, Any], OrderedDict[Text, List[Tuple[Deferred[Any], Any]]]) -> None
        for object_id, callers in taken.items():
            if object_id in found or len(taken) == 1:
                _deliver(callers, found.get(object_id))
            else:
                # Several ids are a filter, and an absence from a list proves nothing.
                self._send(OrderedDict([(object_id, callers)]))

    def _failed(self, failure, taken):
        # type: (Failure, OrderedDict[Text, List[Tuple[Deferred[Any], Any]]]) -> None
        for callers in taken.values():
            _deliver(callers, failure)


def _deliver(callers, result):
    # type: (List[Tuple[Deferred[Any], Any]], Any) -> None
    for caller, context in callers:
        # A callback of an earlier caller may have cancelled this one.
        if not caller.called:
            context.run(caller.callback, result)


__all__ = ["AT_ONCE", "SIZE", "Descriptions"]

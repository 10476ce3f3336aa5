# -*- test-case-name: tests._http.resolution.test_names -*-
"""
A short memory for the addresses of host names.

A resolver occupies a thread for each question, and most connections are made to the same two or
three names.
"""

from __future__ import absolute_import, division, print_function

from collections import OrderedDict

from twisted.internet.defer import maybeDeferred, succeed

from ..._support.deferreds import SharedCalls

MYPY = False
if MYPY:
    from typing import Any, Callable, Hashable, List, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401

# Seconds for which addresses are kept: a service that moves is found soon.
_SECONDS = 30.0

# The maximum number of names.
_NAMES = 100


class RememberedNames(object):
    """
    The addresses of names that were resolved moments ago.

    :param reactor: provides ``IReactorTime``.
    """

    def __init__(self, reactor):
        # type: (IReactorTime) -> None
        self._reactor = reactor
        # In the order of their resolution.
        self._known = OrderedDict()  # type: OrderedDict[Hashable, Tuple[float, List[Any]]]
        self._questions = SharedCalls()

    def addresses(self, name, resolve):
        # type: (Hashable, Callable[[], Any]) -> Deferred[List[Any]]
        """
        Find a name's addresses.  Callers of one moment share a question; failures, and answers
        without an address, are not kept.

        :param name: the name and its port; hashable.
        :param resolve: called without arguments to ask the resolver; may return a ``Deferred``.
        :return: a ``Deferred`` that fires with a list of addresses, as ``resolve`` returns it.
        """
        until, addresses = self._known.get(name, (0.0, []))
        if addresses and self._reactor.seconds() < until:
            return succeed(addresses)
        return self._questions.join(
            name, lambda: maybeDeferred(resolve).addCallback(self._keep, name)
        )

    def forget(self, name):
        # type: (Hashable) -> None
        """
        Forget a name's addresses, to which no connection could be made.

        :param name: the name and its port.
        """
        self._known.pop(name, None)

    def _keep(self, addresses, name):
        # type: (List[Any], Hashable) -> List[Any]
        self.forget(name)
        self._known[name] = self._reactor.seconds() + _SECONDS, addresses
        while len(self._known) > _NAMES:
            self._known.popitem(last=False)
        return addresses


__all__ = ["RememberedNames"]

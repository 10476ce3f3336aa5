# -*- test-case-name: tests._http.resolution.test_endpoints -*-
"""
Connections to hosts by name, whose addresses are remembered for a short time.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..._support.old_twisted import (
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
    OwnReactorEndpoint,
)

MYPY = False
if MYPY:
    from typing import Any, Callable, List, Text  # noqa: F401

    from twisted.python.failure import Failure  # noqa: F401

    from .names import RememberedNames  # noqa: F401


class NamedEndpoint(OwnReactorEndpoint):
    """
    An endpoint of a host by name.  It connects to all of its addresses, of either family, in turn.

    :param reactor: makes the connections, and has the resolver.
    :param RememberedNames names: the names that were resolved moments ago.
    :param str host: the host's name.
    :param int port: the port.
    :param float timeout: seconds until an address is given up.
    """

    def __init__(self, reactor, names, host, port, timeout):
        # type: (Any, RememberedNames, str, int, float) -> None
        self._names, self._name = names, (host, port)
        remembering = _RememberingReactor(reactor, names)
        OwnReactorEndpoint.__init__(self, remembering, host, port, timeout=timeout)

    def connect(self, protocolFactory):  # noqa: N803 (Twisted's name)
        # type: (Any) -> Deferred[Any]
        """See ``IStreamClientEndpoint``."""
        connected = OwnReactorEndpoint.connect(self, protocolFactory)  # type: Deferred[Any]
        return connected.addErrback(self._failed)

    def _failed(self, failure):
        # type: (Failure) -> Failure
        self._names.forget(self._name)
        return failure

    def _deferToThread(  # type: ignore[override]  # noqa: N802 (Twisted's name)
        self, f, *args
    ):
        # type: (Callable[..., Any], *Any) -> Deferred[Any]
        # Only of Twisted before 17.5.0, which does not ask the reactor's resolver.
        ask = partial(OwnReactorEndpoint._deferToThread, self, f, *args)
        return self._names.addresses(self._name, ask)


@implementer(IReactorPluggableNameResolver)
class _RememberingReactor(object):
    """
    A reactor with another resolver.

    :param reactor: the reactor itself.
    :param RememberedNames names: the names that were resolved moments ago.
    """

    def __init__(self, reactor, names):
        # type: (Any, RememberedNames) -> None
        self._reactor = reactor
        self.nameResolver = _RememberingResolver(reactor, names)

    def __getattr__(self, name):
        # type: (str) -> Any
        return getattr(self._reactor, name)


@implementer(IHostnameResolver)
class _RememberingResolver(object):
    """
    A resolver that asks another one only for names that are not remembered.

    :param reactor: provides ``IReactorPluggableNameResolver``.
    :param RememberedNames names: the names that were resolved moments ago.
    """

    def __init__(self, reactor, names):
        # type: (Any, RememberedNames) -> None
        self._reactor = reactor
        self._names = names

    def resolveHostName(  # noqa: N802 (Twisted's name)
        self,
        resolutionReceiver,  # type: Any  # noqa: N803 (Twisted's name)
        hostName,  # type: Text  # noqa: N803
        portNumber=0,  # type: int  # noqa: N803
        *options  # type: Any
    ):
        # type: (...) -> Any
        """See ``IHostnameResolver``."""
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        ask = partial(self._ask, hostName, portNumber, *options)
        found = self._names.addresses((hostName, portNumber), ask)
        found.addCallback(_deliver, resolutionReceiver)
        return resolution

    def _ask(self, *question):
        # type: (*Any) -> Deferred[List[Any]]
        receiver = _Receiver()
        self._reactor.nameResolver.resolveHostName(receiver, *question)
        return receiver.resolved


def _deliver(addresses, receiver):
    # type: (List[Any], Any) -> None
    for address in addresses:
        receiver.addressResolved(address)
    receiver.resolutionComplete()


@implementer(IHostResolution)
class _Resolution(object):
    """
    A question to the resolver, which nothing can cancel.

    :ivar text name: the host's name.
    """

    def __init__(self, name):
        # type: (Text) -> None
        self.name = name

    def cancel(self):
        # type: () -> None
        """See ``IHostResolution``: Twisted's own resolver can't, either."""
        raise NotImplementedError()


@implementer(IResolutionReceiver)
class _Receiver(object):
    """
    Collects a resolver's answer.

    :ivar resolved: a ``Deferred`` that fires with the list of addresses.
    """

    def __init__(self):
        # type: () -> None
        self.resolved = Deferred()  # type: Deferred[List[Any]]
        self._addresses = []  # type: List[Any]

    def resolutionBegan(self, resolutionInProgress):  # noqa: N802, N803 (Twisted's names)
        # type: (Any) -> None
        """See ``IResolutionReceiver``."""

    def addressResolved(self, address):  # noqa: N802 (Twisted's name)
        # type: (Any) -> None
        """See ``IResolutionReceiver``."""
        self._addresses.append(address)

    def resolutionComplete(self):  # noqa: N802 (Twisted's name)
        # type: () -> None
        """See ``IResolutionReceiver``."""
        self.resolved.callback(self._addresses)


__all__ = ["NamedEndpoint"]

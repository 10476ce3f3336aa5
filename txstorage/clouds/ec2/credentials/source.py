# -*- test-case-name: tests.clouds.ec2.test_credentials -*-
"""
The access keys in use, which are renewed before they expire.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import maybeDeferred, succeed

from ...._log import TOKEN_KEPT
from ...._support.deferreds import SharedCall
from ....errors import StorageError

MYPY = False
if MYPY:
    from typing import Any, Callable, Optional  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from .keys import AccessKeys  # noqa: F401

# Keys are renewed this many seconds before their end, or after three quarters of a short life;
# until the last minute the old ones stay in use meanwhile.
_EARLY = 600.0
_EARLY_FRACTION = 0.25
_LATE = 60.0
_LATE_FRACTION = 0.05

# Seconds between a failed renewal and the next.
_PAUSE = 30.0


class KeySource(object):
    """
    Access keys, each kept until shortly before its end.

    :param reactor: provides ``IReactorTime``.
    :param load: called without arguments for a ``Deferred`` that fires with :class:`AccessKeys`.
    """

    def __init__(self, reactor, load):
        # type: (IReactorTime, Callable[[], Deferred[AccessKeys]]) -> None
        self._reactor = reactor
        self._load = load
        self._keys = None  # type: Optional[AccessKeys]
        self._renew_at = None  # type: Optional[float]
        self._wait_at = self._ends_at = 0.0
        self._renewal = SharedCall(self._renew)

    @classmethod
    def fixed(cls, reactor, keys):
        # type: (IReactorTime, AccessKeys) -> KeySource
        """:param AccessKeys keys: the only keys."""
        return cls(reactor, lambda: succeed(keys))

    def current(self):
        # type: () -> Deferred[AccessKeys]
        """
        :return: a ``Deferred`` that fires with the present :class:`AccessKeys`; fails as the source
            of the keys does.
        """
        keys, now = self._keys, self._reactor.seconds()
        if keys is None:
            return self._renewal.join()
        if self._renew_at is None or now < self._renew_at:
            return succeed(keys)
        renewing = self._renewal.join().addErrback(self._keep, keys)
        if now < self._wait_at:
            # Nobody waits for the renewal yet; its failure is logged.
            renewing.addErrback(lambda failure: None)
            return succeed(keys)
        return renewing

    def discard(self, keys):
        # type: (AccessKeys) -> None
        """
        Load keys again next time, unless that has happened already.

        :param AccessKeys keys: those that turned out to be of no use.
        """
        if keys is self._keys:
            self._keys = None

    def _keep(self, failure, keys):
        # type: (Failure, AccessKeys) -> Any
        """Keep keys that could not be renewed until they expire."""
        failure.trap(StorageError)
        now = self._reactor.seconds()
        if keys is not self._keys or now >= self._ends_at:
            return failure
        error = failure.value  # type: Any
        if self._renew_at is not None and self._renew_at <= now:
            TOKEN_KEPT(reason=error.message, remaining=self._ends_at - now).write()
            self._renew_at = min(now + _PAUSE, self._ends_at)
        return keys

    def _renew(self):
        # type: () -> Deferred[AccessKeys]
        return maybeDeferred(self._load).addCallback(self._renewed, self._reactor.seconds())

    def _renewed(self, keys, began):
        # type: (AccessKeys, float) -> AccessKeys
        self._keys, self._renew_at = keys, None
        if keys.lifetime is not None:
            self._ends_at = began + keys.lifetime
            self._renew_at = self._ends_at - min(_EARLY, keys.lifetime * _EARLY_FRACTION)
            self._wait_at = self._ends_at - min(_LATE, keys.lifetime * _LATE_FRACTION)
        return keys


__all__ = ["KeySource"]

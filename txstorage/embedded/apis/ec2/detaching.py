# -*- test-case-name: tests.embedded.ec2.test_attachments -*-
"""
Detaches of devices that are in use.

EC2 keeps such a detach: the attachment is ``busy`` until the device is free, and then goes.  The
embedded service's own transition fails at once, as OpenStack's does, so it is repeated here.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...machine.engine import Engine
from ...store.store import Store

_log = Logger()
#: Seconds from a failed detach to the next attempt.
_AGAIN = 1.0


class RepeatedDetaches:
    """
    Repeats the detaches that EC2's clients have requested until they succeed.

    :param engine: carries out the transitions of volumes.
    """

    def __init__(self, reactor: IReactorTime, store: Store, engine: Engine) -> None:
        self._reactor = reactor
        self._store = store
        self._engine = engine
        self._running: dict[str, Deferred[None]] = {}

    def start(self) -> None:
        """Resume the detaches after a start."""
        for volume_id in self._store.ec2.detaches():
            self.follow(volume_id)

    def stop(self) -> None:
        """Repeat no more."""
        for running in list(self._running.values()):
            running.cancel()

    def follow(self, volume_id: str) -> None:
        """Wait for the end of a volume's transition, and repeat it while the detach fails."""
        if volume_id not in self._running:
            running = Deferred.fromCoroutine(self._repeat(volume_id))
            self._running[volume_id] = running
            running.addBoth(self._ended, volume_id)

    def _ended(self, result: object, volume_id: str) -> None:
        del self._running[volume_id]
        if isinstance(result, Failure) and not result.check(CancelledError):
            _log.failure("The detach of {volume_id} broke", result, volume_id=volume_id)

    async def _repeat(self, volume_id: str) -> None:
        await self._engine.idle(volume_id)
        while await self._store.write(lambda store: _remains(store, volume_id)):
            await deferLater(self._reactor, _AGAIN)
            await self._store.write(lambda store: _begin_again(store, volume_id))
            self._engine.begin(volume_id)
            await self._engine.idle(volume_id)


def _remains(store: Store, volume_id: str) -> bool:
    """
    Record that the device is in use, if the volume is still attached.

    :return: whether it is.
    """
    found = store.ec2.detaches().get(volume_id)
    if found is None:
        store.ec2.forget_detach(volume_id)
        return False
    store.ec2.set_detach(volume_id, found.attachment_id, busy=True)
    return True


def _begin_again(store: Store, volume_id: str) -> None:
    volume = store.volume(volume_id)
    if volume_id in store.ec2.detaches() and volume is not None and volume.status == "in-use":
        store.set_status(volume_id, "detaching")

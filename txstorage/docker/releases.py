# -*- test-case-name: tests.docker.test_whole -*-
"""
The end of mounts that nothing uses any more.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from .._log import DOCKER_KEPT, DOCKER_RELEASED
from ..errors import InUse, NoSuchVolume, StorageError
from .catalog import Catalog
from .decisions import Use, is_over
from .jobs import Jobs
from .journal import Journal
from .mounts import Mounts
from .settings import GRACE


class Releases:
    """
    Unmounts and detaches volumes.

    :param reactor: provides ``IReactorTime``.
    :param catalog: the :class:`~txstorage.docker.catalog.Catalog`.
    :param journal: the :class:`~txstorage.docker.journal.Journal`.
    :param mounts: the :class:`~txstorage.docker.mounts.Mounts`.
    :param jobs: the :class:`~txstorage.docker.jobs.Jobs`.
    :param linger: seconds that a volume stays attached after its last use.
    :param grace: seconds that an engine's claim counts without a user in the kernel.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        catalog: Catalog,
        journal: Journal,
        mounts: Mounts,
        jobs: Jobs,
        linger: float = 0.0,
        grace: float = GRACE,
    ) -> None:
        self._reactor = reactor
        self._catalog = catalog
        self._journal = journal
        self._mounts = mounts
        self._jobs = jobs
        self._linger = linger
        self._grace = grace
        self._asked: dict[str, float] = {}
        self._began = reactor.seconds()
        self._lingering: dict[str, IDelayedCall] = {}

    def touch(self, name: str) -> None:
        """Note that an engine asks for a volume, or gives it back."""
        self._asked[name] = self._reactor.seconds()
        timer = self._lingering.pop(name, None)
        if timer is not None:
            timer.cancel()

    def stop(self) -> None:
        """End no more mounts.  Those that are left are found again at the next start."""
        lingering, self._lingering = self._lingering, {}
        for timer in lingering.values():
            timer.cancel()

    async def check(self, name: str, seconds: float | None = None) -> None:
        """
        Unmount and detach a volume that has no use any more.

        :param seconds: how long the caller waits, or ``None`` for as long as it takes.
        :raises StillRunning: the caller's time is over.
        :raises StorageError: the cloud can't detach it.
        """
        await self._jobs.run(name, "release", lambda: self._check(name), seconds, "its unmount")

    async def _check(self, name: str) -> None:
        users = await self._mounts.users(name)
        use = Use(
            held=bool(users),
            claims=len(self._journal.claims(name)),
            quiet=self._reactor.seconds() - self._asked.get(name, self._began),
        )
        if not is_over(use, self._grace):
            return
        if name in self._lingering:
            return
        try:
            await self._release(name)
        except InUse as error:
            # A user that the kernel's tables did not show, such as a shell in the directory.
            DOCKER_KEPT(name=name, reason=str(error)).write()

    async def _release(self, name: str) -> None:
        was_mounted = self._mounts.is_mounted(name)
        await self._mounts.unmount(name)
        self._journal.give_back(name)
        record = self._catalog.known(name)
        if record is None:
            return
        if self._linger and was_mounted:
            await self._mounts.mark_idle(record)
            self._lingering[name] = self._reactor.callLater(self._linger, self._over, name)
            return
        try:
            await self._mounts.detach(record)
        except NoSuchVolume:
            return
        DOCKER_RELEASED(name=name).write()

    def _over(self, name: str) -> None:
        self._lingering.pop(name, None)
        d: Deferred[Any] = Deferred.fromCoroutine(self.check(name))
        # The upkeep repeats it, also after the end of the plugin, which cancels it.
        d.addErrback(lambda failure: failure.trap(StorageError, CancelledError))


__all__ = ["Releases"]

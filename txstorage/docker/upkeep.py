# -*- test-case-name: tests.docker.test_whole -*-
"""
The work in the background: reading the cloud's list, resuming removals, ending mounts without use.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress

from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from .._log import DOCKER_PROBLEM
from ..errors import StorageError
from ..interfaces import VolumeException
from .catalog import Catalog
from .jobs import Jobs
from .mounts import Mounts
from .options import REMOVING
from .plugin import VolumePlugin
from .releases import Releases
from .settings import PERIOD

_log = Logger()

# Seconds in which a list of volumes is not read again for an engine.
_FRESH = 5.0


class Upkeep:
    """
    Repeats the work in the background.

    :param reactor: provides ``IReactorTime``.
    :param period: seconds between two rounds.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        plugin: VolumePlugin,
        catalog: Catalog,
        mounts: Mounts,
        jobs: Jobs,
        releases: Releases,
        period: float = PERIOD,
    ) -> None:
        self._reactor = reactor
        self._plugin = plugin
        self._catalog = catalog
        self._mounts = mounts
        self._jobs = jobs
        self._releases = releases
        self._period = period
        self._problems: dict[str, str] = {}
        self._reading: Deferred[None] | None = None
        self._read_at = float("-inf")
        self._turn = DeferredLock()
        self._running: Deferred[None] | None = None
        self._loop = LoopingCall(self._begin)
        self._loop.clock = reactor

    def start(self) -> None:
        """Begin with a round now."""
        self._loop.start(self._period)

    async def stop(self) -> None:
        """Interrupt the round that is under way, and begin no further one."""
        if self._loop.running:
            self._loop.stop()
        for work in (self._running, self._reading):
            if work is not None:
                work.cancel()
                await work

    def soon(self) -> None:
        """Begin a round now, unless one is under way."""
        if self._loop.running and self._loop.call is not None:
            self._loop.call.reset(0)

    def _begin(self) -> Deferred[None]:
        self._running = Deferred.fromCoroutine(self.round())
        # A failure would end the repetition.
        self._running.addErrback(_log_failure)
        return self._running

    def refresh(self) -> None:
        """Read the list of volumes in the background, unless that was done just now."""
        if self._reading is None and self._reactor.seconds() - self._read_at > _FRESH:
            self._reading = Deferred.fromCoroutine(self._read()).addErrback(_log_failure)
            self._reading.addCallback(self._end_reading)

    def _end_reading(self, _: None) -> None:
        self._reading = None

    async def round(self) -> None:
        """Do all of it once.  Problems are logged, and tried again in the next round."""
        await self._turn.acquire()
        try:
            await self._round()
        finally:
            self._turn.release()

    async def _round(self) -> None:
        await self._read()
        here = await self._node()
        for record in self._catalog.all_known():
            if here is not None and record.labels.get(REMOVING) == here:
                await self._attempt(record.name, self._plugin.remove(record.name))
        for name in self._here(here):
            if not self._jobs.busy(name):
                await self._attempt(name, self._releases.check(name))

    async def _read(self) -> None:
        """Read the list of volumes, and grow the file systems of those that have grown."""
        sizes = {each.name: each.size for each in self._catalog.all_known()}
        await self._attempt("the list", self._catalog.refresh())
        self._read_at = self._reactor.seconds()
        for record in self._catalog.all_known():
            if record.size > sizes.get(record.name, record.size):
                await self._attempt(record.name, self._plugin.grow(record.name))

    async def _node(self) -> str | None:
        """:return: a coroutine of this node's id; ``None`` while it can't be found out."""
        with suppress(StorageError):
            return await self._mounts.node()
        return None

    def _here(self, node: str | None) -> list[str]:
        """:return: the names of the volumes that are mounted on a node, or attached to it."""
        known = self._catalog.all_known()
        attached = {each.name for each in known if node is not None and each.attached_to == node}
        return sorted(attached | set(self._mounts.names()))

    async def _attempt(self, subject: str, work: Awaitable[None]) -> None:
        try:
            await work
        except (StorageError, VolumeException, OSError) as error:
            if self._problems.get(subject) != str(error):
                DOCKER_PROBLEM(subject=subject, reason=str(error)).write()
            self._problems[subject] = str(error)
        else:
            self._problems.pop(subject, None)


def _log_failure(failure: Failure) -> None:
    if not failure.check(CancelledError):
        _log.failure("A round of upkeep failed", failure)


__all__ = ["Upkeep"]

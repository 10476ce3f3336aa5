# -*- test-case-name: tests.docker.test_jobs -*-
"""
The work on volumes: one job for each volume at a time, which outlives the callers that wait for it.
"""

from __future__ import annotations

from collections.abc import Coroutine, Hashable
from typing import Any, Callable, Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from .._log import DOCKER_PROBLEM
from ..errors import StillRunning

T = TypeVar("T")


class _Job(Generic[T]):
    """
    A piece of work, waiting or running.

    :ivar key: of the callers that can share it.
    :ivar ended: fires with ``None`` when it has ended.
    """

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.ended: Deferred[None] = Deferred()
        self.running: Deferred[T] | None = None
        self._waiters: list[Deferred[T]] = []

    def wait(self) -> Deferred[T]:
        """:return: a ``Deferred`` of the result, which may be cancelled without the job."""
        waiter: Deferred[T] = Deferred(self._waiters.remove)
        self._waiters.append(waiter)
        return waiter

    def end(self, name: str, result: T | Failure) -> None:
        """Fire the Deferreds of the callers."""
        waiters, self._waiters = self._waiters, []
        if not waiters and isinstance(result, Failure) and not result.check(CancelledError):
            # Its callers have left; the log is the only place for its error.
            DOCKER_PROBLEM(subject=name, reason=result.getErrorMessage()).write()
        self.ended.callback(None)
        for each in waiters:
            each.callback(result)


class Jobs:
    """
    The jobs of all volumes.

    :param reactor: provides ``IReactorTime``.
    """

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self._queues: dict[str, list[_Job[Any]]] = {}

    def busy(self, name: str) -> bool:
        """:return: whether a volume has a job."""
        return name in self._queues

    async def run(
        self,
        name: str,
        key: Hashable,
        work: Callable[[], Coroutine[Any, Any, T]],
        seconds: float | None = None,
        operation: str = "",
    ) -> T:
        """
        Run a job when those before it on its volume have ended, or join the last one if it has the
        same key.

        :param name: the volume's.
        :param key: of the callers that can share a job.
        :param work: begins the job.
        :param seconds: how long the caller waits, or ``None`` for as long as it takes.
        :param operation: its name, for the error.
        :return: a coroutine of the job's result; cancelling it does not end the job.
        :raises StillRunning: the caller's time is over.
        """
        queue = self._queues.setdefault(name, [])
        if not queue or queue[-1].key != key:
            job: _Job[T] = _Job(key)
            before = queue[-1].ended if queue else succeed(None)
            queue.append(job)
            waiting = job.wait()
            before.addCallback(lambda _: self._start(name, job, work))
        else:
            waiting = queue[-1].wait()
        if seconds is None:
            return await waiting
        timer = self._reactor.callLater(seconds, waiting.cancel)
        try:
            return await waiting
        except CancelledError:
            if timer.active():
                raise
            raise StillRunning(name, operation, seconds) from None
        finally:
            if timer.active():
                timer.cancel()

    def _start(self, name: str, job: _Job[T], work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        job.running = Deferred.fromCoroutine(work())
        job.running.addBoth(self._ended, name, job)

    def _ended(self, result: T | Failure, name: str, job: _Job[T]) -> None:
        queue = self._queues[name]
        queue.remove(job)
        if not queue:
            del self._queues[name]
        job.end(name, result)

    async def stop(self) -> None:
        """Cancel all jobs, and wait for their end."""
        while self._queues:
            job = next(iter(self._queues.values()))[0]
            ended = job.ended
            waiter: Deferred[None] = Deferred()
            ended.addCallback(waiter.callback)
            if job.running is not None:
                job.running.cancel()
            await waiter


__all__ = ["Jobs"]

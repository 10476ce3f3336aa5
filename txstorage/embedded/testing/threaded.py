# -*- test-case-name: tests.embedded.testing.test_threaded -*-
"""
A double in a thread of this process, for synchronous clients.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from threading import Event, Thread
from typing import Any, cast

from twisted.python.failure import Failure

from ..._support.old_twisted import SecondReactor
from .running import RunningOpenStack
from .scratch import scratch_directory
from .served import Served
from .server import DoubleServer


class ThreadedOpenStack(RunningOpenStack):
    """
    A double with a reactor of its own in a daemon thread, on a free port of 127.0.0.1.

    :ivar nodes: server ids by name.
    :param nodes: the names of the servers.
    :param root_volumes: whether each server has a root volume, which volume lists show.
    :param settings: ``users``, and those of the service, such as ``transition_delay``; see the
        documentation.
    """

    def __init__(
        self,
        nodes: Iterable[str] = ("node-1", "node-2"),
        root_volumes: bool = False,
        **settings: Any,
    ) -> None:
        self._reactor = SecondReactor()  # type: ignore[no-untyped-call]
        reactor = cast(Any, self._reactor)
        options = dict(settings, nodes=tuple(nodes), root_volumes=root_volumes)
        self._directory = scratch_directory()
        self._server = DoubleServer(reactor, self._directory, options)
        self._ready = Event()
        self._outcome: Served | Failure | None = None
        self._thread = Thread(target=self._run, name="txstorage-double", daemon=True)
        self._thread.start()
        self._ready.wait()
        if isinstance(self._outcome, Failure):
            self.close()
            self._outcome.raiseException()
        served = cast(Served, self._outcome)
        self.nodes = served.nodes
        super().__init__(served.auth_url, served.password)

    def _run(self) -> None:
        self._reactor.callWhenRunning(self._start)
        self._reactor.run(installSignalHandlers=False)
        self._reactor.close()

    def _start(self) -> None:
        try:
            self._outcome = self._server.start()
        except BaseException:
            self._outcome = Failure()
        self._ready.set()

    def _stop(self) -> None:
        stopped = self._server.stopped()
        stopped.addErrback(lambda _: None)
        stopped.addCallback(lambda _: self._reactor.stop())

    def close(self) -> None:
        """See :class:`~txstorage.embedded.testing.OpenStackDouble`."""
        if self._thread.is_alive():
            self._reactor.callFromThread(self._stop)
            self._thread.join()
        # A start that failed leaves it.
        shutil.rmtree(self._directory, ignore_errors=True)

# -*- test-case-name: tests.embedded.testing.test_threaded -*-
"""
A double that listens on a port of this machine.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, maybeDeferred

from ..._support.monotonic import use_monotonic_time
from ..control.controls import Controls
from .cloud import InMemoryCloud, in_memory_cloud
from .served import Served

if TYPE_CHECKING:
    from ..service import IServiceReactor

HOST = "127.0.0.1"


class DoubleServer:
    """
    The server of a double.  All methods are for the reactor's thread.

    :param directory: of the volumes' files.
    :param options: of :func:`~txstorage.embedded.testing.cloud.in_memory_cloud`.
    """

    def __init__(self, reactor: IServiceReactor, directory: str, options: dict[str, Any]) -> None:
        use_monotonic_time(reactor)
        self._reactor = reactor
        self._directory = directory
        self._options = options
        self._cloud: InMemoryCloud | None = None
        self._port: Any = None
        self._site: Any = None

    def start(self) -> Served:
        """Listen on a free port."""
        controls = Controls(self._reactor, time.time)
        options = {"base_url": None, **self._options}
        cloud = in_memory_cloud(
            self._reactor, controls=controls, directory=self._directory, **options
        )
        self._cloud, self._site = cloud, cloud.application.site()
        self._port = self._reactor.listenTCP(0, self._site, interface=HOST)
        return Served(
            auth_url=f"http://{HOST}:{self._port.getHost().port}/identity/v3",
            password=cloud.settings.password,
            nodes=cloud.nodes,
        )

    async def stop(self) -> None:
        """End the connections, and remove the files."""
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)
            await self._site.end()
        if self._cloud is not None:
            self._cloud.close()

    def stopped(self) -> Deferred[None]:
        """:meth:`stop`, for callbacks."""
        return Deferred.fromCoroutine(self.stop())

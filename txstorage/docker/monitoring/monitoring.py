# -*- test-case-name: tests.docker.monitoring.test_port -*-
"""
The connection of the metrics to the log, to the plugin and to a port.
"""

from __future__ import annotations

from eliot import add_destinations, remove_destination
from prometheus_client import ProcessCollector, disable_created_metrics
from twisted.internet.interfaces import IReactorTime

from ..._http.messages import log_refusals
from ..catalog import Catalog
from ..mounts import Mounts
from ..settings import PluginSettings
from .metrics import Metrics
from .port import MonitoringPort
from .state import StateCollector, problem_of

# Rounds of the work in the background after which a missing list is a problem.
_ROUNDS = 3


class Monitoring:
    """
    The metrics and the health on a port, where that is wanted.

    :param reactor: provides ``IReactorTCP`` and ``IReactorTime``.
    :param catalog: the :class:`~txstorage.docker.catalog.Catalog`.
    :param mounts: the :class:`~txstorage.docker.mounts.Mounts`.
    :param settings: the :class:`~txstorage.docker.settings.PluginSettings`.
    """

    def __init__(
        self, reactor: IReactorTime, catalog: Catalog, mounts: Mounts, settings: PluginSettings
    ) -> None:
        self._reactor = reactor
        self._catalog = catalog
        self._mounts = mounts
        self._settings = settings
        self._metrics: Metrics | None = None
        self.port: MonitoringPort | None = None

    def start(self) -> None:
        """
        Listen, and count from now on.

        :raises SocketUnusable: the address can't be used.
        """
        if self._settings.metrics is None:
            return
        metrics = Metrics()
        metrics.registry.register(
            StateCollector(
                self._catalog.all_known,
                self._mounts.names,
                lambda: self._mounts.own_id,
                self._age,
                self._problem,
            )
        )
        ProcessCollector(registry=metrics.registry)
        self.port = MonitoringPort(
            self._reactor, self._settings.metrics, metrics.registry, self._problem
        )
        self.port.start()
        # The time at which each counter was made is of no use, and doubles the metrics.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        log_refusals()
        add_destinations(metrics)
        self._metrics = metrics

    async def stop(self) -> None:
        """Close the port and its connections."""
        if self._metrics is not None:
            remove_destination(self._metrics)
            self._metrics = None
        if self.port is not None:
            await self.port.stop()

    def _age(self) -> float | None:
        read = self._catalog.refreshed
        return None if read is None else max(0.0, self._reactor.seconds() - read)

    def _problem(self) -> str:
        """:return: the reason why the plugin is not healthy; empty when it is."""
        limit = _ROUNDS * self._settings.period
        return problem_of(self._age(), self._catalog.problem, limit)


__all__ = ["Monitoring"]

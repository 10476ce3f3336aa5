# -*- test-case-name: tests.docker.test_monitoring -*-
"""
The connection of the metrics to the log, to the plugin and to a port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eliot import add_destinations, remove_destination
from twisted.internet.interfaces import IReactorTime

from ...errors import MetricsMissing
from ..catalog import Catalog
from ..mounts import Mounts
from ..settings import PluginSettings

if TYPE_CHECKING:
    from .metrics import Metrics
    from .port import MonitoringPort

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

        :raises MetricsMissing: the library is not installed.
        :raises SocketUnusable: the address can't be used.
        """
        if self._settings.metrics is None:
            return
        try:
            from .metrics import Metrics, VolumesCollector
            from .port import MonitoringPort
        except ImportError as error:
            raise MetricsMissing() from error
        self._metrics = Metrics()
        volumes = VolumesCollector(
            self._catalog.all_known, self._mounts.names, lambda: self._mounts.own_id, self._age
        )
        self._metrics.registry.register(volumes)
        self.port = MonitoringPort(
            self._reactor, self._settings.metrics, self._metrics.registry, self._problem
        )
        self.port.start()
        add_destinations(self._metrics)

    async def stop(self) -> None:
        """Close the port."""
        if self._metrics is not None:
            remove_destination(self._metrics)
            self._metrics = None
        if self.port is not None:
            await self.port.stop()

    def _age(self) -> float | None:
        read = self._catalog.refreshed
        return None if read is None else self._reactor.seconds() - read

    def _problem(self) -> str:
        """:return: the reason why the plugin is not healthy; empty when it is."""
        age = self._age()
        if self._catalog.problem is not None:
            return str(self._catalog.problem)
        if age is None:
            return "the cloud has not answered yet"
        if age > _ROUNDS * self._settings.period:
            return f"the cloud was last heard of {age:.0f} s ago"
        return ""


__all__ = ["Monitoring"]

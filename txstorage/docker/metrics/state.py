# -*- test-case-name: tests.docker.metrics.test_state -*-
"""
The metrics of the plugin's state, which are read when they are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Callable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..catalog import Catalog
from ..journal import KnownVolume
from ..mounts import Mounts
from .definitions import HEALTHY, LIST_AGE, MOUNTS, VOLUMES, Definition
from .health import Health

#: The states of a volume.
STATES = ("mounted", "attached", "elsewhere", "free", "removing")


def state_of(record: KnownVolume, mounted: bool, node: str) -> str:
    """
    :param record: a known volume.
    :param mounted: whether it is mounted on this node.
    :param node: this node's instance id.
    :return: the volume's state, one of :data:`STATES`.
    """
    if record.removing:
        return "removing"
    if mounted:
        return "mounted"
    if record.attached_to is None:
        return "free"
    return "attached" if record.attached_to == node else "elsewhere"


class StateMetrics(Collector):
    """
    The metrics of the state.

    :param catalog: the plugin's :class:`~txstorage.docker.catalog.Catalog`.
    :param mounts: the plugin's :class:`~txstorage.docker.mounts.Mounts`.
    :param health: returns the plugin's :class:`Health`.
    """

    def __init__(self, catalog: Catalog, mounts: Mounts, health: Callable[[], Health]) -> None:
        self._catalog = catalog
        self._mounts = mounts
        self._health = health

    def describe(self) -> Iterable[Metric]:
        """See ``Collector``."""
        return [_family(each, ()) for each in (HEALTHY, LIST_AGE, MOUNTS, VOLUMES)]

    def collect(self) -> Iterator[Metric]:
        """See ``Collector``."""
        health = self._health()
        yield _family(HEALTHY, [((), 0.0 if health.reason else 1.0)])
        yield _family(LIST_AGE, [] if health.age is None else [((), health.age)])
        names = set(self._mounts.names())
        yield _family(MOUNTS, [((), len(names))])
        yield _family(VOLUMES, self._volumes(names))

    def _volumes(self, mounted: set[str]) -> list[tuple[tuple[str, ...], float]]:
        node = self._mounts.known_node
        if node is None:
            # Before the first round, the place of an attached volume is not known.
            return []
        found = Counter(
            state_of(each, each.name in mounted, node) for each in self._catalog.all_known()
        )
        return [((state,), found[state]) for state in STATES]


def _family(
    metric: Definition, samples: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


__all__ = ["STATES", "StateMetrics", "state_of"]

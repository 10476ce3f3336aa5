# -*- test-case-name: tests.docker.monitoring.test_state -*-
"""
The metrics of the plugin's state, counted when they are asked for; and its health.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Callable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ..journal import KnownVolume
from ..options import REMOVING
from .definitions import HEALTHY, LIST_AGE, MOUNTS, VOLUMES, Labels, Metric

#: The states of a volume from a node's point of view.
STATES = ("mounted", "attached", "elsewhere", "free", "removing")
# The characters of a reason at most.
_LONGEST = 1000


class StateCollector(Collector):
    """
    The metrics of the state.

    :param volumes: returns the known volumes.
    :param mounted: returns the names of the volumes that are mounted here.
    :param node: returns this node's instance id, or ``None`` while it is not known.
    :param age: returns the seconds since the last list of the cloud, or ``None``.
    :param problem: returns the reason why the plugin is not healthy; empty when it is.
    """

    def __init__(
        self,
        volumes: Callable[[], list[KnownVolume]],
        mounted: Callable[[], list[str]],
        node: Callable[[], str | None],
        age: Callable[[], float | None],
        problem: Callable[[], str],
    ) -> None:
        self._volumes = volumes
        self._mounted = mounted
        self._node = node
        self._age = age
        self._problem = problem

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """See ``Collector``."""
        age, mounted, node = self._age(), set(self._mounted()), self._node()
        yield _family(HEALTHY, [((), 0.0 if self._problem() else 1.0)])
        yield _family(LIST_AGE, [] if age is None else [((), age)])
        yield _family(MOUNTS, [((), len(mounted))])
        yield _family(VOLUMES, self._numbers(mounted, node))

    def _numbers(self, mounted: set[str], node: str | None) -> list[tuple[Labels, float]]:
        if node is None:
            # Before the first round, the place of an attached volume is not known.
            return []
        found = Counter(state_of(each, each.name in mounted, node) for each in self._volumes())
        return [((state,), found[state]) for state in STATES]


def _family(metric: Metric, samples: Iterable[tuple[Labels, float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def state_of(volume: KnownVolume, mounted: bool, node: str | None) -> str:
    """
    :param volume: a known volume.
    :param mounted: whether it is mounted on this node.
    :param node: this node's instance id.
    :return: the volume's state, one of :data:`STATES`.
    """
    if REMOVING in volume.labels:
        return "removing"
    if mounted:
        return "mounted"
    if volume.attached_to is None:
        return "free"
    return "attached" if volume.attached_to == node else "elsewhere"


def problem_of(age: float | None, problem: Exception | None, limit: float) -> str:
    """
    :param age: seconds since the last list of the cloud; ``None`` before the first one.
    :param problem: the reason why the last attempt to list failed, or ``None``.
    :param limit: seconds after which a list is too old.
    :return: the reason why the plugin is not healthy, in one line; empty when it is.
    """
    if problem is not None:
        return " ".join(str(problem).split())[:_LONGEST] or type(problem).__name__
    if age is None:
        return "the cloud has not answered yet"
    if age > limit:
        return f"the cloud was last heard of {age:.0f} s ago"
    return ""


__all__ = ["STATES", "StateCollector", "problem_of", "state_of"]

# -*- test-case-name: tests.docker.metrics.test_health -*-
"""
The health of the plugin: a recent list of the cloud's volumes, without a problem.
"""

from __future__ import annotations

import attr

from ..catalog import Catalog

#: The characters of a reason at most.
_LONGEST = 1000


@attr.s(auto_attribs=True, frozen=True)
class Health:
    """
    The health.

    :ivar age: seconds since the last list; ``None`` before the first one.
    :ivar problem: the reason why the last attempt to list failed; empty when it did not.
    :ivar limit: seconds after which a list is no longer recent.
    """

    age: float | None
    problem: str
    limit: float

    @property
    def reason(self) -> str:
        """The reason why the plugin is not healthy, in one line; empty when it is."""
        if self.problem:
            return " ".join(self.problem.split())[:_LONGEST]
        if self.age is None:
            return "the cloud has not answered yet"
        if self.age > self.limit:
            return f"the last list of the cloud's volumes is {self.age:.0f} seconds old"
        return ""


def health_of(catalog: Catalog, now: float, limit: float) -> Health:
    """
    :param catalog: the plugin's :class:`~txstorage.docker.catalog.Catalog`.
    :param now: the reactor's time.
    :param limit: as in :class:`Health`.
    :return: the :class:`Health`.
    """
    age = None if catalog.refreshed is None else max(0.0, now - catalog.refreshed)
    problem = catalog.problem
    shown = "" if problem is None else str(problem) or type(problem).__name__
    return Health(age, shown, limit)


__all__ = ["Health", "health_of"]

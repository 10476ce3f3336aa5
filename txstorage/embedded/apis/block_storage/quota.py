# -*- test-case-name: tests.embedded.apis.test_types -*-
"""
The checks of the quotas.  Growing and new volumes, and snapshots, count with their whole size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

import attr

from ...settings import Settings
from ...store.projects.quotas import OF_TYPES, quota_name
from ...store.records import Usage
from ...store.store import Store
from ...wire import refusals, volume_refusals
from ...wire.exchange import WireError

#: The maximum that Cinder can count.
MAX_INTEGER = 2**31 - 1
#: The resources that have a quota.
RESOURCES = ("volumes", "gigabytes", "snapshots", "backups", "backup_gigabytes")


def quota_of(settings: Settings, store: Store, project_id: str | None) -> Settings:
    """
    :param project_id: ``None`` for the first project.
    :return: the settings with a project's own quota, without those of volume types.
    """
    own = store.quotas.of_project(project_id)
    limits: dict[str, Any] = {f"max_{name}": own[name] for name in RESOURCES if name in own}
    return attr.evolve(settings, **limits)


@attr.s(frozen=True, auto_attribs=True)
class Over:
    """
    A quota that a request exceeds.

    :ivar resource: of which the request needs more.
    :ivar name: the quota's, which may be that of a volume type.
    """

    resource: str
    name: str
    limit: int
    used: int
    more: int

    @property
    def figures(self) -> tuple[int, int, int]:
        """The need, the limit, and the use, as refusals have them."""
        return self.more, self.limit, self.used


class Allowance:
    """
    The quotas of a project, and their use, for one change or answer.

    :param settings: with the quotas of projects without their own.
    :param store: of the change that needs the quotas.
    :param project_id: ``None`` for the first project.
    :param own: the project's own quotas, if they are not the store's.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        project_id: str | None,
        own: Mapping[str, int] | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._project_id = project_id
        self._own = store.quotas.of_project(project_id) if own is None else own
        self._usage: dict[str | None, Usage] = {}

    def limit(self, resource: str, volume_type: str | None = None) -> int:
        """:return: the quota; negative: none."""
        default: int = -1 if volume_type else getattr(self._settings, f"max_{resource}")
        return self._own.get(quota_name(resource, volume_type), default)

    def usage(self, volume_type: str | None = None) -> Usage:
        """:return: the use when it was first asked for, by all volumes or by those of a type."""
        # The sums of many volumes take a while, and one change checks them several times.
        if volume_type not in self._usage:
            self._usage[volume_type] = self._store.quotas.usage(self._project_id, volume_type)
        return self._usage[volume_type]

    def figures(self) -> dict[str, tuple[int, int]]:
        """:return: all quotas with their use, by name, also those of all volume types."""
        return {
            quota_name(resource, kind): (self.limit(resource, kind), getattr(used, resource))
            for kind in (None, *self._store.types.ids())
            for used in (self.usage(kind),)
            for resource in (RESOURCES if kind is None else OF_TYPES)
        }

    def over(
        self, volume_type: str, more: Mapping[str, int], reserved: Mapping[str, int] | None = None
    ) -> Over | None:
        """
        Look for a quota that a request exceeds.

        :param volume_type: the name of the type of the volume, or of the snapshot's volume.
        :param more: the needs, by resource.
        :param reserved: what the same request needs already, and does not use yet.
        :return: the first such quota, in Cinder's order: by name.
        """
        for resource in sorted(more):
            for kind in (None, volume_type):
                limit = self.limit(resource, kind)
                if limit < 0:
                    continue
                used = getattr(self.usage(kind), resource)
                if limit < used + (reserved or {}).get(resource, 0) + more[resource]:
                    name = quota_name(resource, kind)
                    return Over(resource, name, limit, used, more[resource])
        return None


_Refusals = Mapping[str, Callable[[Over, Allowance], WireError]]
#: The refusals of new volumes and snapshots, by resource.
NEW: _Refusals = {
    "gigabytes": lambda over, _: refusals.OVER_GIGABYTES(over.name, *over.figures),
    "snapshots": lambda over, _: refusals.OVER_SNAPSHOTS(over.limit),
    "volumes": lambda over, _: refusals.OVER_VOLUMES(over.limit, over.name),
}
#: The refusals of accepted transfers.
ACCEPTED: _Refusals = {
    **NEW,
    "gigabytes": lambda over, _: volume_refusals.OVER_GIGABYTES_THEN(over.name, *over.figures),
}
#: The refusals of volumes that a backup is restored to.
RESTORED: _Refusals = {
    **ACCEPTED,
    "volumes": lambda over, _: volume_refusals.OVER_VOLUMES_THEN(over.limit, over.name),
}


def _not_grown(over: Over, quota: Allowance) -> WireError:
    # Cinder names the quota of all types, and its figures, even if a type's is exceeded.
    figures = (over.more, quota.limit("gigabytes"), quota.usage().gigabytes)
    return refusals.OVER_GIGABYTES("gigabytes", *figures)


#: The refusals of volumes that grow.
GROWN: _Refusals = {"gigabytes": _not_grown}


def check(
    quota: Allowance,
    volume_type: str,
    more: Mapping[str, int],
    refused: _Refusals = NEW,
    reserved: Mapping[str, int] | None = None,
) -> None:
    """
    Check a request's needs.

    :param volume_type: the name of the type of the volume, or of the snapshot's volume.
    :param more: the needs, by resource.
    :param reserved: see :meth:`Allowance.over`.
    :raises WireError: 413.
    """
    over = quota.over(volume_type, more, reserved)
    if over is not None:
        raise refused[over.resource](over, quota)
    size = more.get("gigabytes", 0)
    if quota.usage().gigabytes + size > MAX_INTEGER:
        raise refusals.OVER_COUNTING(volume_type)

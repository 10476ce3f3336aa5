# -*- test-case-name: tests.embedded.apis.test_volumes -*-
"""
The checks of the quota.  Growing and new volumes, and snapshots, count with their whole size.
"""

from __future__ import annotations

from typing import Any

import attr

from ...settings import Settings
from ...store.records import Usage
from ...store.store import Store
from ...wire import refusals

#: The maximum that Cinder can count.
MAX_INTEGER = 2**31 - 1


def quota_of(settings: Settings, store: Store, project_id: str | None) -> Settings:
    """
    :param project_id: ``None`` for the first project.
    :return: the settings with a project's own quota.
    """
    own: dict[str, Any] = {
        f"max_{name}": value for name, value in store.quotas.of_project(project_id).items()
    }
    return attr.evolve(settings, **own)


def check_volume(quota: Settings, used: Usage, size: int, volume_type: str) -> None:
    """
    :param size: GiB of a new volume.
    :raises WireError: 413.
    """
    check_gigabytes(quota, used, size)
    if 0 <= quota.max_volumes <= used.volumes:
        raise refusals.OVER_VOLUMES(quota.max_volumes)
    check_count(used, size, volume_type)


def check_snapshot(quota: Settings, used: Usage, size: int, volume_type: str) -> None:
    """
    :param size: GiB of a new snapshot.
    :raises WireError: 413.
    """
    check_gigabytes(quota, used, size)
    if 0 <= quota.max_snapshots <= used.snapshots:
        raise refusals.OVER_SNAPSHOTS(quota.max_snapshots)
    check_count(used, size, volume_type)


def check_gigabytes(quota: Settings, used: Usage, more: int) -> None:
    """
    :param more: GiB.
    :raises WireError: 413.
    """
    if 0 <= quota.max_gigabytes < used.gigabytes + more:
        raise refusals.OVER_GIGABYTES(more, quota.max_gigabytes, used.gigabytes)


def check_count(used: Usage, more: int, volume_type: str) -> None:
    """
    :param more: GiB.
    :raises WireError: 413.
    """
    if used.gigabytes + more > MAX_INTEGER:
        raise refusals.OVER_COUNTING(volume_type)

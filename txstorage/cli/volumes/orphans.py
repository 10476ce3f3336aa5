# -*- test-case-name: tests.cli.volumes.test_orphans -*-
"""
Orphans: volumes with a dataset's label that are never used, because another volume is or was the
dataset's.
"""

from __future__ import annotations

from uuid import UUID

from ...clouds import VolumePage
from ...driver.labels import CLUSTER, SecondVolume, UsableVolumes, uuid_of


def selected(page: VolumePage, cluster_id: UUID) -> UsableVolumes:
    """Select the volumes of a cluster that are used, and those that are never used."""
    selection = UsableVolumes(page, cluster_id)
    for _ in selection.steps():
        pass
    return selection


def orphans_of(page: VolumePage, cluster_id: UUID | None) -> dict[str, SecondVolume]:
    """
    :param cluster_id: the cluster; ``None`` for all.
    :return: the orphans, by their ids.
    """
    clusters = {cluster_id}
    if cluster_id is None:
        clusters = {uuid_of(each.labels.get(CLUSTER)) for each in page.volumes}
    return {
        second.volume.volume_id: second
        for cluster in clusters
        if cluster is not None
        for second in selected(page, cluster).seconds
    }


def reason_of(orphan: SecondVolume) -> str:
    """Return the reason why a volume is never used."""
    has = "had" if orphan.used is None else "has"
    return (
        f"an orphan, which is never used: dataset {orphan.dataset_id} {has} another volume, "
        f"{orphan.superseded_by}"
    )


__all__ = ["orphans_of", "reason_of", "selected"]

# -*- test-case-name: tests.cli.resources.test_clusters -*-
"""The resources of one cluster, or of all clusters."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from ...clouds import Snapshot, Volume
from ...driver.labels import CLUSTER, belongs_to, cluster_labels


def labels_of(cluster_id: UUID | None) -> Mapping[str, str]:
    """Return the labels to list a cluster's resources with, or, for ``None``, those of all."""
    labels: Mapping[str, str] = {} if cluster_id is None else cluster_labels(cluster_id)
    return labels


def is_of(labelled: Volume | Snapshot, cluster_id: UUID | None) -> bool:
    """Check that a resource belongs to a cluster, or, for ``None``, to any."""
    if cluster_id is None:
        return CLUSTER in labelled.labels
    ours: bool = belongs_to(labelled, cluster_id)
    return ours


__all__ = ["is_of", "labels_of"]

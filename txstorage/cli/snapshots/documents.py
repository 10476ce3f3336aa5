# -*- test-case-name: tests.cli.snapshots.test_command -*-
"""Snapshots as JSON values."""

from __future__ import annotations

from ...clouds import Snapshot
from ...driver.labels import CLUSTER
from ...driver.snapshots import block_device_snapshot
from ..resources.documents import Document


def to_document(snapshot: Snapshot) -> Document:
    """
    :return: a snapshot as a JSON value; ``labels`` has only the user's own, and ``problem`` is
        ``None``, because only ``snapshots show`` asks for it.
    """
    found = block_device_snapshot(snapshot)
    return {
        "snapshot_id": found.snapshot_id,
        "volume_id": found.blockdevice_id,
        "dataset_id": None if found.dataset_id is None else str(found.dataset_id),
        "name": found.name,
        "size": found.size,
        "status": found.status,
        "created_at": found.created_at,
        "labels": dict(found.labels),
        "problem": None,
        "cluster_id": snapshot.labels.get(CLUSTER),
    }


__all__ = ["to_document"]

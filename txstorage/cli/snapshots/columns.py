# -*- test-case-name: tests.cli.snapshots.test_listing -*-
"""The columns of ``snapshots list``, by the names that the JSON document has for them."""

from __future__ import annotations

#: Names to titles.
COLUMNS = {
    "snapshot_id": "Snapshot",
    "volume_id": "Volume",
    "dataset_id": "Dataset",
    "name": "Name",
    "size": "Size",
    "status": "Status",
    "created_at": "Created",
    "labels": "Labels",
    "problem": "Problem",
    "cluster_id": "Cluster",
}

#: The columns that are shown by default.
USUAL = ("snapshot_id", "name", "volume_id", "size", "status", "created_at")

__all__ = ["COLUMNS", "USUAL"]

# -*- test-case-name: tests.cli.volumes.test_listing -*-
"""The columns of ``volumes list``, by the names that the JSON document has for them."""

from __future__ import annotations

#: Names to titles.
COLUMNS = {
    "volume_id": "Volume",
    "dataset_id": "Dataset",
    "size": "Size",
    "status": "Status",
    "attached_to": "Attached to",
    "volume_type": "Type",
    "name": "Name",
    "created_at": "Created",
    "from_snapshot": "From snapshot",
    "clone_of": "Clone of",
    "labels": "Labels",
    "problem": "Problem",
    "cluster_id": "Cluster",
}

#: The columns that are shown by default.
USUAL = ("volume_id", "dataset_id", "size", "status", "attached_to", "volume_type")

__all__ = ["COLUMNS", "USUAL"]

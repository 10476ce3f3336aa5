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
    "docker_name": "Docker name",
    "created_at": "Created",
    "from_snapshot": "From snapshot",
    "clone_of": "Clone of",
    "labels": "Labels",
    "superseded_by": "Superseded by",
    "problem": "Problem",
    "cluster_id": "Cluster",
}

#: The columns that are shown by default.
USUAL = (
    "volume_id", "docker_name", "dataset_id", "size", "status", "attached_to", "volume_type",
)  # fmt: skip

#: Those of them that are shown only when a volume has a value.
OPTIONAL = ("docker_name",)

__all__ = ["COLUMNS", "OPTIONAL", "USUAL"]

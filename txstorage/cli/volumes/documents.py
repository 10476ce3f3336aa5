# -*- test-case-name: tests.cli.test_volumes -*-
"""Volumes as JSON values."""

from __future__ import annotations

from ...clouds import Attachment, Volume
from ...docker.options import NAME as DOCKER_NAME
from ...driver.labels import dataset_of
from ...errors import MalformedLabels
from ..resources.documents import Document


def to_document(volume: Volume) -> Document:
    """
    :return: a volume of this cluster as a JSON value; ``problem`` is the reason if its labels don't
        identify a dataset, and ``None`` otherwise.
    """
    dataset_id, problem = None, None
    attachments: tuple[Attachment, ...] = volume.attachments
    try:
        dataset_id = str(dataset_of(volume))
    except MalformedLabels as error:
        problem = error.message
    return {
        "volume_id": volume.volume_id,
        "dataset_id": dataset_id,
        "size": volume.size,
        "status": volume.status,
        "attached_to": [each.server_id for each in attachments if each.server_id],
        "attached_to_hosts": [each.host_name for each in attachments if not each.server_id],
        "volume_type": volume.volume_type,
        "name": volume.name,
        "docker_name": volume.labels.get(DOCKER_NAME),
        "created_at": volume.created_at,
        "from_snapshot": volume.snapshot_id,
        "clone_of": volume.source_volume_id,
        "labels": dict(volume.labels),
        "problem": problem,
    }


__all__ = ["to_document"]

# -*- test-case-name: tests.cli.test_volume_details -*-
"""Everything about a volume, as a JSON value."""

from __future__ import annotations

import os
import stat
from typing import Any

from ...errors import DeviceError, PermissionDenied
from ...filesystem import holders_of, number_of
from ...interfaces import UnknownInstanceID
from ..app import ConfiguredCloud
from ..resources.documents import Document
from ..resources.observing import volume_of
from ..snapshots.documents import to_document as snapshot_document
from .documents import to_document


async def _here(cloud: ConfiguredCloud) -> str | None:
    """Return this node's instance id, or ``None`` if this machine is not a node of the cloud."""
    try:
        server: str = await cloud.driver.compute_instance_id()
    except UnknownInstanceID:
        return None
    return server


async def described(cloud: ConfiguredCloud, volume_id: str) -> Document:
    """
    :return: the document of a volume, with its device on this node.
    :raises UnknownVolume: the volume does not exist, or belongs to another cluster.
    """
    document = to_document(await volume_of(cloud, volume_id))
    document["device_path"] = document["device_size"] = None
    # The search for the instance id may take seconds on a machine that is not a node.
    if document["attached_to"] and await _here(cloud) in document["attached_to"]:
        try:
            device: Any = await cloud.driver.get_device_path(volume_id)
            document["device_path"], document["device_size"] = device.path, device.size
        except DeviceError as error:
            document["problem"] = error.message
    if "error" in document["status"] and document["problem"] is None:
        document["problem"] = await cloud.service.failure_reason(volume_id) or None
    return document


def holders(device: str | None) -> list[dict[str, Any]]:
    """
    :param device: the path of a volume's device on this node, or ``None``.
    :return: the users of the device: processes that have it mounted, each with its mount point; one
        for each mount namespace.  Only root sees all of them.
    """
    if device is None or not stat.S_ISBLK(os.stat(device).st_mode):
        return []
    return [
        {"pid": each.pid or None, "command": each.command, "place": each.place}
        for each in holders_of(number_of(device))
    ]


async def with_snapshots(cloud: ConfiguredCloud, volume_id: str) -> Document:
    """
    :return: the document of a volume, with its users on this node, and with the documents of all
        snapshots that keep it from being destroyed, also of those made with other tools; ``None``
        where listing is not permitted.
    :raises UnknownVolume: the volume does not exist, or belongs to another cluster.
    """
    document = await described(cloud, volume_id)
    document["holders"] = holders(document["device_path"])
    try:
        page = await cloud.service.list_snapshots({}, volume_id)
    except PermissionDenied:
        return {**document, "snapshots": None}
    return {**document, "snapshots": [snapshot_document(each) for each in page.snapshots]}


__all__ = ["described", "holders", "with_snapshots"]

# -*- test-case-name: tests.contract.test_embedded -*-
"""
The actions of features that this service does not have, answered as by a cloud without them: its
policy forbids them, or its one host, its missing image service or its back end is the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....accounts.policy import ACTIONS
from ....store.records import VolumeRecord
from ....store.store import Store
from ....wire import refusals, volume_refusals
from ...volume_views import HOST
from .changes import Change


def _forbidden(action: str) -> Change:
    def forbid(store: Store, volume: VolumeRecord, value: object) -> None:
        raise refusals.FORBIDDEN(ACTIONS["volume", action].name)

    return forbid


def _revert(store: Store, volume: VolumeRecord, value: Mapping[str, Any]) -> None:
    snapshots, wanted = store.snapshots.of_volume(volume.volume_id), value.get("snapshot_id")
    if not snapshots:
        raise volume_refusals.NO_SNAPSHOTS(volume.volume_id)
    if snapshots[0].snapshot_id != wanted:
        raise volume_refusals.NOT_THE_LATEST(wanted, volume.volume_id)
    if snapshots[0].size != volume.size:
        raise volume_refusals.OTHER_SIZE(volume.volume_id, wanted)
    raise refusals.FORBIDDEN(ACTIONS["volume", "revert"].name)


def _migrate(store: Store, volume: VolumeRecord, value: Mapping[str, Any]) -> None:
    host, cluster = value.get("host"), value.get("cluster")
    if bool(host) == bool(cluster):
        raise volume_refusals.HOST_OR_CLUSTER(
            "One and only one of cluster and host must be set."
            if "cluster" in value or "host" not in value
            else "Host field is missing."
        )
    if host is None or host.partition("#")[0] != HOST:
        raise volume_refusals.NO_HOST_NAMED(cluster or host)
    # There is no other host.
    raise volume_refusals.NOT_TO_BE_MIGRATED(volume.volume_id)


def _complete_extend(store: Store, volume: VolumeRecord, value: object) -> None:
    if volume.status != "extending":
        raise volume_refusals.NOT_BEING_EXTENDED()
    # The back end itself completes it.
    raise volume_refusals.NO_EXTEND_METADATA()


def _upload(store: Store, volume: VolumeRecord, value: Mapping[str, Any]) -> None:
    if volume.status != "available":
        raise volume_refusals.NOT_TO_BE_UPLOADED(volume.volume_id)
    raise volume_refusals.NO_IMAGE_SERVICE()


def _reimage(store: Store, volume: VolumeRecord, value: Mapping[str, Any]) -> None:
    # Cinder fails when it asks the image service, before it looks at the volume.
    raise refusals.VOLUME_FAULT()


def _connect(store: Store, volume: VolumeRecord, value: object) -> None:
    raise volume_refusals.NO_CONNECTION()


def _disconnect(store: Store, volume: VolumeRecord, value: object) -> None:
    """Nothing was connected."""


#: By action: its refusal.
ABSENT: Mapping[str, Change] = {
    "revert": _revert,
    "os-retype": _forbidden("os-retype"),
    "os-unmanage": _forbidden("os-unmanage"),
    "os-migrate_volume": _migrate,
    "os-migrate_volume_completion": _forbidden("os-migrate_volume_completion"),
    "os-extend_volume_completion": _complete_extend,
    "os-volume_upload_image": _upload,
    "os-reimage": _reimage,
    "os-initialize_connection": _connect,
    "os-terminate_connection": _disconnect,
}

__all__ = ["ABSENT"]

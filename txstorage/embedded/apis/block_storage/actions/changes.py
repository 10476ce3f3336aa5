# -*- test-case-name: tests.contract.test_embedded -*-
"""
The actions on a volume that only change what the store has of it.

Each is a function of the store, the volume, and the action's value, within one change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from ....bounds import labels_fit
from ....store.records import VolumeRecord
from ....store.store import Store
from ....wire import refusals, volume_refusals
from ....wire.exchange import EMPTY, APIResponse
from ...volume_requests import is_true
from .resetting import is_migrating

Change = Callable[[Store, VolumeRecord, Any], Optional[APIResponse]]
#: The statuses in which the metadata of a volume's image can't be changed.
_KEEPS_METADATA = frozenset(["maintenance", "uploading"])


def _reserve(store: Store, volume: VolumeRecord, value: object) -> None:
    if volume.status != "available":
        raise refusals.NOT_TO_BE_RESERVED(volume.status)
    store.flags.hold(volume.volume_id, "attaching")


def _unreserve(store: Store, volume: VolumeRecord, value: object) -> None:
    attachment = volume.attachment
    # An attachment that Compute makes is not the client's to end.
    if volume.status == "attaching" and (attachment is None or not attachment.by_compute):
        store.set_status(volume.volume_id, "available" if attachment is None else "in-use")


def _begin_detaching(store: Store, volume: VolumeRecord, value: object) -> None:
    if volume.status != "in-use" or volume.attachment is None or is_migrating(volume):
        raise volume_refusals.NOT_TO_BE_DETACHED()
    store.flags.hold(volume.volume_id, "detaching")


def _roll_detaching(store: Store, volume: VolumeRecord, value: object) -> None:
    if volume.status == "detaching" and volume.held:
        store.set_status(volume.volume_id, "in-use")


def _attach(store: Store, volume: VolumeRecord, value: Mapping[str, Any]) -> None:
    server_id, host = value.get("instance_uuid"), value.get("host_name")
    mode, attachment = value.get("mode", "rw"), volume.attachment
    if volume.status == "maintenance":
        raise volume_refusals.NOT_TO_BE_ATTACHED()
    if volume.readonly and mode != "ro":
        raise volume_refusals.BAD_ATTACH_MODE(mode, volume.volume_id)
    if volume.readonly is None:
        store.flags.set_readonly(volume.volume_id, False)
    if attachment is None:
        store.attachments.record(volume.volume_id, server_id, host, value["mountpoint"], mode)
    elif attachment.by_action and (
        attachment.server_id == server_id if server_id else attachment.host == host
    ):
        store.set_status(volume.volume_id, "in-use")
    else:
        raise volume_refusals.ATTACHED_ALREADY("")


def _set_bootable(store: Store, volume: VolumeRecord, value: Mapping[str, Any]) -> APIResponse:
    if volume.status == "maintenance":
        raise refusals.NO_UPDATE_NOW()
    store.flags.set_bootable(volume.volume_id, is_true(value["bootable"]))
    return APIResponse(200)


def _set_readonly(store: Store, volume: VolumeRecord, value: Mapping[str, Any]) -> None:
    if volume.status != "available":
        raise volume_refusals.KEEPS_READONLY(volume.volume_id, volume.status)
    store.flags.set_readonly(volume.volume_id, is_true(value["readonly"]))


def _show_image(store: Store, volume: VolumeRecord, value: object) -> APIResponse:
    return APIResponse(200, {"metadata": dict(volume.image_metadata)})


def _set_image(store: Store, volume: VolumeRecord, value: Mapping[str, Any]) -> APIResponse:
    if volume.status in _KEEPS_METADATA:
        raise refusals.KEEPS_LABELS("Updating", volume.status)
    metadata = {**volume.image_metadata, **value["metadata"]}
    if not labels_fit(metadata):
        raise refusals.TOO_LARGE["volume"]()
    store.flags.set_image_metadata(volume.volume_id, metadata)
    return APIResponse(200, {"metadata": metadata})


def _unset_image(store: Store, volume: VolumeRecord, value: Mapping[str, Any]) -> APIResponse:
    metadata = dict(volume.image_metadata)
    if value["key"] not in metadata:
        raise volume_refusals.NO_IMAGE_METADATA(volume.volume_id)
    if volume.status in _KEEPS_METADATA:
        raise refusals.KEEPS_LABELS("Deleting", volume.status)
    del metadata[value["key"]]
    store.flags.set_image_metadata(volume.volume_id, metadata)
    return APIResponse(200, content_type=EMPTY)


#: By action: its change, which returns a response other than 202, if it has one.
CHANGES: Mapping[str, Change] = {
    "os-reserve": _reserve,
    "os-unreserve": _unreserve,
    "os-begin_detaching": _begin_detaching,
    "os-roll_detaching": _roll_detaching,
    "os-attach": _attach,
    "os-set_bootable": _set_bootable,
    "os-update_readonly_flag": _set_readonly,
    "os-show_image_metadata": _show_image,
    "os-set_image_metadata": _set_image,
    "os-unset_image_metadata": _unset_image,
}

__all__ = ["CHANGES", "Change"]

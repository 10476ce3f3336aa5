# -*- test-case-name: tests.contract.test_embedded -*-
"""The actions that detach a volume from a host: Compute's attachments are Compute's to end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....machine.transitions import transition_of
from ....store.records import VolumeRecord
from ....store.store import Store
from ....wire import refusals, volume_refusals


def begin_to_detach(store: Store, volume: VolumeRecord, value: Mapping[str, Any] | None) -> bool:
    """
    :return: whether a transition begins.
    :raises WireError: 400, 409, or 500 when the request has no value.
    """
    if value is None:
        # Cinder's schema admits it, and the rest does not.
        raise refusals.VOLUME_FAULT()
    attachment, wanted = volume.attachment, value.get("attachment_id")
    if wanted is not None:
        attachment = store.attachments.find(wanted)
        if attachment is None:
            raise refusals.USED_BY_COMPUTE("")
        if attachment.volume_id != volume.volume_id:
            raise volume_refusals.OTHER_ATTACHMENT()
    if attachment is not None and attachment.by_compute:
        raise refusals.USED_BY_COMPUTE(attachment.server_id)
    if volume.status == "maintenance":
        raise volume_refusals.NOT_TO_BE_DETACHED_NOW()
    if attachment is not None:
        store.set_status(volume.volume_id, "detaching")
        return True
    if transition_of(volume) is None:
        store.set_status(volume.volume_id, "available")
    return False


__all__ = ["begin_to_detach"]

# -*- test-case-name: tests.contract.test_embedded -*-
"""The action that sets a volume's statuses, for administrators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....store.records import VolumeRecord
from ....store.store import Store
from ....wire import refusals, volume_refusals
from ....wire.exchange import WireError
from ....wire.fields import OPTIONAL_TEXT, volume_body, wrapped

RESET_STATUS = "os-reset_status"
#: The statuses that the action may set.
STATUSES = (
    "creating",
    "available",
    "deleting",
    "error",
    "error_deleting",
    "error_managing",
    "managing",
    "attaching",
    "in-use",
    "detaching",
    "maintenance",
    "restoring-backup",
    "error_restoring",
    "reserved",
    "awaiting-transfer",
    "backing-up",
    "error_backing-up",
    "error_extending",
    "downloading",
    "uploading",
    "retyping",
    "extending",
)
_ATTACH_STATUSES = ["attached", "detached"]
_MIGRATION_STATUSES = ("migrating", "error", "success", "completing", "none", "starting")
#: The members of the request.
_MEMBERS = ("status", "attach_status", "migration_status")
_BODY = volume_body(
    wrapped(
        RESET_STATUS,
        {
            "type": "object",
            "properties": dict.fromkeys(_MEMBERS, OPTIONAL_TEXT),
            "additionalProperties": False,
        },
    )
)
#: The statuses of a volume that is not migrating.
_NOT_MIGRATING = (None, "deleting", "error", "success")


def is_migrating(volume: VolumeRecord) -> bool:
    """Check whether an administrator says that a volume is migrating; it never is."""
    return volume.migration_status not in _NOT_MIGRATING


def check_reset(body: Mapping[str, Any]) -> None:
    """
    Check the request of the action.

    :raises WireError: 400.
    """
    value = body[RESET_STATUS]
    # As in Cinder, the check of what is missing comes before that of what there is.
    if isinstance(value, dict) and not any(value.get(name) for name in _MEMBERS):
        raise refusals.NO_STATUS()
    _BODY.check(body)
    status, attach, migration = (value.get(name) for name in _MEMBERS)
    if status and status.lower() not in STATUSES:
        raise refusals.BAD_STATUS(status, STATUSES)
    if attach and attach.lower() not in _ATTACH_STATUSES:
        raise volume_refusals.BAD_ATTACH_STATUS(attach, _ATTACH_STATUSES)
    if migration and migration.lower() not in _MIGRATION_STATUSES:
        raise volume_refusals.BAD_MIGRATION_STATUS(migration, _MIGRATION_STATUSES)


def reset_status(store: Store, volume: VolumeRecord, value: Mapping[str, Any]) -> bool:
    """
    Set a volume's statuses.  No transition of theirs begins: the action is for stuck volumes.

    :return: whether a transition begins, which detaches the volume.
    :raises WireError: 400.
    """
    wanted = {name: value[name].lower() for name in _MEMBERS if value.get(name)}
    status = wanted.get("status")
    refusal = _refusal(volume, status)
    if refusal is not None:
        raise refusal
    if status is not None:
        store.set_status(volume.volume_id, status)
    if "migration_status" in wanted:
        migration = wanted["migration_status"]
        store.flags.set_migration(volume.volume_id, None if migration == "none" else migration)
    if wanted.get("attach_status") != "detached" or volume.attachment is None:
        return False
    store.set_status(volume.volume_id, "detaching")
    return True


def _refusal(volume: VolumeRecord, status: str | None) -> WireError | None:
    if status == "deleting":
        return refusals.NOT_TO_BE_SET(status)
    if status == "in-use" and volume.attachment is None:
        return refusals.NOT_IN_USE()
    return None


__all__ = ["RESET_STATUS", "check_reset", "is_migrating", "reset_status"]

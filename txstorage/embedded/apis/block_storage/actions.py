# -*- test-case-name: tests.embedded.apis.test_volumes -*-
"""
Cinder's actions on a volume: the reservations, and those that this service does not have, which it
refuses as unknown, but only for an existing volume.

Source: the module ``volume_actions`` of ``cinder.api.schemas``, and the controllers that name the
actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ...store.records import VolumeRecord
from ...wire import refusals
from ...wire.exchange import Version
from ...wire.fields import volume_body, wrapped

_ANYTHING: dict[str, Any] = {}
_OBJECT = {"type": "object"}


def _with(member: str) -> dict[str, Any]:
    return {"type": "object", "required": [member]}


#: The schema of what each is requested with.
_OTHERS: dict[str, dict[str, Any]] = {
    "os-attach": _with("mountpoint"),
    "os-begin_detaching": _ANYTHING,
    "os-detach": {"type": ["object", "null"]},
    "os-extend_volume_completion": _OBJECT,
    "os-force_detach": _OBJECT,
    "os-initialize_connection": _with("connector"),
    "os-migrate_volume": _OBJECT,
    "os-migrate_volume_completion": _with("new_volume"),
    "os-reimage": _with("image_id"),
    "os-reserve": _ANYTHING,
    "os-retype": _with("new_type"),
    "os-roll_detaching": _ANYTHING,
    "os-set_bootable": _with("bootable"),
    "os-set_image_metadata": _with("metadata"),
    "os-show_image_metadata": _ANYTHING,
    "os-terminate_connection": _with("connector"),
    "os-unmanage": _ANYTHING,
    "os-unreserve": _ANYTHING,
    "os-unset_image_metadata": _with("key"),
    "os-update_readonly_flag": _with("readonly"),
    "os-volume_upload_image": _with("image_name"),
    "revert": _OBJECT,
}
#: The first microversions of the later ones.
_SINCE: dict[str, Version] = {"revert": (3, 40), "os-reimage": (3, 68)}
_SCHEMAS = {name: volume_body(wrapped(name, schema)) for name, schema in _OTHERS.items()}


def check_other(name: str, body: Mapping[str, Any], version: Version) -> None:
    """
    Check the request of an action that this service does not have.

    :raises WireError: 400, when Cinder has none of the name either, or would refuse the body; 404,
        when it is of a later microversion.
    """
    if name not in _SCHEMAS:
        raise refusals.NO_VOLUME_ACTION(name)
    if version < _SINCE.get(name, version):
        raise refusals.NO_RESOURCE()
    _SCHEMAS[name].check(body)


def _reserved(volume: VolumeRecord) -> str:
    """
    :return: the new status.
    :raises WireError: 400, another use has begun.
    """
    if volume.status != "available":
        raise refusals.NOT_TO_BE_RESERVED(volume.status)
    return "attaching"


def _unreserved(volume: VolumeRecord) -> str | None:
    """
    :return: the new status; ``None``: the volume is not reserved, or Compute attaches it.
    """
    reserved = volume.status == "attaching" and volume.attachment is None
    return "available" if reserved else None


#: The actions by which a host reserves a volume, and gives it back: functions that return the new
#: status.
RESERVATIONS: dict[str, Callable[[VolumeRecord], str | None]] = {
    "os-reserve": _reserved,
    "os-unreserve": _unreserved,
}


__all__ = ["RESERVATIONS", "check_other"]

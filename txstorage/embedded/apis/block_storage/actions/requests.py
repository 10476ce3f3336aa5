# -*- test-case-name: tests.contract.test_embedded -*-
"""
The bodies of Cinder's actions on a volume.

Source: the modules ``volume_actions``, ``volume_image_metadata``, ``admin_actions`` and ``volumes``
of ``cinder.api.schemas``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....wire import refusals
from ....wire.exchange import Version
from ....wire.fields import OPTIONAL_UUID, UUID, volume_body, wrapped
from ...volume_requests import BOOLEAN, LABEL_KEYS

_ANYTHING: dict[str, Any] = {}
_OBJECT = {"type": "object"}
_TEXT = {"type": "string", "maxLength": 255}
_NAME = {"type": "string", "minLength": 1, "maxLength": 255}
_FLAG = {"type": ["string", "null", "boolean"]}
_CONNECTOR = {"type": ["string", "object", "null"]}


def _with(needed: str, **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [needed],
        "additionalProperties": False,
    }


def _optional(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


_UPLOAD: dict[str, Any] = {
    "image_name": _NAME,
    "force": BOOLEAN,
    "disk_format": {
        "type": "string",
        "enum": ["raw", "vmdk", "vdi", "qcow2", "vhd", "vhdx", "ploop"],
    },
    "container_format": {"type": ["string", "null"], "maxLength": 255},
}
#: The schema of what each is requested with.
_REQUESTS: dict[str, dict[str, Any]] = {
    "os-attach": {
        **_with(
            "mountpoint",
            instance_uuid=UUID,
            mountpoint=_NAME,
            host_name=_TEXT,
            mode={"type": "string", "enum": ["rw", "ro"]},
        ),
        "anyOf": [{"required": ["instance_uuid"]}, {"required": ["host_name"]}],
    },
    "os-begin_detaching": _ANYTHING,
    "os-detach": {**_optional(attachment_id=OPTIONAL_UUID), "type": ["object", "null"]},
    "os-extend_volume_completion": _optional(error=_FLAG),
    "os-force_detach": _optional(connector=_CONNECTOR, attachment_id={"type": ["string", "null"]}),
    "os-initialize_connection": _with("connector", connector={"type": ["object", "string"]}),
    "os-migrate_volume": _with("host", host=_TEXT, force_host_copy=BOOLEAN, lock_volume=BOOLEAN),
    "os-migrate_volume_completion": _with("new_volume", new_volume=UUID, error=_FLAG),
    "os-reimage": _with("image_id", image_id=UUID, reimage_reserved=BOOLEAN),
    "os-reserve": _ANYTHING,
    "os-retype": _with(
        "new_type",
        new_type={"type": "string"},
        migration_policy={"type": ["string", "null"], "enum": ["on-demand", "never"]},
    ),
    "os-roll_detaching": _ANYTHING,
    "os-set_bootable": _with("bootable", bootable=BOOLEAN),
    "os-set_image_metadata": _with(
        "metadata",
        metadata={
            "type": "object",
            "patternProperties": {LABEL_KEYS: {"type": "string"}},
            "additionalProperties": False,
        },
    ),
    "os-show_image_metadata": _ANYTHING,
    "os-terminate_connection": _with("connector", connector=_CONNECTOR),
    "os-unmanage": _ANYTHING,
    "os-unreserve": _ANYTHING,
    "os-unset_image_metadata": _with("key", key=_NAME),
    "os-update_readonly_flag": _with("readonly", readonly=BOOLEAN),
    "os-volume_upload_image": _with("image_name", **_UPLOAD),
    "revert": _OBJECT,
}
_OPTIONAL_NAME = {"type": ["string", "null"], "maxLength": 255}
#: Later schemas, and their first microversions: to migrate to a cluster, and to publish an image.
_LATER: dict[str, tuple[Version, dict[str, Any]]] = {
    "os-migrate_volume": (
        (3, 16),
        _optional(
            host=_OPTIONAL_NAME,
            force_host_copy=BOOLEAN,
            lock_volume=BOOLEAN,
            cluster=_OPTIONAL_NAME,
        ),
    ),
    "os-volume_upload_image": (
        (3, 1),
        _with(
            "image_name",
            **_UPLOAD,
            visibility={"type": "string", "enum": ["community", "public", "private", "shared"]},
            protected=BOOLEAN,
        ),
    ),
}
#: The first microversions of the later ones.
_SINCE: dict[str, Version] = {"revert": (3, 40), "os-reimage": (3, 68)}
_SCHEMAS = {name: volume_body(wrapped(name, schema)) for name, schema in _REQUESTS.items()}
_LATER_SCHEMAS = {name: volume_body(wrapped(name, schema)) for name, (_, schema) in _LATER.items()}


def check_action(name: str, body: Mapping[str, Any], version: Version) -> None:
    """
    Check the request of an action.

    :raises WireError: 400, when Cinder has none of the name, or would refuse the body; 404, when
        it is of a later microversion.
    """
    if name not in _SCHEMAS:
        raise refusals.NO_VOLUME_ACTION(name)
    if version < _SINCE.get(name, version):
        raise refusals.NO_RESOURCE()
    later = name in _LATER and version >= _LATER[name][0]
    (_LATER_SCHEMAS if later else _SCHEMAS)[name].check(body)


__all__ = ["check_action"]

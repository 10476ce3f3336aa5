# -*- test-case-name: tests.embedded.apis.test_volumes -*-
"""
Requests for volumes: the schemas of their bodies, and the checks that Cinder makes after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

import attr

from ..machine.image import IMAGE_ID, IMAGE_NAME, image_metadata
from ..settings import AVAILABILITY_ZONE
from ..store.features.backups import BackupRecord
from ..store.projects.types import TypeRecord
from ..store.records import NewVolume, SnapshotRecord, VolumeRecord
from ..wire import refusals, volume_refusals
from ..wire.exchange import Version, WireError
from ..wire.fields import OPTIONAL_TEXT, OPTIONAL_UUID, is_uuid, volume_body, wrapped
from .block_storage.queries import boolean
from .block_storage.quota import MAX_INTEGER

_MAX_TEXT = 255
#: Like Cinder's, the pattern accepts a line feed at the end.
LABEL_KEYS = "^[a-zA-Z0-9-_:. /]{1,255}$"
LABELS = {
    "patternProperties": {LABEL_KEYS: {"type": "string", "maxLength": _MAX_TEXT}},
    "additionalProperties": False,
}
_NUMBER = {"pattern": "^[0-9]+$", "minimum": 1, "maximum": MAX_INTEGER}
_SIZE = {"type": ["integer", "string", "null"], **_NUMBER}
_TRUE = (True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes", "y", "t")
_FALSE = (False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no", "n", "f")
#: A member that Cinder takes for a boolean.
BOOLEAN = {"type": ["boolean", "string"], "enum": [*_TRUE, *_FALSE]}
_MEMBERS = {
    "name": OPTIONAL_TEXT,
    "description": OPTIONAL_TEXT,
    "volume_type": OPTIONAL_TEXT,
    "metadata": {"type": ["object", "null"], **LABELS},
    "snapshot_id": OPTIONAL_UUID,
    "backup_id": OPTIONAL_UUID,
    "source_volid": OPTIONAL_UUID,
    "consistencygroup_id": OPTIONAL_UUID,
    "size": _SIZE,
    "availability_zone": OPTIONAL_TEXT,
    "multiattach": {"oneOf": [{"type": "null"}, BOOLEAN]},
}
_NEW_VOLUME = volume_body(wrapped("volume", {"type": "object", "properties": _MEMBERS}))
_NEW_VOLUME_WITH_GROUP = volume_body(
    wrapped("volume", {"type": "object", "properties": {**_MEMBERS, "group_id": OPTIONAL_TEXT}})
)
#: The first microversion whose schema has the group.
_GROUP = (3, 13)
#: The body of a request that sets labels.
METADATA = volume_body(wrapped("metadata", {"type": "object", **LABELS}))
#: The body of a request that sets one label.
LABEL = volume_body(
    wrapped("meta", {"type": "object", **LABELS, "minProperties": 1, "maxProperties": 1})
)
#: The body of the action that extends a volume.
EXTEND = volume_body(
    wrapped(
        "os-extend",
        {
            "type": "object",
            "properties": {"new_size": {"type": ["integer", "string"], **_NUMBER}},
            "required": ["new_size"],
            "additionalProperties": False,
        },
    )
)
#: The members that name a source.
_SOURCES = ("snapshot_id", "source_volid", "backup_id")
#: Sources of which there are none here.
_NO_SOURCES: dict[str, Callable[[Any], WireError]] = {
    "consistencygroup_id": refusals.NO_GROUP,
    "group_id": refusals.NO_GROUP,
}
#: The statuses of a volume that can be copied.
_COPIED = frozenset(["available", "in-use"])


@attr.s(frozen=True, auto_attribs=True)
class WantedVolume:
    """
    The body of a create.

    :ivar size: GiB; ``None``: as the source has.
    :ivar volume_type: a type's name; ``None``: as the source has.
    :ivar from_image: whether it is filled from the image.
    """

    name: str | None
    description: str | None
    size: int | None
    volume_type: str | None
    metadata: Mapping[str, str]
    snapshot_id: str | None
    source_volid: str | None
    backup_id: str | None
    from_image: bool = False


def new_volume(
    body: Mapping[str, Any], version: Version, find_type: Callable[[str], TypeRecord | None]
) -> WantedVolume:
    """
    Parse the body of a create.

    :param find_type: finds a volume type of the user by its name or id.

    :raises WireError: 400, 404.
    """
    (_NEW_VOLUME_WITH_GROUP if version >= _GROUP else _NEW_VOLUME).check(body)
    volume = body["volume"]
    for name in ("name", "description"):
        check_length(name, volume.get(name))
    size, sources = volume.get("size"), [volume.get(name) for name in _SOURCES]
    if size is None and not any(sources):
        raise refusals.INCORRECT()
    for source, refusal in _NO_SOURCES.items():
        if volume.get(source) is not None:
            raise refusal(volume[source])
    if boolean({name: str(value) for name, value in volume.items()}, "multiattach"):
        raise refusals.NO_MULTIATTACH()
    wanted = WantedVolume(
        name=volume.get("name"),
        description=volume.get("description"),
        size=None if size is None else int(size),
        metadata=volume.get("metadata") or {},
        volume_type=_volume_type(volume.get("volume_type"), find_type),
        from_image=_from_image(volume.get("imageRef")),
        **dict(zip(_SOURCES, sources)),
    )
    zone = volume.get("availability_zone")
    if zone not in (None, AVAILABILITY_ZONE):
        raise refusals.NO_ZONE(zone)
    return wanted


def _from_image(reference: object) -> bool:
    """
    :param reference: the id, the URL or the name of an image; ``None`` or empty for none.
    :raises WireError: 400, for another image than the one.
    """
    if reference in (None, ""):
        return False
    named = reference == IMAGE_NAME or str(reference).rpartition("/")[2] == IMAGE_ID
    if not isinstance(reference, str) or not named:
        raise refusals.NO_IMAGE()
    return True


def filled(
    wanted: WantedVolume,
    default_type: Callable[[], str],
    snapshot: SnapshotRecord | None,
    source: VolumeRecord | None,
    backup: BackupRecord | None = None,
) -> NewVolume:
    """
    Complete a request with what its source has.

    :param default_type: returns the name of the type of a volume without one.
    :param snapshot: with the request's ``snapshot_id``.
    :param source: with the request's ``source_volid``.
    :param backup: with the request's ``backup_id``.
    :raises WireError: 400.
    """
    if sum(each is not None for each in (snapshot, source, backup)) + wanted.from_image > 1:
        raise refusals.ONLY_ONE_SOURCE()
    if snapshot is not None:
        if snapshot.status != "available":
            raise refusals.SNAPSHOT_NOT_READY()
        if wanted.size is not None and wanted.size < snapshot.size:
            raise refusals.SMALLER_THAN_SNAPSHOT(wanted.size, snapshot.size)
    if source is not None:
        if source.status not in _COPIED:
            raise refusals.SOURCE_NOT_READY()
        if wanted.size is not None and wanted.size < source.size:
            raise refusals.SMALLER_THAN_SOURCE(wanted.size, source.size)
    if backup is not None:
        if backup.status != "available":
            raise volume_refusals.BACKUP_NOT_READY()
        if wanted.size is not None and wanted.size < backup.size:
            raise volume_refusals.SMALLER_THAN_BACKUP(wanted.size, backup.size)
    origin = snapshot or source
    sized = origin or backup
    size = sized.size if wanted.size is None and sized else wanted.size
    if size is None:
        raise refusals.INCORRECT()
    return NewVolume(
        name=wanted.name,
        description=wanted.description,
        size=size,
        volume_type=wanted.volume_type or (origin.volume_type if origin else default_type()),
        metadata=wanted.metadata,
        snapshot_id=wanted.snapshot_id,
        source_volid=wanted.source_volid,
        backup_id=wanted.backup_id,
        # Every size is enough for it.
        image_metadata=image_metadata() if wanted.from_image else {},
    )


def is_true(value: object) -> bool:
    """Return the boolean of a member of the schema :data:`BOOLEAN`."""
    return value in _TRUE


def check_length(field: str, value: str | None) -> None:
    """:raises WireError: 400, a name or a description is too long."""
    if value is not None and len(value) > _MAX_TEXT:
        raise refusals.TOO_LONG(field, len(value))


def _volume_type(value: str | None, find_type: Callable[[str], TypeRecord | None]) -> str | None:
    """A type's name, from its name or its id."""
    found = None if value is None else find_type(value)
    if value is None or found is not None:
        return None if found is None else found.name
    raise (refusals.NO_VOLUME_TYPE if is_uuid(value) else refusals.NO_VOLUME_TYPE_NAMED)(value)

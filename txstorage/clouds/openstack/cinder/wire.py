# -*- test-case-name: tests.clouds.openstack.cinder.test_volumes -*-
"""
Volumes and snapshots as Cinder describes them.
"""

from __future__ import absolute_import, division, print_function

import re

from ...._support.compat import text_type
from ...._support.json_values import (
    MAX_ID,
    Malformed,
    at_most,
    identifier,
    text_member,
    whole_number,
)
from ...listing import has_labels
from ...values import Attachment, Snapshot, Volume
from ..paths_and_pages import check_id

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Mapping, Optional, Text, Tuple  # noqa: F401

GIB = 1024 ** 3

#: The maximum size of a volume that is credible: 2 ** 63 bytes are the kernel's limit.
MAX_GIB = 2 ** 33

SERVICE_TYPES = (u"block-storage", u"block-store", u"volumev3", u"volume")

#: The maximum number of attachments of one volume.
MAX_ATTACHMENTS = 1000

_HOST = u"txstorage:"
_PERCENT = re.compile(u"[0-9]{1,3}%\\Z")


def volume_from_wire(wire, listed=False):
    # type: (Any, bool) -> Volume
    """
    :param wire: one volume, as Cinder describes it in detail.
    :param bool listed: whether it is an entry of a list.
    :return: a :class:`~txstorage.clouds.Volume`.
    :raises Malformed: with the problem.
    """
    size = _bytes(wire)
    return Volume(
        volume_id=identifier(wire, u"id"),
        status=identifier(wire, u"status"),
        size=size,
        name=text_member(wire, u"name"),
        labels=labels_from_wire(wire.get(u"metadata")),
        attachments=_attachments(wire),
        created_at=text_member(wire, u"created_at"),
        volume_type=text_member(wire, u"volume_type") or None,
        encrypted=wire.get(u"encrypted") is True,
        listed=listed,
        updated_at=text_member(wire, u"updated_at"),
        # Cinder keeps both ids when the snapshot or the volume no longer exists.
        snapshot_id=_origin(wire, u"snapshot_id"),
        source_volume_id=_origin(wire, u"source_volid"),
    )


def snapshot_from_wire(wire, listed=False):
    # type: (Any, bool) -> Snapshot
    """
    :param wire: one snapshot, as Cinder describes it in detail.
    :param bool listed: whether it is an entry of a list.
    :return: a :class:`~txstorage.clouds.Snapshot`.
    :raises Malformed: with the problem.
    """
    size = _bytes(wire)
    return Snapshot(
        snapshot_id=identifier(wire, u"id"),
        volume_id=identifier(wire, u"volume_id"),
        status=identifier(wire, u"status"),
        size=size,
        name=text_member(wire, u"name"),
        labels=labels_from_wire(wire.get(u"metadata")),
        created_at=text_member(wire, u"created_at"),
        progress=_progress(wire.get(u"os-extended-snapshot-attributes:progress")),
        listed=listed,
    )


def _progress(value):
    # type: (Any) -> Text
    # It is shown to people only, so a snapshot with another value is as good.
    return value if isinstance(value, text_type) and _PERCENT.match(value) else u""


def _bytes(wire):
    # type: (Any) -> int
    if not isinstance(wire, dict):
        raise Malformed(u"it is not a JSON object")
    size = whole_number(wire, u"size", MAX_GIB)
    if size is None:
        raise Malformed(u"its size is not a number of GiB")
    return size * GIB


def _origin(wire, name):
    # type: (Mapping[Text, Any], Text) -> Optional[Text]
    return None if wire.get(name) is None else identifier(wire, name)


def check_volume(wire, volume_id):
    # type: (Any, Text) -> None
    """
    :param wire: one volume, as Cinder describes it.
    :param text volume_id: the volume of the request.
    :raises Malformed: it is another volume.
    """
    check_id(u"volume", volume_id, identifier(wire, u"id"))


def labels_from_wire(metadata):
    # type: (Any) -> Dict[Text, Text]
    """
    :param metadata: a volume's or a snapshot's metadata, as Cinder describes them.
    :return: dict, text to text.
    :raises Malformed: they are not texts.
    """
    labels = {} if metadata is None else metadata
    if not isinstance(labels, dict) or not all(
        isinstance(value, text_type) for value in labels.values()
    ):
        raise Malformed(u"its metadata are not texts")
    return labels


def _attachments(wire):
    # type: (Mapping[Text, Any]) -> Tuple[Attachment, ...]
    attachments = wire.get(u"attachments")
    if attachments is None:
        attachments = []
    if not isinstance(attachments, list) or not all(
        isinstance(attachment, dict) for attachment in attachments
    ):
        raise Malformed(u"its attachments are not a list of objects")
    for attachment in at_most(attachments, MAX_ATTACHMENTS, u"attachments"):
        if attachment.get(u"volume_id") is not None:
            check_id(u"volume", wire[u"id"], identifier(attachment, u"volume_id"))
    return tuple(
        Attachment(wire[u"id"], attached_to(each), _host_name(each)) for each in attachments
    )


def _host_name(attachment):
    # type: (Mapping[Text, Any]) -> Optional[Text]
    # A server's host is Compute's affair.
    if attached_to(attachment) is not None:
        return None
    return text_member(attachment, u"host_name")[:MAX_ID] or None


def place_of(host_id):
    # type: (Text) -> Text
    """
    Return the device name that a host without Compute gives for its attachment.  Of the members of
    an attachment, only this one is visible to every user and does not make Cinder consult Compute
    before it deletes the attachment.

    :param text host_id: the host.
    :return: text.
    """
    return _HOST + host_id


def attached_to(attachment):
    # type: (Mapping[Text, Any]) -> Optional[Text]
    """
    :param dict attachment: one of a volume's, as Cinder describes the volume.
    :return: text: the server, or the host from :func:`place_of`; ``None`` for neither.
    """
    server_id, place = attachment.get(u"server_id"), attachment.get(u"device")
    if isinstance(server_id, text_type):
        return server_id
    if isinstance(place, text_type) and place.startswith(_HOST):
        return place[len(_HOST) :] or None
    return None


def _concerns(wire, labels):
    # type: (Any, Mapping[Text, Text]) -> bool
    """Check whether a malformed entry may be one of those with the requested labels."""
    metadata = wire.get(u"metadata", {}) if isinstance(wire, dict) else None
    if not isinstance(metadata, dict):
        return True
    return has_labels(metadata, labels)


def entry_from_wire(wire, labels, read=volume_from_wire):
    # type: (Any, Mapping[Text, Text], Callable[..., Any]) -> Any
    """
    :param wire: one entry of a list.
    :param dict labels: the requested labels; the cloud's own filter is not relied on.
    :param read: :func:`volume_from_wire` or :func:`snapshot_from_wire`.
    :return: the value, with the labels; an ``(id, problem)`` pair of texts for a malformed entry
        that may have them; ``None`` for any other entry.
    """
    try:
        found = read(wire, listed=True)
    except Malformed as error:
        if _concerns(wire, labels):
            return text_member(wire, u"id")[:MAX_ID], error.problem
        return None
    return found if has_labels(found.labels, labels) else None


__all__ = [
    "GIB",
    "MAX_ATTACHMENTS",
    "MAX_GIB",
    "SERVICE_TYPES",
    "attached_to",
    "check_volume",
    "entry_from_wire",
    "labels_from_wire",
    "place_of",
    "snapshot_from_wire",
    "volume_from_wire",
]

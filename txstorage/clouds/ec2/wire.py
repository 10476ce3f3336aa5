# -*- test-case-name: tests.clouds.ec2.test_wire -*-
"""
Volumes, snapshots, attachments and instances as EC2 describes them.
"""

from __future__ import absolute_import, division, print_function

import re

from ..._support.compat import text_type
from ..._support.json_values import (
    MAX_ID,
    Malformed,
    at_most,
    identifier,
    object_member,
    objects_in,
    text_member,
    whole_number,
)
from ...errors import InvalidSize
from ..listing import has_labels
from ..values import Attachment, Server, Snapshot, Volume
from .states import DELETED, DETACHED, server_status, snapshot_status, volume_status
from .tags import labels_in, name_in

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, List, Mapping, Optional, Text, Tuple  # noqa: F401

GIB = 1024 ** 3

#: The maximum size of a volume that is credible: 2 ** 63 bytes are the kernel's limit.
_MAX_GIB = 2 ** 33

#: The maximum number of attachments of one volume; EC2 allows 16.
_MAX_ATTACHMENTS = 1000

_ID = re.compile(u"(vol|snap|i)-[0-9a-f]{1,40}\\Z")


def is_id(kind, value):
    # type: (Text, Any) -> bool
    """
    Check whether a text has the form of an id.  EC2's errors of other texts vary.

    :param text kind: ``vol``, ``snap`` or ``i``.
    :param value: any.
    """
    match = _ID.match(value) if isinstance(value, text_type) else None
    return match is not None and match.group(1) == kind


def gibibytes(size):
    # type: (int) -> int
    """
    :param int size: bytes.
    :return: ``int``: GiB, rounded up: a volume never has less than what was asked for.
    :raises InvalidSize: the size is not positive.
    """
    if size <= 0:
        raise InvalidSize(u"{} bytes are no size of a volume".format(size))
    return -(-size // GIB)


def volume_from_wire(wire, listed=False):
    # type: (Any, bool) -> Optional[Volume]
    """
    :param wire: one volume, as EC2 describes it.
    :param bool listed: whether it is an entry of a list.
    :return: a :class:`~txstorage.clouds.Volume`, or ``None`` when it no longer exists.
    :raises Malformed: with the problem.
    """
    volume_id = identifier(wire, u"VolumeId")
    state = identifier(wire, u"State")
    if state == DELETED:
        return None
    attachments = [
        each
        for each in at_most(
            objects_in(wire.get(u"Attachments")), _MAX_ATTACHMENTS, u"attachments"
        )
        if each.get(u"State") != DETACHED
    ]
    source = text_member(wire, u"SourceVolumeId") or None
    return Volume(
        volume_id=volume_id,
        status=volume_status(state, {text_member(each, u"State") for each in attachments}),
        size=_bytes(wire, u"Size"),
        name=name_in(wire.get(u"Tags")),
        labels=labels_in(wire.get(u"Tags")),
        attachments=tuple(_attachment(volume_id, each) for each in attachments),
        created_at=text_member(wire, u"CreateTime"),
        volume_type=text_member(wire, u"VolumeType") or None,
        encrypted=wire.get(u"Encrypted") is True,
        listed=listed,
        # EC2 keeps both ids when the snapshot or the volume no longer exists.
        snapshot_id=None if source else text_member(wire, u"SnapshotId") or None,
        source_volume_id=source,
    )


def _bytes(wire, name):
    # type: (Any, Text) -> int
    size = whole_number(wire, name, _MAX_GIB)
    if size is None:
        raise Malformed(u"its size is not a number of GiB")
    return size * GIB


def _attachment(volume_id, wire):
    # type: (Text, Mapping[Text, Any]) -> Attachment
    server_id = text_member(wire, u"InstanceId") or None
    # Amazon's other services attach volumes, too, to what is not an instance.
    host = text_member(wire, u"AssociatedResource")[:MAX_ID] or None
    name = text_member(wire, u"Device")[:MAX_ID] or None
    return Attachment(volume_id, server_id, None if server_id else host, name)


def snapshot_from_wire(wire, listed=False):
    # type: (Any, bool) -> Snapshot
    """
    :param wire: one snapshot, as EC2 describes it.
    :param bool listed: whether it is an entry of a list.
    :return: a :class:`~txstorage.clouds.Snapshot`.
    :raises Malformed: with the problem.
    """
    return Snapshot(
        snapshot_id=identifier(wire, u"SnapshotId"),
        volume_id=identifier(wire, u"VolumeId"),
        status=snapshot_status(identifier(wire, u"State")),
        size=_bytes(wire, u"VolumeSize"),
        name=name_in(wire.get(u"Tags")),
        labels=labels_in(wire.get(u"Tags")),
        created_at=text_member(wire, u"StartTime"),
        progress=text_member(wire, u"Progress")[:MAX_ID],
        listed=listed,
    )


def server_from_wire(wire):
    # type: (Any) -> Server
    """
    :param wire: one instance, as EC2 describes it.
    :return: a :class:`~txstorage.clouds.Server`.
    :raises Malformed: it has no id.  An instance left out of the list would count as gone, so none
        is.
    """
    state = text_member(object_member(wire, u"State"), u"Name")
    return Server(identifier(wire, u"InstanceId"), server_status(state), name_in(wire.get(u"Tags")))


def device_names_in(wire):
    # type: (Any) -> List[Text]
    """
    :param wire: one instance, as EC2 describes it.
    :return: list of texts: the names of its devices, as they were asked for.
    """
    return [
        text_member(each, u"DeviceName") for each in objects_in(wire.get(u"BlockDeviceMappings"))
    ]


def names_by_volume(wire):
    # type: (Any) -> Dict[Text, Text]
    """
    :param wire: one instance, as EC2 describes it.
    :return: dict, text to text: by volume id, the names of its devices, as they were asked for; by
        its name, a device without a volume.
    """
    found = {}
    for each in objects_in(wire.get(u"BlockDeviceMappings")):
        name = text_member(each, u"DeviceName")[:MAX_ID]
        found[text_member(object_member(each, u"Ebs"), u"VolumeId") or name] = name
    return found


def instances_in(reservations):
    # type: (Any) -> List[Any]
    """
    :param reservations: of an answer.
    :return: list: the instances of all reservations.
    """
    return [
        instance
        for each in objects_in(reservations)
        for instance in objects_in(each.get(u"Instances"))
    ]


def entry_from_wire(wire, labels, read, key):
    # type: (Any, Mapping[Text, Text], Callable[..., Any], Text) -> Any
    """
    :param wire: one entry of a list.
    :param dict labels: the requested labels; EC2's own filter is not relied on.
    :param read: :func:`volume_from_wire` or :func:`snapshot_from_wire`.
    :param text key: the name of the entry's id.
    :return: the value, with the labels; an ``(id, problem)`` pair of texts for a malformed entry;
        ``None`` for any other entry.
    """
    try:
        found = read(wire, listed=True)
    except Malformed as error:
        return text_member(wire, key)[:MAX_ID], error.problem
    return found if found is not None and has_labels(found.labels, labels) else None


__all__ = [
    "GIB",
    "device_names_in",
    "entry_from_wire",
    "gibibytes",
    "instances_in",
    "is_id",
    "names_by_volume",
    "server_from_wire",
    "snapshot_from_wire",
    "volume_from_wire",
]

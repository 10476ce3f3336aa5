# -*- test-case-name: tests.clouds -*-
"""
Provider-neutral values: volumes, snapshots, attachments and servers as any cloud describes them.
"""

from __future__ import absolute_import, division, print_function

import attr
from attr.validators import instance_of, optional

from .._support.compat import integer_types, text_type

MYPY = False
if MYPY:
    from typing import Any, Mapping, Optional, Text, Tuple  # noqa: F401

_text = instance_of(text_type)  # type: Any


@attr.s(frozen=True, slots=True)
class Attachment(object):
    """
    A volume's connection to a server, or to a host that is not a server.

    :ivar text volume_id: the volume.
    :ivar server_id: the server's instance id (text), or ``None`` when another program attached the
        volume to a host, without a server.
    :ivar host_name: that host's name (text), or ``None``: clouds show it to administrators only.
    :ivar device_name: the name (text) that the hypervisor was asked to give the device, where it
        can be relied on; ``None`` elsewhere.  Nova's can't: it is a guess of Nova's own.
    """

    volume_id = attr.ib(validator=_text)  # type: Text
    server_id = attr.ib(validator=optional(_text))  # type: Optional[Text]
    host_name = attr.ib(default=None, validator=optional(_text))  # type: Optional[Text]
    device_name = attr.ib(default=None, validator=optional(_text))  # type: Optional[Text]


@attr.s(frozen=True, slots=True, hash=False)
class Volume(object):
    """
    A volume as the cloud describes it.

    :ivar text volume_id: the cloud's id.
    :ivar text status: the cloud's own status, in Cinder's words, e.g. ``available``;
        :mod:`txstorage.driver.lifecycle` lists them.
    :ivar int size: bytes.
    :ivar text name: for people; may be empty.
    :ivar dict labels: text to text; not to be changed.
    :ivar tuple attachments: of :class:`Attachment`.
    :ivar text created_at: ISO 8601, UTC; sorts by time.
    :ivar volume_type: text or ``None``.
    :ivar bool encrypted: whether the volume is encrypted, so that its device may be smaller than
        ``size``.
    :ivar bool listed: whether a list describes the volume, which may be out of date.
    :ivar text updated_at: the time of the last change, ISO 8601, UTC; sorts by time, often in whole
        seconds.  Empty when unknown.
    :ivar snapshot_id: the snapshot (text) that the volume was made from, which may no longer exist;
        or ``None``.
    :ivar source_volume_id: the volume (text) that it is a clone of, which may no longer exist; or
        ``None``.
    """

    volume_id = attr.ib(validator=_text)  # type: Text
    status = attr.ib(validator=_text)  # type: Text
    size = attr.ib(validator=instance_of(integer_types))  # type: int
    name = attr.ib(default=u"", validator=_text)  # type: Text
    labels = attr.ib(default=attr.Factory(dict), validator=instance_of(dict))  # type: Mapping[Text, Text]
    attachments = attr.ib(default=(), validator=instance_of(tuple))  # type: Tuple[Attachment, ...]
    created_at = attr.ib(default=u"", validator=_text)  # type: Text
    volume_type = attr.ib(default=None, validator=optional(_text))  # type: Optional[Text]
    encrypted = attr.ib(default=False, validator=instance_of(bool))  # type: bool
    listed = attr.ib(default=False, cmp=False)  # type: bool
    updated_at = attr.ib(default=u"", validator=_text, cmp=False)  # type: Text
    snapshot_id = attr.ib(default=None, validator=optional(_text))  # type: Optional[Text]
    source_volume_id = attr.ib(default=None, validator=optional(_text))  # type: Optional[Text]

    def with_labels(self, labels):
        # type: (Mapping[Text, Text]) -> Volume
        """
        :param dict labels: text to text: all labels.
        :return: the :class:`Volume` with these labels instead of its own.
        """
        return Volume(**dict(attr.asdict(self, recurse=False), labels=labels))


@attr.s(frozen=True, slots=True, hash=False)
class Snapshot(object):
    """
    A snapshot of a volume as the cloud describes it.

    :ivar text snapshot_id: the cloud's id.
    :ivar text volume_id: the volume.
    :ivar text status: the cloud's own status, e.g. ``available``;
        :mod:`txstorage.driver.lifecycle.snapshots` lists them.
    :ivar int size: bytes: the volume's when the snapshot was made.
    :ivar text name: chosen by the caller who made it; may be empty.
    :ivar dict labels: text to text; not to be changed.
    :ivar text created_at: ISO 8601, UTC; sorts by time.
    :ivar text progress: the part of its creation that is done, such as ``42%``; empty when unknown.
    :ivar bool listed: whether a list describes the snapshot, which may be out of date.
    """

    snapshot_id = attr.ib(validator=_text)  # type: Text
    volume_id = attr.ib(validator=_text)  # type: Text
    status = attr.ib(validator=_text)  # type: Text
    size = attr.ib(validator=instance_of(integer_types))  # type: int
    name = attr.ib(default=u"", validator=_text)  # type: Text
    labels = attr.ib(default=attr.Factory(dict), validator=instance_of(dict))  # type: Mapping[Text, Text]
    created_at = attr.ib(default=u"", validator=_text)  # type: Text
    progress = attr.ib(default=u"", validator=_text, cmp=False)  # type: Text
    listed = attr.ib(default=False, cmp=False)  # type: bool


@attr.s(frozen=True, slots=True)
class Server(object):
    """
    A machine that volumes can be attached to.

    :ivar text server_id: its instance id.
    :ivar text status: the cloud's own status, in Nova's words, e.g. ``ACTIVE``.
    :ivar text name: for people.
    """

    server_id = attr.ib(validator=_text)  # type: Text
    status = attr.ib(validator=_text)  # type: Text
    name = attr.ib(default=u"", validator=_text)  # type: Text


@attr.s(frozen=True)
class VolumePage(object):
    """
    A list of volumes, from every page.

    :ivar tuple volumes: of :class:`Volume`.
    :ivar tuple malformed: of ``(volume_id, problem)`` texts: malformed entries, which the driver
        reports.
    :ivar int requests: the number of requests that the list took.
    """

    volumes = attr.ib(validator=instance_of(tuple))  # type: Tuple[Volume, ...]
    malformed = attr.ib(default=(), validator=instance_of(tuple))  # type: Tuple[Tuple[Text, Text], ...]
    requests = attr.ib(default=1, validator=instance_of(int))  # type: int


@attr.s(frozen=True)
class SnapshotPage(object):
    """
    A list of snapshots, from every page.

    :ivar tuple snapshots: of :class:`Snapshot`.
    :ivar tuple malformed: of ``(snapshot_id, problem)`` texts: malformed entries, which the driver
        reports.
    :ivar int requests: the number of requests that the list took.
    """

    snapshots = attr.ib(validator=instance_of(tuple))  # type: Tuple[Snapshot, ...]
    malformed = attr.ib(default=(), validator=instance_of(tuple))  # type: Tuple[Tuple[Text, Text], ...]
    requests = attr.ib(default=1, validator=instance_of(int))  # type: int


__all__ = ["Attachment", "Server", "Snapshot", "SnapshotPage", "Volume", "VolumePage"]

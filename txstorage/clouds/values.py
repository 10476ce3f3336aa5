# -*- test-case-name: tests.clouds.test_values -*-
"""
Provider-neutral values: volumes, attachments and servers as any cloud describes them.
"""

from __future__ import absolute_import, division, print_function

import attr
from attr.validators import instance_of, optional

from .._support.compat import integer_types, text_type

_text = instance_of(text_type)


@attr.s(frozen=True)
class Attachment(object):
    """
    A volume's connection to a server.

    There is deliberately no device name: a cloud can't be believed about it.

    :ivar text volume_id: the volume.
    :ivar server_id: the server's instance id (text), or ``None`` when the
        cloud attached it to something that is not a server.
    """

    volume_id = attr.ib(validator=_text)
    server_id = attr.ib(validator=optional(_text))


@attr.s(frozen=True, hash=False)
class Volume(object):
    """
    A volume as the cloud describes it.

    :ivar text volume_id: the cloud's id.
    :ivar text status: the cloud's word, e.g. ``available``; see
        :mod:`txstorage.driver.lifecycle` for what the driver makes of it.
    :ivar int size: bytes.
    :ivar text name: for people; may be empty.
    :ivar dict labels: text to text; not to be changed.
    :ivar tuple attachments: of :class:`Attachment`.
    :ivar text created_at: ISO 8601, UTC; sorts by time.
    :ivar volume_type: text or ``None``.
    """

    volume_id = attr.ib(validator=_text)
    status = attr.ib(validator=_text)
    size = attr.ib(validator=instance_of(integer_types))
    name = attr.ib(default=u"", validator=_text)
    labels = attr.ib(default=attr.Factory(dict), validator=instance_of(dict))
    attachments = attr.ib(default=(), validator=instance_of(tuple))
    created_at = attr.ib(default=u"", validator=_text)
    volume_type = attr.ib(default=None, validator=optional(_text))


@attr.s(frozen=True)
class Server(object):
    """
    A machine volumes can be attached to.

    :ivar text server_id: its instance id.
    :ivar text status: the cloud's word, e.g. ``ACTIVE``.
    :ivar text name: for people.
    """

    server_id = attr.ib(validator=_text)
    status = attr.ib(validator=_text)
    name = attr.ib(default=u"", validator=_text)


@attr.s(frozen=True)
class VolumePage(object):
    """
    What a list of volumes brought.

    :ivar tuple volumes: of :class:`Volume`, from every page.
    :ivar tuple malformed: of ``(volume_id, problem)`` texts: entries that
        could not be understood.  They break nothing; the driver reports them.
    :ivar int requests: how many requests the list cost.
    """

    volumes = attr.ib(validator=instance_of(tuple))
    malformed = attr.ib(default=(), validator=instance_of(tuple))
    requests = attr.ib(default=1, validator=instance_of(int))


__all__ = ["Attachment", "Server", "Volume", "VolumePage"]

# -*- test-case-name: tests.driver.test_places -*-
"""
The places that a volume is attached to, and the row of the tables that follows from them.
"""

from __future__ import absolute_import, division, print_function

from .lifecycle import GONE, ON_HOST

MYPY = False
if MYPY:
    from typing import Dict, Iterable, Optional, Text, Tuple  # noqa: F401

    from ..clouds.values import Attachment, Volume  # noqa: F401


def attached_servers(volume):
    # type: (Volume) -> Tuple[Text, ...]
    """
    Return the servers that a volume is attached to.

    A volume in the middle of attaching counts as unattached, so that the caller attaches again and
    joins the attach in progress.

    :param txstorage.clouds.Volume volume: as the cloud describes it.
    :return: a tuple of instance ids, in a stable order.
    """
    if volume.status in (u"reserved", u"attaching"):
        return ()
    return tuple(sorted(a.server_id for a in volume.attachments if a.server_id))


def attached_hosts(volume):
    # type: (Volume) -> Tuple[Text, ...]
    """
    Return the hosts that another program attached a volume to, without a server.

    :param txstorage.clouds.Volume volume: as the cloud describes it.
    :return: a tuple of texts; a text is empty when the cloud does not show the host's name.
    """
    if volume.status in (u"reserved", u"attaching"):
        return ()
    return tuple(sorted(a.host_name or u"" for a in volume.attachments if not a.server_id))


def attached_places(volume):
    # type: (Volume) -> Tuple[Text, ...]
    """
    Return everything that a volume is attached to.

    :param txstorage.clouds.Volume volume: as the cloud describes it.
    :return: a tuple of texts for people: instance ids, and hosts as ``host NAME``.
    """
    return attached_servers(volume) + tuple(map(host_place, attached_hosts(volume)))


def device_names(attachments, server_id):
    # type: (Iterable[Attachment], Optional[Text]) -> Dict[Text, Text]
    """
    :param attachments: iterable of :class:`txstorage.clouds.Attachment`.
    :param server_id: an instance id (text); ``None`` for no names.
    :return: dict, text to text: by volume id, the names of the devices on that server, on a cloud
        whose names can be relied on; empty on any other.
    """
    return {
        each.volume_id: each.device_name
        for each in attachments
        if each.device_name and each.server_id and each.server_id == server_id
    }


def host_place(name):
    # type: (Optional[Text]) -> Text
    """
    :param name: a host's name (text); empty or ``None`` when the cloud does not show it.
    :return: text for people: the host as a place that a volume is attached to.
    """
    return u"host " + (name or u"(unknown)")


def observed(volume):
    # type: (Optional[Volume]) -> Tuple[Text, Tuple[Text, ...]]
    """
    :param volume: a :class:`txstorage.clouds.Volume`, or ``None`` when it is gone.
    :return: the status and the places for :func:`decide`.
    """
    if volume is None:
        return GONE, ()
    if volume.status == u"in-use" and attached_hosts(volume) and not attached_servers(volume):
        return ON_HOST, attached_places(volume)
    return volume.status, attached_places(volume)


__all__ = [
    "attached_hosts",
    "attached_places",
    "attached_servers",
    "device_names",
    "host_place",
    "observed",
]

# -*- test-case-name: tests.clouds.openstack.test_without_compute -*-
"""
Cinder's attachments: volumes for hosts, without Compute.

https://docs.openstack.org/api-ref/block-storage/v3/#attachments
"""

from __future__ import absolute_import, division, print_function

import attr
from twisted.internet.defer import fail

from ...._support.deferreds import all_of
from ...._support.json_values import (
    Malformed,
    at_most,
    member,
    object_member,
    objects_in,
    text_member,
)
from ....errors import AttachedToHost, ResponseLost
from ....interfaces import UnknownVolume
from ..paths_and_pages import check_id, is_missing, path_segment, understood
from .wire import MAX_ATTACHMENTS, SERVICE_TYPES, attached_to, check_volume

MYPY = False
if MYPY:
    from typing import Any, List, Mapping, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...._http.messages import Response  # noqa: F401
    from ..session import Session  # noqa: F401

# Since Queens, the host completes an attachment when it has the volume.
_SINCE = (u"3.44",)


@attr.s(frozen=True, hash=False)
class HostAttachment(object):
    """
    An attachment as Cinder describes it.

    :ivar text attachment_id: its id.
    :ivar text status: ``reserved``, ``attaching``, ``attached``, ...
    :ivar instance_id: text, or ``None``: its server, which all of Compute's attachments have.
    :ivar dict connection: the volume's connection; empty when the volume was only reserved.
    """

    attachment_id = attr.ib()  # type: Text
    status = attr.ib()  # type: Text
    instance_id = attr.ib()  # type: Optional[Text]
    # may contain a secret
    connection = attr.ib(repr=False)  # type: Mapping[Text, Any]


def attachment_from_wire(wire):
    # type: (Any) -> HostAttachment
    """
    :param wire: one attachment, as Cinder describes it in detail.
    :return: a :class:`HostAttachment`.
    :raises Malformed: it has no id.
    """
    attachment_id = member(wire, u"id")
    if path_segment(attachment_id) is None:
        raise Malformed(u"an attachment has no id")
    return HostAttachment(
        attachment_id,
        text_member(wire, u"status"),
        text_member(wire, u"instance") or None,
        object_member(wire, u"connection_info"),
    )


class HostAttachments(object):
    """
    Cinder's attachments of hosts.

    :param session: a :class:`~txstorage.clouds.openstack.session.Session`.
    """

    def __init__(self, session):
        # type: (Session) -> None
        self._session = session

    def create(self, volume_id, connector):
        # type: (Text, Mapping[Text, Any]) -> Deferred[HostAttachment]
        """
        Reserve and connect a volume.

        The attachment names no instance: Cinder deletes one that does only after it has consulted
        Compute, which may not exist.

        :param text volume_id: the volume.
        :param dict connector: this host's properties for storage.
        :return: a ``Deferred`` that fires with the :class:`HostAttachment`.
        :raises UnknownVolume: (the Deferred) there is no such volume.
        """
        wanted = {u"volume_uuid": volume_id, u"connector": connector}
        asked = self._request(u"POST", u"", json={u"attachment": wanted})
        return asked.addCallbacks(
            _created, _no_volume, callbackArgs=(volume_id,), errbackArgs=(volume_id,)
        )

    def complete(self, attachment_id):
        # type: (Text) -> Deferred[None]
        """
        Report that the host has the volume.  The report can be repeated.

        :return: a ``Deferred`` that fires with ``None``.
        """
        return self._request(
            u"POST", _path(attachment_id) + u"/action", json={u"os-complete": None}
        ).addCallback(lambda _: None)

    def get(self, attachment_id):
        # type: (Text) -> Deferred[HostAttachment]
        """:return: a ``Deferred`` that fires with the :class:`HostAttachment`."""
        return self._request(u"GET", _path(attachment_id)).addCallback(_one, attachment_id)

    def delete(self, attachment_id):
        # type: (Text) -> Deferred[None]
        """
        Disconnect a volume.

        :return: a ``Deferred`` that fires with ``None``, also when there is no such attachment (any
            more).
        """
        asked = self._request(u"DELETE", _path(attachment_id))
        return asked.addCallbacks(
            lambda _: None, lambda failure: None if is_missing(failure.value) else failure
        )

    def of_volume(self, volume_id):
        # type: (Text) -> Deferred[List[HostAttachment]]
        """
        :return: a ``Deferred`` that fires with a list of :class:`HostAttachment`: all of a
            volume's.
        """
        asked = self._request(u"GET", u"/detail", params=[(u"volume_id", volume_id)])
        return asked.addCallback(_of_volume, volume_id)

    def ids_on(self, volume_id, host_id):
        # type: (Text, Text) -> Deferred[List[Text]]
        """
        :return: a ``Deferred`` that fires with a list of texts: the ids of a volume's attachments
            on a host.
        :raises UnknownVolume: (the Deferred) there is no such volume.
        """
        return self._of_volume(volume_id).addCallback(_ids_on, volume_id, host_id)

    def delete_of_deleted(self, volume_id, server_id):
        # type: (Text, Text) -> Deferred[int]
        """
        Delete a volume's attachments to a server that Compute does not know.  Block Storage itself
        asks Compute again before it deletes an attachment that names a server.

        :return: a ``Deferred`` that fires with the number of attachments.
        :raises UnknownVolume: (the Deferred) there is no such volume.
        :raises AttachedToHost: the id is that of a host that attached the volume itself.
        """
        asked = self._of_volume(volume_id)
        return asked.addCallback(_ids_of_server, volume_id, server_id).addCallback(self._delete_all)

    def _delete_all(self, attachment_ids):
        # type: (List[Text]) -> Deferred[int]
        deleted = all_of([self.delete(each) for each in attachment_ids])
        return deleted.addCallback(len)

    def _of_volume(self, volume_id):
        # type: (Text) -> Deferred[Response]
        segment = path_segment(volume_id)
        if segment is None:
            return fail(UnknownVolume(volume_id))
        asked = self._session.request(SERVICE_TYPES, u"GET", u"/volumes/" + segment)
        return asked.addErrback(_no_volume, volume_id)

    def _request(self, method, path, **options):
        # type: (Text, Text, **Any) -> Deferred[Response]
        return self._session.request(
            SERVICE_TYPES, method, u"/attachments" + path, microversions=_SINCE, **options
        )


def _path(attachment_id):
    # type: (Text) -> Text
    return u"/{}".format(path_segment(attachment_id))


def _no_volume(failure, volume_id):
    # type: (Failure, Text) -> Failure
    if is_missing(failure.value):
        raise UnknownVolume(volume_id)
    return failure


def _one(response, attachment_id):
    # type: (Response, Text) -> HostAttachment
    wire = response.field(u"attachment", dict)
    found = understood(response, attachment_from_wire, wire)
    understood(response, check_id, u"attachment", attachment_id, found.attachment_id)
    return found


def _created(response, volume_id):
    # type: (Response, Text) -> HostAttachment
    wire = response.field(u"attachment", dict)
    try:
        created = attachment_from_wire(wire)
        check_id(u"volume", volume_id, text_member(wire, u"volume_id"))
    except Malformed as error:
        # An attachment was made, even though its id is unknown.
        raise ResponseLost(response.method, response.url, error.problem)
    return created


def _of_volume(response, volume_id):
    # type: (Response, Text) -> List[HostAttachment]
    # The filter is not relied on.
    found = [
        wire
        for wire in objects_in(response.field(u"attachments", list))
        if wire.get(u"volume_id") == volume_id
    ]
    understood(response, at_most, found, MAX_ATTACHMENTS, u"attachments")
    return [understood(response, attachment_from_wire, wire) for wire in found]


def _on(response, volume_id, host_id):
    # type: (Response, Text, Text) -> List[Mapping[Text, Any]]
    """:return: the attachments of a volume to a server or host."""
    wire = response.field(u"volume", dict)
    understood(response, check_volume, wire, volume_id)
    found = objects_in(wire.get(u"attachments"))
    understood(response, at_most, found, MAX_ATTACHMENTS, u"attachments")
    return [
        attachment
        for attachment in found
        if path_segment(attachment.get(u"attachment_id")) is not None
        and attached_to(attachment) == host_id
    ]


def _ids_on(response, volume_id, host_id):
    # type: (Response, Text, Text) -> List[Text]
    return [each[u"attachment_id"] for each in _on(response, volume_id, host_id)]


def _ids_of_server(response, volume_id, server_id):
    # type: (Response, Text, Text) -> List[Text]
    found = _on(response, volume_id, server_id)
    if any(each.get(u"server_id") != server_id for each in found):
        # The host may be alive and use the volume, although Compute does not know it.
        raise AttachedToHost(volume_id, [server_id])
    return [each[u"attachment_id"] for each in found]


__all__ = ["HostAttachment", "HostAttachments", "attachment_from_wire"]

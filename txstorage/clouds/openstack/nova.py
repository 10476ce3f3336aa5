# -*- test-case-name: tests.clouds.openstack.test_nova -*-
"""
Nova: the Compute API, version 2.1.

No request needs a microversion: attachments, servers and ``os-start`` are all in 2.1, the first
one.  Changes in later ones are not relied on: an attachment has no ``id`` since 2.89, and since
2.101 the response to an attach is 202 without a body; either response is accepted.
"""

from __future__ import absolute_import, division, print_function

import re
from functools import partial

from twisted.internet.defer import fail, succeed

from ..._support.compat import as_text
from ..._support.json_values import Malformed, identifier, member, text_member
from ..._support.notations.uuids import is_uuid_like
from ...errors import Conflict, RequestRefused, ResponseLost, UnknownServer
from ...interfaces import UnknownVolume
from ..values import Attachment, Server
from .paths_and_pages import (
    all_pages,
    check_id,
    is_missing,
    path_segment,
    read_each,
    understood,
)

MYPY = False
if MYPY:
    from typing import Any, Optional, Sequence, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..._http.messages import Response  # noqa: F401
    from .session import Session  # noqa: F401

SERVICE_TYPES = (u"compute",)

_VERSION = u"v2.1"

# Before 2014 Nova's message was "volume_id not found: ..." for a volume that the server does not
# have.
_NOT_ATTACHED = re.compile(u"not attached|volume_id not found", re.I)
_VOLUME = re.compile(u"\\bvolume\\b", re.I)
_SERVER = re.compile(u"\\b(instance|server)\\b", re.I)
_NOT_A_UUID = re.compile(u"volumeId.*uuid", re.I | re.S)


def missing_thing(detail, volume_id, server_id):
    # type: (Text, Text, Text) -> Optional[str]
    """
    Find the missing object of a 404 whose path names a server and a volume.

    :param text detail: Nova's message.
    :param text volume_id: the volume of the request.
    :param text server_id: the server of the request.
    :return: ``"attachment"``, ``"volume"``, ``"server"``, or ``None`` when the message does not
        say.
    """
    if _NOT_ATTACHED.search(detail):
        return "attachment"
    about_volume = _VOLUME.search(detail) is not None
    about_server = _SERVER.search(detail) is not None
    if about_volume == about_server:
        # The words name both or neither, so the ids decide.
        about_volume, about_server = volume_id in detail, server_id in detail
    if about_volume == about_server:
        return None
    return "volume" if about_volume else "server"


def server_from_wire(wire):
    # type: (Any) -> Server
    """
    :param wire: one server, as Nova describes it.
    :return: a :class:`~txstorage.clouds.Server`.
    :raises Malformed: it has no id.  A server left out of the list would count as gone, so none
        is.
    """
    server_id = _identifier(u"a server", wire, u"id")
    return Server(
        server_id, text_member(wire, u"status") or u"UNKNOWN", text_member(wire, u"name")
    )


def attachment_from_wire(wire, server_id):
    # type: (Any, Text) -> Attachment
    """
    :param wire: one attachment, as Nova describes it.
    :param text server_id: the server of the request.
    :return: an :class:`~txstorage.clouds.Attachment`.
    :raises Malformed: it does not name the volume, or is of another server.  An attachment left out
        would count as detached, so none is.
    """
    volume_id = _identifier(u"an attachment", wire, u"volumeId")
    named = member(wire, u"serverId")
    if named is not None:
        check_id(u"server", server_id, _identifier(u"an attachment", wire, u"serverId"))
    return Attachment(volume_id, server_id)


def _identifier(thing, wire, name):
    # type: (Text, Any, Text) -> Text
    try:
        return identifier(wire, name)
    except Malformed as error:
        raise Malformed(u"{} is malformed: {}".format(thing, error.problem))


class Nova(object):
    """
    Servers and their attachments.

    :param session: a :class:`~txstorage.clouds.openstack.session.Session`.
    :param page_size: the number of servers to request per page, or ``None`` for the service's
        default.
    """

    def __init__(self, session, page_size=None):
        # type: (Session, Optional[int]) -> None
        self._session = session
        self._limit = [] if page_size is None else [(u"limit", as_text(page_size))]

    def attach(self, volume_id, server_id):
        # type: (Text, Text) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.request_attach`."""
        if path_segment(volume_id) is None:
            return fail(UnknownVolume(as_text(volume_id)))
        asked = self._of_server(
            u"POST",
            server_id,
            u"/os-volume_attachments",
            json={u"volumeAttachment": {u"volumeId": volume_id}},
        )
        asked.addErrback(_attach_refused, volume_id, server_id)
        return asked.addCallback(_check_attached, volume_id, server_id)

    def detach(self, volume_id, server_id):
        # type: (Text, Text) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.request_detach`."""
        segment = path_segment(volume_id)
        if segment is None:
            return fail(UnknownVolume(as_text(volume_id)))
        asked = self._of_server(u"DELETE", server_id, u"/os-volume_attachments/" + segment)
        asked.addErrback(_missing, volume_id, server_id, accept=("attachment",))
        return asked.addCallback(lambda response: None)

    def list_attachments(self, server_id):
        # type: (Text) -> Deferred[Tuple[Attachment, ...]]
        """See :meth:`txstorage.clouds.IVolumeService.list_attachments`."""
        if path_segment(server_id) is None:
            return succeed(())

        def none(failure):
            # type: (Failure) -> Any
            return () if is_missing(failure.value) else failure

        def found(response):
            # type: (Response) -> Any
            items = response.field(u"volumeAttachments", list)
            read = partial(understood, response, attachment_from_wire)
            values = read_each(self._session.slices, items, lambda item: read(item, server_id))
            return values.addCallback(tuple)

        asked = self._of_server(u"GET", server_id, u"/os-volume_attachments")
        return asked.addCallbacks(found, none)

    def get_server(self, server_id):
        # type: (Text) -> Deferred[Server]
        """See :meth:`txstorage.clouds.IVolumeService.get_server`."""

        def found(response):
            # type: (Response) -> Any
            server = understood(response, server_from_wire, response.field(u"server", dict))
            understood(response, check_id, u"server", server_id, server.server_id)
            return server

        asked = self._of_server(u"GET", server_id)
        return asked.addCallbacks(found, _no_such_server, errbackArgs=(server_id,))

    def list_servers(self):
        # type: () -> Deferred[Tuple[Server, ...]]
        """See :meth:`txstorage.clouds.IVolumeService.list_servers`."""

        def fetch(params):
            # type: (Any) -> Deferred[Response]
            return self._request(u"GET", u"/servers/detail", params=params)

        def read(response, item):
            # type: (Response, Any) -> Any
            return understood(response, server_from_wire, item)

        listed = all_pages(self._session.slices, fetch, self._limit, u"servers", read)
        return listed.addCallback(lambda result: tuple(result[0]))

    def start_server(self, server_id):
        # type: (Text) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.start_server`."""

        def refused(failure):
            # type: (Failure) -> Any
            if not failure.check(Conflict):
                return _no_such_server(failure, server_id)
            # It runs already, or is locked: its status distinguishes them.
            return self.get_server(server_id).addCallback(
                lambda server: None if server.status == u"ACTIVE" else failure
            )

        asked = self._of_server(u"POST", server_id, u"/action", json={u"os-start": None})
        return asked.addCallbacks(lambda response: None, refused)

    def _request(self, method, path, **options):
        # type: (Text, Text, **Any) -> Deferred[Response]
        return self._session.request(
            SERVICE_TYPES, method, path, version=_VERSION, **options
        )

    def _of_server(self, method, server_id, path=u"", **options):
        # type: (Text, Text, Text, **Any) -> Deferred[Any]
        segment = path_segment(server_id)
        if segment is None:
            return fail(UnknownServer(server_id))
        return self._request(method, u"/servers/" + segment + path, **options)


def _check_attached(response, volume_id, server_id):
    # type: (Response, Text, Text) -> None
    """
    :raises ResponseLost: the response is about another attachment, so this one's may have been
        lost.
    """
    described = member(response.body, u"volumeAttachment")
    if described is None:
        return
    try:
        attachment = attachment_from_wire(described, server_id)
        check_id(u"volume", volume_id, attachment.volume_id)
    except Malformed as error:
        raise ResponseLost(response.method, response.url, error.problem)


def _no_such_server(failure, server_id):
    # type: (Failure, Text) -> Failure
    if is_missing(failure.value):
        raise UnknownServer(server_id)
    return failure


def _missing(failure, volume_id, server_id, accept=()):
    # type: (Failure, Text, Text, Sequence[Any]) -> Optional[Failure]
    error = failure.value  # type: Any
    if not is_missing(error):
        return failure
    thing = missing_thing(error.detail, volume_id, server_id)
    if thing in accept:
        return None
    if thing == "volume":
        raise UnknownVolume(volume_id)
    if thing == "server":
        raise UnknownServer(server_id)
    return failure


def _attach_refused(failure, volume_id, server_id):
    # type: (Failure, Text, Text) -> Optional[Failure]
    error = failure.value
    # Nova checks the form of the id before it looks for the server.
    if isinstance(error, RequestRefused) and not is_uuid_like(volume_id):
        if _NOT_A_UUID.search(error.detail):
            raise UnknownVolume(volume_id)
    return _missing(failure, volume_id, server_id)


__all__ = ["Nova", "SERVICE_TYPES", "attachment_from_wire", "missing_thing", "server_from_wire"]

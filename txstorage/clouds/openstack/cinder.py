# -*- test-case-name: tests.clouds.openstack.test_cinder -*-
"""
Cinder: the Block Storage API, version 3.

Which microversion each request needs:

- volumes (create, show, list, delete), types and limits: none.  All of it is
  in 3.0, the first one, the list's ``metadata`` filter included, and what
  later ones add to the answers is of no use here.
- messages, which say why a volume is in error: 3.3, where they came, or better
  3.5, where the service picks those of one volume.  Without them no reason is
  told.
"""

from __future__ import absolute_import, division, print_function

import json
import re

from twisted.internet.defer import CancelledError, fail, maybeDeferred

from ..._support.compat import as_text, integer_types, text_type
from ...errors import InvalidSize, NotTheService, RequestRefused, ResponseLost
from ...interfaces import UnknownVolume
from ..values import Attachment, Volume, VolumePage
from .paths_and_pages import all_pages, is_missing, is_uuid, path_segment, text_or_empty

GIB = 1024 ** 3

SERVICE_TYPES = (u"block-storage", u"block-store", u"volumev3", u"volume")

# There are messages from 3.3 on, and from 3.5 on they can be filtered.
_MESSAGES = (u"3.5", u"3.3")

_HOST = u"txstorage:"

_NO_SUCH_ID = re.compile(u"malformed|uuid", re.I)


def volume_from_wire(wire):
    """
    :param wire: one volume, as Cinder describes it in detail.
    :return: a :class:`~txstorage.clouds.Volume`.
    :raises ValueError: which says, in text, what can't be understood.
    """
    if not isinstance(wire, dict):
        raise ValueError(u"it is no JSON object")
    size = wire.get(u"size")
    if not isinstance(size, integer_types) or isinstance(size, bool) or size < 0:
        raise ValueError(u"its size is not a number of GiB")
    return Volume(
        volume_id=_required(wire, u"id"),
        status=_required(wire, u"status"),
        size=size * GIB,
        name=text_or_empty(wire.get(u"name")),
        labels=_labels(wire.get(u"metadata")),
        attachments=_attachments(wire),
        created_at=text_or_empty(wire.get(u"created_at")),
        volume_type=text_or_empty(wire.get(u"volume_type")) or None,
    )


def _required(wire, name):
    value = wire.get(name)
    if not isinstance(value, text_type) or not value:
        raise ValueError(u"its {} is missing".format(name))
    return value


def _labels(metadata):
    labels = {} if metadata is None else metadata
    if not isinstance(labels, dict) or not all(
        isinstance(value, text_type) for value in labels.values()
    ):
        raise ValueError(u"its metadata are not texts")
    return labels


def _attachments(wire):
    attachments = wire.get(u"attachments")
    if attachments is None:
        attachments = []
    if not isinstance(attachments, list) or not all(
        isinstance(attachment, dict) for attachment in attachments
    ):
        raise ValueError(u"its attachments are not a list of objects")
    # Others attach volumes to hosts too; then it is not said to which.
    return tuple(
        Attachment(wire[u"id"], attached_to(attachment))
        for attachment in attachments
        if attached_to(attachment) is not None
    )


def place_of(host_id):
    """
    What a host without Compute gives as its place for a volume.  Of all that an
    attachment can be told, Cinder shows this only to every user, and only it
    does not make Cinder ask Compute before it deletes the attachment.

    :param text host_id: the host.
    :return: text.
    """
    return _HOST + host_id


def attached_to(attachment):
    """
    :param dict attachment: one of a volume's, as Cinder describes the volume.
    :return: text: the server, or the host that :func:`place_of` named; ``None``
        when it is neither.
    """
    server_id, place = attachment.get(u"server_id"), attachment.get(u"device")
    if isinstance(server_id, text_type):
        return server_id
    if isinstance(place, text_type) and place.startswith(_HOST):
        return place[len(_HOST) :] or None
    return None


def _concerns(wire, labels):
    """Whether an entry that can't be understood may be one of those asked for."""
    metadata = wire.get(u"metadata", {}) if isinstance(wire, dict) else None
    if not isinstance(metadata, dict):
        return True
    return all(metadata.get(name) == value for name, value in labels.items())


def _id_of(wire):
    return text_or_empty(wire.get(u"id")) if isinstance(wire, dict) else u""


def page_from_wire(items, labels, requests):
    """
    :param items: what the list holds.
    :param dict labels: what the caller asked for; the cloud's own filter is
        not relied on.
    :param int requests: how many requests it took.
    :return: a :class:`~txstorage.clouds.VolumePage`.
    """
    volumes, malformed = [], []
    for item in items:
        try:
            volume = volume_from_wire(item)
        except ValueError as error:
            if _concerns(item, labels):
                malformed.append((_id_of(item), as_text(error.args[0])))
            continue
        if all(volume.labels.get(name) == value for name, value in labels.items()):
            volumes.append(volume)
    return VolumePage(tuple(volumes), tuple(malformed), requests)


def _quiet(failure):
    if failure.check(CancelledError):
        return failure
    return u""


def _no_such_volume(failure, volume_id):
    error = failure.value
    if is_missing(error):
        raise UnknownVolume(volume_id)
    # An id of another form is a bad request to some versions.
    if isinstance(error, RequestRefused) and not is_uuid(volume_id):
        if error.status == 400 and _NO_SUCH_ID.search(error.detail):
            raise UnknownVolume(volume_id)
    return failure


class Cinder(object):
    """
    Volumes.

    :param session: a :class:`~txstorage.clouds.openstack.session.Session`.
    :param availability_zone: where volumes are made (text), or ``None`` to
        leave it to the cloud.
    :param page_size: how many volumes to ask for at a time, or ``None`` for as
        many as the service gives.
    """

    def __init__(self, session, availability_zone=None, page_size=None):
        self._session = session
        self._zone = availability_zone
        self._limit = [] if page_size is None else [(u"limit", as_text(page_size))]
        self._filters = True

    def create(self, name, size, labels, volume_type=None):
        """See :meth:`txstorage.clouds.IVolumeService.create_volume`."""
        if size <= 0 or size % GIB:
            return fail(InvalidSize(u"{} bytes are not a whole number of GiB".format(size)))
        volume = {u"name": name, u"size": size // GIB, u"metadata": labels}
        if volume_type is not None:
            volume[u"volume_type"] = volume_type
        if self._zone is not None:
            volume[u"availability_zone"] = self._zone
        created = self._request(u"POST", u"/volumes", json={u"volume": volume})
        return created.addCallback(_created)

    def get(self, volume_id):
        """See :meth:`txstorage.clouds.IVolumeService.get_volume`."""
        return self._of_volume(u"GET", volume_id).addCallback(_described)

    def delete(self, volume_id):
        """See :meth:`txstorage.clouds.IVolumeService.delete_volume`."""
        return self._of_volume(u"DELETE", volume_id).addCallback(lambda response: None)

    def list(self, labels):
        """See :meth:`txstorage.clouds.IVolumeService.list_volumes`."""
        if not self._filters or not labels:
            return self._pages([]).addCallback(self._page, labels, 0)
        text = json.dumps(labels, sort_keys=True, separators=(",", ":"))
        listed = self._pages([(u"metadata", as_text(text))])
        return listed.addCallbacks(
            self._page, self._unfiltered, callbackArgs=(labels, 0), errbackArgs=(labels,)
        )

    def failure_reason(self, volume_id):
        """See :meth:`txstorage.clouds.IVolumeService.failure_reason`."""
        asked = self._request(
            u"GET",
            u"/messages",
            microversions=_MESSAGES,
            params=[(u"resource_uuid", volume_id)],
        )
        return asked.addCallback(_told, volume_id).addErrback(_quiet)

    def _request(self, method, path, **options):
        return self._session.request(SERVICE_TYPES, method, path, **options)

    def _get(self, path, params):
        return self._request(u"GET", path, params=params)

    def _of_volume(self, method, volume_id):
        segment = path_segment(volume_id)
        if segment is None:
            return maybeDeferred(_unknown, volume_id)
        asked = self._request(method, u"/volumes/" + segment)
        return asked.addErrback(_no_such_volume, volume_id)

    def _pages(self, params):
        return all_pages(
            lambda query: self._get(u"/volumes/detail", query), self._limit + params, u"volumes"
        )

    def _page(self, items_and_requests, labels, before):
        items, requests = items_and_requests
        return page_from_wire(items, labels, requests + before)

    def _unfiltered(self, failure, labels):
        if not failure.check(RequestRefused) or failure.value.status != 400:
            return failure
        listed = self._pages([])
        listed.addCallback(self._page, labels, 1)
        return listed.addCallback(self._filter_refused)

    def _filter_refused(self, page):
        # Only now it is known that the filter was what the cloud refused.
        self._filters = False
        return page


def _unknown(volume_id):
    raise UnknownVolume(as_text(volume_id))


def _created(response):
    try:
        return volume_from_wire(response.field(u"volume", dict))
    except (ValueError, NotTheService) as error:
        # There is a volume now, even though nobody knows which.
        raise ResponseLost(
            response.method,
            response.url,
            u"the new volume can't be understood: {}".format(as_text(error.args[0])),
        )


def _described(response):
    try:
        return volume_from_wire(response.field(u"volume", dict))
    except ValueError as error:
        raise NotTheService(
            response.method,
            response.url,
            u"the volume can't be understood: {}".format(as_text(error.args[0])),
        )


def _told(response, volume_id):
    """
    What went wrong with the last request that something is told about: all
    that is told, the first first, since one failure brings about another.
    """
    messages = [
        message
        for message in response.field(u"messages", list)
        if message.get(u"resource_uuid") == volume_id
    ]
    if not messages:
        return u""
    messages.sort(key=lambda message: text_or_empty(message.get(u"created_at")))
    last = messages[-1]
    request = last.get(u"request_id")
    told = []
    for message in messages:
        text = text_or_empty(message.get(u"user_message"))
        same = message is last or request is not None and message.get(u"request_id") == request
        if same and text and text not in told:
            told.append(text)
    return u"; ".join(told)


__all__ = ["Cinder", "GIB", "SERVICE_TYPES", "page_from_wire", "volume_from_wire"]

# -*- test-case-name: tests.clouds.openstack.test_cinder -*-
"""
Cinder: the Block Storage API, version 3.

Microversions of the requests:

- volumes (create, show, list, delete), types and limits: none.  All of it is in 3.0, the first one,
  the list's ``metadata`` filter included, and the driver does not need later additions.
- messages, which give the reason of a volume's error: 3.3, the first with messages, or better 3.5,
  where the service filters them by volume.  Without them there is no reason.
"""

from __future__ import absolute_import, division, print_function

import json
import re

from twisted.internet.defer import CancelledError, fail

from ..._support.compat import as_text, text_type
from ..._support.json_values import (
    MAX_ID,
    Malformed,
    at_most,
    identifier,
    objects_in,
    text_member,
    whole_number,
)
from ..._support.uuids import is_uuid_like
from ...errors import InvalidSize, NotTheService, RequestRefused, ResponseLost
from ...interfaces import UnknownVolume
from ..values import Attachment, Volume, VolumePage
from .paths_and_pages import all_pages, check_id, is_missing, path_segment, understood

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Mapping, NoReturn, Optional, Text, Tuple, Union  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..._http.messages import Response  # noqa: F401
    from .session import Session  # noqa: F401

GIB = 1024 ** 3

#: The maximum size of a volume that is credible: 2 ** 63 bytes are the kernel's limit.
MAX_GIB = 2 ** 33

SERVICE_TYPES = (u"block-storage", u"block-store", u"volumev3", u"volume")

# Messages exist since 3.3, and can be filtered since 3.5.
_MESSAGES = (u"3.5", u"3.3")

#: The maximum number of attachments of one volume.
MAX_ATTACHMENTS = 1000

# The maximum number of malformed entries of a list that become a message of the log each.
_LISTED = 100

# The number of the most recent messages about a volume that are read.
_MESSAGES_READ = 100

_HOST = u"txstorage:"

_NO_SUCH_ID = re.compile(u"malformed|uuid", re.I)


def volume_from_wire(wire, listed=False):
    # type: (Any, bool) -> Volume
    """
    :param wire: one volume, as Cinder describes it in detail.
    :param bool listed: whether it is an entry of a list.
    :return: a :class:`~txstorage.clouds.Volume`.
    :raises Malformed: with the problem.
    """
    if not isinstance(wire, dict):
        raise Malformed(u"it is not a JSON object")
    size = whole_number(wire, u"size", MAX_GIB)
    if size is None:
        raise Malformed(u"its size is not a number of GiB")
    return Volume(
        volume_id=identifier(wire, u"id"),
        status=identifier(wire, u"status"),
        size=size * GIB,
        name=text_member(wire, u"name"),
        labels=_labels(wire.get(u"metadata")),
        attachments=_attachments(wire),
        created_at=text_member(wire, u"created_at"),
        volume_type=text_member(wire, u"volume_type") or None,
        encrypted=wire.get(u"encrypted") is True,
        listed=listed,
        updated_at=text_member(wire, u"updated_at"),
    )


def check_volume(wire, volume_id):
    # type: (Any, Text) -> None
    """
    :param wire: one volume, as Cinder describes it.
    :param text volume_id: the volume of the request.
    :raises Malformed: it is another volume.
    """
    check_id(u"volume", volume_id, identifier(wire, u"id"))


def _labels(metadata):
    # type: (Any) -> Dict[Text, Text]
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


def _has_labels(found, labels):
    # type: (Mapping[Text, Any], Mapping[Text, Text]) -> bool
    """Check whether a volume's labels include all of the requested ones."""
    return all(found.get(name) == value for name, value in labels.items())


def _concerns(wire, labels):
    # type: (Any, Mapping[Text, Text]) -> bool
    """Check whether a malformed entry may be one of the requested volumes."""
    metadata = wire.get(u"metadata", {}) if isinstance(wire, dict) else None
    if not isinstance(metadata, dict):
        return True
    return _has_labels(metadata, labels)


def entry_from_wire(wire, labels):
    # type: (Any, Mapping[Text, Text]) -> Union[Volume, Tuple[Text, Text], None]
    """
    :param wire: one entry of a list.
    :param dict labels: the requested labels; the cloud's own filter is not relied on.
    :return: a :class:`~txstorage.clouds.Volume` with the labels; a ``(volume_id, problem)`` pair of
        texts for a malformed entry that may have them; ``None`` for any other entry.
    """
    try:
        volume = volume_from_wire(wire, listed=True)
    except Malformed as error:
        if _concerns(wire, labels):
            return text_member(wire, u"id")[:MAX_ID], error.problem
        return None
    return volume if _has_labels(volume.labels, labels) else None


def _page(entries, requests):
    # type: (List[Any], int) -> VolumePage
    """
    :param list entries: from :func:`entry_from_wire`.
    :param int requests: the number of requests that the list took.
    """
    volumes = [entry for entry in entries if isinstance(entry, Volume)]
    malformed = [entry for entry in entries if isinstance(entry, tuple)]
    if len(malformed) > _LISTED:
        more = u"{} more entries are malformed".format(len(malformed) - _LISTED)
        malformed[_LISTED:] = [(u"", more)]
    # A volume may be on two pages, when others are created or deleted between the requests.
    latest = {volume.volume_id: volume for volume in volumes}
    used = tuple(volume for volume in volumes if latest[volume.volume_id] is volume)
    return VolumePage(used, tuple(malformed), requests)


def _quiet(failure):
    # type: (Failure) -> Any
    if failure.check(CancelledError):
        return failure
    return u""


def _no_such_volume(failure, volume_id):
    # type: (Failure, Text) -> Failure
    error = failure.value
    if is_missing(error):
        raise UnknownVolume(volume_id)
    # Some versions answer an id of another form with 400.
    if isinstance(error, RequestRefused) and not is_uuid_like(volume_id):
        if error.status == 400 and _NO_SUCH_ID.search(error.detail):
            raise UnknownVolume(volume_id)
    return failure


class Cinder(object):
    """
    The volumes of Cinder.

    :param session: a :class:`~txstorage.clouds.openstack.session.Session`.
    :param availability_zone: the zone to create volumes in (text), or ``None`` for the cloud's
        choice.
    :param page_size: the number of volumes to request per page, or ``None`` for the service's
        default.
    """

    def __init__(self, session, availability_zone=None, page_size=None):
        # type: (Session, Optional[Text], Optional[int]) -> None
        self._session = session
        self._zone = availability_zone
        self._limit = [] if page_size is None else [(u"limit", as_text(page_size))]

    def create(self, name, size, labels, volume_type=None):
        # type: (Text, int, Mapping[Text, Text], Optional[Text]) -> Deferred[Volume]
        """See :meth:`txstorage.clouds.IVolumeService.create_volume`."""
        if size <= 0 or size % GIB:
            return fail(InvalidSize(u"{} bytes are not a whole number of GiB".format(size)))
        volume = {u"name": name, u"size": size // GIB, u"metadata": labels}
        if volume_type is not None:
            volume[u"volume_type"] = volume_type
        if self._zone is not None:
            volume[u"availability_zone"] = self._zone
        created = self._request(u"POST", u"/volumes", json={u"volume": volume})
        return created.addCallback(_created, labels)

    def get(self, volume_id):
        # type: (Text) -> Deferred[Volume]
        """See :meth:`txstorage.clouds.IVolumeService.get_volume`."""
        return self._of_volume(u"GET", volume_id).addCallback(_described, volume_id)

    def delete(self, volume_id):
        # type: (Text) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.delete_volume`."""
        return self._of_volume(u"DELETE", volume_id).addCallback(lambda response: None)

    def list(self, labels):
        # type: (Mapping[Text, Text]) -> Deferred[VolumePage]
        """See :meth:`txstorage.clouds.IVolumeService.list_volumes`."""
        if not labels:
            return self._pages([], labels, 0)
        text = json.dumps(labels, sort_keys=True, separators=(",", ":"))
        listed = self._pages([(u"metadata", as_text(text))], labels, 0)
        return listed.addErrback(self._unfiltered, labels)

    def failure_reason(self, volume_id):
        # type: (Text) -> Deferred[Text]
        """See :meth:`txstorage.clouds.IVolumeService.failure_reason`."""
        asked = self._request(
            u"GET",
            u"/messages",
            microversions=_MESSAGES,
            params=[(u"resource_uuid", volume_id)],
        )
        return asked.addCallback(_failure_messages, volume_id).addErrback(_quiet)

    def _request(self, method, path, **options):
        # type: (Text, Text, **Any) -> Deferred[Response]
        return self._session.request(SERVICE_TYPES, method, path, **options)

    def _get(self, path, params):
        # type: (Text, Any) -> Deferred[Response]
        return self._request(u"GET", path, params=params)

    def _of_volume(self, method, volume_id):
        # type: (Text, Text) -> Deferred[Any]
        segment = path_segment(volume_id)
        if segment is None:
            return fail(UnknownVolume(as_text(volume_id)))
        asked = self._request(method, u"/volumes/" + segment)
        return asked.addErrback(_no_such_volume, volume_id)

    def _pages(self, params, labels, before):
        # type: (List[Tuple[Text, Text]], Mapping[Text, Text], int) -> Deferred[VolumePage]
        listed = all_pages(
            self._session.slices,
            lambda query: self._get(u"/volumes/detail", query),
            self._limit + params,
            u"volumes",
            lambda response, item: entry_from_wire(item, labels),
        )
        return listed.addCallback(lambda result: _page(result[0], result[1] + before))

    def _unfiltered(self, failure, labels):
        # type: (Failure, Mapping[Text, Text]) -> Any
        error = failure.value  # type: Any
        if not failure.check(RequestRefused) or error.status != 400:
            return failure
        # The cloud refuses the filter, or a proxy had a moment of confusion, so the filter is used
        # again next time.
        return self._pages([], labels, 1)


def _created(response, labels):
    # type: (Response, Mapping[Text, Text]) -> Volume
    try:
        volume = _described(response)
    except NotTheService as error:
        problem = error.reason
    else:
        if _has_labels(volume.labels, labels):
            return volume
        problem = u"the answer is about another volume, {}".format(volume.volume_id)
    # A volume was created, even though its id is unknown.
    raise ResponseLost(response.method, response.url, problem)


def _described(response, volume_id=None):
    # type: (Response, Optional[Text]) -> Volume
    wire = response.field(u"volume", dict)
    if volume_id is not None:
        understood(response, check_volume, wire, volume_id)
    try:
        return volume_from_wire(wire)
    except Malformed as error:
        raise NotTheService(
            response.method, response.url, u"the volume is malformed: {}".format(error.problem)
        )


def _failure_messages(response, volume_id):
    # type: (Response, Text) -> Text
    """Return the error messages of the most recent failed request, oldest first, joined."""
    messages = [
        message
        for message in objects_in(response.field(u"messages", list))
        if message.get(u"resource_uuid") == volume_id
    ]
    if not messages:
        return u""
    messages.sort(key=lambda message: text_member(message, u"created_at"))
    del messages[:-_MESSAGES_READ]
    last = messages[-1]
    request = last.get(u"request_id")
    texts = []  # type: List[Text]
    for message in messages:
        text = text_member(message, u"user_message")
        same = message is last or request is not None and message.get(u"request_id") == request
        if same and text and text not in texts:
            texts.append(text)
    return u"; ".join(texts)


__all__ = [
    "Cinder",
    "GIB",
    "MAX_ATTACHMENTS",
    "MAX_GIB",
    "SERVICE_TYPES",
    "attached_to",
    "check_volume",
    "entry_from_wire",
    "place_of",
    "volume_from_wire",
]

# -*- test-case-name: tests.clouds.openstack.cinder.test_volumes -*-
"""
Volumes of Cinder: the Block Storage API, version 3.

Microversions of the requests:

- create, show, list, delete, labels, and growing a volume that is not attached: none.  All of it is
  in 3.0, the first one, the list's ``metadata`` filter included, and the driver does not need later
  additions.
- growing an attached volume: 3.42, the first that can.
"""

from __future__ import absolute_import, division, print_function

import json
import re

from twisted.internet.defer import fail, maybeDeferred

from ...._support.compat import as_text
from ...._support.json_values import Malformed
from ...._support.notations.uuids import is_uuid_like
from ....errors import (
    InvalidLabel,
    InvalidSize,
    MicroversionMissing,
    NotTheService,
    RequestRefused,
    ResponseLost,
)
from ....interfaces import UnknownVolume
from ...listing import has_labels, sorted_out
from ...values import VolumePage
from ..paths_and_pages import all_pages, is_missing, label_segment, path_segment, understood
from .wire import (
    GIB,
    SERVICE_TYPES,
    check_volume,
    entry_from_wire,
    labels_from_wire,
    volume_from_wire,
)

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Mapping, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...._http.messages import Response  # noqa: F401
    from ...values import Volume  # noqa: F401
    from ..session import Session  # noqa: F401

_EXTENDS_ATTACHED = (u"3.42",)

_NO_SUCH_ID = re.compile(u"malformed|uuid", re.I)


def gibibytes(size):
    # type: (int) -> int
    """
    :param int size: bytes.
    :return: ``int``, GiB.
    :raises InvalidSize: not a whole number of GiB.
    """
    if size <= 0 or size % GIB:
        raise InvalidSize(u"{} bytes are not a whole number of GiB".format(size))
    return size // GIB


def _page(entries, requests):
    # type: (List[Any], int) -> VolumePage
    volumes, malformed = sorted_out(entries, lambda volume: volume.volume_id)
    return VolumePage(volumes, malformed, requests)


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

    def create(
        self, name, size, labels, volume_type=None, snapshot_id=None, source_volume_id=None
    ):
        # type: (Text, int, Mapping[Text, Text], Optional[Text], Optional[Text], Optional[Text]) -> Deferred[Volume]
        """See :meth:`txstorage.clouds.IVolumeService.create_volume`."""
        optional = {
            u"volume_type": volume_type,
            u"snapshot_id": snapshot_id,
            u"source_volid": source_volume_id,
            # Cinder makes a copy in the zone of its source.
            u"availability_zone": self._zone if snapshot_id is source_volume_id is None else None,
        }
        volume = {key: value for key, value in optional.items() if value is not None}  # type: Dict[Text, Any]
        volume.update({u"name": name, u"metadata": labels})
        d = maybeDeferred(gibibytes, size)  # type: Deferred[Any]
        d.addCallback(lambda gib: volume.update({u"size": gib}))
        d.addCallback(lambda _: self._request(u"POST", u"/volumes", json={u"volume": volume}))
        return d.addCallback(_created, labels)

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

    def extend(self, volume_id, size, attached):
        # type: (Text, int, bool) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.extend_volume`."""
        microversions = _EXTENDS_ATTACHED if attached else ()
        d = maybeDeferred(gibibytes, size)  # type: Deferred[Any]
        d.addCallback(
            lambda gib: self._of_volume(
                u"POST",
                volume_id,
                u"/action",
                json={u"os-extend": {u"new_size": gib}},
                microversions=microversions,
            )
        )
        return d.addCallbacks(lambda response: None, _only_detached)

    def set_labels(self, volume_id, labels):
        # type: (Text, Mapping[Text, Text]) -> Deferred[Mapping[Text, Text]]
        """See :meth:`txstorage.clouds.IVolumeService.set_labels`."""
        changed = self._of_volume(u"POST", volume_id, u"/metadata", json={u"metadata": labels})
        return changed.addCallback(_labelled, labels)

    def remove_label(self, volume_id, label):
        # type: (Text, Text) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.remove_label`."""
        segment = label_segment(label)
        if segment is None:
            return fail(InvalidLabel(u"Cinder can't remove the label {!r}".format(label)))
        path = u"/metadata/" + segment
        removed = self._of_volume(u"DELETE", volume_id, path)  # type: Deferred[Any]
        return removed.addCallbacks(
            lambda response: None, self._not_found, errbackArgs=(volume_id, label)
        )

    def _not_found(self, failure, volume_id, label):
        # type: (Failure, Text, Text) -> Any
        """Read the volume: the service did not find the volume, or only the label."""
        if not failure.check(UnknownVolume):
            return failure
        return self.get(volume_id).addCallback(_check_removed, label)

    def _request(self, method, path, **options):
        # type: (Text, Text, **Any) -> Deferred[Response]
        return self._session.request(SERVICE_TYPES, method, path, **options)

    def _get(self, path, params):
        # type: (Text, Any) -> Deferred[Response]
        return self._request(u"GET", path, params=params)

    def _of_volume(self, method, volume_id, path=u"", **options):
        # type: (Text, Text, Text, **Any) -> Deferred[Any]
        segment = path_segment(volume_id)
        if segment is None:
            return fail(UnknownVolume(as_text(volume_id)))
        asked = self._request(method, u"/volumes/" + segment + path, **options)
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
        if has_labels(volume.labels, labels):
            return volume
        problem = u"the answer is about another volume, {}".format(volume.volume_id)
    # A volume was created, even though its id is unknown.
    raise ResponseLost(response.method, response.url, problem)


def _only_detached(failure):
    # type: (Failure) -> Failure
    """Advise to detach a volume that the service can't extend while it is attached."""
    error = failure.value  # type: Any
    if failure.check(MicroversionMissing):
        error.remedy = u"detach the volume, grow it, and attach it again; or " + error.remedy
    return failure


def _labelled(response, labels):
    # type: (Response, Mapping[Text, Text]) -> Mapping[Text, Text]
    found = understood(response, labels_from_wire, response.field(u"metadata", dict))
    if not has_labels(found, labels):
        raise NotTheService(
            response.method, response.url, u"the answer lacks labels that the request sets"
        )
    return found


def _check_removed(volume, label):
    # type: (Volume, Text) -> None
    if label in volume.labels:
        raise NotTheService(
            u"DELETE",
            u"/volumes/{}/metadata/{}".format(volume.volume_id, label),
            u"the service did not find the label, and the volume has it",
        )


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


__all__ = ["Cinder", "gibibytes"]

# -*- test-case-name: tests.clouds.openstack.cinder.test_snapshots -*-
"""
Snapshots of Cinder: the Block Storage API, version 3.

Microversions of the requests:

- create, show, delete, and the list of a volume's snapshots: none; all of it is in 3.0.
- the list of all snapshots: 3.22, where the service filters by ``metadata``; an older service sends
  the whole project's.
"""

from __future__ import absolute_import, division, print_function

import json

from twisted.internet.defer import fail

from ...._support.compat import as_text
from ...._support.json_values import Malformed, identifier
from ....errors import NotTheService, ResponseLost, UnknownSnapshot
from ....interfaces import UnknownVolume
from ...listing import has_labels, sorted_out
from ...values import SnapshotPage
from ..paths_and_pages import all_pages, check_id, is_missing, path_segment, understood
from .wire import SERVICE_TYPES, entry_from_wire, snapshot_from_wire

MYPY = False
if MYPY:
    from typing import Any, Mapping, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...._http.messages import Response  # noqa: F401
    from ...values import Snapshot  # noqa: F401
    from ..session import Session  # noqa: F401

_FILTERS = (u"3.22", u"3.0")


class CinderSnapshots(object):
    """
    The snapshots of Cinder.

    :param session: a :class:`~txstorage.clouds.openstack.session.Session`.
    :param page_size: the number of snapshots to request per page, or ``None`` for the service's
        default.
    """

    def __init__(self, session, page_size=None):
        # type: (Session, Optional[int]) -> None
        self._session = session
        self._limit = [] if page_size is None else [(u"limit", as_text(page_size))]

    def create(self, volume_id, name, labels):
        # type: (Text, Text, Mapping[Text, Text]) -> Deferred[Snapshot]
        """See :meth:`txstorage.clouds.IVolumeService.create_snapshot`."""
        if path_segment(volume_id) is None:
            return fail(UnknownVolume(as_text(volume_id)))
        snapshot = {
            u"volume_id": volume_id,
            u"name": name,
            u"metadata": labels,
            # Of an attached volume, too; since 3.66 this is the only possibility.
            u"force": True,
        }
        created = self._request(u"POST", u"/snapshots", json={u"snapshot": snapshot})
        created.addErrback(_no_such_volume, volume_id)
        return created.addCallback(_created, volume_id, labels)

    def get(self, snapshot_id):
        # type: (Text) -> Deferred[Snapshot]
        """See :meth:`txstorage.clouds.IVolumeService.get_snapshot`."""
        return self._of_snapshot(u"GET", snapshot_id).addCallback(_described, snapshot_id)

    def delete(self, snapshot_id):
        # type: (Text) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.delete_snapshot`."""
        return self._of_snapshot(u"DELETE", snapshot_id).addCallback(lambda response: None)

    def list(self, labels, volume_id=None, name=None):
        # type: (Mapping[Text, Text], Optional[Text], Optional[Text]) -> Deferred[SnapshotPage]
        """See :meth:`txstorage.clouds.IVolumeService.list_snapshots`."""
        params = [(u"volume_id", volume_id), (u"name", name)]
        microversions = ()  # type: Any
        if labels and volume_id is None:
            text = json.dumps(labels, sort_keys=True, separators=(",", ":"))
            params.append((u"metadata", as_text(text)))
            microversions = _FILTERS
        listed = all_pages(
            self._session.slices,
            lambda query: self._request(
                u"GET", u"/snapshots/detail", params=query, microversions=microversions
            ),
            self._limit + [(key, value) for key, value in params if value is not None],
            u"snapshots",
            lambda response, item: _entry(item, labels, volume_id, name),
        )
        return listed.addCallback(_page)

    def _request(self, method, path, **options):
        # type: (Text, Text, **Any) -> Deferred[Any]
        return self._session.request(SERVICE_TYPES, method, path, **options)

    def _of_snapshot(self, method, snapshot_id):
        # type: (Text, Text) -> Deferred[Any]
        segment = path_segment(snapshot_id)
        if segment is None:
            return fail(UnknownSnapshot(as_text(snapshot_id)))
        asked = self._request(method, u"/snapshots/" + segment)
        return asked.addErrback(_no_such_snapshot, snapshot_id)


def _entry(wire, labels, volume_id, name):
    # type: (Any, Mapping[Text, Text], Optional[Text], Optional[Text]) -> Any
    entry = entry_from_wire(wire, labels, snapshot_from_wire)
    if entry is None or isinstance(entry, tuple):
        return entry
    # The cloud's own filters are not relied on.
    if volume_id not in (None, entry.volume_id) or name not in (None, entry.name):
        return None
    return entry


def _page(result):
    # type: (Any) -> SnapshotPage
    entries, requests = result
    snapshots, malformed = sorted_out(entries, lambda snapshot: snapshot.snapshot_id)
    return SnapshotPage(snapshots, malformed, requests)


def _no_such_volume(failure, volume_id):
    # type: (Failure, Text) -> Failure
    if is_missing(failure.value):
        raise UnknownVolume(volume_id)
    return failure


def _no_such_snapshot(failure, snapshot_id):
    # type: (Failure, Text) -> Failure
    if is_missing(failure.value):
        raise UnknownSnapshot(snapshot_id)
    return failure


def _created(response, volume_id, labels):
    # type: (Response, Text, Mapping[Text, Text]) -> Snapshot
    try:
        snapshot = _described(response)
    except NotTheService as error:
        problem = error.reason
    else:
        if has_labels(snapshot.labels, labels) and snapshot.volume_id == volume_id:
            return snapshot
        problem = u"the answer is about another snapshot, {}".format(snapshot.snapshot_id)
    # A snapshot was created, even though its id is unknown.
    raise ResponseLost(response.method, response.url, problem)


def _described(response, snapshot_id=None):
    # type: (Response, Optional[Text]) -> Snapshot
    wire = response.field(u"snapshot", dict)
    if snapshot_id is not None:
        understood(response, _check_snapshot, wire, snapshot_id)
    try:
        return snapshot_from_wire(wire)
    except Malformed as error:
        raise NotTheService(
            response.method, response.url, u"the snapshot is malformed: {}".format(error.problem)
        )


def _check_snapshot(wire, snapshot_id):
    # type: (Any, Text) -> None
    check_id(u"snapshot", snapshot_id, identifier(wire, u"id"))


__all__ = ["CinderSnapshots"]

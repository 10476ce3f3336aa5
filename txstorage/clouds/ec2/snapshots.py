# -*- test-case-name: tests.clouds.ec2.test_snapshots -*-
"""
Snapshots of EC2's volumes.

EC2 has no client token for a snapshot, so a lost answer is looked for by the snapshot's name, as in
any cloud.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from twisted.internet.defer import fail, maybeDeferred
from twisted.internet.task import deferLater

from ..._support.compat import as_text
from ..._support.json_values import objects_in, text_member
from ...errors import UnknownSnapshot
from ...interfaces import UnknownVolume
from ..listing import sorted_out
from ..values import SnapshotPage
from .answers import check_is, has_code, understood
from .session import NO_SNAPSHOT, NO_VOLUME, all_entries
from .tags import filters_for, one_of, specification
from .volumes import LAG, RecentChanges, may_be_processed
from .wire import entry_from_wire, is_id, snapshot_from_wire

MYPY = False
if MYPY:
    from typing import Any, Dict, Mapping, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..values import Snapshot  # noqa: F401
    from .session import EC2Session  # noqa: F401

_READ = "DescribeSnapshots"


class EC2Snapshots(object):
    """
    The snapshots of the account in a region.

    :param reactor: provides ``IReactorTime``.
    :param session: an :class:`~txstorage.clouds.ec2.session.EC2Session`.
    """

    def __init__(self, reactor, session):
        # type: (IReactorTime, EC2Session) -> None
        self._reactor = reactor
        self._session = session
        self._recent = RecentChanges(reactor)
        # By volume and name: the moment from which a list has the snapshot of a lost answer.
        self._lost = {}  # type: Dict[Tuple[Text, Text], float]

    def create(self, volume_id, name, labels):
        # type: (Text, Text, Mapping[Text, Text]) -> Deferred[Snapshot]
        """See :meth:`txstorage.clouds.IVolumeService.create_snapshot`."""
        if not is_id(u"vol", volume_id):
            return fail(UnknownVolume(as_text(volume_id)))
        d = maybeDeferred(specification, u"snapshot", name, labels)  # type: Deferred[Any]
        d.addCallback(lambda _: self._lost_one(volume_id, name, labels))
        return d.addCallback(
            lambda found: self._request(volume_id, name, labels) if found is None else found
        )

    def _lost_one(self, volume_id, name, labels):
        # type: (Text, Text, Mapping[Text, Text]) -> Any
        """
        Look for the snapshot of a request whose answer was lost, once a list must have it.

        :return: a ``Deferred`` that fires with the :class:`~txstorage.clouds.Snapshot`, or
            ``None``; ``None`` when no answer was lost.
        """
        until = self._lost.pop((volume_id, name), 0.0)
        remaining = until - self._reactor.seconds()
        if remaining <= 0:
            return None
        waited = deferLater(self._reactor, remaining, lambda: None)  # type: Deferred[Any]
        waited.addCallback(lambda _: self.list(labels, volume_id, name))
        return waited.addCallback(lambda page: page.snapshots[0] if page.snapshots else None)

    def _request(self, volume_id, name, labels):
        # type: (Text, Text, Mapping[Text, Text]) -> Deferred[Snapshot]
        parameters = {
            "VolumeId": volume_id,
            "Description": name,
            "TagSpecifications": specification(u"snapshot", name, labels),
        }
        d = self._session.call("CreateSnapshot", parameters)  # type: Deferred[Any]
        d.addCallback(self._created, volume_id, name, labels)
        return d.addErrback(self._not_created, volume_id, name)

    def _not_created(self, failure, volume_id, name):
        # type: (Failure, Text, Text) -> Failure
        if has_code(failure, NO_VOLUME):
            raise UnknownVolume(volume_id)
        if may_be_processed(failure):
            self._lost[volume_id, name] = self._reactor.seconds() + LAG
        return failure

    def _created(self, answer, volume_id, name, labels):
        # type: (Any, Text, Text, Mapping[Text, Text]) -> Snapshot
        operation = "CreateSnapshot"
        snapshot = understood(self._session, operation, snapshot_from_wire, answer)
        understood(
            self._session, operation, check_is, u"volume", volume_id, snapshot.volume_id
        )
        if labels and not snapshot.labels:
            # The answer to a creation may leave out the tags.
            snapshot = snapshot_from_wire(
                dict(
                    answer,
                    Tags=[{u"Key": u"Name", u"Value": name}]
                    + [{u"Key": key, u"Value": labels[key]} for key in labels],
                )
            )
        self._recent.created(snapshot.snapshot_id, snapshot)
        return snapshot

    def get(self, snapshot_id):
        # type: (Text) -> Deferred[Snapshot]
        """See :meth:`txstorage.clouds.IVolumeService.get_snapshot`."""

        def described(wire):
            # type: (Any) -> Snapshot
            snapshot = understood(self._session, _READ, snapshot_from_wire, wire)
            understood(
                self._session, _READ, check_is, u"snapshot", snapshot_id, snapshot.snapshot_id
            )
            return self._recent.seen(snapshot_id, snapshot)

        def missing(failure):
            # type: (Failure) -> Any
            created = self._recent.missing(snapshot_id)
            return failure if created is None or not failure.check(UnknownSnapshot) else created

        return self._describe(snapshot_id).addCallbacks(described, missing)

    def delete(self, snapshot_id):
        # type: (Text) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.delete_snapshot`."""
        asked = self._of_snapshot("DeleteSnapshot", snapshot_id, {"SnapshotId": snapshot_id})
        asked.addErrback(self._recent.failed, u"delete", snapshot_id)
        return asked.addCallback(lambda _: self._recent.requested(u"delete", snapshot_id))

    def list(self, labels, volume_id=None, name=None):
        # type: (Mapping[Text, Text], Optional[Text], Optional[Text]) -> Deferred[SnapshotPage]
        """See :meth:`txstorage.clouds.IVolumeService.list_snapshots`."""
        filters = filters_for(labels)
        if volume_id is not None:
            filters.append(one_of(u"volume-id", [volume_id]))
        if name is not None:
            filters.append(one_of(u"tag:Name", [name]))
        parameters = {"OwnerIds": [u"self"]}  # type: Dict[str, Any]
        if filters:
            parameters["Filters"] = filters
        read = partial(entry_from_wire, labels=labels, read=snapshot_from_wire, key=u"SnapshotId")
        listed = all_entries(self._session, _READ, parameters, u"Snapshots", read)
        return listed.addCallback(self._page, labels, volume_id, name)

    def _page(self, result, labels, volume_id, name):
        # type: (Any, Mapping[Text, Text], Optional[Text], Optional[Text]) -> SnapshotPage
        snapshots, malformed = sorted_out(result[0], _id_of)
        # EC2's own filters are not relied on.
        wanted = [
            each
            for each in self._recent.all_seen(snapshots, labels, _id_of)
            if volume_id in (None, each.volume_id) and name in (None, each.name)
        ]
        return SnapshotPage(tuple(wanted), malformed, result[1])

    def failure_reason(self, snapshot_id):
        # type: (Text) -> Deferred[Text]
        """
        :return: a ``Deferred`` that fires with text: EC2's message about the snapshot's state.
        """
        return self._describe(snapshot_id).addCallback(
            lambda wire: text_member(wire, u"StateMessage")
        )

    def _describe(self, snapshot_id):
        # type: (Text) -> Deferred[Any]
        asked = self._of_snapshot(_READ, snapshot_id, {"SnapshotIds": [snapshot_id]})

        def found(answer):
            # type: (Any) -> Any
            wires = objects_in(answer.get(u"Snapshots"))
            if not wires:
                raise UnknownSnapshot(snapshot_id)
            return wires[0]

        return asked.addCallback(found)

    def _of_snapshot(self, operation, snapshot_id, parameters):
        # type: (str, Text, Mapping[str, Any]) -> Deferred[Any]
        if not is_id(u"snap", snapshot_id):
            return fail(UnknownSnapshot(as_text(snapshot_id)))
        asked = self._session.call(operation, parameters)  # type: Deferred[Any]
        return asked.addErrback(_no_such_snapshot, snapshot_id)


def _id_of(snapshot):
    # type: (Snapshot) -> Text
    return snapshot.snapshot_id


def _no_such_snapshot(failure, snapshot_id):
    # type: (Failure, Text) -> Failure
    if has_code(failure, NO_SNAPSHOT):
        raise UnknownSnapshot(snapshot_id)
    return failure


__all__ = ["EC2Snapshots"]

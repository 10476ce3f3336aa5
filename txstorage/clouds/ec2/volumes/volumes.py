# -*- test-case-name: tests.clouds.ec2.test_volumes -*-
"""
Volumes of EC2.
"""

from __future__ import absolute_import, division, print_function

from collections import OrderedDict
from functools import partial

from twisted.internet.defer import fail, maybeDeferred, succeed

from ...._support.compat import as_text
from ...._support.json_values import objects_in, text_member
from ....interfaces import UnknownVolume
from ...listing import sorted_out
from ...values import VolumePage
from ..answers import has_code, understood
from ..session import NO_VOLUME, all_entries
from ..tags import check_labels, filters_for, one_of, tag_list
from ..wire import entry_from_wire, is_id, volume_from_wire
from .batches import Descriptions
from .creation import TokenCreations
from .modifications import Modifications

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Mapping, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...values import Volume  # noqa: F401
    from ..session import EC2Session  # noqa: F401
    from .recent import RecentChanges  # noqa: F401

_READ = "DescribeVolumes"

_REMEMBERED = 1000
_LOST = (
    u"EC2 accepted the request, and there is no such volume; if volumes are encrypted, check that "
    u"the key exists and that its policy allows its use for EBS"
)


class EC2Volumes(object):
    """
    The volumes of a region.

    :param reactor: provides ``IReactorTime``.
    :param session: an :class:`~txstorage.clouds.ec2.session.EC2Session`.
    :param text zone: the availability zone of new volumes.
    :param recent: the :class:`~.recent.RecentChanges`.
    :param kms_key_id: the key of KMS that encrypts new volumes (text), or ``None``.
    """

    def __init__(self, reactor, session, zone, recent, kms_key_id=None):
        # type: (IReactorTime, EC2Session, Text, RecentChanges, Optional[Text]) -> None
        self._session = session
        self._recent = recent
        self._descriptions = Descriptions(reactor, self._describe)
        self._modifications = Modifications(reactor, session)
        self._creations = TokenCreations(session, zone, recent, self.get, kms_key_id)
        # Volumes that EC2 accepted to create, and never had.
        self._lost = OrderedDict()  # type: OrderedDict[Text, None]

    def create(
        self, name, size, labels, volume_type=None, snapshot_id=None, source_volume_id=None
    ):
        # type: (Text, int, Mapping[Text, Text], Optional[Text], Optional[Text], Optional[Text]) -> Deferred[Volume]
        """See :meth:`txstorage.clouds.IVolumeService.create_volume`."""
        return self._creations.create(
            name, size, labels, volume_type, snapshot_id, source_volume_id
        )

    def get(self, volume_id):
        # type: (Text) -> Deferred[Volume]
        """See :meth:`txstorage.clouds.IVolumeService.get_volume`."""
        if not is_id(u"vol", volume_id):
            return fail(UnknownVolume(as_text(volume_id)))
        d = self._descriptions.get(volume_id)  # type: Deferred[Any]
        d.addCallback(self._described, volume_id)
        d.addCallback(lambda volume: self._modifications.shown([volume]))
        return d.addCallback(lambda volumes: volumes[0])

    def _described(self, wire, volume_id):
        # type: (Any, Text) -> Volume
        volume = None  # type: Optional[Volume]
        if wire is not None:
            volume = understood(self._session, _READ, volume_from_wire, wire)
        if volume is not None:
            return self._recent.seen(volume_id, volume)
        created = self._recent.missing(volume_id)  # type: Optional[Volume]
        if created is not None:
            return created
        if self._creations.ended(volume_id):
            self._lost[volume_id] = None
            while len(self._lost) > _REMEMBERED:
                self._lost.popitem(last=False)
        raise UnknownVolume(volume_id)

    def _describe(self, ids):
        # type: (List[Text]) -> Deferred[Dict[Text, Any]]
        if len(ids) == 1:
            parameters = {"VolumeIds": ids}  # type: Dict[str, Any]
        else:
            parameters = {"Filters": [one_of(u"volume-id", ids)]}
        asked = self._session.call(_READ, parameters)  # type: Deferred[Any]
        asked.addErrback(_no_volumes)
        return asked.addCallback(
            lambda answer: {
                text_member(each, u"VolumeId"): each for each in objects_in(answer.get(u"Volumes"))
            }
        )

    def delete(self, volume_id):
        # type: (Text) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.delete_volume`."""
        d = self._of_volume("DeleteVolume", volume_id)
        d.addErrback(self._recent.failed, u"delete", volume_id)
        return d.addCallback(lambda _: self._deleted(volume_id))

    def _deleted(self, volume_id):
        # type: (Text) -> None
        self._recent.requested(u"delete", volume_id)
        self._creations.ended(volume_id)

    def list(self, labels):
        # type: (Mapping[Text, Text]) -> Deferred[VolumePage]
        """See :meth:`txstorage.clouds.IVolumeService.list_volumes`."""
        parameters = {"Filters": filters_for(labels)} if labels else {}  # type: Dict[str, Any]
        read = partial(entry_from_wire, labels=labels, read=volume_from_wire, key=u"VolumeId")
        listed = all_entries(self._session, _READ, parameters, u"Volumes", read)
        return listed.addCallback(self._listed, labels)

    def _listed(self, result, labels):
        # type: (Any, Mapping[Text, Text]) -> Deferred[VolumePage]
        entries, requests = result
        volumes, malformed = sorted_out(entries, lambda volume: volume.volume_id)
        seen = self._recent.all_seen(volumes, labels, lambda volume: volume.volume_id)
        shown = self._modifications.shown(seen)
        return shown.addCallback(lambda found: VolumePage(tuple(found), malformed, requests))

    def extend(self, volume_id, size):
        # type: (Text, int) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.extend_volume`."""
        if not is_id(u"vol", volume_id):
            return fail(UnknownVolume(as_text(volume_id)))
        d = maybeDeferred(self._modifications.grow, volume_id, size)  # type: Deferred[Any]
        return d.addErrback(_no_such_volume, volume_id)

    def set_labels(self, volume_id, labels):
        # type: (Text, Mapping[Text, Text]) -> Deferred[Mapping[Text, Text]]
        """See :meth:`txstorage.clouds.IVolumeService.set_labels`."""
        d = maybeDeferred(check_labels, labels)  # type: Deferred[Any]
        d.addCallback(
            lambda _: self._tag("CreateTags", volume_id, tag_list(labels)) if labels else None
        )
        d.addCallback(lambda _: self._recent.relabelled(volume_id, labels))
        d.addCallback(lambda _: self.get(volume_id))
        return d.addCallback(lambda volume: volume.labels)

    def remove_label(self, volume_id, label):
        # type: (Text, Text) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.remove_label`."""
        d = maybeDeferred(check_labels, {label: u""})  # type: Deferred[Any]
        d.addCallback(lambda _: self._tag("DeleteTags", volume_id, [{"Key": label}]))
        return d.addCallback(lambda _: self._recent.relabelled(volume_id, {label: None}))

    def _tag(self, operation, volume_id, tags):
        # type: (str, Text, List[Dict[str, Text]]) -> Deferred[Any]
        if not is_id(u"vol", volume_id):
            return fail(UnknownVolume(as_text(volume_id)))
        parameters = {"Resources": [volume_id], "Tags": tags}
        # Both are idempotent.
        asked = self._session.call(operation, parameters, repeatable=True)  # type: Deferred[Any]
        return asked.addErrback(_no_such_volume, volume_id)

    def failure_reason(self, volume_id):
        # type: (Text) -> Deferred[Text]
        """
        :return: a ``Deferred`` that fires with text: the reason why the last modification failed,
            or why a new volume may not exist.
        """
        if volume_id in self._lost:
            return succeed(_LOST)
        return self._modifications.reason(volume_id)

    def _of_volume(self, operation, volume_id):
        # type: (str, Text) -> Deferred[Any]
        if not is_id(u"vol", volume_id):
            return fail(UnknownVolume(as_text(volume_id)))
        asked = self._session.call(operation, {"VolumeId": volume_id})  # type: Deferred[Any]
        return asked.addErrback(_no_such_volume, volume_id)


def _no_volumes(failure):
    # type: (Failure) -> Any
    return {} if has_code(failure, NO_VOLUME) else failure


def _no_such_volume(failure, volume_id):
    # type: (Failure, Text) -> Failure
    if has_code(failure, NO_VOLUME):
        raise UnknownVolume(volume_id)
    return failure


__all__ = ["EC2Volumes"]

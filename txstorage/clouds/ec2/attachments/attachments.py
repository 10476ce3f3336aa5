# -*- test-case-name: tests.clouds.ec2.test_attachments -*-
"""
Attachments of EC2's volumes to instances.
"""

from __future__ import absolute_import, division, print_function

import re

import attr
from twisted.internet.defer import DeferredLock, fail, succeed

from ...._support.compat import as_text
from ...._support.json_values import text_member
from ....errors import AttachmentLimitReached, RequestRefused, UnknownServer
from ....interfaces import UnknownVolume
from ..answers import has_code
from ..session import NO_INSTANCE, NO_VOLUME
from ..wire import is_id
from .device_names import DeviceNames
from .device_views import DeviceViews

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...values import Volume  # noqa: F401
    from ..session import EC2Session  # noqa: F401
    from ..volumes import RecentChanges  # noqa: F401

# The number of names that one request tries.
_MAXIMUM = 5

#: Seconds after which an attachment that begins is taken for one that never completes.
STUCK = 90.0

# Seconds between two looks at an attachment after which it may be another one: the volume may have
# been detached, and attached again, by another node.
_CONTINUOUS = 30.0

_NAME_TAKEN = re.compile(u"already (in use|attached)|is in use|is already used", re.I)
# The second code is that of too many instances, elsewhere.
_LIMIT = frozenset([u"AttachmentLimitExceeded", u"InstanceLimitExceeded"])
_LIMIT_IN_WORDS = re.compile(u"attachment limit|maximum number of (attach|volume)", re.I)

#: The codes of a detach of what is not attached (any more).
_DETACHED = frozenset([u"InvalidAttachment.NotFound", u"IncorrectState"])


@attr.s(frozen=True, slots=True)
class Beginning(object):
    """
    An attachment that is seen to begin, again and again.

    :ivar tuple servers: texts: the instances.
    :ivar float since: the moment of the first look, by the reactor.
    :ivar float latest: the moment of the latest look.
    """

    servers = attr.ib()  # type: Tuple[Text, ...]
    since = attr.ib()  # type: float
    latest = attr.ib()  # type: float

    @property
    def is_stuck(self):
        # type: () -> bool
        """:return: whether the attachment will never complete."""
        return self.latest - self.since >= STUCK

    def is_seen_as(self, servers, now):
        # type: (Tuple[Text, ...], float) -> bool
        """:return: whether a look now sees the same attachment."""
        # An old description shows none yet.
        same = servers == self.servers or not self.servers
        return same and now - self.latest <= _CONTINUOUS


class InstanceAttachments(object):
    """
    The attachments of a region's volumes.

    :param reactor: provides ``IReactorTime``.
    :param session: an :class:`~txstorage.clouds.ec2.session.EC2Session`.
    :param recent: the :class:`~txstorage.clouds.ec2.volumes.RecentChanges`.
    """

    def __init__(self, reactor, session, recent):
        # type: (IReactorTime, EC2Session, RecentChanges) -> None
        self._seconds = reactor.seconds
        self._session = session
        self._recent = recent
        self._names = DeviceNames(reactor)
        self._views = DeviceViews(reactor, session)
        self._turns = {}  # type: Dict[Text, DeferredLock]
        self._attaching = {}  # type: Dict[Text, Beginning]

    def attach(self, volume_id, server_id):
        # type: (Text, Text) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.request_attach`."""
        if not is_id(u"vol", volume_id):
            return fail(UnknownVolume(as_text(volume_id)))
        if not is_id(u"i", server_id):
            return fail(UnknownServer(server_id))
        # Two requests must not choose the same name.
        turn = self._turns.setdefault(server_id, DeferredLock())
        return turn.run(self._choose, volume_id, server_id)

    def _choose(self, volume_id, server_id):
        # type: (Text, Text) -> Deferred[Any]
        asked = self._views.names(server_id)  # type: Deferred[Any]
        asked.addCallback(self._candidates, volume_id, server_id)
        asked.addCallback(self._try, volume_id, server_id, _MAXIMUM)
        return asked.addErrback(_not_attached, volume_id, server_id)

    def _candidates(self, taken, volume_id, server_id):
        # type: (List[Text], Text, Text) -> List[Text]
        names = self._names.candidates(server_id, taken, volume_id)
        if not names:
            self._views.forget(server_id)
            raise AttachmentLimitReached(
                volume_id, server_id, u"all names of devices are in use"
            )
        return names

    def _try(self, names, volume_id, server_id, left):
        # type: (List[Text], Text, Text, int) -> Deferred[Any]
        name = names[0]

        def accepted(_):
            # type: (object) -> None
            self._names.used(server_id, name)
            self._attaching.pop(volume_id, None)
            self._recent.requested(u"attach", volume_id)

        def refused(failure):
            # type: (Failure) -> Any
            if not _is_taken(failure, name):
                return failure
            self._names.refused(server_id, name)
            self._views.forget(server_id)
            if len(names) < 2 or left < 2:
                return failure
            return self._try(names[1:], volume_id, server_id, left - 1)

        parameters = {"VolumeId": volume_id, "InstanceId": server_id, "Device": name}
        asked = self._session.call("AttachVolume", parameters)  # type: Deferred[Any]
        asked.addErrback(self._recent.failed, u"attach", volume_id)
        return asked.addCallbacks(accepted, refused)

    def detach(self, volume_id, server_id):
        # type: (Text, Text) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.request_detach`."""
        if not is_id(u"vol", volume_id):
            return fail(UnknownVolume(as_text(volume_id)))
        if not is_id(u"i", server_id):
            return fail(UnknownServer(server_id))
        parameters = {"VolumeId": volume_id, "InstanceId": server_id}
        asked = self._session.call("DetachVolume", parameters)  # type: Deferred[Any]
        asked.addErrback(self._recent.failed, u"detach", volume_id)
        asked.addCallback(self._detaching, volume_id, server_id)
        return asked.addErrback(_not_detached, volume_id, server_id)

    def _detaching(self, answer, volume_id, server_id):
        # type: (Any, Text, Text) -> None
        began = self._attaching.pop(volume_id, None)
        # Another process may have chosen the name.
        name = text_member(answer, u"Device")
        if name:
            self._names.used(server_id, name)
        if name and began is not None and began.is_stuck:
            self._names.refused(server_id, name)
        self._recent.requested(u"detach", volume_id)

    def settle(self, volume):
        # type: (Volume) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.settle`: end an attach that is stuck."""
        if volume.status != u"attaching":
            self._attaching.pop(volume.volume_id, None)
            return succeed(None)
        servers = tuple(each.server_id for each in volume.attachments if each.server_id)
        seen = self._look_at(volume.volume_id, servers)
        if not seen.is_stuck or not servers:
            return succeed(None)
        return self.detach(volume.volume_id, servers[0])

    def _look_at(self, volume_id, servers):
        # type: (Text, Tuple[Text, ...]) -> Beginning
        now = self._seconds()
        before = self._attaching.get(volume_id)
        if before is None or not before.is_seen_as(servers, now):
            before = Beginning(servers, now, now)
        seen = self._attaching[volume_id] = Beginning(servers, before.since, now)
        return seen


def _is_taken(failure, name):
    # type: (Failure, Text) -> bool
    error = failure.value  # type: Any
    if not failure.check(RequestRefused) or error.kind != u"InvalidParameterValue":
        return False
    return name in error.detail and _NAME_TAKEN.search(error.detail) is not None


def _missing(failure, volume_id, server_id):
    # type: (Failure, Text, Text) -> None
    if has_code(failure, NO_VOLUME):
        raise UnknownVolume(volume_id)
    if has_code(failure, NO_INSTANCE):
        raise UnknownServer(server_id)


def _not_attached(failure, volume_id, server_id):
    # type: (Failure, Text, Text) -> Failure
    _missing(failure, volume_id, server_id)
    error = failure.value  # type: Any
    refused = failure.check(RequestRefused) is not None
    if has_code(failure, _LIMIT) or refused and _LIMIT_IN_WORDS.search(error.detail):
        raise AttachmentLimitReached(volume_id, server_id, error.detail)
    return failure


def _not_detached(failure, volume_id, server_id):
    # type: (Failure, Text, Text) -> Any
    _missing(failure, volume_id, server_id)
    return None if has_code(failure, _DETACHED) else failure


__all__ = ["STUCK", "InstanceAttachments"]

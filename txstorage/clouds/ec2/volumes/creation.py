# -*- test-case-name: tests.clouds.ec2.test_creation -*-
"""
The creation of volumes, each with a client token.

EC2 may accept a creation and then not find the volume: it could not use the key for encrypting it.
Its token is burnt: all later requests with the token get the same volume, which does not exist.
"""

from __future__ import absolute_import, division, print_function

from collections import OrderedDict

import attr
from twisted.internet.defer import succeed

from ...._support.json_values import Malformed
from ...._support.notations.timestamps import seconds_since_epoch
from ....errors import RequestRefused
from ....interfaces import UnknownVolume
from ...listing import has_labels
from ..answers import has_code, understood
from ..tags import specification
from ..wire import gibibytes, volume_from_wire
from .client_tokens import Generations, client_token, owner_of
from .recent import CREATION
from .types import type_parameters

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Mapping, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...values import Volume  # noqa: F401
    from ..session import EC2Session  # noqa: F401
    from .client_tokens import Owner  # noqa: F401
    from .recent import RecentChanges  # noqa: F401

_MISMATCH = frozenset([u"IdempotentParameterMismatch"])

# The number of generations that one call tries.
_MAXIMUM = 20
_ALL_BURNT = u"CreateVolume: EC2 returns volumes of earlier requests, which no longer exist"

# The number of volumes whose tokens are remembered.  That of a forgotten one is found to be burnt.
_REMEMBERED = 10000

_UNUSABLE = frozenset([u"deleting", u"error"])


@attr.s(frozen=True)
class Wanted(object):
    """
    A volume to create.

    :ivar str operation: ``CreateVolume`` or ``CopyVolumes``.
    :ivar dict parameters: the operation's, but for the token.
    :ivar dict labels: the volume's, text to text.
    """

    operation = attr.ib()  # type: str
    parameters = attr.ib()  # type: Mapping[str, Any]
    labels = attr.ib()  # type: Mapping[Text, Text]

    def with_token(self, token):
        # type: (Text) -> Dict[str, Any]
        """:return: dict: the parameters of the request."""
        return dict(self.parameters, ClientToken=token)

    def volume_in(self, answer):
        # type: (Any) -> Optional[Volume]
        """
        :param dict answer: of the request.
        :return: the :class:`~txstorage.clouds.Volume`, or ``None`` when it no longer exists.
        :raises Malformed: the answer is not about this volume.
        """
        if self.operation == "CopyVolumes":
            answer = (answer.get(u"Volumes") or [{}])[0]
        volume = volume_from_wire(answer)
        if volume is None:
            return None
        if not volume.labels:
            # The answer to a creation may leave out the tags.
            return volume.with_labels(dict(self.labels))
        if not has_labels(volume.labels, self.labels):
            raise Malformed(u"the answer is about another volume, {}".format(volume.volume_id))
        return volume


class TokenCreations(object):
    """
    Requests for volumes.

    :param session: an :class:`~txstorage.clouds.ec2.session.EC2Session`.
    :param text zone: the availability zone of new volumes.
    :param recent: the :class:`~.recent.RecentChanges`.
    :param get: called with a volume's id; returns a ``Deferred`` that fires with the
        :class:`~txstorage.clouds.Volume` and fails with ``UnknownVolume``.
    :param kms_key_id: the key of KMS that encrypts new volumes (text), or ``None``.
    """

    def __init__(self, session, zone, recent, get, kms_key_id=None):
        # type: (EC2Session, Text, RecentChanges, Callable[[Text], Deferred[Volume]], Optional[Text]) -> None
        self._session = session
        self._place = {"AvailabilityZone": zone}  # type: Dict[str, Any]
        if kms_key_id is not None:
            self._place.update(Encrypted=True, KmsKeyId=kms_key_id)
        self._recent = recent
        self._get = get
        self._generations = Generations()
        self._tokens = OrderedDict()  # type: OrderedDict[Text, Tuple[Owner, int]]

    def create(self, name, size, labels, volume_type, snapshot_id, source_volume_id):
        # type: (Text, int, Mapping[Text, Text], Optional[Text], Optional[Text], Optional[Text]) -> Deferred[Volume]
        """See :meth:`txstorage.clouds.IVolumeService.create_volume`."""
        typed = succeed(volume_type)  # type: Deferred[Any]
        if source_volume_id is not None and volume_type is None:
            # EC2 makes copies of its default type, not of the source's.
            typed = self._get(source_volume_id).addCallback(lambda source: source.volume_type)
        typed.addCallback(self._wanted, name, size, labels, snapshot_id, source_volume_id)
        return typed.addCallback(self._request, _MAXIMUM)

    def _wanted(self, volume_type, name, size, labels, snapshot_id, source_volume_id):
        # type: (Optional[Text], Text, int, Mapping[Text, Text], Optional[Text], Optional[Text]) -> Wanted
        gib = gibibytes(size)
        parameters = dict(
            type_parameters(volume_type, gib),
            Size=gib,
            TagSpecifications=specification(u"volume", name, labels),
        )  # type: Dict[str, Any]
        if source_volume_id is not None:
            # A copy is made in the zone of its source.
            return Wanted("CopyVolumes", dict(parameters, SourceVolumeId=source_volume_id), labels)
        parameters.update(self._place)
        if snapshot_id is not None:
            parameters["SnapshotId"] = snapshot_id
        return Wanted("CreateVolume", parameters, labels)

    def _request(self, wanted, left):
        # type: (Wanted, int) -> Deferred[Any]
        owner = owner_of(wanted.labels)
        generation = self._generations.of(owner)
        token = client_token(owner, generation)
        asked = self._session.call(wanted.operation, wanted.with_token(token))  # type: Deferred[Any]
        asked.addCallbacks(self._answered, _mismatched, callbackArgs=(wanted,))
        return asked.addCallback(self._settled, wanted, left, owner, generation)

    def _answered(self, answer, wanted):
        # type: (Any, Wanted) -> Any
        volume = understood(self._session, wanted.operation, wanted.volume_in, answer)
        created = None if volume is None else seconds_since_epoch(volume.created_at)
        if volume is None or created is None or self._session.now() - created < CREATION:
            return volume
        # An earlier request with this token created it, and it may be deleted by now.  Descriptions
        # show a volume of this age, if it still exists.
        d = self._get(volume.volume_id)  # type: Deferred[Any]
        return d.addCallbacks(lambda found: None if found.status in _UNUSABLE else found, _gone)

    def _settled(self, volume, wanted, left, owner, generation):
        # type: (Optional[Volume], Wanted, int, Owner, int) -> Any
        if volume is None:
            if not left:
                raise RequestRefused(u"POST", self._session.endpoint, 400, _ALL_BURNT)
            self._generations.burn(owner, generation)
            return self._request(wanted, left - 1)
        self._tokens[volume.volume_id] = (owner, generation)
        while len(self._tokens) > _REMEMBERED:
            self._tokens.popitem(last=False)
        self._recent.created(volume.volume_id, volume)
        return volume

    def ended(self, volume_id):
        # type: (Text) -> bool
        """
        Burn the token of a volume that was deleted, or that never came into being.

        :param text volume_id: the volume.
        :return: whether this process created the volume.
        """
        owner, generation = self._tokens.pop(volume_id, (None, 0))
        self._generations.burn(owner, generation)
        return owner is not None


def _mismatched(failure):
    # type: (Failure) -> Optional[Failure]
    return None if has_code(failure, _MISMATCH) else failure


def _gone(failure):
    # type: (Failure) -> None
    failure.trap(UnknownVolume)


__all__ = ["TokenCreations", "Wanted"]

# -*- test-case-name: tests.errors.test_errors -*-
"""
What can go wrong with a volume, its device or its node.
"""

from __future__ import absolute_import, division, print_function

from ..interfaces import UnknownInstanceID
from .base import StorageError, _Explained


class VolumeError(StorageError):
    """
    Something is wrong with one volume.

    :ivar text volume_id: the volume.
    """

    def __init__(self, volume_id, message):
        StorageError.__init__(self, message)
        self.volume_id = volume_id


class UnusableStatus(VolumeError):
    """
    The volume is in a status in which the operation is not possible.

    :ivar text operation: e.g. ``u"attach"``.
    :ivar text status: the volume's status.
    """

    remedy = u"see 'txstorage volumes show', then repair it with the cloud's own tools"

    def __init__(self, operation, volume_id, status, reason=u""):
        self.operation = operation
        self.status = status
        self.reason = reason
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't {} volume {}: its status is {!s}{}".format(
                operation, volume_id, status, u": " + reason if reason else u""
            ),
        )


class StillAttached(VolumeError):
    """The volume is attached, and only an unattached one can be destroyed."""

    remedy = u"detach it first"

    def __init__(self, volume_id, servers):
        self.servers = tuple(servers)
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't destroy volume {}: it is attached to {}".format(
                volume_id, u", ".join(self.servers) or u"a server"
            ),
        )


class OperationFailed(VolumeError):
    """The service accepted the request, and then did not carry it out."""

    remedy = u"look in the service's logs for the volume, then repeat the operation"

    def __init__(self, operation, volume_id, what):
        self.operation = operation
        VolumeError.__init__(
            self, volume_id, u"Can't {} volume {}: {}".format(operation, volume_id, what)
        )


class OperationTimedOut(StorageError):
    """
    An operation's deadline passed.  It can be repeated: it goes on from
    where the cloud is.

    :ivar text operation: e.g. ``u"attach"``.
    :ivar text subject: what it was about, e.g. ``u"volume <id>"``.
    :ivar text awaited: what it waited for.
    :ivar float seconds: how long it waited.
    :ivar text last_seen: what was seen last.
    """

    remedy = (
        u"repeat the operation, which goes on where this one stopped, or raise 'timeout'; when it "
        u"always ends with the same status, the cloud lost what it had accepted, and its "
        u"administrator has to reset the volume's status"
    )

    def __init__(self, operation, subject, awaited, seconds, last_seen):
        self.operation = operation
        self.subject = subject
        self.awaited = awaited
        self.seconds = seconds
        self.last_seen = last_seen
        StorageError.__init__(
            self,
            u"Gave up to {} {} after waiting {:.1f} seconds for {}; last seen: {}".format(
                operation, subject, seconds, awaited, last_seen
            ),
        )


class MalformedLabels(VolumeError):
    """The volume belongs to this cluster but does not say to which dataset."""

    remedy = u"set its metadata key flocker-dataset-id to the dataset's UUID"


class DatasetConflict(VolumeError):
    """There is a volume for the dataset already, and it is another size."""

    remedy = u"destroy the volume that is there, or ask for its size"


class UnidentifiedNode(_Explained, UnknownInstanceID):
    """
    This node's instance id could not be found.

    :param node: who looked for it.
    :ivar tuple attempts: of ``(source, outcome)`` texts, in order.
    """

    remedy = u"set 'instance_id' in the configuration to this node's id in the cloud"

    def __init__(self, node, attempts):
        UnknownInstanceID.__init__(self, node)
        self.attempts = tuple(attempts)
        self.message = u"Can't find out this node's instance id: {}".format(
            u"; ".join(u"{}: {}".format(source, outcome) for source, outcome in self.attempts)
        )


class NotThisNode(VolumeError):
    """Without Compute, each host attaches its own volumes only."""

    remedy = u"attach it on that host; check 'instance_id' if this should be it"

    def __init__(self, volume_id, server_id, own_id):
        self.server_id = server_id
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't attach volume {} to {}: this host is {}, and without Compute only a host "
            u"itself can".format(volume_id, server_id, own_id),
        )


class ConnectionFailed(VolumeError):
    """Storage offers the volume to this host, and it can't be got at."""

    remedy = u"check this host's way to the storage; what was not connected can be attached again"

    def __init__(self, volume_id, problem):
        VolumeError.__init__(
            self, volume_id, u"Can't reach volume {}: {}".format(volume_id, problem)
        )


class ConnectorMissing(VolumeError):
    """
    It takes a library to connect the volume, and that is not installed.

    :ivar text kind: the kind of connection, e.g. ``iscsi``.
    """

    remedy = u"pip install 'txstorage[os-brick]' on Python 3, and what os-brick needs for this kind"

    def __init__(self, volume_id, kind):
        self.kind = kind
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't connect volume {} to this host: its connection is of the kind {}, which takes "
            u"os-brick, and that is not installed".format(volume_id, kind),
        )


class DeviceError(VolumeError):
    """The volume's device on this node is not what it must be, or can't be looked at."""

    remedy = u"check that this process may read /sys and /dev"


class DeviceNotFound(DeviceError):
    """No block device of this node has the volume's identity."""

    remedy = u"check that 'instance_id' names this very node"


class DeviceAmbiguous(DeviceError):
    """Several block devices claim to be the volume, so none is used."""

    remedy = u"find out which is which before you touch either"


class DeviceMismatch(DeviceError):
    """The device with the volume's identity has another size."""

    remedy = u"do not use the device; compare it with the volume's size in the cloud"


class DeviceBusy(DeviceError):
    """The device is in use on this node, so it is not taken away."""

    remedy = u"unmount it; 'findmnt' and 'lsof' show what holds it"


class DeviceStillPresent(DeviceError):
    """The volume's device is still on this node."""

    remedy = u"see what holds it with 'lsof' and 'findmnt', then detach again"

# -*- test-case-name: tests.errors.test_snapshots -*-
"""
Errors of snapshots, of volumes made from them, and of growing.
"""

from __future__ import absolute_import, division, print_function

from .base import InvalidSize, StorageError
from .devices import DeviceError
from .remedies import DEVICE_GROWS, OF_OPERATIONS, OF_WAITS, remedy_for
from .volumes import VolumeError

MYPY = False
if MYPY:
    from typing import Iterable, Text  # noqa: F401


class SnapshotError(StorageError):
    """
    The base of the errors of one snapshot.

    :ivar text snapshot_id: the snapshot's id.
    """

    def __init__(self, snapshot_id, message):
        # type: (Text, Text) -> None
        StorageError.__init__(self, message)
        self.snapshot_id = snapshot_id


class UnknownSnapshot(SnapshotError):
    """The snapshot does not exist, or is another cluster's."""

    remedy = u"'txstorage snapshots list' shows the cluster's snapshots"

    def __init__(self, snapshot_id):
        # type: (Text) -> None
        SnapshotError.__init__(
            self, snapshot_id, u"This cluster has no snapshot {}".format(snapshot_id)
        )


#: The remedies of a snapshot's statuses.
_OF_STATUSES = {
    u"error": u"destroy the snapshot and make another",
    u"error_deleting": (
        u"have an administrator reset the snapshot's status, then destroy it; meanwhile, make "
        u"another snapshot, with another name"
    ),
    u"deleting": u"make another snapshot: the cloud is deleting this one",
    u"unmanaging": u"make another snapshot: an administrator is removing this one from the cloud",
}


class UnusableSnapshot(SnapshotError):
    """
    The snapshot's status does not allow the operation.

    :ivar text operation: e.g. ``u"destroy"``.
    :ivar text status: the snapshot's status.
    :ivar text reason: the cloud's explanation of the status; may be empty.
    """

    remedy = (
        u"inspect it with 'txstorage snapshots show'; only an administrator can reset its status"
    )

    def __init__(self, operation, snapshot_id, status, reason=u""):
        # type: (Text, Text, Text, Text) -> None
        self.operation = operation
        self.status = status
        self.reason = reason
        SnapshotError.__init__(
            self,
            snapshot_id,
            u"Can't {} snapshot {}: its status is {!s}{}".format(
                operation, snapshot_id, status, u": " + reason if reason else u""
            ),
        )
        of_status = _OF_STATUSES.get(status, self.remedy)
        self.remedy = remedy_for(OF_OPERATIONS, reason, default=of_status)


class SnapshotFailed(SnapshotError):
    """
    The service accepted the request, but failed to complete the operation.

    :ivar text operation: e.g. ``u"create"``.
    """

    remedy = u"search the service's logs for the snapshot id, then retry the operation"

    def __init__(self, operation, snapshot_id, problem):
        # type: (Text, Text, Text) -> None
        self.operation = operation
        SnapshotError.__init__(
            self, snapshot_id, u"Can't {} snapshot {}: {}".format(operation, snapshot_id, problem)
        )
        self.remedy = remedy_for(OF_OPERATIONS, self.message, default=self.remedy)


class SnapshotConflict(SnapshotError):
    """The volume has a snapshot of that name, with other labels."""

    remedy = u"choose another name, or destroy the existing snapshot"


class InvalidSnapshot(StorageError, ValueError):
    """The name or a label of a snapshot is invalid."""

    remedy = (
        u"use 1 to 255 characters for the name, and for each label a text of 1 to 255 characters "
        u"as its name, which does not begin with 'flocker-', and a text of at most 255 as its value"
    )


class HasSnapshots(VolumeError):
    """
    The volume has snapshots, so it can't be destroyed.

    :ivar tuple snapshots: texts: the snapshots' ids.
    """

    remedy = (
        u"destroy the snapshots first: 'txstorage snapshots destroy SNAPSHOT', or with the program "
        u"that made them"
    )

    def __init__(self, volume_id, snapshots):
        # type: (Text, Iterable[Text]) -> None
        self.snapshots = tuple(snapshots)
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't destroy volume {}: it has snapshots: {}".format(
                volume_id, u", ".join(self.snapshots)
            ),
        )


class SmallerThanSource(InvalidSize):
    """The requested size is less than that of the snapshot or the volume to copy."""

    remedy = u"request at least the size of the source, or no size"

    def __init__(self, source, source_size, size):
        # type: (Text, int, int) -> None
        InvalidSize.__init__(
            self,
            u"Can't make a volume of {} bytes from {}, which has {} bytes".format(
                size, source, source_size
            ),
        )


class VolumesNeverShrink(InvalidSize):
    """
    The volume is larger than the requested size.

    :ivar text volume_id: the volume's id.
    """

    remedy = u"to make it smaller, copy the data to a new volume"

    def __init__(self, volume_id, actual, size):
        # type: (Text, int, int) -> None
        self.volume_id = volume_id
        InvalidSize.__init__(
            self,
            u"Can't grow volume {} to {} bytes: it already has {} bytes".format(
                volume_id, size, actual
            ),
        )


class DeviceNotGrown(DeviceError):
    """This node's kernel does not show the volume's new size yet."""

    remedy = OF_WAITS[DEVICE_GROWS]


__all__ = [
    "DeviceNotGrown",
    "HasSnapshots",
    "InvalidSnapshot",
    "SmallerThanSource",
    "SnapshotConflict",
    "SnapshotError",
    "SnapshotFailed",
    "UnknownSnapshot",
    "UnusableSnapshot",
    "VolumesNeverShrink",
]

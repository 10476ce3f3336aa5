# -*- test-case-name: tests.driver.snapshots -*-
"""
Snapshots as the driver's callers see them.
"""

from __future__ import absolute_import, division, print_function

import re

from .._log import SNAPSHOT_SKIPPED
from .._support.compat import text_type
from ..errors import (
    HasSnapshots,
    InvalidSnapshot,
    RequestRefused,
    SnapshotConflict,
    UnknownSnapshot,
)
from ..interfaces import BlockDeviceSnapshot
from .labels import CLUSTER, DATASET, belongs_to, is_valid_label, own_labels, uuid_of

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Mapping, Text, Tuple  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..clouds.interface import IVolumeService  # noqa: F401
    from ..clouds.values import Snapshot, SnapshotPage  # noqa: F401

# Cinder strips a name, and then no search would find the snapshot by its name again.
_NAME = re.compile(u"[^\x00-\x20\x7f]([^\x00-\x1f\x7f]{0,253}[^\x00-\x20\x7f])?\\Z")


def check_snapshot(name, labels):
    # type: (Text, Mapping[Text, Text]) -> None
    """
    Check the name and the labels of a snapshot that is to be made.

    :raises InvalidSnapshot: with the problem.
    """
    if not isinstance(name, text_type) or not _NAME.match(name):
        raise InvalidSnapshot(u"Not a name for a snapshot: {!r}".format(name))
    for label, value in labels.items():
        if not is_valid_label(label, value):
            raise InvalidSnapshot(u"Not a label for a snapshot: {!r}: {!r}".format(label, value))


def block_device_snapshot(snapshot):
    # type: (Snapshot) -> BlockDeviceSnapshot
    """
    :param txstorage.clouds.Snapshot snapshot: as the cloud describes it.
    :return: the ``BlockDeviceSnapshot``.
    """
    return BlockDeviceSnapshot(
        snapshot_id=snapshot.snapshot_id,
        blockdevice_id=snapshot.volume_id,
        dataset_id=uuid_of(snapshot.labels.get(DATASET)),
        name=snapshot.name,
        size=snapshot.size,
        created_at=snapshot.created_at,
        status=snapshot.status,
        labels=own_labels(snapshot),
    )


def check_labels(snapshot, labels):
    # type: (Snapshot, Mapping[Text, Text]) -> Snapshot
    """
    Check that a volume's snapshot, which may have existed before, is the requested one.

    :return: the snapshot.
    :raises SnapshotConflict: the labels differ.
    """
    if own_labels(snapshot) != dict(labels):
        raise SnapshotConflict(
            snapshot.snapshot_id,
            u"Volume {} already has a snapshot named '{}', {}, made at {} with other labels".format(
                snapshot.volume_id, snapshot.name, snapshot.snapshot_id, snapshot.created_at
            ),
        )
    return snapshot


def check_owner(snapshot, cluster_id):
    # type: (Snapshot, UUID) -> Snapshot
    """
    Check that a snapshot belongs to a cluster.

    :return: the snapshot.
    :raises UnknownSnapshot: it does not.
    """
    if not belongs_to(snapshot, cluster_id):
        raise UnknownSnapshot(snapshot.snapshot_id)
    return snapshot


def check_not_anothers(snapshot, cluster_id):
    # type: (Snapshot, UUID) -> Snapshot
    """
    Check that a snapshot does not belong to another cluster.  One without labels, made with other
    tools, may be copied.

    :return: the snapshot.
    :raises UnknownSnapshot: it does.
    """
    return check_owner(snapshot, cluster_id) if CLUSTER in snapshot.labels else snapshot


def listed_snapshots(page, cluster_id):
    # type: (SnapshotPage, UUID) -> Tuple[List[BlockDeviceSnapshot], List[Tuple[Any, Dict[str, Any]]]]
    """
    Select the snapshots of a list that belong to a cluster.

    :param page: a :class:`txstorage.clouds.SnapshotPage`.
    :param UUID cluster_id: the cluster.
    :return: the list of ``BlockDeviceSnapshot``; and the problems for the log, pairs of a message
        type and its fields.
    """
    problems = [
        (SNAPSHOT_SKIPPED, dict(snapshot_id=snapshot_id, reason=reason))
        for snapshot_id, reason in page.malformed
    ]
    found = [each for each in page.snapshots if belongs_to(each, cluster_id)]
    return [block_device_snapshot(each) for each in found], problems


def explained_refusal(failure, service, volume_id):
    # type: (Failure, IVolumeService, Text) -> Deferred[Any]
    """
    Explain the refusal to delete a volume: the cloud's message names all the reasons that it may
    have.

    :param failure: the ``Failure`` of the request.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param text volume_id: the volume.
    :return: a ``Deferred`` that fires with the failure, when the volume has no snapshots.
    :raises HasSnapshots: (the Deferred) it has some.
    """
    failure.trap(RequestRefused)

    def evaluate(page):
        # type: (SnapshotPage) -> Failure
        if page.snapshots:
            raise HasSnapshots(volume_id, [each.snapshot_id for each in page.snapshots])
        return failure

    d = service.list_snapshots({}, volume_id)  # type: Deferred[Any]
    return d.addCallbacks(evaluate, lambda _: failure)


__all__ = [
    "block_device_snapshot",
    "check_labels",
    "check_not_anothers",
    "check_owner",
    "check_snapshot",
    "explained_refusal",
    "listed_snapshots",
]

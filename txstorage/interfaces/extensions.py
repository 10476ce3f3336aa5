# -*- test-case-name: tests.interfaces.test_extensions -*-
"""
Operations beyond Flocker's interfaces: labels, snapshots, clones and growing.

They stand beside Flocker's ``IBlockDeviceAsyncAPI``: a driver that has them provides these
interfaces, too.
"""

from __future__ import absolute_import, division, print_function

from uuid import UUID

import attr
from attr.validators import instance_of, optional
from zope.interface import Interface

from .._support.compat import integer_types, text_type

MYPY = False
if MYPY:
    from typing import Any, List, Mapping, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from .stand_ins import BlockDeviceVolume  # noqa: F401

_text = instance_of(text_type)  # type: Any


@attr.s(frozen=True, hash=False)
class BlockDeviceSnapshot(object):
    """
    A snapshot of a volume. Equal by value.

    :ivar text snapshot_id: the snapshot's id, unique in the cluster.
    :ivar text blockdevice_id: the id of the volume.
    :ivar dataset_id: the volume's dataset (``UUID``), or ``None`` when the snapshot does not name
        one.
    :ivar text name: the name, unique among the volume's snapshots.
    :ivar int size: bytes: the volume's size when the snapshot was made, and the minimum size of the
        volumes made from it.
    :ivar text created_at: ISO 8601, UTC.
    :ivar text status: the cloud's own status; ``available`` when the snapshot can be used.
    :ivar dict labels: text to text: those that ``create_snapshot`` was given.
    """

    snapshot_id = attr.ib(validator=_text)  # type: Text
    blockdevice_id = attr.ib(validator=_text)  # type: Text
    dataset_id = attr.ib(validator=optional(instance_of(UUID)))  # type: Optional[UUID]
    name = attr.ib(validator=_text)  # type: Text
    size = attr.ib(validator=instance_of(integer_types))  # type: int
    created_at = attr.ib(validator=_text)  # type: Text
    status = attr.ib(validator=_text)  # type: Text
    labels = attr.ib(default=attr.Factory(dict), validator=instance_of(dict))  # type: Mapping[Text, Text]


@attr.s(frozen=True, hash=False)
class LabelledVolume(object):
    """
    A volume with its labels. Equal by value.

    :ivar volume: the ``BlockDeviceVolume``.
    :ivar dict labels: text to text: the consumer's own labels.  Those whose keys begin with
        ``flocker-`` are the driver's, and left out.
    :ivar text status: the cloud's own status, such as ``available``.
    :ivar text created_at: ISO 8601, UTC.
    """

    volume = attr.ib()  # type: BlockDeviceVolume
    labels = attr.ib(validator=instance_of(dict))  # type: Mapping[Text, Text]
    status = attr.ib(validator=_text)  # type: Text
    created_at = attr.ib(validator=_text)  # type: Text


class ILabelledBlockDeviceAsyncAPI(Interface):
    """
    Volumes with labels, for a consumer's own use.

    Every method returns a ``Deferred``, which can be cancelled; every operation can be retried, and
    resumes from the cloud's current state.

    A label's key has 1 to 255 of the characters ``a-z A-Z 0-9 _ : . -`` and space, and does not
    begin with ``flocker-``.  Keys that end with ``.json`` or ``.xml``, and the keys ``.`` and
    ``..``, are invalid, too, because some releases of Cinder can't remove such a label, and would
    remove another one instead.  A value has at most 255 characters.
    """

    def create_labelled_volume(
        dataset_id, size, labels, profile_name=None, snapshot_id=None, blockdevice_id=None
    ):
        # type: (UUID, Optional[int], Mapping[Text, Text], Optional[Text], Optional[Text], Optional[Text]) -> Deferred[LabelledVolume]
        """
        Create a dataset's volume with labels, exactly once.  The volume has the labels from the
        beginning.  A volume that the dataset already has is returned unchanged, with the labels
        that it has.

        :param UUID dataset_id: the dataset.
        :param size: bytes (int), rounded up to the allocation unit; with a source, ``None`` for the
            source's size.
        :param dict labels: text to text.
        :param profile_name: the profile (text), or ``None``.
        :param snapshot_id: the snapshot (text) whose data the volume begins with, or ``None``.
        :param blockdevice_id: the volume (text) whose data it begins with, or ``None``.
        :return: a ``Deferred`` that fires with the :class:`LabelledVolume` once it is usable.
        :raises InvalidLabel: (the Deferred) a label is invalid.
        :raises InvalidSource: both a snapshot and a volume are given.
        :raises InvalidSize: not a positive whole number.
        :raises UnknownProfile: the profile is neither mandatory nor configured.
        :raises UnknownSnapshot: the snapshot does not exist, or is another cluster's.
        :raises UnknownVolume: the volume to copy does not exist.
        :raises SmallerThanSource: the size is less than the source's.
        :raises DatasetConflict: the dataset has a volume of another size, or one that was not made
            from the source.
        :raises QuotaExceeded: the project's quota is exceeded.
        """

    def list_labelled_volumes():
        # type: () -> Deferred[List[LabelledVolume]]
        """
        List the volumes of the cluster, the same as ``list_volumes`` does.

        :return: a ``Deferred`` that fires with a list of :class:`LabelledVolume`, of any status.
        """

    def get_labelled_volume(blockdevice_id):
        # type: (Text) -> Deferred[LabelledVolume]
        """
        Read one volume.

        :param text blockdevice_id: the volume.
        :return: a ``Deferred`` that fires with the :class:`LabelledVolume`.
        :raises UnknownVolume: (the Deferred) the volume does not exist, or is another cluster's.
        """

    def set_labels(blockdevice_id, labels):
        # type: (Text, Mapping[Text, Text]) -> Deferred[LabelledVolume]
        """
        Add or replace labels of a volume, and keep its others.

        :param text blockdevice_id: the volume.
        :param dict labels: text to text.
        :return: a ``Deferred`` that fires with the :class:`LabelledVolume` after the change.
        :raises InvalidLabel: (the Deferred) a label is invalid.
        :raises UnknownVolume: the volume does not exist, or is another cluster's.
        """

    def remove_label(blockdevice_id, label):
        # type: (Text, Text) -> Deferred[None]
        """
        Remove a label of a volume, if it has it.

        :param text blockdevice_id: the volume.
        :param text label: the label's key.
        :return: a ``Deferred`` that fires with ``None`` once the volume does not have the label.
        :raises InvalidLabel: (the Deferred) the key is invalid.
        :raises UnknownVolume: the volume does not exist, or is another cluster's.
        """

    def adopt_volume(blockdevice_id, dataset_id, labels):
        # type: (Text, UUID, Mapping[Text, Text]) -> Deferred[LabelledVolume]
        """
        Make a volume that belongs to no cluster the volume of a dataset.  It may be attached, and
        keeps its other labels.  The dataset's volume is returned unchanged, with the labels that it
        has.

        :param text blockdevice_id: the volume.
        :param UUID dataset_id: the dataset.
        :param dict labels: text to text: the labels to set with the driver's own.
        :return: a ``Deferred`` that fires with the :class:`LabelledVolume`.
        :raises InvalidLabel: (the Deferred) a label is invalid.
        :raises InvalidDatasetID: not a ``UUID``.
        :raises UnknownVolume: the volume does not exist, or is another cluster's.
        :raises DatasetConflict: the volume is another dataset's, or the dataset has another volume.
        """


class ISnapshottingBlockDeviceAsyncAPI(Interface):
    """
    Snapshots of volumes, and volumes made from them.

    Every method returns a ``Deferred``, which can be cancelled; every operation can be retried, and
    resumes from the cloud's current state.
    """

    def create_snapshot(blockdevice_id, name, labels):
        # type: (Text, Text, Mapping[Text, Text]) -> Deferred[BlockDeviceSnapshot]
        """
        Make a snapshot of a volume, exactly once for each name.  A snapshot of that name that the
        volume already has is returned instead, whatever its age: use a new name for each moment to
        keep.

        The volume may be attached, and in use.  Nothing is quiesced: the snapshot has what the
        device had received by then, as after a power failure, which journaling file systems and
        databases survive.  To include what is still in memory, freeze the file system
        (``fsfreeze``) or stop its writers first.

        :param text blockdevice_id: the volume.
        :param text name: 1 to 255 characters.
        :param dict labels: text to text, for the caller's own use.
        :return: a ``Deferred`` that fires with the :class:`BlockDeviceSnapshot`, once volumes can
            be made from it.
        :raises UnknownVolume: (the Deferred) the volume does not exist.
        :raises InvalidSnapshot: the name or a label is invalid.
        :raises SnapshotConflict: the volume has a snapshot of that name with other labels.
        :raises QuotaExceeded: the project's quota is exceeded.
        """

    def list_snapshots():
        # type: () -> Deferred[List[BlockDeviceSnapshot]]
        """
        List the snapshots that this interface made of the cluster's volumes.

        :return: a ``Deferred`` that fires with a list of :class:`BlockDeviceSnapshot`, of any
            status.
        """

    def destroy_snapshot(snapshot_id):
        # type: (Text) -> Deferred[None]
        """
        Destroy a snapshot.  Volumes made from it remain.

        :return: a ``Deferred`` that fires with ``None`` once the snapshot no longer exists.
        :raises UnknownSnapshot: (the Deferred) the snapshot does not exist, or is not the
            cluster's.
        """

    def create_volume_from_snapshot(dataset_id, snapshot_id, size=None):
        # type: (UUID, Text, Optional[int]) -> Deferred[BlockDeviceVolume]
        """
        Create a dataset's volume with the data of a snapshot, exactly once, as ``create_volume``
        does.

        :param UUID dataset_id: the dataset; not that of the volume that the snapshot was made of,
            while it has that volume.
        :param size: bytes (int), rounded up to the allocation unit, or ``None`` for the snapshot's.
        :return: a ``Deferred`` that fires with the ``BlockDeviceVolume`` once it is usable.
        :raises UnknownSnapshot: (the Deferred) the snapshot does not exist, or is another
            cluster's.
        :raises SmallerThanSource: the size is less than the snapshot's.
        :raises DatasetConflict: the dataset has a volume that was not made from this snapshot, or
            one of another size.
        """

    def clone_volume(dataset_id, blockdevice_id, size=None):
        # type: (UUID, Text, Optional[int]) -> Deferred[BlockDeviceVolume]
        """
        Create a dataset's volume with the data of another volume, exactly once.  The other volume
        may be attached, and in use; see :meth:`create_snapshot`.

        :param UUID dataset_id: the new volume's dataset.
        :param text blockdevice_id: the volume to copy.
        :param size: bytes (int), rounded up to the allocation unit, or ``None`` for the other
            volume's.
        :return: a ``Deferred`` that fires with the ``BlockDeviceVolume`` once it is usable.
        :raises UnknownVolume: (the Deferred) the volume to copy does not exist.
        :raises SmallerThanSource: the size is less than the other volume's.
        :raises DatasetConflict: the dataset has a volume that was not made from this one, or one of
            another size.
        """


class IResizableBlockDeviceAsyncAPI(Interface):
    """Volumes that grow."""

    def grow_volume(blockdevice_id, size):
        # type: (Text, int) -> Deferred[BlockDeviceVolume]
        """
        Grow a volume, which may be attached.  A file system on it does not grow with it.

        :param text blockdevice_id: the volume.
        :param int size: bytes, rounded up to the allocation unit.
        :return: a ``Deferred`` that fires with the ``BlockDeviceVolume`` of at least that size; if
            it is attached to this node, the kernel shows the size.
        :raises UnknownVolume: (the Deferred) the volume does not exist.
        :raises VolumesNeverShrink: the volume is larger.
        :raises QuotaExceeded: the project's quota is exceeded.
        """


__all__ = [
    "BlockDeviceSnapshot",
    "ILabelledBlockDeviceAsyncAPI",
    "IResizableBlockDeviceAsyncAPI",
    "ISnapshottingBlockDeviceAsyncAPI",
    "LabelledVolume",
]

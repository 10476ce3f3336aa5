# -*- test-case-name: tests.driver.test_labels -*-
"""
The labels that tie a cloud's volumes to a cluster and its datasets.

Flocker's own OpenStack driver uses the same labels, so its volumes are adopted.
"""

from __future__ import absolute_import, division, print_function

from uuid import UUID

from .._log import DUPLICATE_VOLUME, VOLUME_SKIPPED
from .._support.compat import text_type
from ..errors import MalformedLabels
from ..interfaces import BlockDeviceVolume, UnknownVolume
from .lifecycle import chosen
from .places import attached_servers

MYPY = False
if MYPY:
    from typing import Any, Dict, Iterable, List, Optional, Sequence, Text, Tuple, Union  # noqa: F401

    from ..clouds.values import Snapshot, Volume, VolumePage  # noqa: F401

CLUSTER = u"flocker-cluster-id"
DATASET = u"flocker-dataset-id"


def cluster_labels(cluster_id):
    # type: (UUID) -> Dict[Text, Text]
    """
    :param UUID cluster_id: the cluster.
    :return: ``dict``, text to text: the labels that all volumes of the cluster have.
    """
    return {CLUSTER: text_type(cluster_id)}


def dataset_labels(cluster_id, dataset_id):
    # type: (UUID, UUID) -> Dict[Text, Text]
    """
    :param UUID cluster_id: the cluster.
    :param UUID dataset_id: the dataset.
    :return: ``dict``, text to text: the labels that the dataset's volume has.
    """
    return {CLUSTER: text_type(cluster_id), DATASET: text_type(dataset_id)}


def volume_name(dataset_id):
    # type: (UUID) -> Text
    """
    :param UUID dataset_id: the dataset.
    :return: text: the volume's name, for people who list the cloud's volumes.
    """
    return u"flocker-{}".format(dataset_id)


def belongs_to(labelled, cluster_id):
    # type: (Union[Volume, Snapshot], UUID) -> bool
    """
    Check whether a volume or a snapshot belongs to a cluster.

    :param labelled: a :class:`txstorage.clouds.Volume` or :class:`txstorage.clouds.Snapshot`, as
        the cloud describes it.
    :param UUID cluster_id: the cluster.
    :return: ``bool``.
    """
    return uuid_of(labelled.labels.get(CLUSTER)) == cluster_id


def check_cluster(volume, cluster_id):
    # type: (Volume, UUID) -> Volume
    """
    Check that a volume belongs to a cluster.

    :param txstorage.clouds.Volume volume: as the cloud describes it.
    :param UUID cluster_id: the cluster.
    :return: the volume.
    :raises UnknownVolume: it does not.
    """
    if not belongs_to(volume, cluster_id):
        raise UnknownVolume(volume.volume_id)
    return volume


def dataset_of(volume):
    # type: (Volume) -> UUID
    """
    :param txstorage.clouds.Volume volume: as the cloud describes it.
    :return: ``UUID`` of the volume's dataset.
    :raises MalformedLabels: the dataset's label is missing or not a UUID.
    """
    dataset_id = uuid_of(volume.labels.get(DATASET))
    if dataset_id is None:
        raise MalformedLabels(
            volume.volume_id,
            u"Volume {} belongs to this cluster, but its label {} is {}".format(
                volume.volume_id,
                DATASET,
                u"not a UUID" if DATASET in volume.labels else u"missing",
            ),
        )
    return dataset_id


def block_device_volume(volume):
    # type: (Volume) -> BlockDeviceVolume
    """
    :param txstorage.clouds.Volume volume: as the cloud describes it.
    :return: the ``BlockDeviceVolume`` for Flocker.
    :raises MalformedLabels: the dataset's label is missing or not a UUID.
    """
    servers = attached_servers(volume)
    return BlockDeviceVolume(
        blockdevice_id=volume.volume_id,
        size=volume.size,
        attached_to=servers[0] if servers else None,
        dataset_id=dataset_of(volume),
    )


def by_dataset(volumes):
    # type: (Iterable[Volume]) -> Tuple[Dict[UUID, List[Volume]], List[Tuple[Text, Text]]]
    """
    Group volumes by their dataset.

    :param volumes: :class:`txstorage.clouds.Volume` of one cluster.
    :return: dict of dataset ids to lists of volumes; and a list of ``(volume_id, problem)`` texts
        of the volumes without a dataset.
    """
    datasets = {}  # type: Dict[UUID, List[Volume]]
    malformed = []  # type: List[Tuple[Text, Text]]
    for volume in volumes:
        try:
            datasets.setdefault(dataset_of(volume), []).append(volume)
        except MalformedLabels as error:
            malformed.append((error.volume_id, error.message))
    return datasets, malformed


def one_per_dataset(volumes):
    # type: (Sequence[Volume]) -> Tuple[List[Volume], List[Tuple[Volume, Volume]], List[Tuple[Text, Text]]]
    """
    Choose one volume for each dataset.

    :param volumes: :class:`txstorage.clouds.Volume` of one cluster.
    :return: three lists: the volumes to use, in the given order; ``(volume, used)`` pairs of the
        volumes that are not used, each with the one used instead; ``(volume_id, problem)`` texts
        of the volumes without a dataset.
    """
    datasets, malformed = by_dataset(volumes)
    used = {id(chosen(rivals)) for rivals in datasets.values()}
    duplicates = [
        (volume, chosen(rivals))
        for rivals in datasets.values()
        for volume in rivals
        if id(volume) not in used
    ]
    return [volume for volume in volumes if id(volume) in used], duplicates, malformed


def usable_volumes(page, cluster_id):
    # type: (VolumePage, UUID) -> Tuple[List[BlockDeviceVolume], List[Tuple[Any, Dict[str, Any]]]]
    """
    Select the volumes of a list that the driver uses.

    :param page: a :class:`txstorage.clouds.VolumePage`.
    :param UUID cluster_id: the cluster; volumes of other clusters are left out.
    :return: the list of ``BlockDeviceVolume``, one for each dataset; and the problems for the log,
        pairs of a message type and its fields.
    """
    used, duplicates, malformed = one_per_dataset(
        [volume for volume in page.volumes if belongs_to(volume, cluster_id)]
    )
    problems = [
        (VOLUME_SKIPPED, dict(volume_id=volume_id, reason=reason))
        for volume_id, reason in list(page.malformed) + malformed
    ] + [
        (
            DUPLICATE_VOLUME,
            dict(dataset_id=dataset_of(volume), volume_id=volume.volume_id, used=rival.volume_id),
        )
        for volume, rival in duplicates
    ]
    return [block_device_volume(volume) for volume in used], problems


def uuid_of(label):
    # type: (Optional[Text]) -> Optional[UUID]
    """
    :param label: text, or ``None``.
    :return: the ``UUID``; ``None`` when the label is none.
    """
    try:
        return UUID(label)
    except (ValueError, TypeError, AttributeError):
        return None

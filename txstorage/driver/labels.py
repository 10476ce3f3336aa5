# -*- test-case-name: tests.driver.test_labels -*-
"""
The labels that tie a cloud's volumes to a cluster and its datasets.

Flocker's own OpenStack driver uses the same labels, so its volumes are adopted.
"""

from __future__ import absolute_import, division, print_function

import re
from collections import OrderedDict
from uuid import UUID

import attr

from .._log import DUPLICATE_VOLUME, ORPHANED_VOLUME, VOLUME_SKIPPED
from .._support.compat import text_type
from ..errors import InvalidLabel, MalformedLabels
from ..interfaces import BlockDeviceVolume, LabelledVolume, UnknownVolume
from .lifecycle import chosen
from .places import attached_servers

MYPY = False
if MYPY:
    from typing import (  # noqa: F401
        Any,
        Callable,
        Dict,
        Iterable,
        Iterator,
        List,
        Mapping,
        Optional,
        Sequence,
        Text,
        Tuple,
        TypeVar,
        Union,
    )

    from ..clouds.values import Snapshot, Volume, VolumePage  # noqa: F401

    T = TypeVar("T")

# The number of volumes in one step of a selection.
_PORTION = 64

CLUSTER = u"flocker-cluster-id"
DATASET = u"flocker-dataset-id"
#: The label of a dataset's second volume, which is never used; its value is the id of the volume
#: that was used when the label was set.
SUPERSEDED = u"flocker-superseded-by"

# The labels of the driver itself begin with this.
_RESERVED = u"flocker-"

# Cinder's schema of metadata: cinder/api/validation/parameter_types.py.
_LABEL = re.compile(u"[a-zA-Z0-9_:. /-]{1,255}\\Z")
_MAX_VALUE = 255

# Cinder has no path for these labels of a volume, so it could not remove them: its router takes
# ".json", and that of older releases ".xml", for the format of the response.
_WITHOUT_PATH = re.compile(u"/|\\.(json|xml)\\Z|\\A\\.\\.?\\Z")


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


def is_valid_label(label, value):
    # type: (Any, Any) -> bool
    """
    Check whether a consumer may set a label.

    :param text label: the label's key, which must not be one that the driver reserves.
    :param text value: the label's value.
    :return: ``bool``.
    """
    return (
        isinstance(label, text_type)
        and isinstance(value, text_type)
        and _LABEL.match(label) is not None
        and not label.startswith(_RESERVED)
        and len(value) <= _MAX_VALUE
    )


def check_volume_labels(labels):
    # type: (Mapping[Text, Text]) -> None
    """
    Check the labels that a consumer sets on a volume.

    :param dict labels: text to text.
    :raises InvalidLabel: a label is invalid, or could never be removed.
    """
    for label, value in labels.items():
        if not is_valid_label(label, value) or _WITHOUT_PATH.search(label):
            raise InvalidLabel(u"Not a label for a volume: {!r}: {!r}".format(label, value))


def own_labels(labelled):
    # type: (Union[Volume, Snapshot]) -> Dict[Text, Text]
    """
    :param labelled: a :class:`txstorage.clouds.Volume` or :class:`txstorage.clouds.Snapshot`, as
        the cloud describes it.
    :return: ``dict``, text to text: the consumer's own labels.
    """
    return {
        label: value
        for label, value in labelled.labels.items()
        if not label.startswith(_RESERVED)
    }


def belongs_to(labelled, cluster_id):
    # type: (Union[Volume, Snapshot], UUID) -> bool
    """
    Check whether a volume or a snapshot belongs to a cluster.

    :param labelled: a :class:`txstorage.clouds.Volume` or :class:`txstorage.clouds.Snapshot`, as
        the cloud describes it.
    :param UUID cluster_id: the cluster.
    :return: ``bool``.
    """
    label = labelled.labels.get(CLUSTER)
    return label == text_type(cluster_id) or uuid_of(label) == cluster_id


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


def is_superseded(volume):
    # type: (Volume) -> bool
    """
    Check whether a volume has the label of a dataset's second volume.

    :param txstorage.clouds.Volume volume: as the cloud describes it.
    :return: ``bool``.
    """
    return SUPERSEDED in volume.labels


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


def block_device_volume(volume, dataset_id=None):
    # type: (Volume, Optional[UUID]) -> BlockDeviceVolume
    """
    :param txstorage.clouds.Volume volume: as the cloud describes it.
    :param UUID dataset_id: the volume's dataset, if it is known already.
    :return: the ``BlockDeviceVolume`` for Flocker.
    :raises MalformedLabels: the dataset's label is missing or not a UUID.
    """
    servers = attached_servers(volume)
    return BlockDeviceVolume(
        blockdevice_id=volume.volume_id,
        size=volume.size,
        attached_to=servers[0] if servers else None,
        dataset_id=dataset_of(volume) if dataset_id is None else dataset_id,
    )


def labelled_volume(volume, dataset_id=None):
    # type: (Volume, Optional[UUID]) -> LabelledVolume
    """
    :param txstorage.clouds.Volume volume: as the cloud describes it.
    :param UUID dataset_id: the volume's dataset, if it is known already.
    :return: the ``LabelledVolume``.
    :raises MalformedLabels: the dataset's label is missing or not a UUID.
    """
    return LabelledVolume(
        volume=block_device_volume(volume, dataset_id),
        labels=own_labels(volume),
        status=volume.status,
        created_at=volume.created_at,
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


@attr.s(frozen=True, slots=True)
class SecondVolume(object):
    """
    A volume of a dataset that has, or had, another one, which is used instead.

    :ivar txstorage.clouds.Volume volume: the volume that is never used.
    :ivar UUID dataset_id: the dataset.
    :ivar used: the dataset's :class:`txstorage.clouds.Volume`; ``None`` when that is gone.
    """

    volume = attr.ib()  # type: Volume
    dataset_id = attr.ib()  # type: UUID
    used = attr.ib()  # type: Optional[Volume]

    @property
    def superseded_by(self):
        # type: () -> Text
        """:return: text: the id of the volume that is, or was, used instead."""
        return self.volume.labels[SUPERSEDED] if self.used is None else self.used.volume_id

    def problem(self):
        # type: () -> Tuple[Any, Dict[str, Any]]
        """:return: for the log: a message type and its fields."""
        fields = dict(
            dataset_id=self.dataset_id,
            volume_id=self.volume.volume_id,
            used=self.superseded_by,
        )
        return (ORPHANED_VOLUME if self.used is None else DUPLICATE_VOLUME), fields


class UsableVolumes(object):
    """
    The volumes of a list that the driver uses: one for each dataset.

    :param page: a :class:`txstorage.clouds.VolumePage`.
    :param UUID cluster_id: the cluster; volumes of other clusters are left out.
    :param read: called with each :class:`txstorage.clouds.Volume` and its dataset; returns its
        value.

    :ivar list volumes: of the values, in the order of the list.
    :ivar list seconds: of :class:`SecondVolume`, the volumes that have a dataset and are not used.
    :ivar list problems: for the log: pairs of a message type and its fields.
    """

    def __init__(self, page, cluster_id, read=block_device_volume):
        # type: (VolumePage, UUID, Callable[[Volume, UUID], Any]) -> None
        self._page = page
        self._cluster_id = cluster_id
        self._read = read
        self.volumes = []  # type: List[Any]
        self.seconds = []  # type: List[SecondVolume]
        self.problems = []  # type: List[Tuple[Any, Dict[str, Any]]]

    def steps(self):
        # type: () -> Iterator[None]
        """:return: an iterator that makes the selection, in steps of a few milliseconds at most."""
        self._skip(self._page.malformed)
        datasets = OrderedDict()  # type: OrderedDict[UUID, List[Volume]]
        for portion in _portions(self._page.volumes):
            of_cluster = [each for each in portion if belongs_to(each, self._cluster_id)]
            found, malformed = by_dataset(of_cluster)
            self._skip(malformed)
            for dataset_id, volumes in found.items():
                datasets.setdefault(dataset_id, []).extend(volumes)
            yield
        used = {}  # type: Dict[int, UUID]
        for rivals in _portions(list(datasets.items())):
            for dataset_id, volumes in rivals:
                used.update((id(each), dataset_id) for each in self._choose(dataset_id, volumes))
            yield
        for portion in _portions(self._page.volumes):
            self.volumes.extend(
                self._read(each, used[id(each)]) for each in portion if id(each) in used
            )
            yield

    def _skip(self, malformed):
        # type: (Iterable[Tuple[Text, Text]]) -> None
        for volume_id, reason in malformed:
            self.problems.append((VOLUME_SKIPPED, dict(volume_id=volume_id, reason=reason)))

    def _choose(self, dataset_id, rivals):
        # type: (UUID, List[Volume]) -> List[Volume]
        candidates = [volume for volume in rivals if not is_superseded(volume)]
        used = chosen(candidates) if candidates else None
        for volume in rivals:
            if volume is not used:
                second = SecondVolume(volume, dataset_id, used)
                self.seconds.append(second)
                self.problems.append(second.problem())
        return [] if used is None else [used]


def _portions(values):
    # type: (Sequence[T]) -> Iterator[Sequence[T]]
    for begin in range(0, len(values), _PORTION):
        yield values[begin : begin + _PORTION]


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

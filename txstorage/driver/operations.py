# -*- test-case-name: tests.driver -*-
"""
The driver: Flocker's block device operations on any ``IVolumeService``.

Each operation sends a request, waits and returns.  :mod:`txstorage.driver.lifecycle` decides which
request to send and when to wait; :mod:`txstorage.driver.polling` does the waiting.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from twisted.internet.defer import maybeDeferred, succeed
from zope.interface import implementer

from .._support.compat import as_text
from ..interfaces import (
    IBlockDeviceAsyncAPI,
    ICloudAPI,
    ILabelledBlockDeviceAsyncAPI,
    IProfiledBlockDeviceAPI,
    IResizableBlockDeviceAsyncAPI,
    ISnapshottingBlockDeviceAsyncAPI,
)
from .attaching import NodeAttacher
from .convergence import Growth, PlainSubject, SnapshotDeletion, VolumeConvergence
from .creation import Creations
from .deadlines import timed_operations
from .labelling import VolumeLabels
from .labels import block_device_volume, check_cluster, dataset_of
from .listing import ClusterLists
from .nodes import Nodes
from .places import attached_servers
from .polling import Intervals, SnapshotWatcher, Watcher
from .sizes import whole
from .snapshots import check_owner, explained_refusal

MYPY = False
if MYPY:
    from typing import Any, Callable, Iterable, List, Mapping, Optional, Text  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.filepath import FilePath  # noqa: F401

    from .._devices.finder import DeviceFinder  # noqa: F401
    from ..clouds.interface import IVolumeService  # noqa: F401
    from ..clouds.values import Snapshot, Volume  # noqa: F401
    from ..interfaces import BlockDeviceSnapshot, BlockDeviceVolume, LabelledVolume  # noqa: F401

    NodeIdentity = Any  # the wing _node stands above this one


@implementer(
    IBlockDeviceAsyncAPI,
    IProfiledBlockDeviceAPI,
    ICloudAPI,
    ILabelledBlockDeviceAsyncAPI,
    ISnapshottingBlockDeviceAsyncAPI,
    IResizableBlockDeviceAsyncAPI,
)
class BlockDeviceDriver(object):
    """
    The asynchronous driver.

    Every method returns a ``Deferred``.  Cancelling it stops the waiting and leaves the cloud
    consistent; the operation can be retried.  Besides the errors that each method names, the
    Deferreds fail with :class:`~txstorage.errors.StorageError`.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param UUID cluster_id: the cluster; volumes of other clusters are unknown to the driver.
    :param devices: a :class:`~txstorage._devices.finder.DeviceFinder` for this node.
    :param node: a :class:`~txstorage._node.search.SearchedIdentity` for this node.
    :param dict profiles: profile name to volume type.
    :param float timeout: seconds that an operation may take.
    :param float copy_timeout: seconds that an operation may take that makes the cloud copy data:
        snapshots, and volumes made from them or from other volumes.
    :param Intervals intervals: the intervals between polls of a volume.
    :param bool marking: whether lists label the second volumes of datasets.
    """

    def __init__(
        self,
        reactor,
        service,
        cluster_id,
        devices,
        node,
        profiles=None,
        timeout=110.0,
        intervals=Intervals(),
        copy_timeout=3600.0,
        marking=True,
    ):
        # type: (IReactorTime, IVolumeService, UUID, DeviceFinder, NodeIdentity, Optional[Mapping[Text, Text]], float, Intervals, float, bool) -> None
        self._service = service
        self._cluster_id = cluster_id
        self._node = node
        timed = timed_operations(reactor, timeout, copy_timeout, service.remedies)
        self._operations = timed[0]
        self._watcher = Watcher(reactor, service, cluster_id, intervals)
        self._snapshots = SnapshotWatcher(reactor, service, cluster_id, intervals)
        watchers = (self._watcher, self._snapshots)
        self._creations = Creations(
            reactor, service, cluster_id, watchers, intervals, profiles or {}, timed
        )
        self._nodes = Nodes(service, self._operations)
        self._lists = ClusterLists(reactor, service, cluster_id, marking)
        self._labels = VolumeLabels(reactor, service, cluster_id, intervals, self._operations)
        self._attacher = NodeAttacher(reactor, service, devices, node, intervals)

    def allocation_unit(self):
        # type: () -> Deferred[int]
        """
        :return: a ``Deferred`` that fires with ``int``, bytes: volume sizes are multiples of it.
        """
        return succeed(self._service.allocation_unit)

    def compute_instance_id(self):
        # type: () -> Deferred[Text]
        """
        :return: a ``Deferred`` that fires with text: this node's instance id.  It fails with
            ``UnknownInstanceID``; a failure is not cached.
        """
        return self._operations.run(u"identify", PlainSubject(u"this node"), self._node.instance_id)

    @property
    def instance_id_source(self):
        # type: () -> Any
        """
        :return: text: the source of this node's instance id, such as ``metadata service``; ``None``
            until the id is known.
        """
        return self._node.source

    def create_volume(self, dataset_id, size):
        # type: (UUID, int) -> Deferred[BlockDeviceVolume]
        """
        Create a dataset's volume, exactly once: a volume that the dataset already has, or that
        another node creates at the same time, is returned instead.

        :param UUID dataset_id: the dataset.
        :param int size: bytes; rounded up to the allocation unit.
        :return: a ``Deferred`` that fires with the ``BlockDeviceVolume`` once it is usable.
        :raises InvalidDatasetID: (the Deferred) not a ``UUID``.
        :raises InvalidSize: not a positive whole number.
        :raises QuotaExceeded: the project's quota is exceeded.
        :raises DatasetConflict: the dataset has a volume of another size.
        """
        return maybeDeferred(self._creations.volume, dataset_id, size)

    def create_volume_with_profile(self, dataset_id, size, profile_name):
        # type: (UUID, int, Text) -> Deferred[BlockDeviceVolume]
        """
        Create a dataset's volume as :meth:`create_volume` does, with the volume type that is
        configured for a profile.  A mandatory profile (gold, silver, bronze) without a configured
        type gets the cloud's default type.

        :param text profile_name: the profile.
        :return: a ``Deferred``, as from :meth:`create_volume`.
        :raises UnknownProfile: (the Deferred) neither mandatory nor configured.
        """
        return maybeDeferred(self._creations.volume, dataset_id, size, as_text(profile_name))

    def destroy_volume(self, blockdevice_id):
        # type: (Text) -> Deferred[None]
        """
        Destroy a volume.

        :param text blockdevice_id: the volume.
        :return: a ``Deferred`` that fires with ``None`` once the volume no longer exists.
        :raises UnknownVolume: (the Deferred) the volume does not exist.
        :raises StillAttached: the volume is attached.
        :raises HasSnapshots: the volume has snapshots.
        """
        run = self._converging(u"destroy", blockdevice_id, self._request_deletion, self._check)
        return self._operations.run(u"destroy", run, run.run).addCallback(lambda _: None)

    def attach_volume(self, blockdevice_id, attach_to):
        # type: (Text, Text) -> Deferred[BlockDeviceVolume]
        """
        Attach a volume to a node.

        :param text blockdevice_id: the volume.
        :param text attach_to: the instance id of a node.
        :return: a ``Deferred`` that fires with the attached ``BlockDeviceVolume``; when
            ``attach_to`` is this node, the volume's device exists.
        :raises UnknownVolume: (the Deferred) the volume does not exist.
        :raises AlreadyAttachedVolume: the volume is attached, to that node or another.
        :raises UnknownServer: the node does not exist.
        """
        server_id = as_text(attach_to)
        place = self._attacher.queues.place(server_id)
        run = self._converging(
            u"attach",
            blockdevice_id,
            lambda run: self._attacher.request_attach(run, place, server_id),
            self._check_dataset,
            [server_id],
        )
        attach = self._attacher.attach
        d = self._operations.run(u"attach", run, attach, run, place, server_id, clock=place)
        return d.addBoth(place.end)

    def detach_volume(self, blockdevice_id):
        # type: (Text) -> Deferred[None]
        """
        Detach a volume from every node.

        :param text blockdevice_id: the volume.
        :return: a ``Deferred`` that fires with ``None`` once the volume is detached in Compute, in
            the volume service and, if it was attached to this node, in this node's kernel.
        :raises UnknownVolume: (the Deferred) the volume does not exist.
        :raises UnattachedVolume: the volume is not attached.
        :raises DeviceBusy: the volume is in use on this node, e.g. mounted.
        """
        turn = self._attacher.turns.turn()
        run = self._converging(
            u"detach",
            blockdevice_id,
            self._attacher.request_detach,
            lambda volume: turn.join(attached_servers(self._check(volume))),
        )
        d = self._operations.run(u"detach", run, self._attacher.detach, run, clock=turn)
        return d.addBoth(turn.end)

    def list_volumes(self):
        # type: () -> Deferred[List[BlockDeviceVolume]]
        """
        List the volumes of this cluster.

        A malformed volume, and any but one volume of a dataset (``flocker-superseded-by`` labels
        the others), is left out and reported in the log, once until that changes.

        :return: a ``Deferred`` that fires with a list of ``BlockDeviceVolume``.
        """
        return self._operations.run(u"list", PlainSubject(u"volumes"), self._lists.volumes)

    def get_device_path(self, blockdevice_id):
        # type: (Text) -> Deferred[FilePath[str]]
        """
        Find a volume's device on this node.

        :param text blockdevice_id: the volume.
        :return: a ``Deferred`` that fires with the ``FilePath`` of the device, verified to be that
            volume's.
        :raises UnknownVolume: (the Deferred) the volume does not exist.
        :raises UnattachedVolume: the volume is not attached to this node.
        :raises DeviceError: the device is missing, or can't be verified.
        """
        volume_id = as_text(blockdevice_id)
        return self._operations.run(
            u"find the device of",
            PlainSubject(u"volume " + volume_id),
            self._device_path,
            volume_id,
        )

    def list_live_nodes(self):
        # type: () -> Deferred[List[Text]]
        """
        List the nodes that may be running.

        :return: a ``Deferred`` that fires with a list of text: the instance ids of all nodes except
            nodes that the cloud reports as off or gone.
        """
        return self._nodes.live()

    def is_node_live(self, node_id):
        # type: (Text) -> Deferred[bool]
        """
        :param text node_id: an instance id.
        :return: a ``Deferred`` that fires with ``bool``: whether the node may be running.
        """
        return self._nodes.is_live(node_id)

    def start_node(self, node_id):
        # type: (Text) -> Deferred[None]
        """
        Start a node.

        :param text node_id: an instance id.
        :return: a ``Deferred`` that fires with ``None`` when the cloud has accepted the request.
        :raises UnknownServer: (the Deferred) the node does not exist.
        """
        return self._nodes.start(node_id)

    def create_snapshot(self, blockdevice_id, name, labels):
        # type: (Text, Text, Mapping[Text, Text]) -> Deferred[BlockDeviceSnapshot]
        """See ``ISnapshottingBlockDeviceAsyncAPI``."""
        return maybeDeferred(self._creations.snapshot, as_text(blockdevice_id), name, labels)

    def list_snapshots(self):
        # type: () -> Deferred[List[BlockDeviceSnapshot]]
        """See ``ISnapshottingBlockDeviceAsyncAPI``."""
        return self._operations.run(u"list", PlainSubject(u"snapshots"), self._lists.snapshots)

    def destroy_snapshot(self, snapshot_id):
        # type: (Text) -> Deferred[None]
        """See ``ISnapshottingBlockDeviceAsyncAPI``."""
        snapshot_id, check = as_text(snapshot_id), partial(check_owner, cluster_id=self._cluster_id)
        run = SnapshotDeletion(self._service, self._snapshots, snapshot_id, check)
        return self._operations.run(u"destroy", run, run.run).addCallback(lambda _: None)

    def create_volume_from_snapshot(self, dataset_id, snapshot_id, size=None):
        # type: (UUID, Text, Optional[int]) -> Deferred[BlockDeviceVolume]
        """See ``ISnapshottingBlockDeviceAsyncAPI``."""
        original = self._creations.of_snapshot(as_text(snapshot_id))
        return maybeDeferred(self._creations.volume, dataset_id, size, original=original)

    def clone_volume(self, dataset_id, blockdevice_id, size=None):
        # type: (UUID, Text, Optional[int]) -> Deferred[BlockDeviceVolume]
        """See ``ISnapshottingBlockDeviceAsyncAPI``."""
        original = self._creations.of_volume(as_text(blockdevice_id))
        return maybeDeferred(self._creations.volume, dataset_id, size, original=original)

    def grow_volume(self, blockdevice_id, size):
        # type: (Text, int) -> Deferred[BlockDeviceVolume]
        """See ``IResizableBlockDeviceAsyncAPI``."""
        return maybeDeferred(self._grow, as_text(blockdevice_id), size)

    def create_labelled_volume(
        self, dataset_id, size, labels, profile_name=None, snapshot_id=None, blockdevice_id=None
    ):
        # type: (UUID, Optional[int], Mapping[Text, Text], Optional[Text], Optional[Text], Optional[Text]) -> Deferred[LabelledVolume]
        """See ``ILabelledBlockDeviceAsyncAPI``."""
        source = (snapshot_id, blockdevice_id)
        create = self._creations.labelled_volume
        return maybeDeferred(create, dataset_id, size, labels, profile_name, *source)

    def list_labelled_volumes(self):
        # type: () -> Deferred[List[LabelledVolume]]
        """See ``ILabelledBlockDeviceAsyncAPI``."""
        return self._operations.run(u"list", PlainSubject(u"volumes"), self._lists.labelled)

    def get_labelled_volume(self, blockdevice_id):
        # type: (Text) -> Deferred[LabelledVolume]
        """See ``ILabelledBlockDeviceAsyncAPI``."""
        return self._labels.get(as_text(blockdevice_id))

    def set_labels(self, blockdevice_id, labels):
        # type: (Text, Mapping[Text, Text]) -> Deferred[LabelledVolume]
        """See ``ILabelledBlockDeviceAsyncAPI``."""
        return maybeDeferred(self._labels.set, as_text(blockdevice_id), labels)

    def remove_label(self, blockdevice_id, label):
        # type: (Text, Text) -> Deferred[None]
        """See ``ILabelledBlockDeviceAsyncAPI``."""
        return maybeDeferred(self._labels.remove, as_text(blockdevice_id), label)

    def adopt_volume(self, blockdevice_id, dataset_id, labels):
        # type: (Text, UUID, Mapping[Text, Text]) -> Deferred[LabelledVolume]
        """See ``ILabelledBlockDeviceAsyncAPI``."""
        return maybeDeferred(self._labels.adopt, as_text(blockdevice_id), dataset_id, labels)

    # -- the parts that all operations share ------------------------------------------

    def _converging(self, operation, blockdevice_id, request=None, check=None, servers=()):
        # type: (Text, Text, Optional[Callable[[VolumeConvergence], Deferred[Any]]], Optional[Callable[[Volume], object]], Iterable[Text]) -> VolumeConvergence
        return VolumeConvergence(
            self._service,
            self._watcher,
            operation,
            as_text(blockdevice_id),
            request,
            check,
            servers,
        )

    def _check(self, volume):
        # type: (Volume) -> Volume
        return check_cluster(volume, self._cluster_id)

    def _check_dataset(self, volume):
        # type: (Volume) -> None
        dataset_of(self._check(volume))

    # -- the steps of each operation ---------------------------------------------------

    def _request_deletion(self, run):
        # type: (VolumeConvergence) -> Deferred[None]
        d = self._service.delete_volume(run.volume_id)  # type: Deferred[Any]
        return d.addErrback(lambda f: explained_refusal(f, self._service, run.volume_id))

    def _grow(self, volume_id, size):
        # type: (Text, int) -> Deferred[BlockDeviceVolume]
        size = whole(size, self._service.allocation_unit)
        run = Growth(self._service, self._watcher, volume_id, size, self._check_dataset)
        d = self._operations.run(u"grow", run, self._attacher.grow, run)
        return d.addCallback(block_device_volume)

    def _device_path(self, volume_id):
        # type: (Text) -> Deferred[FilePath[str]]
        d = self._service.get_volume(volume_id).addCallback(self._check)
        return d.addCallback(self._attacher.device_path)


__all__ = ["BlockDeviceDriver"]

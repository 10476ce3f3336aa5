"""
A driver that does all that the contract asks for, with regular files as
devices: the smallest one that is right.
"""

from __future__ import absolute_import, division, print_function

import os
import re
from threading import RLock
from uuid import uuid4

from twisted.internet.task import deferLater
from zope.interface import implementer

from txstorage._support.compat import text_type
from txstorage.errors import (
    DatasetConflict,
    HasSnapshots,
    InvalidLabel,
    SmallerThanSource,
    UnknownSnapshot,
    VolumesNeverShrink,
)
from txstorage.interfaces import (
    AlreadyAttachedVolume,
    BlockDeviceSnapshot,
    BlockDeviceVolume,
    IBlockDeviceAPI,
    IBlockDeviceAsyncAPI,
    ICloudAPI,
    ILabelledBlockDeviceAsyncAPI,
    IProfiledBlockDeviceAPI,
    IResizableBlockDeviceAsyncAPI,
    ISnapshottingBlockDeviceAsyncAPI,
    LabelledVolume,
    UnattachedVolume,
    UnknownVolume,
)

UNIT = 4096
LABEL = re.compile(u"[a-zA-Z0-9_:. -]{1,255}\\Z")


def link(old, new):
    """Give a file another name; ``FilePath.linkTo`` would make a symbolic link."""
    os.link(old.path, new.path)


class Storage(object):
    """The storage that all nodes and clusters share."""

    def __init__(self, directory):
        self.files = directory.child("volumes")
        self.devices = directory.child("devices")
        for needed in (self.files, self.devices):
            needed.makedirs()
        self.volumes = {}  # by cluster id and volume id
        self.snapshots = {}  # by cluster id and snapshot id
        self.origins = {}  # of volumes, by id: the id of a snapshot or of another volume
        self.labels = {}  # of volumes, by id: text to text
        self.lock = RLock()


@implementer(IBlockDeviceAPI, IProfiledBlockDeviceAPI, ICloudAPI)
class BlockingReference(object):
    """
    A blocking driver.  A volume is a file; its device is another name for it.

    :param Storage storage: where.
    :param cluster_id: whose volumes.
    """

    node = u"node-1"

    def __init__(self, storage, cluster_id):
        self.storage = storage
        self.cluster_id = cluster_id

    def allocation_unit(self):
        return UNIT

    def compute_instance_id(self):
        return self.node

    def create_volume(self, dataset_id, size):
        with self.storage.lock:
            for volume in self.list_volumes():
                if volume.dataset_id == dataset_id:
                    return volume
            return self._make(dataset_id, size)

    def create_volume_with_profile(self, dataset_id, size, profile_name):
        return self.create_volume(dataset_id, size)

    def destroy_volume(self, blockdevice_id):
        with self.storage.lock:
            volume = self._known(blockdevice_id)
            if volume.attached_to is not None:
                raise ValueError("{!r} is attached".format(volume))
            snapshots = self._snapshots_of(volume)
            if snapshots:
                raise HasSnapshots(blockdevice_id, snapshots)
            self._forget(volume)
            self.storage.files.child(blockdevice_id).remove()

    def attach_volume(self, blockdevice_id, attach_to):
        with self.storage.lock:
            volume = self._known(blockdevice_id)
            if volume.attached_to is not None:
                raise AlreadyAttachedVolume(blockdevice_id)
            if attach_to != self.node:
                raise ValueError("there is no node {!r}".format(attach_to))
            link(self.storage.files.child(blockdevice_id), self._device(blockdevice_id))
            return self._put(volume.set(attached_to=attach_to))

    def detach_volume(self, blockdevice_id):
        with self.storage.lock:
            volume = self._attached(blockdevice_id)
            self._device(blockdevice_id).remove()
            self._put(volume.set(attached_to=None))

    def list_volumes(self):
        with self.storage.lock:
            return [
                volume
                for (cluster_id, _), volume in self.storage.volumes.items()
                if cluster_id == self.cluster_id
            ]

    def get_device_path(self, blockdevice_id):
        with self.storage.lock:
            return self._device(self._attached(blockdevice_id).blockdevice_id)

    def list_live_nodes(self):
        return [self.node]

    def start_node(self, node_id):
        pass

    def create_snapshot(self, blockdevice_id, name, labels):
        with self.storage.lock:
            volume = self._known(blockdevice_id)
            for snapshot in self.list_snapshots():
                if (snapshot.blockdevice_id, snapshot.name) == (blockdevice_id, name):
                    return snapshot
            return self._snapshot(volume, name, labels)

    def list_snapshots(self):
        with self.storage.lock:
            return [
                snapshot
                for (cluster_id, _), snapshot in self.storage.snapshots.items()
                if cluster_id == self.cluster_id
            ]

    def destroy_snapshot(self, snapshot_id):
        with self.storage.lock:
            self._known_snapshot(snapshot_id)
            del self.storage.snapshots[self.cluster_id, snapshot_id]
            self.storage.files.child(snapshot_id).remove()

    def create_volume_from_snapshot(self, dataset_id, snapshot_id, size=None):
        with self.storage.lock:
            source = self._known_snapshot(snapshot_id)
            return self._copy(dataset_id, snapshot_id, source.size, size)

    def clone_volume(self, dataset_id, blockdevice_id, size=None):
        with self.storage.lock:
            source = self._known(blockdevice_id)
            return self._copy(dataset_id, blockdevice_id, source.size, size)

    def grow_volume(self, blockdevice_id, size):
        with self.storage.lock:
            volume = self._known(blockdevice_id)
            if volume.size > size:
                raise VolumesNeverShrink(blockdevice_id, volume.size, size)
            with self.storage.files.child(blockdevice_id).open("r+") as device:
                device.truncate(size)
            return self._put(volume.set(size=size))

    def create_labelled_volume(
        self, dataset_id, size, labels, profile_name=None, snapshot_id=None, blockdevice_id=None
    ):
        with self.storage.lock:
            self._check_labels(labels)
            before = {volume.blockdevice_id for volume in self.list_volumes()}
            if snapshot_id is not None:
                volume = self.create_volume_from_snapshot(dataset_id, snapshot_id, size)
            elif blockdevice_id is not None:
                volume = self.clone_volume(dataset_id, blockdevice_id, size)
            else:
                volume = self.create_volume(dataset_id, size)
            if volume.blockdevice_id not in before:
                self._label(volume, labels)
            return self._labelled(volume)

    def list_labelled_volumes(self):
        with self.storage.lock:
            return [self._labelled(volume) for volume in self.list_volumes()]

    def get_labelled_volume(self, blockdevice_id):
        with self.storage.lock:
            return self._labelled(self._known(blockdevice_id))

    def set_labels(self, blockdevice_id, labels):
        with self.storage.lock:
            self._check_labels(labels)
            volume = self._known(blockdevice_id)
            self._label(volume, labels)
            return self._labelled(volume)

    def remove_label(self, blockdevice_id, label):
        with self.storage.lock:
            self._check_labels({label: u""})
            self._known(blockdevice_id)
            self.storage.labels.get(blockdevice_id, {}).pop(label, None)

    def adopt_volume(self, blockdevice_id, dataset_id, labels):
        with self.storage.lock:
            self._check_labels(labels)
            volume = self.storage.volumes.get((None, blockdevice_id))
            if volume is None:
                volume = self._known(blockdevice_id)
                if volume.dataset_id != dataset_id:
                    raise DatasetConflict(blockdevice_id, u"it is another dataset's")
                return self._labelled(volume)
            if dataset_id in {each.dataset_id for each in self.list_volumes()}:
                raise DatasetConflict(blockdevice_id, u"the dataset has another volume")
            del self.storage.volumes[None, blockdevice_id]
            self._label(volume, labels)
            return self._labelled(self._put(volume.set(dataset_id=dataset_id)))

    # -- how ---------------------------------------------------------------------

    def _check_labels(self, labels):
        for label, value in labels.items():
            if not LABEL.match(label) or label.startswith(u"flocker-") or len(value) > 255:
                raise InvalidLabel(label)

    def _label(self, volume, labels):
        self.storage.labels.setdefault(volume.blockdevice_id, {}).update(labels)

    def _labelled(self, volume):
        return LabelledVolume(
            volume=volume,
            labels=dict(self.storage.labels.get(volume.blockdevice_id, {})),
            status=u"available",
            created_at=u"2026-11-27T00:00:00",
        )

    def _make(self, dataset_id, size):
        volume = BlockDeviceVolume(
            blockdevice_id=text_type(uuid4()), size=size, dataset_id=dataset_id, attached_to=None
        )
        with self.storage.files.child(volume.blockdevice_id).open("w") as device:
            device.truncate(size)
        return self._put(volume)

    def _snapshots_of(self, volume):
        return [
            each.snapshot_id
            for each in self.list_snapshots()
            if each.blockdevice_id == volume.blockdevice_id
        ]

    def _known_snapshot(self, snapshot_id):
        snapshot = self.storage.snapshots.get((self.cluster_id, snapshot_id))
        if snapshot is None:
            raise UnknownSnapshot(snapshot_id)
        return snapshot

    def _snapshot(self, volume, name, labels):
        snapshot = BlockDeviceSnapshot(
            snapshot_id=text_type(uuid4()),
            blockdevice_id=volume.blockdevice_id,
            dataset_id=volume.dataset_id,
            name=name,
            size=volume.size,
            created_at=u"2026-11-27T00:00:00",
            status=u"available",
            labels=dict(labels),
        )
        files = self.storage.files
        files.child(volume.blockdevice_id).copyTo(files.child(snapshot.snapshot_id))
        self.storage.snapshots[self.cluster_id, snapshot.snapshot_id] = snapshot
        return snapshot

    def _copy(self, dataset_id, source_id, least, size):
        size = least if size is None else size
        if size < least:
            raise SmallerThanSource(source_id, least, size)
        for volume in self.list_volumes():
            if volume.dataset_id == dataset_id:
                if self.storage.origins.get(volume.blockdevice_id) != source_id:
                    raise DatasetConflict(volume.blockdevice_id, u"it has other data")
                return volume
        volume = self._make(dataset_id, size)
        self.storage.origins[volume.blockdevice_id] = source_id
        self._fill(volume, source_id)
        return volume

    def _fill(self, volume, source_id):
        content = self.storage.files.child(source_id).getContent()
        with self.storage.files.child(volume.blockdevice_id).open("r+") as device:
            device.write(content)

    def _put(self, volume):
        self.storage.volumes[self.cluster_id, volume.blockdevice_id] = volume
        return volume

    def _forget(self, volume):
        del self.storage.volumes[self.cluster_id, volume.blockdevice_id]

    def _known(self, blockdevice_id):
        volume = self.storage.volumes.get((self.cluster_id, blockdevice_id))
        if volume is None:
            raise UnknownVolume(blockdevice_id)
        return volume

    def _attached(self, blockdevice_id):
        volume = self._known(blockdevice_id)
        if volume.attached_to is None:
            raise UnattachedVolume(blockdevice_id)
        return volume

    def _device(self, blockdevice_id):
        return self.storage.devices.child(blockdevice_id)


@implementer(
    IBlockDeviceAsyncAPI,
    IProfiledBlockDeviceAPI,
    ICloudAPI,
    ILabelledBlockDeviceAsyncAPI,
    ISnapshottingBlockDeviceAsyncAPI,
    IResizableBlockDeviceAsyncAPI,
)
class AsynchronousReference(object):
    """
    An asynchronous driver: each operation waits, acts at once, and waits again before its Deferred
    fires. A cancelled operation has either acted or not acted.

    :param reactor: provides ``IReactorTime``.
    :param blocking: the blocking driver that acts.
    :param float delay: seconds of each wait.
    """

    def __init__(self, reactor, blocking, delay=0.0):
        self.reactor = reactor
        self.blocking = blocking
        self.delay = delay

    def allocation_unit(self):
        return self.do(self.blocking.allocation_unit)

    def compute_instance_id(self):
        return self.do(self.blocking.compute_instance_id)

    def create_volume(self, dataset_id, size):
        return self.do(self.blocking.create_volume, dataset_id, size)

    def create_volume_with_profile(self, dataset_id, size, profile_name):
        return self.do(self.blocking.create_volume_with_profile, dataset_id, size, profile_name)

    def destroy_volume(self, blockdevice_id):
        return self.do(self.blocking.destroy_volume, blockdevice_id)

    def attach_volume(self, blockdevice_id, attach_to):
        return self.do(self.blocking.attach_volume, blockdevice_id, attach_to)

    def detach_volume(self, blockdevice_id):
        return self.do(self.blocking.detach_volume, blockdevice_id)

    def list_volumes(self):
        return self.do(self.blocking.list_volumes)

    def get_device_path(self, blockdevice_id):
        return self.do(self.blocking.get_device_path, blockdevice_id)

    def list_live_nodes(self):
        return self.do(self.blocking.list_live_nodes)

    def start_node(self, node_id):
        return self.do(self.blocking.start_node, node_id)

    def create_snapshot(self, blockdevice_id, name, labels):
        return self.do(self.blocking.create_snapshot, blockdevice_id, name, labels)

    def list_snapshots(self):
        return self.do(self.blocking.list_snapshots)

    def destroy_snapshot(self, snapshot_id):
        return self.do(self.blocking.destroy_snapshot, snapshot_id)

    def create_volume_from_snapshot(self, dataset_id, snapshot_id, size=None):
        return self.do(self.blocking.create_volume_from_snapshot, dataset_id, snapshot_id, size)

    def clone_volume(self, dataset_id, blockdevice_id, size=None):
        return self.do(self.blocking.clone_volume, dataset_id, blockdevice_id, size)

    def grow_volume(self, blockdevice_id, size):
        return self.do(self.blocking.grow_volume, blockdevice_id, size)

    def create_labelled_volume(
        self, dataset_id, size, labels, profile_name=None, snapshot_id=None, blockdevice_id=None
    ):
        source = (snapshot_id, blockdevice_id)
        create = self.blocking.create_labelled_volume
        return self.do(create, dataset_id, size, labels, profile_name, *source)

    def list_labelled_volumes(self):
        return self.do(self.blocking.list_labelled_volumes)

    def get_labelled_volume(self, blockdevice_id):
        return self.do(self.blocking.get_labelled_volume, blockdevice_id)

    def set_labels(self, blockdevice_id, labels):
        return self.do(self.blocking.set_labels, blockdevice_id, labels)

    def remove_label(self, blockdevice_id, label):
        return self.do(self.blocking.remove_label, blockdevice_id, label)

    def adopt_volume(self, blockdevice_id, dataset_id, labels):
        return self.do(self.blocking.adopt_volume, blockdevice_id, dataset_id, labels)

    def do(self, act, *arguments):
        return self.wait().addCallback(lambda _: act(*arguments)).addCallback(self.wait)

    def wait(self, answer=None):
        return deferLater(self.reactor, self.delay, lambda: answer)

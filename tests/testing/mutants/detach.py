"""
Drivers that are wrong when they detach.
"""

from __future__ import absolute_import, division, print_function

from txstorage.interfaces import AlreadyAttachedVolume

from ..reference import BlockingReference
from .table import caught_by


@caught_by("test_detach")
class DeviceStays(BlockingReference):
    """The device remains when its volume is detached."""

    def detach_volume(self, blockdevice_id):
        self._put(self._attached(blockdevice_id).set(attached_to=None))

    def attach_volume(self, blockdevice_id, attach_to):
        device = self._device(blockdevice_id)
        if self._known(blockdevice_id).attached_to is None and device.exists():
            device.remove()
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


@caught_by("test_detach")
class DetachesAll(BlockingReference):
    """Detaching one detaches all."""

    def detach_volume(self, blockdevice_id):
        self._attached(blockdevice_id)
        for volume in self.list_volumes():
            if volume.attached_to is not None:
                BlockingReference.detach_volume(self, volume.blockdevice_id)


@caught_by("test_detach")
class DetachAnswers(BlockingReference):
    """Detach returns a value."""

    def detach_volume(self, blockdevice_id):
        BlockingReference.detach_volume(self, blockdevice_id)
        return self._known(blockdevice_id)


@caught_by("test_detach", "test_reattach", "test_detach_cancelled")
class DetachedStaysListed(BlockingReference):
    """A volume is listed as attached after it was detached."""

    def list_volumes(self):
        once = self.__dict__.setdefault("once", set())
        volumes = BlockingReference.list_volumes(self)
        once.update(v.blockdevice_id for v in volumes if v.attached_to is not None)
        return [
            v.set(attached_to=self.node) if v.blockdevice_id in once else v for v in volumes
        ]

    def detach_volume(self, blockdevice_id):
        self.list_volumes()
        BlockingReference.detach_volume(self, blockdevice_id)

    def attach_volume(self, blockdevice_id, attach_to):
        if blockdevice_id in self.__dict__.get("once", ()):
            raise AlreadyAttachedVolume(blockdevice_id)
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


@caught_by("test_detach_detached")
class DetachAgain(BlockingReference):
    """Detaching what is not attached succeeds."""

    def detach_volume(self, blockdevice_id):
        if self._known(blockdevice_id).attached_to is not None:
            BlockingReference.detach_volume(self, blockdevice_id)


@caught_by("test_detach_unknown", "test_detach_destroyed")
class DetachUnknown(BlockingReference):
    """Detaching what is not known succeeds."""

    def detach_volume(self, blockdevice_id):
        if (self.cluster_id, blockdevice_id) in self.storage.volumes:
            BlockingReference.detach_volume(self, blockdevice_id)


@caught_by("test_reattach")
class AttachableOnce(BlockingReference):
    """A volume can be attached once in its life."""

    def attach_volume(self, blockdevice_id, attach_to):
        worn = self.__dict__.setdefault("worn", set())
        if blockdevice_id in worn:
            raise AlreadyAttachedVolume(blockdevice_id)
        attached = BlockingReference.attach_volume(self, blockdevice_id, attach_to)
        worn.add(blockdevice_id)
        return attached


class _CountsAttaches(BlockingReference):
    """Knows which volumes were attached before."""

    def attach_volume(self, blockdevice_id, attach_to):
        before = self.__dict__.setdefault("before", set())
        attached = BlockingReference.attach_volume(self, blockdevice_id, attach_to)
        if blockdevice_id in before:
            attached = self.again(attached)
        before.add(blockdevice_id)
        return attached


@caught_by("test_reattach")
class ReattachesElsewhere(_CountsAttaches):
    """A second attach of a volume attaches it to another node, as the list shows."""

    def again(self, attached):
        return self._put(attached.set(attached_to=u"node-2"))


@caught_by("test_reattach")
class ReattachedIsListedLoose(_CountsAttaches):
    """A volume that is attached again is listed as before."""

    def again(self, attached):
        self._put(attached.set(attached_to=None))
        return attached


@caught_by("test_data_survives")
class Erases(BlockingReference):
    """A volume is empty whenever it is attached."""

    def attach_volume(self, blockdevice_id, attach_to):
        attached = BlockingReference.attach_volume(self, blockdevice_id, attach_to)
        with self._device(blockdevice_id).open("w") as device:
            device.truncate(attached.size)
        return attached

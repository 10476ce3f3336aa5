"""
Drivers that are wrong about device paths.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from ..reference import UNIT, AsynchronousReference, BlockingReference, link
from .attach import _Remembers
from .table import caught_by


@caught_by(
    "test_several_on_one_node", "test_data_survives", "test_many_volumes: self.assertEqual(len("
)
class SharedDevice(BlockingReference):
    """Two volumes have one device: the newest."""

    def get_device_path(self, blockdevice_id):
        self._attached(blockdevice_id)
        return max(self.storage.devices.children(), key=lambda path: path.path)


@caught_by("test_device_size")
class SmallDevice(BlockingReference):
    """A device is smaller than its volume."""

    def attach_volume(self, blockdevice_id, attach_to):
        attached = BlockingReference.attach_volume(self, blockdevice_id, attach_to)
        with self._device(blockdevice_id).open("r+") as device:
            device.truncate(UNIT // 2)
        return attached


@caught_by("test_path_unattached", "test_path_detached")
class PathOfUnattached(BlockingReference):
    """A volume that is not attached has a path, which leads to nothing."""

    def get_device_path(self, blockdevice_id):
        return self._device(self._known(blockdevice_id).blockdevice_id)


@caught_by("test_path_detached")
class StalePath(BlockingReference):
    """A path that was once found is remembered for ever."""

    def get_device_path(self, blockdevice_id):
        paths = self.__dict__.setdefault("paths", {})
        if blockdevice_id not in paths:
            paths[blockdevice_id] = BlockingReference.get_device_path(self, blockdevice_id)
        return paths[blockdevice_id]


@caught_by("test_path_destroyed")
class PathOfGhost(_Remembers):
    """A volume that was destroyed has a path."""

    def get_device_path(self, blockdevice_id):
        if self.is_ghost(blockdevice_id):
            return self._device(blockdevice_id)
        return BlockingReference.get_device_path(self, blockdevice_id)


@caught_by("test_path_unknown")
class PathOfUnknown(_Remembers):
    """A volume that never was has a path."""

    def get_device_path(self, blockdevice_id):
        known = (self.cluster_id, blockdevice_id) in self.storage.volumes
        if not known and not self.is_ghost(blockdevice_id):
            return self._device(blockdevice_id)
        return BlockingReference.get_device_path(self, blockdevice_id)


@caught_by("test_path_attached")
class TextPath(BlockingReference):
    """A path is text."""

    def get_device_path(self, blockdevice_id):
        return BlockingReference.get_device_path(self, blockdevice_id).path


class _NoFilePath(object):
    def __init__(self, path):
        self.path = path.path
        self.exists = path.exists


@caught_by("test_path_attached")
class OtherPath(BlockingReference):
    """A path is an object of the driver's own."""

    def get_device_path(self, blockdevice_id):
        return _NoFilePath(BlockingReference.get_device_path(self, blockdevice_id))


@caught_by("test_path_attached", "test_device_size")
class LateDevice(AsynchronousReference):
    """The device is there only some time after attach has fired."""

    def attach_volume(self, blockdevice_id, attach_to):
        return AsynchronousReference.attach_volume(
            self, blockdevice_id, attach_to
        ).addCallback(self._hide)

    def _hide(self, volume):
        device = self.blocking._device(volume.blockdevice_id)
        if device.exists():
            device.remove()
            self.reactor.callLater(
                20 * self.delay,
                lambda: link(self.blocking.storage.files.child(volume.blockdevice_id), device),
            )
        return volume


@caught_by("test_path_repeatable")
class UnstablePath(BlockingReference):
    """A device has another path each time."""

    def get_device_path(self, blockdevice_id):
        path = BlockingReference.get_device_path(self, blockdevice_id)
        alias = path.sibling(u"{}".format(uuid4()))
        link(path, alias)
        return alias

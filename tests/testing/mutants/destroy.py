"""
Drivers that are wrong when they destroy.
"""

from __future__ import absolute_import, division, print_function

from ..reference import BlockingReference
from .attach import _Remembers
from .table import caught_by


@caught_by("test_destroy", "test_destroy_cancelled")
class DestroyedStaysListed(_Remembers):
    """A volume is listed after it was destroyed."""

    def list_volumes(self):
        return BlockingReference.list_volumes(self) + list(self.ghosts)


@caught_by("test_destroy")
class DestroysAll(BlockingReference):
    """Destroying one destroys all."""

    def destroy_volume(self, blockdevice_id):
        self._known(blockdevice_id)
        for volume in self.list_volumes():
            BlockingReference.destroy_volume(self, volume.blockdevice_id)


@caught_by("test_destroy")
class DestroyAnswers(BlockingReference):
    """Destroy returns a value."""

    def destroy_volume(self, blockdevice_id):
        BlockingReference.destroy_volume(self, blockdevice_id)
        return blockdevice_id


@caught_by("test_destroy_destroyed")
class DestroyAgain(_Remembers):
    """Destroying what was destroyed succeeds."""

    def destroy_volume(self, blockdevice_id):
        if not self.is_ghost(blockdevice_id):
            _Remembers.destroy_volume(self, blockdevice_id)


@caught_by("test_destroy_unknown")
class DestroyUnknown(BlockingReference):
    """Destroying what never was succeeds."""

    def destroy_volume(self, blockdevice_id):
        if (self.cluster_id, blockdevice_id) in self.storage.volumes:
            BlockingReference.destroy_volume(self, blockdevice_id)

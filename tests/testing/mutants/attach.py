"""
Drivers that are wrong when they attach.
"""

from __future__ import absolute_import, division, print_function

from txstorage.interfaces import AlreadyAttachedVolume, UnattachedVolume, UnknownVolume

from ..reference import BlockingReference
from .table import caught_by


@caught_by("test_attach_unattached")
class AttachSaysUnattached(BlockingReference):
    """Attach returns the volume in its state before the attach."""

    def attach_volume(self, blockdevice_id, attach_to):
        attached = BlockingReference.attach_volume(self, blockdevice_id, attach_to)
        return attached.set(attached_to=None)


@caught_by("test_attached_is_listed")
class ListedUnattached(BlockingReference):
    """The list shows no volume as attached."""

    def list_volumes(self):
        return [v.set(attached_to=None) for v in BlockingReference.list_volumes(self)]


@caught_by("test_attach_unknown")
class AttachUnknownKeyError(BlockingReference):
    """A volume that is not known is a KeyError."""

    def attach_volume(self, blockdevice_id, attach_to):
        self.storage.volumes[self.cluster_id, blockdevice_id]
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


class _NoID(UnknownVolume):
    def __init__(self, blockdevice_id):
        Exception.__init__(self, "no volume {}".format(blockdevice_id))


class _NoAttribute(UnknownVolume):
    def __init__(self, blockdevice_id):
        Exception.__init__(self, blockdevice_id)
        self.blockdevice_id = None


def raising(error):
    """:return: a ``_known`` that raises another error."""

    def known(self, blockdevice_id):
        try:
            return BlockingReference._known(self, blockdevice_id)
        except UnknownVolume:
            raise error(blockdevice_id)

    return known


_UNKNOWN = (
    "test_attach_unknown", "test_detach_unknown", "test_destroy_unknown", "test_path_unknown"
)
_DESTROYED = (
    "test_attach_destroyed",
    "test_detach_destroyed",
    "test_destroy_destroyed",
    "test_path_destroyed",
)


@caught_by(*_UNKNOWN + _DESTROYED)
class ErrorWithoutID(BlockingReference):
    """An error names its volume in its message, and not in its arguments."""

    _known = raising(_NoID)


@caught_by(*_UNKNOWN + _DESTROYED)
class ErrorWithoutAttribute(BlockingReference):
    """An error does not carry the volume's id."""

    _known = raising(_NoAttribute)


@caught_by(*_UNKNOWN + _DESTROYED)
class UnknownIsUnattached(BlockingReference):
    """A volume that is not known is said to be loose."""

    _known = raising(UnattachedVolume)


@caught_by("test_attach_attached", "test_attach_elsewhere_attached")
class AttachAgain(BlockingReference):
    """Attaching what is attached succeeds."""

    def attach_volume(self, blockdevice_id, attach_to):
        volume = self._known(blockdevice_id)
        if volume.attached_to is not None:
            return volume
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


@caught_by("test_attach_elsewhere_attached")
class TargetFirst(BlockingReference):
    """Attach checks the target before the volume."""

    def attach_volume(self, blockdevice_id, attach_to):
        if attach_to != self.node:
            raise ValueError("there is no node {!r}".format(attach_to))
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


@caught_by("test_attach_elsewhere_attached")
class Stolen(BlockingReference):
    """A volume that is attached is taken away by another node, though it is refused."""

    def attach_volume(self, blockdevice_id, attach_to):
        try:
            return BlockingReference.attach_volume(self, blockdevice_id, attach_to)
        except AlreadyAttachedVolume:
            if attach_to != self.node:
                self._put(self._known(blockdevice_id).set(attached_to=attach_to))
            raise


class _Remembers(BlockingReference):
    """Remembers the volumes that it destroyed."""

    ghosts = ()

    def destroy_volume(self, blockdevice_id):
        ghost = self._known(blockdevice_id)
        BlockingReference.destroy_volume(self, blockdevice_id)
        self.ghosts = self.ghosts + (ghost,)

    def is_ghost(self, blockdevice_id):
        return blockdevice_id in [ghost.blockdevice_id for ghost in self.ghosts]


@caught_by("test_attach_destroyed")
class AttachesGhosts(_Remembers):
    """A volume that was destroyed can be attached."""

    def attach_volume(self, blockdevice_id, attach_to):
        for ghost in self.ghosts:
            if ghost.blockdevice_id == blockdevice_id:
                return ghost.set(attached_to=attach_to)
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


@caught_by("test_several_on_one_node")
class OneAtATime(BlockingReference):
    """A second volume pushes the first off the node."""

    def attach_volume(self, blockdevice_id, attach_to):
        volume = self._known(blockdevice_id)
        if volume.attached_to is None:
            for other in self.list_volumes():
                if other.attached_to is not None:
                    self.detach_volume(other.blockdevice_id)
                    self._forget(other)
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


@caught_by("test_several_on_one_node")
class OneListedAttached(BlockingReference):
    """The list shows only one volume as attached."""

    def list_volumes(self):
        volumes = BlockingReference.list_volumes(self)
        attached = [v for v in volumes if v.attached_to is not None]
        return [v.set(attached_to=None) if v in attached[1:] else v for v in volumes]

"""
Drivers that are wrong when they create and list volumes.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from ..reference import UNIT, AsynchronousReference, BlockingReference
from .table import caught_by


@caught_by("test_list_empty")
class NoneForNothing(BlockingReference):
    """The answer to a list without volumes is not a list."""

    def list_volumes(self):
        return BlockingReference.list_volumes(self) or None


@caught_by("test_created_is_listed")
class CreateBeforeListed(AsynchronousReference):
    """A volume is listed only some time after create has fired."""

    def create_volume(self, dataset_id, size):
        made = BlockingReference.create_volume(
            BlockingReference(self.blocking.storage, None), dataset_id, size
        )
        self.reactor.callLater(10 * self.delay, self.blocking._put, made)
        return self.wait(made)


@caught_by("test_created_attributes")
class OtherDataset(BlockingReference):
    """A volume gets a dataset of its own choice."""

    def create_volume(self, dataset_id, size):
        return BlockingReference.create_volume(self, uuid4(), size)


@caught_by("test_created_attributes")
class AllocationUnitTooMuch(BlockingReference):
    """A volume is larger than the requested size."""

    def create_volume(self, dataset_id, size):
        return BlockingReference.create_volume(self, dataset_id, size + UNIT)


@caught_by("test_created_attributes")
class CreatedAttached(BlockingReference):
    """A volume is attached when it is created."""

    def create_volume(self, dataset_id, size):
        volume = BlockingReference.create_volume(self, dataset_id, size)
        return self.attach_volume(volume.blockdevice_id, self.node)


@caught_by("test_listed_attributes")
class ListedWithoutDataset(BlockingReference):
    """The list does not know what the volumes are for."""

    def list_volumes(self):
        return [v.set(dataset_id=uuid4()) for v in BlockingReference.list_volumes(self)]


@caught_by("test_listed_attributes", "test_created_is_listed")
class ListedInUnits(BlockingReference):
    """The list has sizes in another unit."""

    def list_volumes(self):
        return [v.set(size=v.size // UNIT) for v in BlockingReference.list_volumes(self)]


@caught_by("test_list_attached_and_unattached")
class OnlyAttachedListed(BlockingReference):
    """As soon as something is attached, only that is listed."""

    def list_volumes(self):
        volumes = BlockingReference.list_volumes(self)
        return [v for v in volumes if v.attached_to is not None] or volumes


@caught_by("test_many_volumes: yield self.assert_listed(*volumes)")
class FirstPage(BlockingReference):
    """Only the first page is listed."""

    def list_volumes(self):
        return BlockingReference.list_volumes(self)[:3]

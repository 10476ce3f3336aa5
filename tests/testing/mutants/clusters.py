"""
Drivers that mix clusters up.
"""

from __future__ import absolute_import, division, print_function

from txstorage.interfaces import UnknownVolume

from ..reference import BlockingReference
from .table import caught_by


@caught_by("test_others_not_listed: yield self.assert_listed(ours)")
class ListsAllClusters(BlockingReference):
    """The list has the volumes of all clusters."""

    def list_volumes(self):
        return list(self.storage.volumes.values())


@caught_by("test_others_unknown")
class KnowsAllClusters(BlockingReference):
    """A volume of another cluster can be destroyed by its id."""

    def destroy_volume(self, blockdevice_id):
        for cluster_id, volume_id in self.storage.volumes:
            if volume_id == blockdevice_id:
                owner = BlockingReference(self.storage, cluster_id)
                return BlockingReference.destroy_volume(owner, blockdevice_id)
        raise UnknownVolume(blockdevice_id)


@caught_by("test_others_unknown")
class RefusesAfterwards(KnowsAllClusters):
    """A volume of another cluster is destroyed, and then said to be unknown."""

    def destroy_volume(self, blockdevice_id):
        mine = [key for key in self.storage.volumes if key[0] == self.cluster_id]
        KnowsAllClusters.destroy_volume(self, blockdevice_id)
        if (self.cluster_id, blockdevice_id) not in mine:
            raise UnknownVolume(blockdevice_id)


@caught_by("test_one_dataset_in_two_clusters")
class SharesDatasets(BlockingReference):
    """A dataset has one volume in all clusters together."""

    def create_volume(self, dataset_id, size):
        for volume in self.storage.volumes.values():
            if volume.dataset_id == dataset_id:
                return volume
        return BlockingReference.create_volume(self, dataset_id, size)

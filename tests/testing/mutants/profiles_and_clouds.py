"""
Drivers that are wrong about profiles and nodes.
"""

from __future__ import absolute_import, division, print_function

from ..reference import AsynchronousReference, BlockingReference
from .table import caught_by


@caught_by("ProfiledTests.test_interface")
class NoProfiles(AsynchronousReference):
    """There is no way to ask for a profile."""

    @property
    def create_volume_with_profile(self):
        raise AttributeError("create_volume_with_profile")


@caught_by("test_mandatory_profiles")
class NoGold(BlockingReference):
    """One of the mandatory profiles is unknown."""

    def create_volume_with_profile(self, dataset_id, size, profile_name):
        if profile_name == u"gold":
            raise KeyError(profile_name)
        return self.create_volume(dataset_id, size)


@caught_by("test_mandatory_profiles")
class ProfiledSize(BlockingReference):
    """A profile changes the size."""

    def create_volume_with_profile(self, dataset_id, size, profile_name):
        return self.create_volume(dataset_id, 2 * size)


@caught_by("test_mandatory_profiles: yield self.assert_listed(*volumes)")
class ProfiledUnlisted(BlockingReference):
    """A volume with a profile is not listed."""

    def create_volume_with_profile(self, dataset_id, size, profile_name):
        volume = self.create_volume(dataset_id, size)
        self._forget(volume)
        return volume


@caught_by("CloudTests.test_interface")
class NoStartNode(AsynchronousReference):
    """There is no way to start a node."""

    @property
    def start_node(self):
        raise AttributeError("start_node")


@caught_by("test_this_node_lives")
class AllDead(BlockingReference):
    """No node is live."""

    def list_live_nodes(self):
        return []


@caught_by("test_live_nodes_are_ids")
class OneLiveNode(BlockingReference):
    """The live nodes are one text."""

    def list_live_nodes(self):
        return self.node


@caught_by("test_live_nodes_are_ids")
class BytesLiveNodes(BlockingReference):
    """A live node's id is bytes."""

    def list_live_nodes(self):
        return [self.node, b"node-2"]


@caught_by("test_live_nodes_are_ids")
class LiveTwice(BlockingReference):
    """A node lives twice."""

    def list_live_nodes(self):
        return [self.node, self.node]

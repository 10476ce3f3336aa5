# -*- test-case-name: tests.testing.test_suites -*-
"""
Tests for drivers with profiles, for drivers that know their cloud's nodes, and for drivers that
share their storage with other clusters.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import inlineCallbacks, maybeDeferred
from zope.interface.verify import verifyObject

from .._support.compat import text_type
from ..interfaces import ICloudAPI, IProfiledBlockDeviceAPI, MandatoryProfiles, UnknownVolume
from .base_suite import Suite
from .volumes import remove_volumes

MYPY = False
if MYPY:
    from typing import Any, Generator  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

PROFILES = sorted(constant.value for constant in MandatoryProfiles.iterconstants())


class Profiled(Suite):
    """Tests of ``IProfiledBlockDeviceAPI``."""

    def test_interface(self):
        # type: () -> None
        """The driver provides ``IProfiledBlockDeviceAPI``."""
        self.assertTrue(verifyObject(IProfiledBlockDeviceAPI, self.driver))

    @inlineCallbacks
    def test_mandatory_profiles(self):
        # type: () -> Generator[Any, Any, None]
        """Each mandatory profile creates the requested volume, which is listed."""
        volumes = []
        for profile in PROFILES:
            dataset_id = uuid4()
            volume = yield self.settle(
                self.api.create_volume_with_profile(dataset_id, self.size, profile)
            )
            self.assertEqual(
                (dataset_id, self.size, None),
                (volume.dataset_id, volume.size, volume.attached_to),
            )
            volumes.append(volume)
        yield self.assert_listed(*volumes)


class CloudNodes(Suite):
    """Tests of ``ICloudAPI``."""

    def test_interface(self):
        # type: () -> None
        """The driver provides ``ICloudAPI``."""
        self.assertTrue(verifyObject(ICloudAPI, self.driver))

    @inlineCallbacks
    def test_this_node_lives(self):
        # type: () -> Generator[Any, Any, None]
        """The node that the tests run on is live."""
        live = yield self.settle(self.api.list_live_nodes())
        self.assertIn(self.this_node, list(live))

    @inlineCallbacks
    def test_live_nodes_are_ids(self):
        # type: () -> Generator[Any, Any, None]
        """The live nodes are instance ids: text, each once."""
        live = yield self.settle(self.api.list_live_nodes())
        self.assertNotIsInstance(live, (bytes, text_type))
        self.assertEqual([], [node for node in live if not isinstance(node, text_type)])
        self.assertEqual(len(set(live)), len(list(live)))


class ClusterIsolation(Suite):
    """Tests with another cluster, whose volumes are in the same storage."""

    @inlineCallbacks
    def setUp(self):
        # type: () -> Generator[Any, Any, None]
        yield super(ClusterIsolation, self).setUp()
        driver = yield maybeDeferred(self.other_cluster_factory)
        self.other = self.calls(driver)
        self.addCleanup(lambda: self.settle(remove_volumes(self.other)))

    def theirs(self):
        # type: () -> Any
        """:return: a ``Deferred`` that fires with a volume of the other cluster."""
        return self.settle(self.other.create_volume(uuid4(), self.size))

    @inlineCallbacks
    def test_others_not_listed(self):
        # type: () -> Generator[Any, Any, None]
        """A cluster's list has only its own volumes."""
        yield self.theirs()
        ours = yield self.create()
        yield self.assert_listed(ours)

    @inlineCallbacks
    def test_others_unknown(self):
        # type: () -> Generator[Any, Any, None]
        """A cluster's volumes do not exist for another cluster, which can't change them."""
        volume = yield self.theirs()
        volume_id = volume.blockdevice_id
        for operation, arguments in [
            (self.api.attach_volume, (self.this_node,)),
            (self.api.detach_volume, ()),
            (self.api.get_device_path, ()),
            (self.api.destroy_volume, ()),
        ]:
            yield self.assert_fails(UnknownVolume, volume_id, operation(volume_id, *arguments))
        listed = yield self.settle(self.other.list_volumes())
        self.assertEqual([volume], listed)

    @inlineCallbacks
    def test_one_dataset_in_two_clusters(self):
        # type: () -> Generator[Any, Any, None]
        """Clusters that use the same dataset id have a volume each."""
        theirs = yield self.theirs()
        ours = yield self.create(theirs.dataset_id)
        self.assertNotEqual(theirs.blockdevice_id, ours.blockdevice_id)

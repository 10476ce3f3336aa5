# -*- test-case-name: tests.testing.test_suites -*-
"""
What the suites have in common: a driver for each test, and short words for what
every test does.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import gatherResults, inlineCallbacks, maybeDeferred

from ._calls import directly
from ._volumes import remove_volumes


class Suite(object):
    """
    For a ``TestCase`` to take in.

    :ivar driver: what the factory made.
    :ivar api: the same, with methods that return Deferreds.
    :ivar text this_node: the id of the node the tests run on.
    :ivar int size: bytes; of each volume.
    """

    #: How to call the driver; one of :mod:`txstorage.testing._calls`.
    calls = staticmethod(directly)

    @inlineCallbacks
    def setUp(self):
        self.driver = yield maybeDeferred(self.api_factory)
        self.api = self.calls(self.driver)
        self.addCleanup(self.clean_up)
        self.this_node = yield self.settle(self.api.compute_instance_id())

    def settle(self, d):
        """
        :return: a ``Deferred`` that fires as ``d`` does.  Overridden where
            something has to be pushed for that.
        """
        return d

    def clean_up(self):
        """:return: a ``Deferred`` that fires when what the test left is gone."""
        return self.settle(remove_volumes(self.api))

    def create(self, dataset_id=None):
        return self.settle(self.api.create_volume(dataset_id or uuid4(), self.size))

    def attach(self, volume, attach_to=None):
        return self.settle(
            self.api.attach_volume(volume.blockdevice_id, attach_to or self.this_node)
        )

    @inlineCallbacks
    def created_and_attached(self, answers):
        volume = yield self.create()
        volume = yield self.attach(volume)
        answers.append(volume)

    def detach(self, volume):
        return self.settle(self.api.detach_volume(volume.blockdevice_id))

    def destroy(self, volume):
        return self.settle(self.api.destroy_volume(volume.blockdevice_id))

    def path(self, volume):
        return self.settle(self.api.get_device_path(volume.blockdevice_id))

    @inlineCallbacks
    def assert_listed(self, *volumes):
        listed = yield self.settle(self.api.list_volumes())
        self.assertEqual(
            sorted(volumes, key=_id), sorted(listed, key=_id), "the list is not as it should be"
        )

    @inlineCallbacks
    def assert_fails(self, error, blockdevice_id, d):
        raised = yield self.assertFailure(self.settle(d), error)
        self.assertEqual((blockdevice_id,), raised.args)
        self.assertEqual(blockdevice_id, raised.blockdevice_id)

    def all(self, deferreds):
        return self.settle(gatherResults(list(deferreds)))


def _id(volume):
    return volume.blockdevice_id

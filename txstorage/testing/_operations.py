# -*- test-case-name: tests.testing.test_suites -*-
"""
How an operation is prepared, begun, and found finished, for suites that
interrupt it in between.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import inlineCallbacks, maybeDeferred

from ..interfaces import AlreadyAttachedVolume, UnattachedVolume, UnknownVolume


class Operations(object):
    """For a suite that has ``api``, ``size``, ``this_node`` and ``settle``."""

    def prepare_create(self):
        return maybeDeferred(uuid4)

    def begin_create(self, dataset_id):
        return self.api.create_volume(dataset_id, self.size)

    @inlineCallbacks
    def check_create(self, dataset_id):
        listed = yield self.settle(self.api.list_volumes())
        self.assertEqual([dataset_id], [v.dataset_id for v in listed if v.dataset_id == dataset_id])

    def prepare_attach(self):
        return self.settle(self.begin_create(uuid4()))

    def begin_attach(self, volume):
        return self.api.attach_volume(volume.blockdevice_id, self.this_node)

    @inlineCallbacks
    def check_attach(self, volume):
        listed = yield self.settle(self.api.list_volumes())
        self.assertIn(volume.set(attached_to=self.this_node), listed)
        path = yield self.settle(self.api.get_device_path(volume.blockdevice_id))
        self.assertTrue(path.exists())

    def prepare_detach(self):
        return self.prepare_attach().addCallback(lambda v: self.settle(self.begin_attach(v)))

    def begin_detach(self, volume):
        return self.api.detach_volume(volume.blockdevice_id)

    @inlineCallbacks
    def check_detach(self, volume):
        listed = yield self.settle(self.api.list_volumes())
        self.assertIn(volume.set(attached_to=None), listed)

    prepare_destroy = prepare_attach

    def begin_destroy(self, volume):
        return self.api.destroy_volume(volume.blockdevice_id)

    @inlineCallbacks
    def check_destroy(self, volume):
        listed = yield self.settle(self.api.list_volumes())
        self.assertNotIn(volume.blockdevice_id, [v.blockdevice_id for v in listed])

    #: What an operation may say when it is repeated after it was done.
    done = {
        "create": (),
        "attach": (AlreadyAttachedVolume,),
        "detach": (UnattachedVolume,),
        "destroy": (UnknownVolume,),
    }

    def parts(self, operation):
        return tuple(
            getattr(self, prefix + operation) for prefix in ("prepare_", "begin_", "check_")
        )

    def repeat(self, operation, subject):
        """:return: a ``Deferred`` that fires when an operation is done, by now or before."""
        _, begin, _ = self.parts(operation)
        return self.settle(begin(subject).addErrback(lambda f: f.trap(*self.done[operation])))

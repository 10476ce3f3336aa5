# -*- test-case-name: tests.test_contract -*-
"""
What a driver that reaches its service over HTTP promises when an exchange
goes wrong, or when an operation is cancelled, at any moment.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import CancelledError, inlineCallbacks, maybeDeferred

from ..interfaces import AlreadyAttachedVolume, UnattachedVolume, UnknownVolume
from ._volumes import detach_destroy_volumes
from .faults import lose_request, lose_response


class Resilience(object):
    """The tests, for a ``TestCase`` to take in."""

    @inlineCallbacks
    def setUp(self):
        self.api, self.agent = yield maybeDeferred(self.api_factory)
        self.addCleanup(self._clean_up)
        # what is asked once in a driver's life is not what is tested here
        self.this_node = yield self.settle(self.api.compute_instance_id())

    def settle(self, d):
        """See :meth:`txstorage.testing.conformance.Conformance.settle`."""
        return d

    def _clean_up(self):
        self.agent.calm()
        return self.settle(detach_destroy_volumes(self.api))

    # -- how an operation is prepared, begun, and found finished -------------------

    def prepare_create(self):
        return maybeDeferred(uuid4)

    def create(self, dataset_id):
        return self.api.create_volume(dataset_id, self.size)

    @inlineCallbacks
    def check_create(self, dataset_id):
        listed = yield self.settle(self.api.list_volumes())
        self.assertEqual([dataset_id], [v.dataset_id for v in listed if v.dataset_id == dataset_id])

    def prepare_attach(self):
        return self.settle(self.create(uuid4()))

    def attach(self, volume):
        return self.api.attach_volume(volume.blockdevice_id, self.this_node)

    @inlineCallbacks
    def check_attach(self, volume):
        listed = yield self.settle(self.api.list_volumes())
        self.assertIn(volume.set(attached_to=self.this_node), listed)
        path = yield self.settle(self.api.get_device_path(volume.blockdevice_id))
        self.assertTrue(path.exists())

    def prepare_detach(self):
        return self.prepare_attach().addCallback(lambda v: self.settle(self.attach(v)))

    def detach(self, volume):
        return self.api.detach_volume(volume.blockdevice_id)

    @inlineCallbacks
    def check_detach(self, volume):
        listed = yield self.settle(self.api.list_volumes())
        self.assertIn(volume.set(attached_to=None), listed)

    prepare_destroy = prepare_attach

    def destroy(self, volume):
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

    def _of(self, operation):
        return tuple(
            getattr(self, prefix + operation) for prefix in ("prepare_", "", "check_")
        )

    # -- an exchange goes wrong ------------------------------------------------------

    @inlineCallbacks
    def _lose(self, operation, number, fault):
        """
        Lose one exchange of an operation.  Whether there was one of that
        number is then in :attr:`lost`.
        """
        prepare, begin, check = self._of(operation)
        subject = yield prepare()
        before = len(self.agent.requests)
        self.agent.break_request(number, fault)
        yield self.settle(begin(subject))
        self.agent.calm()
        self.lost = len(self.agent.requests) - before > number
        yield check(subject)

    @inlineCallbacks
    def _lose_each(self, operation, fault):
        for number in range(20):
            yield self._lose(operation, number, fault)
            if not self.lost:
                break
        self.assertGreater(number, 2, "it was over too soon")

    def test_create_loses_requests(self):
        """Creating survives the loss of any request, and makes one volume."""
        return self._lose_each("create", lose_request)

    def test_create_loses_responses(self):
        """Creating survives the loss of any answer, and makes one volume."""
        return self._lose_each("create", lose_response)

    def test_attach_loses_requests(self):
        """Attaching survives the loss of any request."""
        return self._lose_each("attach", lose_request)

    def test_attach_loses_responses(self):
        """Attaching survives the loss of any answer."""
        return self._lose_each("attach", lose_response)

    def test_detach_loses_requests(self):
        """Detaching survives the loss of any request."""
        return self._lose_each("detach", lose_request)

    def test_detach_loses_responses(self):
        """Detaching survives the loss of any answer."""
        return self._lose_each("detach", lose_response)

    def test_destroy_loses_requests(self):
        """Destroying survives the loss of any request."""
        return self._lose_each("destroy", lose_request)

    def test_destroy_loses_responses(self):
        """Destroying survives the loss of any answer."""
        return self._lose_each("destroy", lose_response)

    # -- an operation is cancelled -----------------------------------------------------

    @inlineCallbacks
    def _cancel_at(self, operation, moment):
        """
        Cancel an operation at one moment, and repeat it.  Whether there was
        something to cancel is then in :attr:`cut_short`.
        """
        prepare, begin, check = self._of(operation)
        subject = yield prepare()
        self.agent.at_moment(moment, lambda: running.cancel())
        running = begin(subject)
        outcome = yield self.settle(
            running.addErrback(lambda failure: failure.trap(CancelledError))
        )
        self.agent.calm()
        yield self.settle(begin(subject).addErrback(lambda f: f.trap(*self.done[operation])))
        yield check(subject)
        self.cut_short = outcome is CancelledError

    @inlineCallbacks
    def _cancel_everywhere(self, operation):
        for moment in range(60):
            yield self._cancel_at(operation, moment)
            if not self.cut_short:
                break
        self.assertGreater(moment, 5, "it was over too soon")

    def test_create_cancelled(self):
        """Creating can be cancelled at any exchange, and repeated; one volume is made."""
        return self._cancel_everywhere("create")

    def test_attach_cancelled(self):
        """Attaching can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("attach")

    def test_detach_cancelled(self):
        """Detaching can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("detach")

    def test_destroy_cancelled(self):
        """Destroying can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("destroy")

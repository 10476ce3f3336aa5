# -*- test-case-name: tests.test_suites -*-
"""
What only an asynchronous driver promises, as tests: that it does not block,
and that its operations can be cancelled.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import CancelledError, Deferred, DeferredList, inlineCallbacks

from ._operations import Operations
from ._suite import Suite

#: How long an operation is left alone before it is cancelled: the number of
#: lists that are waited for meanwhile, since this needs no clock.
PATIENCE = (0, 1, 2, 4, 8, 16)


class Asynchronous(Operations, Suite):
    """The tests, for a ``TestCase`` to take in."""

    def test_deferreds(self):
        """Each operation answers with a Deferred, also when it is to fail."""
        answers = [
            self.api.allocation_unit(),
            self.api.compute_instance_id(),
            self.api.create_volume(uuid4(), self.size),
            self.api.list_volumes(),
            self.api.attach_volume(self.unknown, self.this_node),
            self.api.detach_volume(self.unknown),
            self.api.get_device_path(self.unknown),
            self.api.destroy_volume(self.unknown),
        ]
        for answer in answers:
            self.assertIsInstance(answer, Deferred)
        return self.settle(DeferredList(answers, consumeErrors=True))

    @inlineCallbacks
    def _cancel_after(self, lists, operation):
        """
        Cancel an operation and repeat it.  Whether it was over before it
        was cancelled is then in :attr:`was_over`.
        """
        prepare, begin, check = self.parts(operation)
        subject = yield prepare()
        running = begin(subject).addErrback(lambda failure: failure.trap(CancelledError))
        for _ in range(lists):
            yield self.settle(self.api.list_volumes())
        self.was_over = bool(running.called)
        running.cancel()
        yield self.settle(running)
        yield self._check_cancelled(operation, subject)
        yield self.repeat(operation, subject)
        yield check(subject)

    @inlineCallbacks
    def _check_cancelled(self, operation, subject):
        listed = yield self.settle(self.api.list_volumes())
        dataset_id = getattr(subject, "dataset_id", subject)
        number = len([volume for volume in listed if volume.dataset_id == dataset_id])
        allowed = (0, 1) if operation in ("create", "destroy") else (1,)
        self.assertIn(number, allowed, "volumes of the dataset after {}".format(operation))

    @inlineCallbacks
    def _cancel(self, operation):
        for lists in PATIENCE:
            yield self._cancel_after(lists, operation)
            if self.was_over:
                break

    def test_create_cancelled(self):
        """Creating can be cancelled, and repeated; one volume is made."""
        return self._cancel("create")

    def test_attach_cancelled(self):
        """Attaching can be cancelled, and repeated; the volume stays."""
        return self._cancel("attach")

    def test_detach_cancelled(self):
        """Detaching can be cancelled, and repeated; the volume stays."""
        return self._cancel("detach")

    def test_destroy_cancelled(self):
        """Destroying can be cancelled, and repeated."""
        return self._cancel("destroy")

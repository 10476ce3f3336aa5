# -*- test-case-name: tests.whole.test_contract -*-
"""
What a driver that reaches its service over HTTP promises when an exchange
goes wrong, or when an operation is cancelled, at any moment.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError, inlineCallbacks, maybeDeferred

from ._operations import Operations
from ._volumes import remove_volumes
from .faults import lose_request, lose_response


class Interrupted(Operations):
    """How an operation is disturbed, for a ``TestCase`` to take in."""

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
        return self.settle(remove_volumes(self.api))

    # -- an exchange goes wrong ------------------------------------------------------

    @inlineCallbacks
    def _lose(self, operation, number, fault):
        """
        Lose one exchange of an operation.  Whether there was one of that
        number is then in :attr:`lost`.
        """
        prepare, begin, check = self.parts(operation)
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

    # -- an operation is cancelled -----------------------------------------------------

    @inlineCallbacks
    def _cancel_at(self, operation, moment):
        """
        Cancel an operation at one moment, and repeat it.  Whether there was
        something to cancel is then in :attr:`cut_short`.
        """
        prepare, begin, check = self.parts(operation)
        subject = yield prepare()
        self.agent.at_moment(moment, lambda: running.cancel())
        running = begin(subject)
        outcome = yield self.settle(
            running.addErrback(lambda failure: failure.trap(CancelledError))
        )
        self.agent.calm()
        yield self.repeat(operation, subject)
        yield check(subject)
        self.cut_short = outcome is CancelledError

    @inlineCallbacks
    def _cancel_everywhere(self, operation):
        for moment in range(60):
            yield self._cancel_at(operation, moment)
            if not self.cut_short:
                break
        self.assertGreater(moment, 5, "it was over too soon")


class AttachmentResilience(Interrupted):
    """The tests of attaching and detaching."""

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

    def test_attach_cancelled(self):
        """Attaching can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("attach")

    def test_detach_cancelled(self):
        """Detaching can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("detach")


class Resilience(AttachmentResilience):
    """All tests."""

    def test_create_loses_requests(self):
        """Creating survives the loss of any request, and makes one volume."""
        return self._lose_each("create", lose_request)

    def test_create_loses_responses(self):
        """Creating survives the loss of any answer, and makes one volume."""
        return self._lose_each("create", lose_response)

    def test_destroy_loses_requests(self):
        """Destroying survives the loss of any request."""
        return self._lose_each("destroy", lose_request)

    def test_destroy_loses_responses(self):
        """Destroying survives the loss of any answer."""
        return self._lose_each("destroy", lose_response)

    def test_create_cancelled(self):
        """Creating can be cancelled at any exchange, and repeated; one volume is made."""
        return self._cancel_everywhere("create")

    def test_destroy_cancelled(self):
        """Destroying can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("destroy")

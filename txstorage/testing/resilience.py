# -*- test-case-name: tests.whole.test_contract -*-
"""
Tests for drivers that reach their service over HTTP: lost exchanges, and operations cancelled at
any moment.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError, inlineCallbacks, maybeDeferred

from .operations import Operations
from .volumes import remove_snapshots, remove_volumes

MYPY = False
if MYPY:
    from typing import Any, Generator, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401


class InterruptedOperations(Operations):
    """
    Operations that are interrupted, as a base class beside ``TestCase``.

    :cvar moments: the moments of each exchange at which an operation is cancelled: 0, before the
        request is sent; 1, while it is under way; 2, before the answer is delivered. In the cloud,
        0 of an exchange is the same as 2 of the exchange before.
    :cvar int least: the number of exchanges that each operation has, at least.
    """

    moments = (0, 1, 2)  # type: Tuple[int, ...]
    least = 3

    @inlineCallbacks
    def setUp(self):
        # type: () -> Generator[Any, Any, None]
        self._used = None  # type: Any
        self.api, self.agent = yield maybeDeferred(self.api_factory)
        self.addCleanup(self._clean_up)
        # requests that a driver makes only once are not tested here
        self.this_node = yield self.settle(self.api.compute_instance_id())

    def settle(self, d):
        # type: (Deferred[Any]) -> Any
        """See ``Suite.settle``."""
        return d

    @inlineCallbacks
    def _clean_up(self):
        # type: () -> Generator[Any, Any, None]
        self.agent.calm()
        yield self.settle(remove_volumes(self.api))
        # A driver lists one volume of a dataset, and another one only after the first is gone.
        second = yield self.settle(self.api.list_volumes())
        yield self.settle(remove_volumes(self.api))
        self.assertEqual([], second, "datasets had more than one volume")

    def _prepare(self, operation):
        # type: (str) -> Any
        """Prepare the subject of an operation: the volume of the time before, if possible."""
        if self._used is None or operation not in self.opposite:
            return self.parts(operation)[0]()
        _, begin, _ = self.parts(self.opposite[operation])
        return self.settle(begin(self._used)).addCallback(lambda _: self._used)

    # -- lost exchanges -------------------------------------------------------------

    @inlineCallbacks
    def _lose(self, operation, number, fault):
        # type: (str, int, Text) -> Generator[Any, Any, None]
        """
        Lose one exchange of an operation, and set :attr:`lost` to whether the operation had that
        many.
        """
        _, begin, check = self.parts(operation)
        subject = self._used = yield self._prepare(operation)
        before = len(self.agent.requests)
        self.agent.break_request(number, fault)
        yield self.settle(begin(subject))
        self.agent.calm()
        self.lost = len(self.agent.requests) - before > number
        yield check(subject)

    @inlineCallbacks
    def _lose_each(self, operation, fault):
        # type: (str, Text) -> Generator[Any, Any, None]
        for number in range(20):
            yield self._lose(operation, number, fault)
            if not self.lost:
                break
        self.assertGreaterEqual(number, self.least, "the operation has fewer than expected")

    # -- cancelled operations ----------------------------------------------------------

    @inlineCallbacks
    def _cancel_at(self, operation, moment):
        # type: (str, int) -> Generator[Any, Any, None]
        """
        Cancel an operation at one moment, repeat it, and set :attr:`cut_short` to whether the
        operation was still running.
        """
        _, begin, check = self.parts(operation)
        subject = self._used = yield self._prepare(operation)
        self.agent.at_moment(moment, lambda: running.cancel())
        running = begin(subject)  # type: Any
        outcome = yield self.settle(
            running.addErrback(lambda failure: failure.trap(CancelledError))
        )
        self.agent.calm()
        yield self.repeat(operation, subject)
        yield check(subject)
        self.cut_short = outcome is CancelledError

    @inlineCallbacks
    def _cancel_everywhere(self, operation):
        # type: (str) -> Generator[Any, Any, None]
        for moment in (each for each in range(60) if each % 3 in self.moments):
            yield self._cancel_at(operation, moment)
            if not self.cut_short:
                break
        exchanges = moment // 3 + 1
        self.assertGreaterEqual(exchanges, self.least, "the operation has fewer than expected")


class AttachmentResilience(InterruptedOperations):
    """The tests of attaching and detaching."""

    def test_attach_loses_requests(self):
        # type: () -> Any
        """Attaching survives the loss of any request."""
        return self._lose_each("attach", u"reset-before")

    def test_attach_loses_responses(self):
        # type: () -> Any
        """Attaching survives the loss of any response."""
        return self._lose_each("attach", u"reset-after")

    def test_detach_loses_requests(self):
        # type: () -> Any
        """Detaching survives the loss of any request."""
        return self._lose_each("detach", u"reset-before")

    def test_detach_loses_responses(self):
        # type: () -> Any
        """Detaching survives the loss of any response."""
        return self._lose_each("detach", u"reset-after")

    def test_attach_cancelled(self):
        # type: () -> Any
        """Attaching can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("attach")

    def test_detach_cancelled(self):
        # type: () -> Any
        """Detaching can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("detach")


class Resilience(AttachmentResilience):
    """The tests of all operations."""

    def test_create_loses_requests(self):
        # type: () -> Any
        """Creating survives the loss of any request, and makes one volume."""
        return self._lose_each("create", u"reset-before")

    def test_create_loses_responses(self):
        # type: () -> Any
        """Creating survives the loss of any response, and makes one volume."""
        return self._lose_each("create", u"reset-after")

    def test_destroy_loses_requests(self):
        # type: () -> Any
        """Destroying survives the loss of any request."""
        return self._lose_each("destroy", u"reset-before")

    def test_destroy_loses_responses(self):
        # type: () -> Any
        """Destroying survives the loss of any response."""
        return self._lose_each("destroy", u"reset-after")

    def test_create_cancelled(self):
        # type: () -> Any
        """Creating can be cancelled at any exchange, and repeated; one volume is made."""
        return self._cancel_everywhere("create")

    def test_destroy_cancelled(self):
        # type: () -> Any
        """Destroying can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("destroy")


class CopyResilience(InterruptedOperations):
    """The tests of snapshots, clones and growing volumes."""

    def _clean_up(self):
        # type: () -> Any
        self.agent.calm()
        d = self.settle(remove_snapshots(self.api))
        return d.addBoth(
            lambda result: InterruptedOperations._clean_up(self).addCallback(lambda _: result)
        )

    def test_snapshot_loses_requests(self):
        # type: () -> Any
        """Making a snapshot survives the loss of any request, and makes one."""
        return self._lose_each("snapshot", u"reset-before")

    def test_snapshot_loses_responses(self):
        # type: () -> Any
        """Making a snapshot survives the loss of any response, and makes one."""
        return self._lose_each("snapshot", u"reset-after")

    def test_snapshot_cancelled(self):
        # type: () -> Any
        """Making a snapshot can be cancelled at any exchange, and repeated; one is made."""
        return self._cancel_everywhere("snapshot")

    def test_discard_loses_requests(self):
        # type: () -> Any
        """Destroying a snapshot survives the loss of any request."""
        return self._lose_each("discard", u"reset-before")

    def test_discard_loses_responses(self):
        # type: () -> Any
        """Destroying a snapshot survives the loss of any response."""
        return self._lose_each("discard", u"reset-after")

    def test_discard_cancelled(self):
        # type: () -> Any
        """Destroying a snapshot can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("discard")

    def test_restore_loses_requests(self):
        # type: () -> Any
        """A volume from a snapshot survives the loss of any request, and is made once."""
        return self._lose_each("restore", u"reset-before")

    def test_restore_loses_responses(self):
        # type: () -> Any
        """A volume from a snapshot survives the loss of any response, and is made once."""
        return self._lose_each("restore", u"reset-after")

    def test_restore_cancelled(self):
        # type: () -> Any
        """A volume from a snapshot can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("restore")

    def test_clone_loses_requests(self):
        # type: () -> Any
        """Cloning survives the loss of any request, and makes one clone."""
        return self._lose_each("clone", u"reset-before")

    def test_clone_loses_responses(self):
        # type: () -> Any
        """Cloning survives the loss of any response, and makes one clone."""
        return self._lose_each("clone", u"reset-after")

    def test_clone_cancelled(self):
        # type: () -> Any
        """Cloning can be cancelled at any exchange, and repeated; one clone is made."""
        return self._cancel_everywhere("clone")

    def test_grow_loses_requests(self):
        # type: () -> Any
        """Growing survives the loss of any request."""
        return self._lose_each("grow", u"reset-before")

    def test_grow_loses_responses(self):
        # type: () -> Any
        """Growing survives the loss of any response."""
        return self._lose_each("grow", u"reset-after")

    def test_grow_cancelled(self):
        # type: () -> Any
        """Growing can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("grow")

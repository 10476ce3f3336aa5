# -*- test-case-name: tests.testing.test_suites -*-
"""
Tests for asynchronous drivers only: operations do not block, and can be cancelled.
"""

from __future__ import absolute_import, division, print_function

from importlib import import_module
from uuid import uuid4

from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredList,
    inlineCallbacks,
    returnValue,
)
from twisted.internet.task import deferLater

from .base_suite import Suite
from .operations import Operations

MYPY = False
if MYPY:
    from typing import Any, Generator  # noqa: F401

#: The moments at which an operation is cancelled, as fractions of its usual duration.
MOMENTS = (0.0, 0.2, 0.4, 0.6, 0.8)


class Asynchronous(Operations, Suite):
    """The tests, as a base class beside ``TestCase``."""

    #: The source of time: a ``Clock``, or ``None`` for trial's reactor.
    reactor = None

    def test_deferreds(self):
        # type: () -> Any
        """Each operation returns a Deferred, also when it fails."""
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
        deferreds = [answer for answer in answers if isinstance(answer, Deferred)]
        d = self.settle(DeferredList(deferreds, consumeErrors=True))
        return d.addCallback(lambda _: self.assertEqual(answers, deferreds))

    def _clock(self):
        # type: () -> Any
        # importing a suite must not install a reactor
        return self.reactor or import_module("twisted.internet.reactor")

    @inlineCallbacks
    def _time(self, operation):
        # type: (str) -> Generator[Any, Any, Any]
        """:return: a ``Deferred`` that fires with the duration of an operation, in seconds."""
        prepare, begin, _ = self.parts(operation)
        subject = yield prepare()
        start = self._clock().seconds()
        yield self.settle(begin(subject))
        returnValue(self._clock().seconds() - start)

    @inlineCallbacks
    def _cancel_after(self, seconds, operation):
        # type: (float, str) -> Generator[Any, Any, None]
        """Cancel an operation after some seconds, and repeat it."""
        prepare, begin, check = self.parts(operation)
        subject = yield prepare()
        running = begin(subject).addErrback(lambda failure: failure.trap(CancelledError))
        if seconds:
            yield self.settle(deferLater(self._clock(), seconds, lambda: None))
        running.cancel()
        yield self.settle(running)
        yield self._check_cancelled(operation, subject)
        yield self.repeat(operation, subject)
        yield check(subject)

    @inlineCallbacks
    def _check_cancelled(self, operation, subject):
        # type: (str, Any) -> Generator[Any, Any, None]
        listed = yield self.settle(self.api.list_volumes())
        dataset_id = getattr(subject, "dataset_id", subject)
        number = len([volume for volume in listed if volume.dataset_id == dataset_id])
        allowed = (0, 1) if operation in ("create", "destroy") else (1,)
        self.assertIn(number, allowed, "volumes of the dataset after {}".format(operation))

    @inlineCallbacks
    def _cancel(self, operation):
        # type: (str) -> Generator[Any, Any, None]
        seconds = yield self._time(operation)
        for moment in MOMENTS:
            yield self._cancel_after(moment * seconds, operation)

    def test_create_cancelled(self):
        # type: () -> Any
        """Creating can be cancelled at any time, and repeated; one volume is made."""
        return self._cancel("create")

    def test_attach_cancelled(self):
        # type: () -> Any
        """Attaching can be cancelled at any time, and repeated; the volume stays."""
        return self._cancel("attach")

    def test_detach_cancelled(self):
        # type: () -> Any
        """Detaching can be cancelled at any time, and repeated; the volume stays."""
        return self._cancel("detach")

    def test_destroy_cancelled(self):
        # type: () -> Any
        """Destroying can be cancelled at any time, and repeated."""
        return self._cancel("destroy")

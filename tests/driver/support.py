"""
The base of the driver's tests: a driver on a cloud in memory.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from txstorage.errors import (
    ResponseLost,
    ServiceBroken,
    Unreachable,
)

from ..helpers.memory import (
    MemoryCloud,
    MemoryDevices,
    MemoryNode,
    memory_driver,
)

WHERE = (u"POST", u"http://cloud.example/")


def lost():
    return ResponseLost(*WHERE + (u"dropped",))


def unreachable():
    return Unreachable(*WHERE + (u"refused",))


def broken():
    return ServiceBroken(*WHERE + (500, u"oops"))


def logged(logger, message_type):
    return [m for m in logger.messages if m.get(u"message_type") == message_type.message_type]


class Prompt(object):
    """
    A driver whose operations begin at once, instead of in the reactor's next iteration.

    :ivar driver: the driver itself, of which several operations can begin in one iteration.
    """

    def __init__(self, clock, driver):
        self.clock = clock
        self.driver = driver

    def __getattr__(self, name):
        found = getattr(self.driver, name)
        return partial(self._begin, found) if callable(found) else found

    def _begin(self, method, *args, **kwargs):
        d = method(*args, **kwargs)
        self.clock.advance(0)
        return d


class DriverTestCase(SynchronousTestCase):
    """A driver on a cloud in memory."""

    def setUp(self):
        self.clock = Clock()
        self.cloud = MemoryCloud(self.clock)
        self.devices = MemoryDevices()
        self.node = MemoryNode()
        self.driver = self.new_driver()

    def new_driver(self, **changes):
        driver = memory_driver(
            self.clock, self.cloud, devices=self.devices, node=self.node, **changes
        )
        return Prompt(self.clock, driver)

    def pass_time(self, seconds=20):
        """Let time pass, and let this node's kernel follow the cloud."""
        for _ in range(seconds * 2):
            self.clock.advance(0.5)
            self.devices.settle()

    def success(self, d, seconds=20):
        self.pass_time(seconds)
        result = self.successResultOf(d)
        self.assertEqual([], self.clock.getDelayedCalls(), "timers are left")
        return result

    def failure(self, d, *errors):
        self.pass_time()
        error = self.failureResultOf(d, *errors).value
        self.assertEqual([], self.clock.getDelayedCalls(), "timers are left")
        return error

    def cut_short(self, start):
        """
        Start an operation repeatedly, and cancel it one step later each time, until it completes.

        :return: the number of times that the operation was cancelled.
        """
        for steps in range(100):
            outcome = []
            d = start()
            d.addBoth(outcome.append)
            for _ in range(steps):
                self.clock.advance(0.5)
                if steps % 2:
                    self.devices.settle()
            if outcome:
                self.assertNotIsInstance(outcome[0], Failure)
                return steps
            d.cancel()
            outcome[0].trap(CancelledError)
        self.fail("the operation never completes")

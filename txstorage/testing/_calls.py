# -*- test-case-name: tests.testing.test_suites -*-
"""
Ways to call a driver, so that one suite does for asynchronous and blocking ones.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.threads import deferToThread

from ..interfaces import IBlockDeviceAsyncAPI


def directly(driver):
    """
    :param driver: an asynchronous driver.
    :return: the driver: its methods return Deferreds as they are.
    """
    return driver


def in_threads(driver):
    """
    :param driver: a blocking driver.
    :return: an object with the driver's methods; each runs in a thread of the
        reactor's pool, and returns a ``Deferred``.
    """
    return _Calls(driver, deferToThread)


def on_reactor_thread(driver):
    """
    :param driver: a blocking driver, which may block the reactor's thread.
    :return: an object with the driver's methods; each runs where it is
        called, and returns a ``Deferred`` that has fired.
    """
    return _Calls(driver, maybeDeferred)


def as_it_wants(driver):
    """
    :param driver: a driver, asynchronous if it says so, else blocking.
    :return: an object with the driver's methods, which return Deferreds.
    """
    return (directly if IBlockDeviceAsyncAPI.providedBy(driver) else in_threads)(driver)


class _Calls(object):
    """
    :param driver: a blocking driver.
    :param call: called with a function and its arguments; returns a ``Deferred``.
    """

    def __init__(self, driver, call):
        self._driver = driver
        self._call = call

    def __getattr__(self, name):
        return partial(self._call, _blocking, getattr(self._driver, name))


def _blocking(method, *args):
    answer = method(*args)
    assert not isinstance(answer, Deferred), "a blocking driver answered with a Deferred"
    return answer

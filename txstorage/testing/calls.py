# -*- test-case-name: tests.testing.test_suites -*-
"""
Ways to call a driver, so that one suite serves asynchronous and blocking drivers.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.threads import deferToThread

from ..interfaces import IBlockDeviceAsyncAPI

MYPY = False
if MYPY:
    from typing import Any, Callable  # noqa: F401


def directly(driver):
    # type: (Any) -> Any
    """
    :param driver: an asynchronous driver.
    :return: the driver itself, whose methods return Deferreds.
    """
    return driver


def in_threads(driver):
    # type: (Any) -> Any
    """
    :param driver: a blocking driver.
    :return: an object with the driver's methods; each runs in a thread of the reactor's pool and
        returns a ``Deferred``.
    """
    return _DeferredCalls(driver, deferToThread)


def on_reactor_thread(driver):
    # type: (Any) -> Any
    """
    :param driver: a blocking driver, which may block the reactor's thread.
    :return: an object with the driver's methods; each runs in the calling thread and returns a
        ``Deferred`` that has fired.
    """
    return _DeferredCalls(driver, maybeDeferred)


def by_interface(driver):
    # type: (Any) -> Any
    """
    :param driver: an asynchronous driver if it provides ``IBlockDeviceAsyncAPI``, else a blocking
        one.
    :return: an object with the driver's methods, which return Deferreds.
    """
    return (directly if IBlockDeviceAsyncAPI.providedBy(driver) else in_threads)(driver)


class _DeferredCalls(object):
    """
    The methods of a blocking driver, which return Deferreds.

    :param driver: a blocking driver.
    :param call: called with a function and its arguments; returns a ``Deferred``.
    """

    def __init__(self, driver, call):
        # type: (Any, Callable[..., Deferred[Any]]) -> None
        self._driver = driver
        self._call = call

    def __getattr__(self, name):
        # type: (str) -> Callable[..., Deferred[Any]]
        return partial(self._call, _blocking, getattr(self._driver, name))


def _blocking(method, *args):
    # type: (Callable[..., Any], *Any) -> Any
    result = method(*args)
    assert not isinstance(result, Deferred), "a blocking driver returned a Deferred"
    return result

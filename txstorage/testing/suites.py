# -*- test-case-name: tests.testing.test_suites -*-
"""
Suites made to measure.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import TestCase

from .._support.compat import native
from ..interfaces import IBlockDeviceAPI
from . import _calls
from ._volumes import block_device_size
from .asynchronous import Asynchronous
from .concurrency import Concurrency
from .conformance import Conformance
from .extras import Apart, Cloud, Profiled
from .resilience import Resilience


def _test_case(mixins, api_factory, calls=_calls.directly, **attributes):
    """
    :param mixins: the classes with the tests.
    :param calls: how to call the driver; one of :mod:`txstorage.testing._calls`.
    :param attributes: more attributes of the class.
    :return: a ``TestCase`` class.
    """
    attributes.update(
        __doc__="The contract.",
        api_factory=lambda test_case: api_factory(test_case),
        calls=staticmethod(calls),
    )
    return type(native("Tests"), tuple(mixins) + (TestCase,), attributes)


def make_iblockdeviceasyncapi_tests(
    api_factory,
    minimum_allocatable_size,
    device_allocation_unit,
    unknown_blockdevice_id_factory,
    device_size=block_device_size,
    other_cluster_factory=None,
):
    """
    Make tests for an asynchronous driver.

    :param api_factory: called with the ``TestCase``; returns the driver, or a
        ``Deferred`` of it.  Its cluster has no volumes; those that a test
        leaves are detached and destroyed after it.
    :param int minimum_allocatable_size: bytes; the volumes' size.
    :param int device_allocation_unit: bytes; devices' sizes are multiples.
    :param unknown_blockdevice_id_factory: called with the ``TestCase``;
        returns the id, text, of a volume that does not exist.
    :param device_size: called with the ``FilePath`` of a device; returns its
        size in bytes.
    :param other_cluster_factory: as ``api_factory``, and called after it: a
        driver of another cluster, in the same place.  Without it, it is not
        tested that clusters stay apart.
    :return: a ``TestCase`` class.
    """
    return _block_device_tests(
        (Concurrency, Asynchronous),
        api_factory,
        minimum_allocatable_size,
        device_allocation_unit,
        unknown_blockdevice_id_factory,
        device_size,
        other_cluster_factory,
    )


def make_iblockdeviceapi_tests(
    api_factory,
    minimum_allocatable_size,
    device_allocation_unit,
    unknown_blockdevice_id_factory,
    device_size=block_device_size,
    other_cluster_factory=None,
    on_reactor_thread=False,
):
    """
    Make tests for a blocking driver: what is tested for an asynchronous one,
    without what only that can do.

    The parameters are those of :func:`make_iblockdeviceasyncapi_tests`, and:

    :param bool on_reactor_thread: call the driver there, one call after the
        other.  Else, each call is made in a thread, and there are several at once.
    :return: a ``TestCase`` class.
    """
    return _block_device_tests(
        (Conformance if on_reactor_thread else Concurrency,),
        api_factory,
        minimum_allocatable_size,
        device_allocation_unit,
        unknown_blockdevice_id_factory,
        device_size,
        other_cluster_factory,
        calls=_calls.on_reactor_thread if on_reactor_thread else _calls.in_threads,
        interface=IBlockDeviceAPI,
    )


def _block_device_tests(
    mixins, api_factory, size, unit, unknown_factory, device_size, other_factory, **attributes
):
    if other_factory is not None:
        mixins = (Apart,) + mixins
        attributes["other_cluster_factory"] = lambda test_case: other_factory(test_case)
    return _test_case(
        mixins,
        api_factory,
        size=size,
        device_allocation_unit=unit,
        unknown=property(lambda test_case: unknown_factory(test_case)),
        device_size=staticmethod(device_size),
        **attributes
    )


def make_iprofiledblockdeviceapi_tests(api_factory, minimum_allocatable_size):
    """
    Make tests for a driver with profiles.

    :param api_factory: called with the ``TestCase``; returns the driver, or a
        ``Deferred`` of it.  A driver that provides ``IBlockDeviceAsyncAPI``
        is asynchronous; any other blocks, and is called in threads.
    :param int minimum_allocatable_size: bytes; the volumes' size.
    :return: a ``TestCase`` class.
    """
    return _test_case(
        (Profiled,), api_factory, calls=_calls.as_it_wants, size=minimum_allocatable_size
    )


def make_icloudapi_tests(api_factory):
    """
    Make tests for a driver whose nodes are a cloud's servers.

    :param api_factory: as for :func:`make_iprofiledblockdeviceapi_tests`.
    :return: a ``TestCase`` class.
    """
    return _test_case((Cloud,), api_factory, calls=_calls.as_it_wants)


def make_resilience_tests(api_factory, size):
    """
    Make tests for an asynchronous driver over HTTP.

    :param api_factory: called with the ``TestCase``; returns the driver and
        the :class:`~txstorage.testing.faults.FaultyAgent` it uses, or a
        ``Deferred`` of the two.
    :param int size: bytes; the volumes' size.
    :return: a ``TestCase`` class.
    """
    return _test_case((Resilience,), api_factory, size=size)

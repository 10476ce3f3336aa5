# -*- test-case-name: tests.test_contract -*-
"""
Suites made to measure.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import TestCase

from ._volumes import block_device_size
from .concurrency import Concurrency
from .resilience import Resilience


def make_iblockdeviceasyncapi_tests(
    api_factory,
    minimum_allocatable_size,
    device_allocation_unit,
    unknown_blockdevice_id_factory,
    device_size=block_device_size,
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
    :return: a ``TestCase`` class.
    """

    class Tests(Concurrency, TestCase):
        size = minimum_allocatable_size

        def api_factory(self):
            return api_factory(self)

        @property
        def unknown(self):
            return unknown_blockdevice_id_factory(self)

        def device_size(self, path):
            return device_size(path)

    Tests.device_allocation_unit = device_allocation_unit
    return Tests


def make_resilience_tests(api_factory, size):
    """
    Make tests for an asynchronous driver over HTTP.

    :param api_factory: called with the ``TestCase``; returns the driver and
        the :class:`~txstorage.testing.faults.FaultyAgent` it uses, or a
        ``Deferred`` of the two.
    :param int size: bytes; the volumes' size.
    :return: a ``TestCase`` class.
    """

    class Tests(Resilience, TestCase):
        def api_factory(self):
            return api_factory(self)

    Tests.size = size
    return Tests

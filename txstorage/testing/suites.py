# -*- test-case-name: tests.testing.test_suites -*-
"""
Factories of suites: ``TestCase`` classes for one driver.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import TestCase

from .._support.compat import native
from ..interfaces import IBlockDeviceAPI
from . import calls as ways_to_call
from .asynchronous import Asynchronous
from .concurrency import Concurrency
from .conformance import Conformance
from .copies import Resizable, Snapshotting
from .labels import LabelIsolation, Labelling, LabelResilience
from .optional_suites import CloudNodes, ClusterIsolation, Profiled
from .resilience import CopyResilience, Resilience
from .volumes import block_device_size

MYPY = False
if MYPY:
    from typing import Any, Callable, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.filepath import FilePath  # noqa: F401


def _test_case(bases, api_factory, calls=ways_to_call.directly, **attributes):
    # type: (Tuple[type, ...], Callable[[Any], Any], Callable[[Any], Any], **Any) -> type
    """
    :param bases: the classes with the tests.
    :param calls: the way to call the driver: one of :mod:`txstorage.testing.calls`.
    :param attributes: further attributes of the class.
    :return: a ``TestCase`` class.
    """
    attributes.update(
        __doc__="The contract's tests.",
        api_factory=lambda test_case: api_factory(test_case),
        calls=staticmethod(calls),
    )
    return type(native("Tests"), tuple(bases) + (TestCase,), attributes)


def make_iblockdeviceasyncapi_tests(
    api_factory,
    minimum_allocatable_size,
    device_allocation_unit,
    unknown_blockdevice_id_factory,
    device_size=block_device_size,
    other_cluster_factory=None,
):
    # type: (Callable[[Any], Any], int, int, Callable[[Any], Text], Callable[[FilePath[str]], int], Optional[Callable[[Any], Any]]) -> type
    """
    Make tests for an asynchronous driver.

    :param api_factory: called with the ``TestCase``; returns the driver, or a ``Deferred`` of it.
        Its cluster has no volumes; after each test, the volumes that it left are detached and
        destroyed.
    :param int minimum_allocatable_size: the size of the volumes, in bytes.
    :param int device_allocation_unit: bytes; the sizes of devices are multiples of it.
    :param unknown_blockdevice_id_factory: called with the ``TestCase``; returns the id, text, of a
        volume that does not exist.
    :param device_size: called with the ``FilePath`` of a device; returns its size in bytes.
    :param other_cluster_factory: like ``api_factory``, and called after it: makes a driver of
        another cluster on the same storage.  Without it, the isolation of clusters is not tested.
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
    # type: (Callable[[Any], Any], int, int, Callable[[Any], Text], Callable[[FilePath[str]], int], Optional[Callable[[Any], Any]], bool) -> type
    """
    Make tests for a blocking driver: those for an asynchronous driver, without cancelling.

    The parameters are those of :func:`make_iblockdeviceasyncapi_tests`, and:

    :param bool on_reactor_thread: call the driver on the reactor's thread, one call after the
        other; otherwise each call is made in a thread, several at once.
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
        calls=ways_to_call.on_reactor_thread if on_reactor_thread else ways_to_call.in_threads,
        interface=IBlockDeviceAPI,
    )


def _block_device_tests(
    bases, api_factory, size, unit, unknown_factory, device_size, other_factory, **attributes
):
    # type: (Tuple[type, ...], Callable[[Any], Any], int, int, Callable[[Any], Text], Callable[[FilePath[str]], int], Optional[Callable[[Any], Any]], **Any) -> type
    if other_factory is not None:
        bases = (ClusterIsolation,) + bases
        attributes["other_cluster_factory"] = lambda test_case: other_factory(test_case)
    return _test_case(
        bases,
        api_factory,
        size=size,
        device_allocation_unit=unit,
        unknown=property(lambda test_case: unknown_factory(test_case)),
        device_size=staticmethod(device_size),
        **attributes
    )


def make_iprofiledblockdeviceapi_tests(api_factory, minimum_allocatable_size):
    # type: (Callable[[Any], Any], int) -> type
    """
    Make tests for a driver with profiles.

    :param api_factory: called with the ``TestCase``; returns the driver, or a ``Deferred`` of it.
        A driver that provides ``IBlockDeviceAsyncAPI`` is asynchronous; any other driver blocks and
        is called in threads.
    :param int minimum_allocatable_size: the size of the volumes, in bytes.
    :return: a ``TestCase`` class.
    """
    return _test_case(
        (Profiled,), api_factory, calls=ways_to_call.by_interface, size=minimum_allocatable_size
    )


def make_icloudapi_tests(api_factory):
    # type: (Callable[[Any], Any]) -> type
    """
    Make tests for a driver that provides ``ICloudAPI``.

    :param api_factory: as for :func:`make_iprofiledblockdeviceapi_tests`.
    :return: a ``TestCase`` class.
    """
    return _test_case((CloudNodes,), api_factory, calls=ways_to_call.by_interface)


def make_ilabelledblockdeviceasyncapi_tests(
    api_factory, minimum_allocatable_size, unowned_volume_factory, other_cluster_factory=None
):
    # type: (Callable[[Any], Any], int, Callable[[Any], Any], Optional[Callable[[Any], Any]]) -> type
    """
    Make tests for an asynchronous driver whose volumes have labels.

    :param api_factory: called with the ``TestCase``; returns the driver, or a ``Deferred`` of it.
        Its cluster has no volumes; after each test, the volumes that it left are removed.
    :param int minimum_allocatable_size: the size of the volumes, in bytes.
    :param unowned_volume_factory: called with the ``TestCase``, after ``api_factory``; makes a
        usable volume that belongs to no cluster and has no labels, and returns its id, text, or a
        ``Deferred`` of it.  A test may have made the volume the cluster's when it ends.
    :param other_cluster_factory: like ``api_factory``, and called after it: makes a driver of
        another cluster on the same storage.  Without it, the isolation of clusters is not tested.
    :return: a ``TestCase`` class.
    """
    attributes = {"unowned_volume_factory": lambda test_case: unowned_volume_factory(test_case)}
    suite = Labelling  # type: type
    if other_cluster_factory is not None:
        suite = LabelIsolation
        attributes["other_cluster_factory"] = lambda test_case: other_cluster_factory(test_case)
    return _test_case((suite,), api_factory, size=minimum_allocatable_size, **attributes)


def make_isnapshottingblockdeviceasyncapi_tests(
    api_factory, minimum_allocatable_size, snapshots_keep_volumes=True
):
    # type: (Callable[[Any], Any], int, bool) -> type
    """
    Make tests for an asynchronous driver with snapshots and clones.

    :param api_factory: called with the ``TestCase``; returns the driver, or a ``Deferred`` of it.
        Its cluster has no volumes; after each test, the snapshots and volumes that it left are
        removed.
    :param int minimum_allocatable_size: the size of the volumes, in bytes.
    :param bool snapshots_keep_volumes: whether a volume can't be destroyed before its snapshots, as
        on OpenStack; on EC2 it can, and the snapshots stay.
    :return: a ``TestCase`` class.
    """
    return _test_case(
        (Snapshotting,),
        api_factory,
        size=minimum_allocatable_size,
        snapshots_keep_volumes=snapshots_keep_volumes,
    )


def make_iresizableblockdeviceasyncapi_tests(
    api_factory, minimum_allocatable_size, device_size=block_device_size
):
    # type: (Callable[[Any], Any], int, Callable[[FilePath[str]], int]) -> type
    """
    Make tests for an asynchronous driver whose volumes grow.

    :param api_factory: as for :func:`make_isnapshottingblockdeviceasyncapi_tests`.
    :param int minimum_allocatable_size: the size of the volumes, in bytes.
    :param device_size: called with the ``FilePath`` of a device; returns its size in bytes.
    :return: a ``TestCase`` class.
    """
    return _test_case(
        (Resizable,),
        api_factory,
        size=minimum_allocatable_size,
        device_size=staticmethod(device_size),
    )


def make_resilience_tests(api_factory, size):
    # type: (Callable[[Any], Any], int) -> type
    """
    Make tests for an asynchronous driver that reaches its service over HTTP.

    :param api_factory: called with the ``TestCase``; returns the driver and the
        :class:`~txstorage.testing.FaultyAgent` it uses, or a ``Deferred`` of the two.
    :param int size: the size of the volumes, in bytes.
    :return: a ``TestCase`` class.
    """
    return _test_case((Resilience,), api_factory, size=size)


def make_copy_resilience_tests(api_factory, size):
    # type: (Callable[[Any], Any], int) -> type
    """
    Make tests as :func:`make_resilience_tests` does, of snapshots, clones and growing volumes.

    :param api_factory: as for :func:`make_resilience_tests`.
    :param int size: the size of the volumes, in bytes.
    :return: a ``TestCase`` class.
    """
    return _test_case((CopyResilience,), api_factory, size=size)


def make_label_resilience_tests(api_factory, size, unowned_volume_factory):
    # type: (Callable[[Any], Any], int, Callable[[Any], Any]) -> type
    """
    Make tests as :func:`make_resilience_tests` does, of labels and adoption.

    :param api_factory: as for :func:`make_resilience_tests`.
    :param int size: the size of the volumes, in bytes.
    :param unowned_volume_factory: as for :func:`make_ilabelledblockdeviceasyncapi_tests`.
    :return: a ``TestCase`` class.
    """
    return _test_case(
        (LabelResilience,),
        api_factory,
        size=size,
        unowned_volume_factory=lambda test_case: unowned_volume_factory(test_case),
    )

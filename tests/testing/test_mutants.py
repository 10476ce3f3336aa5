"""
Tests of the conformance suite: a driver that is right passes, and each that is
wrong in one way fails where it should.
"""

from __future__ import absolute_import, division, print_function

import gc
from uuid import uuid4

from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.trial.reporter import TestResult
from twisted.trial.runner import TestLoader
from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.compat import native
from txstorage.interfaces import IBlockDeviceAsyncAPI
from txstorage.testing import (
    make_iblockdeviceasyncapi_tests,
    make_icloudapi_tests,
    make_ilabelledblockdeviceasyncapi_tests,
    make_iprofiledblockdeviceapi_tests,
    make_iresizableblockdeviceasyncapi_tests,
    make_isnapshottingblockdeviceasyncapi_tests,
    regular_file_size,
)

from .mutants import MUTANTS
from .reference import UNIT, AsynchronousReference, BlockingReference, Storage

SIZE = 2 * UNIT


class OnAClock(object):
    """
    Pushes the clock until something fires, and fails when nothing does.  The
    storage is thrown away as a whole, so that only the test itself can fail.
    """

    def settle(self, d):
        for _ in range(100):
            if d.called and not d.paused:
                return d
            self.reactor.advance(0.25)
        raise AssertionError("there is no answer")

    def clean_up(self):
        pass


def driver_of(cls, clock, storage, cluster_id):
    """:return: a driver of a class, which is asynchronous or acts for one that is."""
    if IBlockDeviceAsyncAPI.implementedBy(cls):
        return cls(clock, BlockingReference(storage, cluster_id), delay=1.0)
    return AsynchronousReference(clock, cls(storage, cluster_id), delay=1.0)


def suites(cls):
    """:return: the suites, as ``TestCase`` classes, for one class of drivers."""

    def factory(test_case):
        test_case.reactor = Clock()
        test_case.storage = Storage(FilePath(test_case.mktemp()))
        return driver_of(cls, test_case.reactor, test_case.storage, u"ours")

    made = [
        make_iblockdeviceasyncapi_tests(
            api_factory=factory,
            minimum_allocatable_size=SIZE,
            device_allocation_unit=UNIT,
            unknown_blockdevice_id_factory=lambda test_case: u"no-such-volume",
            device_size=regular_file_size,
            other_cluster_factory=lambda test_case: driver_of(
                cls, test_case.reactor, test_case.storage, u"theirs"
            ),
        ),
        make_iprofiledblockdeviceapi_tests(factory, SIZE),
        make_icloudapi_tests(factory),
        make_isnapshottingblockdeviceasyncapi_tests(factory, SIZE),
        make_iresizableblockdeviceasyncapi_tests(factory, SIZE, regular_file_size),
        make_ilabelledblockdeviceasyncapi_tests(
            factory,
            SIZE,
            unowned_volume_factory=lambda test_case: BlockingReference(test_case.storage, None)
            .create_volume(uuid4(), SIZE)
            .blockdevice_id,
            other_cluster_factory=lambda test_case: driver_of(
                cls, test_case.reactor, test_case.storage, u"theirs"
            ),
        ),
    ]
    names = "BlockDevice", "Profiled", "Cloud", "Snapshot", "Grow", "Label"
    names = [name + "Tests" for name in names]
    return [type(native(name), (OnAClock, tests), {}) for name, tests in zip(names, made)]


def name_of(case):
    """:return: a test's name, with its suite's name if it would not be unique."""
    name = case.id().split(".")[-1]
    suite = type(case).__name__
    return "{}.{}".format(suite, name) if suite != "BlockDeviceTests" else name


def outcome(cls):
    """
    Run all suites on a class of drivers.

    :return: ``(names of all tests, name -> what was wrong with it)``.
    """
    names, wrong = set(), {}
    for suite in suites(cls):
        for case in TestLoader().loadClass(suite)._tests:
            result = TestResult()
            case.run(result)
            names.add(name_of(case))
            for _, failure in result.failures + result.errors:
                # the first; a failed clean-up after it is reported, too
                wrong.setdefault(name_of(case), failure)
    return names, wrong


def wrong_as_intended(intended, wrong):
    """:return: those of the names in ``wrong`` that an entry of the table stands for."""
    test, _, place = intended.partition(": ")
    return [
        name
        for name, failure in wrong.items()
        if test in (name, name.partition(".")[2])
        and place in failure.getTraceback()
    ]


class MutantsTests(SynchronousTestCase):
    """The suites pass right drivers and fail wrong ones."""

    def test_reference_passes(self):
        """A driver that is right passes every test."""
        names, wrong = outcome(AsynchronousReference)
        self.assertEqual({}, wrong)
        self.assertGreater(len(names), 45)

    def test_mutants_fail(self):
        """
        Each driver that is wrong fails the tests that claim to see it; and
        there is no test that no wrong driver fails.
        """
        # what a test that failed half way left unanswered is not for other tests
        self.addCleanup(lambda: (gc.collect(), self.flushLoggedErrors()))
        survived, idle = [], None
        for cls, tests in MUTANTS:
            names, wrong = outcome(cls)
            idle = names if idle is None else idle
            for test in tests:
                found = wrong_as_intended(test, wrong)
                idle = idle.difference(found)
                if not found:
                    survived.append("{} passes {}".format(cls.__name__, test))
        self.assertEqual([], survived)
        self.assertEqual(set(), idle, "no wrong driver fails these")

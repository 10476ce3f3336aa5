"""
Tests of the suites that are made to measure: which driver is called how, and
what is cleaned up.
"""

from __future__ import absolute_import, division, print_function

from threading import current_thread
from uuid import uuid4

from twisted.internet.defer import inlineCallbacks, maybeDeferred, succeed
from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.trial.reporter import TestResult
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage.testing import (
    detach_destroy_volumes,
    make_iblockdeviceapi_tests,
    make_iblockdeviceasyncapi_tests,
    make_icloudapi_tests,
    make_iprofiledblockdeviceapi_tests,
    regular_file_size,
    with_clean_up,
)

from .reference import UNIT, AsynchronousReference, BlockingReference, Storage

SIZE = 2 * UNIT


def blocking(test_case):
    """:return: a blocking driver that is right."""
    test_case.storage = Storage(FilePath(test_case.mktemp()))
    return BlockingReference(test_case.storage, u"ours")


def asynchronous(test_case, delay=0.0):
    """:return: the same, asynchronous; its clock is ``test_case.reactor``."""
    test_case.reactor = Clock()
    return AsynchronousReference(test_case.reactor, blocking(test_case), delay)


def block_device_tests(api_factory=blocking, make=make_iblockdeviceapi_tests, **others):
    return make(
        api_factory=api_factory,
        minimum_allocatable_size=SIZE,
        device_allocation_unit=UNIT,
        unknown_blockdevice_id_factory=lambda test_case: u"no-such-volume",
        device_size=regular_file_size,
        **others
    )


def others(test_case):
    return BlockingReference(test_case.storage, u"theirs")


class InThreadsTests(block_device_tests(other_cluster_factory=others)):
    """A blocking driver, called in threads."""


class OnReactorThreadTests(
    block_device_tests(other_cluster_factory=others, on_reactor_thread=True)
):
    """A blocking driver, called on the reactor's thread."""


class DeferredDriverTests(
    block_device_tests(lambda test_case: succeed(blocking(test_case)))
):
    """A factory may return a Deferred."""


class BlockingProfilesTests(make_iprofiledblockdeviceapi_tests(blocking, SIZE)):
    """Profiles of a blocking driver."""


class BlockingCloudTests(make_icloudapi_tests(blocking)):
    """The nodes of a blocking driver."""


def run(tests, name):
    """:return: the ``TestResult`` of one test."""
    result = TestResult()
    tests(name).run(result)
    return result


class WhereTests(TestCase):
    """The thread in which a blocking driver is called."""

    def called_in(self, tests):
        case = tests("test_list_empty")
        threads = []

        class Spy(BlockingReference):
            def list_volumes(self):
                threads.append(current_thread())
                return []

        api = case.calls(Spy(None, None))
        return api.list_volumes().addCallback(lambda _: threads[0])

    def test_threads(self):
        """The driver is called in a thread of its own by default."""
        d = self.called_in(block_device_tests())
        return d.addCallback(self.assertNotEqual, current_thread())

    def test_reactor_thread(self):
        """The driver is called in the tests' thread on request."""
        d = self.called_in(block_device_tests(on_reactor_thread=True))
        return d.addCallback(self.assertEqual, current_thread())


class WhichTests(SynchronousTestCase):
    """The tests of each kind of driver."""

    def names(self, **options):
        return {n for n in dir(block_device_tests(**options)) if n.startswith("test_")}

    def test_same_properties(self):
        """A blocking driver is held to all but what only an asynchronous one can do."""
        more = self.names(make=make_iblockdeviceasyncapi_tests) - self.names()
        self.assertIn("test_create_cancelled", more)
        self.assertEqual({"deferreds", "cancelled"}, {name.split("_")[-1] for name in more})

    def test_one_after_the_other(self):
        """On the reactor's thread nothing is at once."""
        more = self.names() - self.names(on_reactor_thread=True)
        self.assertIn("test_attach_twice_at_once", more)

    def test_other_cluster_is_optional(self):
        """Without another cluster, nothing is tested of it."""
        more = self.names(other_cluster_factory=others) - self.names()
        self.assertEqual(3, len(more))

    def test_asynchronous_is_not_blocking(self):
        """A driver that returns Deferreds does not pass as a blocking driver."""
        tests = block_device_tests(asynchronous, on_reactor_thread=True)
        self.assertFalse(run(tests, "test_list_empty").wasSuccessful())


class Sticky(BlockingReference):
    """A driver that can't destroy the volumes of one dataset."""

    stuck = None

    def destroy_volume(self, blockdevice_id):
        if self._known(blockdevice_id).dataset_id == self.stuck:
            raise IOError("stuck")
        BlockingReference.destroy_volume(self, blockdevice_id)


class CleanUpTests(TestCase):
    """The volumes that a test left are removed."""

    def left(self, api):
        """:return: two volumes, the first of which is attached."""
        volumes = [api.create_volume(uuid4(), SIZE) for _ in range(2)]
        api.attach_volume(volumes[0].blockdevice_id, api.node)
        return volumes

    def test_blocking(self):
        """For a blocking driver it is done, without a Deferred, when the call returns."""
        api = blocking(self)
        self.left(api)
        self.assertIs(None, detach_destroy_volumes(api))
        self.assertEqual([], api.list_volumes())
        self.assertEqual([], self.storage.devices.children())

    def test_asynchronous(self):
        """For an asynchronous driver there is a Deferred."""
        api = asynchronous(self, delay=1.0)
        self.left(api.blocking)
        d = detach_destroy_volumes(api)
        self.assertNoResult(d)
        self.reactor.pump([1.0] * 20)
        self.assertIs(None, self.successResultOf(d))
        self.assertEqual([], api.blocking.list_volumes())

    def test_goes_on(self):
        """A volume that can't be destroyed does not keep the rest, and its error is raised."""
        for index in range(2):
            storage = Storage(FilePath(self.mktemp()))
            api = Sticky(storage, u"ours")
            api.stuck = self.left(api)[index].dataset_id
            self.assertRaises(IOError, detach_destroy_volumes, api)
            self.assertEqual([api.stuck], [v.dataset_id for v in api.list_volumes()])
            d = detach_destroy_volumes(AsynchronousReference(self.clock(), api))
            self._clock.pump([0.0] * 20)
            self.failureResultOf(d, IOError)

    def clock(self):
        self._clock = Clock()
        return self._clock

    def test_detached_meanwhile(self):
        """A volume that is detached meanwhile is destroyed all the same."""
        api = blocking(self)
        [first, _] = self.left(api)
        api.list_volumes = lambda: [first.set(attached_to=api.node)]
        api.detach_volume(first.blockdevice_id)
        detach_destroy_volumes(api)
        self.assertNotIn((u"ours", first.blockdevice_id), self.storage.volumes)

    def cleaned(self, factory):
        kept = []

        class Tests(TestCase):
            def test_leaves_something(case):
                made = with_clean_up(factory)(case)
                kept.append(case.storage)
                blocking = BlockingReference(case.storage, u"ours")
                self.left(blocking)
                return maybeDeferred(lambda: made).addCallback(
                    lambda api: self.assertTrue(hasattr(api, "attach_volume"))
                )

        result = run(Tests, "test_leaves_something")
        self.assertTrue(result.wasSuccessful(), result.errors + result.failures)
        self.assertEqual({}, kept[0].volumes)

    def test_factory_blocking(self):
        """A factory is made to clean up after a test."""
        self.cleaned(blocking)

    def test_factory_deferred(self):
        """A factory that returns a Deferred works, too."""
        self.cleaned(lambda test_case: succeed(blocking(test_case)))

    @inlineCallbacks
    def test_suite_cleans_up(self):
        """A suite clears away what its test left."""
        tests = block_device_tests(on_reactor_thread=True)
        case = tests("test_list_empty")
        yield case.setUp()
        self.left(case.driver)
        yield case.clean_up()
        self.assertEqual({}, case.storage.volumes)

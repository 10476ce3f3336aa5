"""
The contract suites for hosts that attach their volumes themselves, without Compute: against the
embedded service over TCP, with loop devices as root.
"""

from __future__ import absolute_import, division, print_function

import os
from subprocess import check_call
from uuid import uuid4

from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import TestCase

from txstorage.errors import DeviceBusy, NoCompute, NotThisNode
from txstorage.interfaces import AlreadyAttachedVolume, UnattachedVolume
from txstorage.testing import detach_destroy_volumes, make_icloudapi_tests
from txstorage.testing.resilience import AttachmentResilience
from txstorage.testing.suites import _test_case

from ..helpers.child import GIB, EmbeddedService, contract, shared_service

HOST = u"5f6d6c2e-4b1c-4c55-9a35-0d3c1f6b9e01"
OTHER_HOST = u"7a1f0c8e-2d3b-4e6f-8b1a-1c2d3e4f5a6b"


def driver_and_agent(test_case, cluster_id=None, host=HOST, service=None):
    """:return: a driver for a new cluster, and its ``FaultyAgent``."""
    return (service or shared_service()).driver(
        test_case, cluster_id, attach_through=u"storage", instance_id=host
    )


def driver(test_case):
    """:return: a driver for a new cluster."""
    return driver_and_agent(test_case)[0]


class ConformanceTests(contract(driver)):
    """The contract, without Compute."""


class CloudTests(make_icloudapi_tests(driver)):
    """Nodes, without Compute."""


class ResilienceTests(_test_case((AttachmentResilience,), driver_and_agent, size=GIB)):
    """
    The resilience suite for attaching and detaching, without Compute.

    The other operations do not use Compute; :mod:`tests.whole.test_contract` tests them.
    """

    timeout = 120
    #: The others differ only in the driver; :mod:`tests.embedded.test_contract` has them.
    moments = (1, 2)


class HostsTests(TestCase):
    """Several hosts, one of which may have died in the middle of an operation."""

    timeout = 200

    @inlineCallbacks
    def setUp(self):
        self.cluster_id = uuid4()
        self.api, self.agent = driver_and_agent(self, self.cluster_id)
        self.other, _ = driver_and_agent(self, self.cluster_id, OTHER_HOST)
        self.addCleanup(detach_destroy_volumes, self.api)
        self.addCleanup(detach_destroy_volumes, self.other)
        volume = yield self.api.create_volume(uuid4(), GIB)
        self.volume_id = volume.blockdevice_id

    def again(self, host=HOST):
        """:return: the driver of a restarted agent."""
        return driver_and_agent(self, self.cluster_id, host)[0]

    def attached_to(self):
        """:return: a ``Deferred`` of the host that has the volume."""
        return self.other.list_volumes().addCallback(lambda volumes: volumes[0].attached_to)

    @inlineCallbacks
    def test_device_after_restart(self):
        """A restarted agent finds the device, and may detach it."""
        yield self.api.attach_volume(self.volume_id, HOST)
        before = yield self.api.get_device_path(self.volume_id)
        after = yield self.again().get_device_path(self.volume_id)
        self.assertEqual(before.path, after.path)
        yield self.again().detach_volume(self.volume_id)
        host = yield self.attached_to()
        self.assertIs(None, host)

    @inlineCallbacks
    def test_of_another_host(self):
        """
        A volume of another host is listed as that host's, has no device here, and can't be attached
        here before the other host has detached it.
        """
        yield self.api.attach_volume(self.volume_id, HOST)
        host = yield self.attached_to()
        self.assertEqual(HOST, host)
        yield self.assertFailure(
            self.other.get_device_path(self.volume_id), UnattachedVolume
        )
        yield self.assertFailure(
            self.other.attach_volume(self.volume_id, OTHER_HOST), AlreadyAttachedVolume
        )
        live = yield self.other.list_live_nodes()
        self.assertLessEqual({HOST, OTHER_HOST}, set(live))
        yield self.api.detach_volume(self.volume_id)
        yield self.other.attach_volume(self.volume_id, OTHER_HOST)

    @inlineCallbacks
    def test_only_itself(self):
        """
        A host attaches volumes only to itself and starts no other host, and its errors say so.
        """
        error = yield self.assertFailure(
            self.api.attach_volume(self.volume_id, OTHER_HOST), NotThisNode
        )
        self.assertIn(OTHER_HOST, str(error))
        yield self.assertFailure(self.api.start_node(OTHER_HOST), NoCompute)
        host = yield self.attached_to()
        self.assertIs(None, host)

    @inlineCallbacks
    def test_of_a_host_that_is_gone(self):
        """A host can have storage take a volume from a host that is gone."""
        yield self.api.attach_volume(self.volume_id, HOST)
        yield self.other.detach_volume(self.volume_id)
        yield self.other.attach_volume(self.volume_id, OTHER_HOST)
        host = yield self.attached_to()
        self.assertEqual(OTHER_HOST, host)

    @inlineCallbacks
    def test_ended_in_between(self):
        """
        If an agent dies at any moment of an attach, another host's attach succeeds or names the
        host that has the volume, and the restarted agent resumes.
        """
        # Before a request is sent, the cloud is as it was before the last answer was delivered.
        for moment in (each for each in range(60) if each % 3):
            running = []
            self.agent.at_moment(moment, lambda: running[0].cancel())
            running.append(self.api.attach_volume(self.volume_id, HOST))
            whole = yield running[0].addCallbacks(lambda _: True, lambda _: False)
            self.agent.calm()
            d = self.other.attach_volume(self.volume_id, OTHER_HOST)
            taken = yield d.addCallbacks(
                lambda _: False, lambda failure: bool(failure.trap(AlreadyAttachedVolume))
            )
            host = yield self.attached_to()
            self.assertEqual(HOST if taken else OTHER_HOST, host)
            owner = self.again() if taken else self.other
            yield owner.get_device_path(self.volume_id)
            yield owner.detach_volume(self.volume_id)
            if whole:
                break
        self.assertGreater(moment, 5, "it was over too soon")

    @inlineCallbacks
    def test_busy(self):
        """A mounted volume is not detached."""
        yield self.api.attach_volume(self.volume_id, HOST)
        device = yield self.api.get_device_path(self.volume_id)
        check_call(["mkfs.ext4", "-q", device.path])
        place = os.path.abspath(self.mktemp())
        os.makedirs(place)
        check_call(["mount", device.path, place])
        try:
            yield self.assertFailure(self.api.detach_volume(self.volume_id), DeviceBusy)
        finally:
            check_call(["umount", place])
        yield self.api.detach_volume(self.volume_id)

    if os.getuid() != 0:
        test_busy.skip = "loop devices and mounts need root"


class KilledServiceTests(TestCase):
    """A service that is killed in the middle of an operation."""

    timeout = 300

    @inlineCallbacks
    def test_killed(self):
        """
        Attaching and detaching survive a ``kill -9`` of the service before, during and after each
        request that changes something.
        """
        service = EmbeddedService()
        self.addCleanup(service.remove)
        service.start()
        api, self.agent = driver_and_agent(self, service=service)
        self.addCleanup(detach_destroy_volumes, api)
        volume = yield api.create_volume(uuid4(), GIB)
        volume_id = volume.blockdevice_id

        def restart():
            service.kill()
            service.start()

        def attach():
            d = api.attach_volume(volume_id, HOST)
            return d.addErrback(lambda failure: failure.trap(AlreadyAttachedVolume) and None)

        def detach():
            d = api.detach_volume(volume_id)
            return d.addErrback(lambda failure: failure.trap(UnattachedVolume) and None)

        # requests that a driver makes only once come before
        yield attach()
        killed = []
        for operation, undo in [(attach, detach), (detach, attach)]:
            yield undo()
            yield self.calm(operation)
            moments = self.moments_of_changes()
            killed.append(len(moments))
            for moment in moments:
                yield self.calm(undo)
                self.agent.at_moment(moment, restart)
                yield operation().addErrback(lambda _: self.calm(operation))
                self.agent.calm()
        self.assertEqual([6, 3], killed)
        [listed] = yield api.list_volumes()
        self.assertIs(None, listed.attached_to)

    def calm(self, operation):
        """Run an operation without faults, so that the agent records its requests."""
        self.agent.calm()
        del self.agent.requests[:]
        return operation()

    def moments_of_changes(self):
        """:return: the agent's moments of the recorded requests that change something."""
        return [
            3 * number + moment
            for number, (method, _) in enumerate(self.agent.requests)
            if method != "GET"
            for moment in range(3)
        ]

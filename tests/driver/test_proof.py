"""
Tests of the steps that a list is enough for, and of those that need a look at the volume itself.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

import attr
from twisted.internet.defer import gatherResults
from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds import Attachment, Volume, VolumePage
from txstorage.driver.lifecycle import Decision, Phase, Progress, is_proved
from txstorage.interfaces import AlreadyAttachedVolume, UnattachedVolume, UnknownVolume

from ..helpers.memory import GIB, HERE, THERE
from .support import DriverTestCase

EARLY, LATE = u"2026-01-01T00:00:00", u"2026-01-01T00:00:01"


class IsProvedTests(SynchronousTestCase):
    """The decision."""

    def proved(self, operation, decision, phase=Phase.REQUESTED, updated_at=u"", known_at=u""):
        return is_proved(Progress(operation, phase=phase), decision, updated_at, known_at)

    def test_waiting(self):
        """To wait needs no proof."""
        for operation in (u"create", u"attach", u"detach", u"destroy"):
            for phase in Phase.iterconstants():
                self.assertTrue(self.proved(operation, Decision.WAIT, phase))

    def test_requests(self):
        """Only an operation's first step may be a request that follows from a list."""
        for operation in (u"attach", u"detach", u"destroy"):
            for phase in Phase.iterconstants():
                self.assertIs(
                    phase is Phase.FRESH, self.proved(operation, Decision.REQUEST, phase)
                )

    def test_results(self):
        """A result shows in a change that is later than the request; a creation always does."""
        for operation in (u"attach", u"detach", u"destroy"):
            for updated_at, known_at, expected in [
                (LATE, EARLY, True),
                (EARLY, EARLY, False),
                (EARLY, LATE, False),
                (LATE, u"", False),
                (u"", EARLY, False),
                (u"", u"", False),
            ]:
                found = self.proved(
                    operation, Decision.DONE, updated_at=updated_at, known_at=known_at
                )
                self.assertIs(expected, found, (updated_at, known_at))
        self.assertTrue(self.proved(u"create", Decision.DONE))

    def test_errors(self):
        """An error is never proved by a list."""
        errors = set(Decision.iterconstants()) - {Decision.WAIT, Decision.REQUEST, Decision.DONE}
        self.assertEqual(8, len(errors))
        for operation in (u"create", u"attach", u"detach", u"destroy"):
            for decision in errors:
                for phase in Phase.iterconstants():
                    self.assertFalse(self.proved(operation, decision, phase, LATE, EARLY))


class ManyTests(DriverTestCase):
    """Many operations at once."""

    count = 20

    def setUp(self):
        DriverTestCase.setUp(self)
        self.cloud.dated = True

    def many(self, method, *calls):
        """:return: the results of operations that begin in one iteration of the reactor."""
        del self.cloud.requests[:]
        driver = self.driver.driver
        return self.success(gatherResults([getattr(driver, method)(*call) for call in calls]))

    def test_whole_lives(self):
        """Each operation costs its request, a share of a few lists, and for a destroy a GET."""
        volumes = self.many("create_volume", *[(uuid4(), GIB) for _ in range(self.count)])
        self.assertEqual((self.count, 0), self.counted("create"))
        ids = [volume.blockdevice_id for volume in volumes]
        # the clocks of clouds are coarse
        self.pass_time(1)
        self.many("attach_volume", *[(each, text) for each, text in zip(ids, [HERE, THERE] * 20)])
        self.assertEqual((self.count, 0), self.counted("attach"))
        self.pass_time(1)
        self.many("detach_volume", *[(each,) for each in ids])
        self.assertEqual((self.count, 0), self.counted("detach"))
        self.pass_time(1)
        self.many("destroy_volume", *[(each,) for each in ids])
        self.assertEqual((self.count, self.count), self.counted("delete"))

    def counted(self, request):
        lists = self.cloud.count("list")
        self.assertTrue(1 <= lists <= self.count * 2, lists)
        return self.cloud.count(request), self.cloud.count("get")

    def test_errors(self):
        """An error that a list leads to is that of the volume itself."""
        attached = [self.cloud.add(u"in-use", attached_to=THERE) for _ in range(3)]
        unattached = [self.cloud.add() for _ in range(3)]
        for method, ids, error, arguments in [
            ("attach_volume", attached, AlreadyAttachedVolume, (HERE,)),
            ("detach_volume", unattached, UnattachedVolume, ()),
            ("destroy_volume", [u"none", u"nothing"], UnknownVolume, ()),
        ]:
            # the rest after the list before
            self.pass_time(1)
            del self.cloud.requests[:]
            driver = self.driver.driver
            started = [getattr(driver, method)(*((each,) + arguments)) for each in ids]
            self.clock.advance(0)
            for each, d in zip(ids, started):
                self.assertEqual(each, self.failureResultOf(d, error).value.blockdevice_id)
            self.assertEqual(["list"] + ["get"] * len(ids), self.cloud.requests)


class OutOfDateTests(DriverTestCase):
    """First looks at a list that is out of date."""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.cloud.dated = True

    def listed(self, volume_id, **changes):
        """Let lists describe a volume differently."""
        real = self.cloud._list
        fields = dict(
            attr.asdict(self.cloud.volumes[volume_id], recurse=False), listed=True, **changes
        )

        def outdated(labels):
            return VolumePage(
                tuple(
                    Volume(**fields) if each.volume_id == volume_id else each
                    for each in real(labels).volumes
                )
            )

        self.cloud._list = outdated

    def begin(self, method, *calls):
        driver = self.driver.driver
        started = [getattr(driver, method)(*call) for call in calls]
        self.clock.advance(0)
        return started

    def test_moved(self):
        """A volume that has moved to another server since is detached from that server."""
        ids = [self.cloud.add(u"in-use", attached_to=THERE) for _ in range(3)]
        real = self.cloud._detach

        def detach(volume_id, server_id):
            if (volume_id, server_id) not in self.cloud.compute:
                raise UnknownVolume(volume_id)
            return real(volume_id, server_id)

        self.cloud._detach = detach
        self.listed(ids[0], attachments=(Attachment(ids[0], HERE),))
        for d in self.begin("detach_volume", *[(each,) for each in ids]):
            self.success(d)
        self.assertEqual(
            {u"available"}, {volume.status for volume in self.cloud.volumes.values()}
        )
        self.assertEqual(set(), self.cloud.compute)

    def test_taken(self):
        """An attach to a volume that was attached since fails, as the cloud refuses it."""
        ids = [self.cloud.add() for _ in range(3)]
        self.cloud.change(ids[0], status=u"in-use", attachments=(Attachment(ids[0], THERE),))
        self.listed(ids[0], status=u"available", attachments=())
        taken, other, another = self.begin("attach_volume", *[(each, HERE) for each in ids])
        self.pass_time()
        self.failureResultOf(taken, AlreadyAttachedVolume)
        for d in (other, another):
            self.successResultOf(d)

    def test_old_result(self):
        """A list of the time before a request does not end an operation."""
        self.cloud.delay = 30.0
        ids = [self.cloud.add(u"in-use", attached_to=THERE) for _ in range(3)]
        detaching = self.begin("detach_volume", *[(each,) for each in ids])
        self.listed(ids[0], status=u"available", attachments=(), updated_at=EARLY)
        self.cloud.compute.clear()
        self.pass_time(10)
        for d in detaching:
            self.assertNoResult(d)
        self.pass_time(40)
        for d in detaching:
            self.successResultOf(d)

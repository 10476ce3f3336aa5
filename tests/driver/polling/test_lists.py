"""
Tests for :mod:`txstorage.driver.polling.lists`.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds import VolumePage
from txstorage.driver.labels import cluster_labels, dataset_labels
from txstorage.driver.polling import DatasetSearch, Intervals, Watcher
from txstorage.errors import AuthenticationFailed, ResponseLost

from ...helpers.memory import CLUSTER, STEADY, Fault, MemoryCloud
from ..support import lost


class WatcherTests(SynchronousTestCase):
    """The shared poll of volumes."""

    def setUp(self):
        self.clock = Clock()
        self.cloud = MemoryCloud(self.clock)
        self.watcher = Watcher(self.clock, self.cloud, CLUSTER, STEADY)

    def add(self, count):
        return [self.cloud.add() for _ in range(count)]

    def wait(self, volume_ids):
        return [self.watcher.next_poll(volume_id, self.watcher.pace()) for volume_id in volume_ids]

    def test_poll(self):
        """``poll`` sends a single GET, and fires with the volume."""
        [volume_id] = self.add(1)
        d = self.watcher.poll(volume_id)
        self.assertEqual(self.cloud.volumes[volume_id], self.successResultOf(d))
        self.assertEqual(["get"], self.cloud.requests)

    def test_poll_of_nothing(self):
        """A poll of a volume that does not exist fires with ``None``."""
        self.assertIs(None, self.successResultOf(self.watcher.poll(u"none")))

    def test_poll_fails(self):
        """A failed ``poll`` is not repeated."""
        self.cloud.break_next("get", Fault(lost()))
        self.failureResultOf(self.watcher.poll(u"v"), ResponseLost)

    def test_waits(self):
        """The next poll takes place after the interval, and not before."""
        [d] = self.wait(self.add(1))
        self.clock.advance(0.9)
        self.assertNoResult(d)
        self.assertEqual([], self.cloud.requests)
        self.clock.advance(0.1)
        self.successResultOf(d)

    def test_one_is_a_get(self):
        """Waiting for one volume costs one GET, regardless of the number of callers."""
        [volume_id] = self.add(1)
        waits = self.wait([volume_id] * 3)
        self.clock.advance(1)
        for d in waits:
            self.assertEqual(volume_id, self.successResultOf(d).volume_id)
        self.assertEqual(["get"], self.cloud.requests)

    def test_many_are_one_list(self):
        """Waiting for many volumes costs one list, not one GET each."""
        volume_ids = self.add(50)
        waits = self.wait(volume_ids)
        self.clock.advance(1)
        self.assertEqual(volume_ids, [self.successResultOf(d).volume_id for d in waits])
        self.assertEqual(["list"], self.cloud.requests)

    def test_picks_the_cheaper(self):
        """Single GETs replace a list that is known to cost more requests."""
        self.cloud.pages = 3
        volume_ids = self.add(3)
        for expected in (["list"], ["get"] * 3):
            del self.cloud.requests[:]
            waits = self.wait(volume_ids)
            self.clock.advance(1)
            for d in waits:
                self.successResultOf(d)
            self.assertEqual(expected, self.cloud.requests)

    def test_weighs_volumes(self):
        """Single GETs replace a list that has many more volumes than are of interest."""
        volume_ids = self.add(450)[:4]
        for expected in (["list"], ["get"] * 4, ["get"] * 4):
            del self.cloud.requests[:]
            waits = self.wait(volume_ids)
            self.clock.advance(1)
            for d in waits:
                self.successResultOf(d)
            self.assertEqual(expected, self.cloud.requests)
        waits = self.wait(volume_ids + [u"fifth", u"sixth"])
        del self.cloud.requests[:]
        self.clock.advance(1)
        self.assertEqual(["list", "get", "get"], self.cloud.requests)

    def test_looks_of_one_moment(self):
        """Looks at several volumes in one iteration share a list, and a lone look is a GET."""
        volume_ids = self.add(3)
        for each in volume_ids[:2], volume_ids[2:]:
            looks = [self.watcher.look(volume_id) for volume_id in each]
            self.assertEqual([], self.cloud.requests)
            self.clock.advance(0)
            self.assertEqual(each, [self.successResultOf(d).volume_id for d in looks])
            self.assertEqual(["list" if len(each) > 1 else "get"], self.cloud.requests)
            del self.cloud.requests[:]

    def test_a_lone_look_beside_others(self):
        """A lone look does not cost a list, regardless of the number of volumes that wait."""
        volume_ids = self.add(9)
        self.wait(volume_ids[1:])
        look = self.watcher.look(volume_ids[0])
        self.clock.advance(0)
        self.successResultOf(look)
        self.assertEqual(["get"], self.cloud.requests)

    def test_look_fails(self):
        """A look is not repeated; callers that wait are served by the next poll."""
        volume_ids = self.add(2)
        self.cloud.break_next("list", Fault(lost()))
        looks = [self.watcher.look(volume_id) for volume_id in volume_ids]
        waits = self.wait(volume_ids)
        self.clock.advance(0)
        for d in looks:
            self.failureResultOf(d, ResponseLost)
        self.clock.advance(1)
        for d in waits:
            self.successResultOf(d)

    def test_lists_keep_apart(self):
        """A caller that becomes due right after a list waits until another list is worth it."""
        intervals = Intervals(first=0.75, factor=1.0, longest=0.75, jitter=0.0)
        self.watcher = Watcher(self.clock, self.cloud, CLUSTER, intervals)
        volume_ids = self.add(9)
        early = self.wait(volume_ids)
        pending = Deferred()
        real, self.cloud.list_volumes = self.cloud.list_volumes, lambda labels: pending
        self.clock.advance(0.75)
        late = self.wait(volume_ids)
        self.cloud.list_volumes = real
        self.clock.advance(0.5)
        pending.callback(self.successResultOf(real({})))
        for d in early:
            self.successResultOf(d)
        del self.cloud.requests[:]
        self.clock.advance(0.5)
        self.assertEqual([], self.cloud.requests)
        self.clock.advance(0.25)
        for d in late:
            self.successResultOf(d)
        self.assertEqual(["list"], self.cloud.requests)

    def test_incomplete_list(self):
        """A list that takes long does not keep others waiting for its end."""
        self.cloud.break_next("list", Fault(None))
        volume_ids = self.add(3)
        self.wait(volume_ids)
        self.clock.advance(1)
        late = self.wait(volume_ids)
        self.clock.advance(1)
        for d in late:
            self.successResultOf(d)

    def test_patience(self):
        """A list keeps others waiting for twice as long as the last one took."""
        volume_ids = self.add(3)
        lists = []
        self.cloud.list_volumes = lambda labels: lists.append(Deferred()) or lists[-1]
        first = self.wait(volume_ids)
        self.clock.advance(1)
        self.clock.advance(2.5)
        lists[0].callback(VolumePage(tuple(self.cloud.volumes.values())))
        for d in first:
            self.successResultOf(d)
        waits = self.wait(volume_ids)
        self.clock.advance(1)
        self.assertEqual(2, len(lists))
        waits += self.wait(volume_ids)
        self.clock.advance(4.9)
        self.assertEqual(2, len(lists))
        self.clock.advance(0.2)
        self.assertEqual(3, len(lists))
        for d in waits:
            self.assertNoResult(d)

    def test_early_times(self):
        """The time of a caller that a list answers early causes no poll, also while it is read."""
        volume_ids = self.add(3)
        lists = []
        self.cloud.list_volumes = lambda labels: lists.append(Deferred()) or lists[-1]

        def wait(*ids):
            return [
                self.watcher.next_poll(each, self.watcher.pace(), ends=lambda _: False)
                for each in ids
            ]

        waits = wait(*volume_ids[:2])
        self.clock.advance(0.5)
        waits += wait(volume_ids[2])
        self.clock.advance(0.5)
        self.clock.advance(0.5)
        lists[0].callback(VolumePage(tuple(self.cloud.volumes.values())))
        self.assertEqual((1, []), (len(lists), self.cloud.requests))
        waits += wait(volume_ids[2])
        self.clock.pump([0.25] * 3)
        self.assertEqual((1, []), (len(lists), self.cloud.requests))
        self.clock.advance(0.25)
        self.assertEqual((2, []), (len(lists), self.cloud.requests))
        for d in waits:
            self.assertNoResult(d)

    def test_rest(self):
        """
        Looks right after a list share the next one, beside many that wait: the list rests for a
        time that grows with its size.
        """
        volume_ids = self.add(200)
        self.wait(volume_ids)
        self.clock.advance(1)
        self.assertEqual(["list"], self.cloud.requests)
        self.wait(volume_ids[10:])
        looks = []
        for volume_id in volume_ids[:10]:
            looks.append(self.watcher.look(volume_id))
            self.clock.advance(0.008)
        self.assertEqual(["list"], self.cloud.requests)
        # 0.03 s for each of the three requests that the list was worth
        self.clock.advance(0.011)
        for d in looks:
            self.successResultOf(d)
        self.assertEqual(["list"] * 2, self.cloud.requests)

    def test_answers_in_slices(self):
        """The answers of one list are spread over several turns when callers take their time."""
        waits = self.wait(self.add(50))
        answered, turns = [], []
        real = self.clock.callLater

        def call_later(seconds, function):
            return real(seconds, lambda: (turns.append(len(answered)), function()))

        def work(_):
            answered.append(None)
            self.clock.rightNow += 0.002

        self.clock.callLater = call_later
        for d in waits:
            d.addCallback(work)
        self.clock.advance(1)
        self.assertEqual(50, len(answered))
        # a turn of the reactor takes 5 ms
        sizes = [after - before for before, after in zip(turns, turns[1:])]
        self.assertTrue(len(sizes) > 10)
        self.assertTrue(max(sizes) <= 3, sizes)

    def test_absent_in_slices(self):
        """The requests for volumes that a list does not have are spread over several turns."""
        absent = self.add(50)
        for volume_id in absent:
            self.cloud.change(volume_id, labels={})
        waits = self.wait(absent)
        sent = []

        def get(volume_id):
            sent.append(self.clock.seconds())
            self.clock.rightNow += 0.002
            return succeed(self.cloud.volumes[volume_id])

        self.cloud.get_volume = get
        turns = []
        real = self.clock.callLater

        def call_later(seconds, function):
            return real(seconds, lambda: (turns.append(len(sent)), function()))

        self.clock.callLater = call_later
        self.clock.advance(1)
        for d in waits:
            self.successResultOf(d)
        sizes = [after - before for before, after in zip(turns, turns[1:])]
        self.assertTrue(max(sizes) <= 3, sizes)

    def test_of_dataset(self):
        """A caller that a list answers gets its dataset's volumes from the list, and no other."""
        dataset_id = uuid4()
        rivals = {self.cloud.add(dataset_id=dataset_id) for _ in range(2)}
        [other] = self.add(1)

        def found(_):
            volumes = self.watcher.of_dataset(dataset_id)
            return None if volumes is None else {each.volume_id for each in volumes}

        [listed] = [self.watcher.look(each).addCallback(found) for each in rivals][1:]
        self.clock.advance(0)
        self.assertEqual(rivals, self.successResultOf(listed))
        self.assertIs(None, found(None))
        alone = self.watcher.look(other).addCallback(found)
        self.clock.advance(0)
        self.assertIs(None, self.successResultOf(alone))

    def test_absence_from_a_list(self):
        """A volume that is missing from a list is polled with a GET."""
        listed, unlisted = self.add(2)
        self.cloud.change(unlisted, labels={})
        waits = self.wait([listed, unlisted, u"gone"])
        self.clock.advance(1)
        self.assertEqual(
            [listed, unlisted], [self.successResultOf(d).volume_id for d in waits[:2]]
        )
        self.assertIs(None, self.successResultOf(waits[2]))
        self.assertEqual(["list", "get", "get"], self.cloud.requests)

    def test_never_stale(self):
        """A poll in progress does not serve callers that begin to wait later."""
        [volume_id] = self.add(1)
        self.cloud.break_next("get", Fault(None))
        early = self.watcher.next_poll(volume_id, self.watcher.pace())
        self.clock.advance(1)
        late = self.watcher.next_poll(volume_id, self.watcher.pace())
        self.assertEqual(["get"], self.cloud.requests)
        self.clock.advance(1)
        self.successResultOf(late)
        self.assertNoResult(early)
        self.assertEqual(["get", "get"], self.cloud.requests)

    def test_failed_poll_is_no_answer(self):
        """A poll that fails for a transient reason is repeated, list or GET."""
        for volume_ids, request in [(self.add(1), "get"), (self.add(2), "list")]:
            self.cloud.break_next(request, Fault(lost()), Fault(lost()))
            waits = self.wait(volume_ids)
            self.clock.advance(1)
            self.clock.advance(1)
            for d in waits:
                self.assertNoResult(d)
            self.clock.advance(1)
            for d in waits:
                self.successResultOf(d)

    def test_permanent_failure(self):
        """A poll that fails permanently fails for all its callers."""
        error = AuthenticationFailed(u"GET", u"http://cloud.example/", 401, u"no")
        self.cloud.break_next("list", Fault(error))
        waits = self.wait(self.add(2))
        self.clock.advance(1)
        for d in waits:
            self.failureResultOf(d, AuthenticationFailed)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_cancel_while_waiting(self):
        """A cancelled caller is removed; without callers, no poll is scheduled."""
        volume_ids = self.add(2)
        stays, leaves = self.wait(volume_ids)
        leaves.cancel()
        self.failureResultOf(leaves, CancelledError)
        self.clock.advance(1)
        self.successResultOf(stays)
        self.assertEqual(["get"], self.cloud.requests)
        [last] = self.wait(volume_ids[:1])
        last.cancel()
        self.failureResultOf(last, CancelledError)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_cancel_during_a_poll(self):
        """Only the last caller's cancellation cancels the request in progress."""
        self.cloud.break_next("list", Fault(None))
        waits = self.wait(self.add(2))
        self.clock.advance(1)
        for d, cancelled in zip(waits, ([], ["list"])):
            d.cancel()
            self.failureResultOf(d, CancelledError)
            self.assertEqual(cancelled, self.cloud.cancelled)

    def test_failure_after_cancelling(self):
        """A failed poll is repeated only for callers that were not cancelled."""
        pending = Deferred()
        self.cloud.list_volumes = lambda labels: pending
        stays, leaves = self.wait(self.add(2))
        self.clock.advance(1)
        leaves.cancel()
        self.failureResultOf(leaves, CancelledError)
        pending.errback(lost())
        self.clock.advance(1)
        self.successResultOf(stays)
        self.assertEqual(["get"], self.cloud.requests)

    def test_list_after_cancelling(self):
        """A list serves only callers that were not cancelled."""
        pending = Deferred()
        page = self.successResultOf(self.cloud.list_volumes({}))
        self.cloud.list_volumes = lambda labels: pending
        stays, leaves = self.wait(self.add(2))
        self.clock.advance(1)
        leaves.cancel()
        self.failureResultOf(leaves, CancelledError)
        pending.callback(page)
        self.successResultOf(stays)

    def test_answered_caller_cancels_another(self):
        """A caller's callbacks can cancel another caller of the same poll."""
        [volume_id] = self.add(1)
        first, second = self.wait([volume_id] * 2)
        first.addCallback(lambda _: second.cancel())
        self.clock.advance(1)
        self.successResultOf(first)
        self.failureResultOf(second, CancelledError)

    def test_answered_caller_cancels_another_poll(self):
        """A caller's callbacks can cancel the poll that is next, which is then not sent."""
        self.cloud.pages = 9
        volume_ids = sorted(self.add(2))
        self.wait(volume_ids)
        self.clock.advance(1)  # the list turns out to cost more than two GETs
        del self.cloud.requests[:]
        first, second = self.wait(volume_ids)
        first.addCallback(lambda _: second.cancel())
        self.clock.advance(1)
        self.successResultOf(first)
        self.failureResultOf(second, CancelledError)
        self.assertEqual(["get"], self.cloud.requests)
        self.assertEqual([], self.clock.getDelayedCalls())


class DatasetSearchTests(SynchronousTestCase):
    """The shared search for the volumes of datasets."""

    def setUp(self):
        self.clock = Clock()
        self.cloud = MemoryCloud(self.clock)
        self.search = DatasetSearch(self.clock, self.cloud, CLUSTER, STEADY)
        self.labels = []
        real = self.cloud.list_volumes
        self.cloud.list_volumes = lambda labels: self.labels.append(labels) or real(labels)

    def found(self, *dataset_ids):
        searches = [self.search.look(dataset_id) for dataset_id in dataset_ids]
        self.clock.advance(0)
        return [[v.volume_id for v in self.successResultOf(d)] for d in searches]

    def test_one(self):
        """A lone search lists the volumes with the labels of its dataset."""
        dataset_id = uuid4()
        self.cloud.add()
        volume_id = self.cloud.add(dataset_id=dataset_id)
        self.assertEqual([[volume_id]], self.found(dataset_id))
        self.assertEqual([dataset_labels(CLUSTER, dataset_id)], self.labels)

    def test_many(self):
        """Searches of one moment share a list, also for datasets without a volume."""
        dataset_id = uuid4()
        rivals = [self.cloud.add(dataset_id=dataset_id) for _ in range(2)]
        self.cloud.add(labels=cluster_labels(CLUSTER))
        found = self.found(dataset_id, uuid4(), dataset_id)
        self.assertEqual([sorted(rivals), [], sorted(rivals)], found)
        self.assertEqual([cluster_labels(CLUSTER)], self.labels)

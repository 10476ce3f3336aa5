# -*- test-case-name: tests.driver.polling.test_lists -*-
"""
Polls of volumes that share lists.

Waiting costs the cloud one exchange per tick, not one per volume: when several operations wait, one
filtered list serves them all; when few do, single requests are cheaper, and the poll picks the
cheaper.
"""

from __future__ import absolute_import, division, print_function

from collections import OrderedDict

from ..._support.slices import Slices
from ...errors import UnknownSnapshot
from ...interfaces import UnknownVolume
from ..labels import by_dataset, cluster_labels, dataset_labels
from .shared import Poll, SharedPoll
from .timing import TransitionTimes

MYPY = False
if MYPY:
    from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Text  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...clouds.interface import IVolumeService  # noqa: F401
    from ...clouds.values import Snapshot, SnapshotPage, Volume, VolumePage  # noqa: F401
    from .shared import Waiter  # noqa: F401
    from .timing import Intervals  # noqa: F401

# The number of listed volumes that cost the cloud and this process about as much as a request.
_VOLUMES_PER_REQUEST = 100

# Seconds after which a list that is not complete no longer keeps the next from beginning; or twice
# the time of the last one, if that is more.
_LIST_PATIENCE = 1.0

# Seconds from one list to the next, for each request that the list was worth: lists of thousands of
# volumes must not take all of the cloud's time and of this process's.
_REST = 0.03


class _Page(object):
    """
    A list whose volumes are grouped by their datasets when that is first asked for.

    :param VolumePage page: the list.
    """

    def __init__(self, page):
        # type: (VolumePage) -> None
        self._page = page
        self._datasets = None  # type: Optional[Mapping[UUID, List[Volume]]]

    def of_dataset(self, dataset_id):
        # type: (UUID) -> List[Volume]
        """:return: the dataset's volumes."""
        if self._datasets is None:
            self._datasets = by_dataset(self._page.volumes)[0]
        return self._datasets.get(dataset_id, [])


class ListPoll(SharedPoll):
    """
    Polls subjects with one list for all of them, or one request for each, whichever is cheaper.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param UUID cluster_id: the cluster whose volumes are listed.
    :param Intervals intervals: the intervals between polls.
    """

    # Seconds from one list to the next that callers can spare.
    spare = 0.0

    def __init__(self, reactor, service, cluster_id, intervals):
        # type: (IReactorTime, IVolumeService, UUID, Intervals) -> None
        SharedPoll.__init__(self, reactor, self.poll, intervals)
        self._service = service
        self._cluster_id = cluster_id
        self._list_cost = 1.0
        self._list_seconds = 0.0
        # The moments from which a list may begin for hasty callers, and for all others.
        self._rested = self._next_list = 0.0
        self._slices = Slices(reactor)
        # The list whose answers are being given.
        self._page = None  # type: Optional[_Page]

    def poll(self, subject):
        # type: (Any) -> Deferred[Any]
        """
        Poll one subject now.

        :return: a ``Deferred`` that fires with the subject's result, from a request of its own.
        """
        raise NotImplementedError()

    def list(self, labels):
        # type: (Mapping[Text, Text]) -> Deferred[Any]
        """:return: a ``Deferred`` that fires with the page of all subjects with some labels."""
        return self._service.list_volumes(labels)

    def length(self, page):
        # type: (Any) -> int
        """:return: the number of a page's entries."""
        return len(page.volumes)

    def listed(self, page, subjects):
        # type: (Any, Iterable[Any]) -> Mapping[Any, Any]
        """
        :param page: the :class:`~txstorage.clouds.VolumePage` of the cluster, or its
            :class:`~txstorage.clouds.SnapshotPage`.
        :param subjects: the subjects that are waited for.
        :return: dict of subjects to their results; the others get a request of their own.
        """
        raise NotImplementedError()

    def _poll_due(self, due):
        # type: (List[Waiter]) -> None
        now = self._reactor.seconds()
        many = len(self._waiting) > self._list_cost
        if many and now < self._rested:
            # The callers that one list answers often ask again one by one.
            self._postpone(due, self._rested)
            return
        hasty = [waiter for waiter in due if waiter.hasty]
        patient = [waiter for waiter in due if not waiter.hasty]
        if many and patient and now < self._next_list:
            # Those that become due meanwhile need no turn of their own.
            self._postpone(patient + self._take_due(self._next_list), self._next_list)
            patient = []
        # A list also answers all that are not due yet, which saves their next requests; but a
        # lone caller that does not wait must not cost a list each time.
        if patient and many or len({waiter.subject for waiter in hasty}) > self._list_cost:
            patience = max(_LIST_PATIENCE, 2 * self._list_seconds)
            self._rested = self._next_list = now + patience
            self._poll_all(now)
        else:
            SharedPoll._poll_due(self, hasty + patient)

    def _poll_all(self, now):
        # type: (float) -> None
        waiting, self._waiting = self._waiting, OrderedDict()
        poll = Poll([waiter for waiters in waiting.values() for waiter in waiters])
        poll.deferred = listed = self.list(cluster_labels(self._cluster_id))
        listed.addCallback(self._weighed)
        listed.addBoth(self._list_ended, now)
        listed.addCallbacks(
            self._got_list, self._failed, callbackArgs=(poll,), errbackArgs=(poll,)
        )

    def _weighed(self, page):
        # type: (Any) -> Any
        self._list_cost = page.requests + self.length(page) / _VOLUMES_PER_REQUEST
        return page

    def _list_ended(self, result, began):
        # type: (Any, float) -> Any
        now = self._reactor.seconds()
        self._list_seconds = now - began
        self._rested = now + _REST * self._list_cost
        self._next_list = max(self._rested, now + self.spare)
        return result

    def _got_list(self, page, poll):
        # type: (VolumePage, Poll) -> Deferred[None]
        waiters = [waiter for waiter in poll.waiters if waiter.answer is not None]
        found = self.listed(page, {waiter.subject for waiter in waiters})
        # What thousands of callers do with their answers must not keep the reactor from other work.
        return self._slices.run(self._answer_each(waiters, found, page))

    def _answer_each(self, waiters, found, page):
        # type: (List[Waiter], Mapping[Any, Any], VolumePage) -> Iterator[None]
        absent = OrderedDict()  # type: OrderedDict[Any, List[Waiter]]
        answering = _Page(page)
        for waiter in waiters:
            if waiter.subject in found:
                self._page = answering
                self._answer(found[waiter.subject], Poll([waiter]))
                self._page = None
                yield
            else:
                absent.setdefault(waiter.subject, []).append(waiter)
        for each in absent.items():
            self._poll_each([each])
            yield


class TransitionPoll(ListPoll):
    """
    Polls subjects whose status changes.

    :param: as for :class:`ListPoll`.

    :ivar TransitionTimes times: the seconds that the cloud takes for each operation.
    """

    def __init__(self, reactor, service, cluster_id, intervals):
        # type: (IReactorTime, IVolumeService, UUID, Intervals) -> None
        ListPoll.__init__(self, reactor, service, cluster_id, intervals)
        self.times = TransitionTimes(reactor, intervals)

    @property
    def spare(self):  # type: ignore[override]
        # type: () -> float
        """:return: seconds: the moment at which one list ends is not worth another one."""
        return self.times.resolution


class Watcher(TransitionPoll):
    """
    Polls volumes: a poll fires with the :class:`~txstorage.clouds.Volume`, or ``None`` when the
    volume does not exist.
    """

    def of_dataset(self, dataset_id):
        # type: (UUID) -> Optional[List[Volume]]
        """
        Return a dataset's volumes, for a caller that is being answered.

        :param UUID dataset_id: the dataset.
        :return: a list of :class:`~txstorage.clouds.Volume`; ``None`` when the answer does not come
            from a list.
        """
        return None if self._page is None else self._page.of_dataset(dataset_id)

    def poll(self, volume_id):
        # type: (Text) -> Deferred[Optional[Volume]]
        """
        Poll one volume now.

        :return: a ``Deferred`` that fires with the :class:`~txstorage.clouds.Volume`, or ``None``
            when the volume does not exist.
        """
        d = self._service.get_volume(volume_id)
        return d.addErrback(_no_volume)

    def listed(self, page, subjects):
        # type: (VolumePage, Iterable[Text]) -> Mapping[Text, Volume]
        """See :meth:`ListPoll.listed`: absence from a list does not prove that a volume is gone."""
        return {volume.volume_id: volume for volume in page.volumes}


class SnapshotWatcher(TransitionPoll):
    """
    Polls snapshots: a poll fires with the :class:`~txstorage.clouds.Snapshot`, or ``None`` when the
    snapshot does not exist.
    """

    def poll(self, snapshot_id):
        # type: (Text) -> Deferred[Optional[Snapshot]]
        """
        Poll one snapshot now.

        :return: a ``Deferred`` that fires with the :class:`~txstorage.clouds.Snapshot`, or ``None``
            when the snapshot does not exist.
        """
        d = self._service.get_snapshot(snapshot_id)
        return d.addErrback(_no_snapshot)

    def list(self, labels):
        # type: (Mapping[Text, Text]) -> Deferred[SnapshotPage]
        """See :meth:`ListPoll.list`."""
        return self._service.list_snapshots(labels)

    def length(self, page):
        # type: (SnapshotPage) -> int
        """See :meth:`ListPoll.length`."""
        return len(page.snapshots)

    def listed(self, page, subjects):
        # type: (SnapshotPage, Iterable[Text]) -> Mapping[Text, Snapshot]
        """See :meth:`ListPoll.listed`: absence from a list does not prove that one is gone."""
        return {snapshot.snapshot_id: snapshot for snapshot in page.snapshots}


class DatasetSearch(ListPoll):
    """Searches for the volumes of datasets: a poll fires with a list of them."""

    def poll(self, dataset_id):
        # type: (UUID) -> Deferred[List[Volume]]
        """
        Search for one dataset's volumes now.

        :return: a ``Deferred`` that fires with a list of :class:`~txstorage.clouds.Volume`.
        """
        d = self._service.list_volumes(dataset_labels(self._cluster_id, dataset_id))
        return d.addCallback(lambda page: list(page.volumes))

    def listed(self, page, subjects):
        # type: (VolumePage, Iterable[UUID]) -> Mapping[UUID, List[Volume]]
        """See :meth:`ListPoll.listed`: a search is a list in any case."""
        found = by_dataset(page.volumes)[0]
        return {dataset_id: found.get(dataset_id, []) for dataset_id in subjects}


def _no_volume(failure):
    # type: (Failure) -> None
    failure.trap(UnknownVolume)


def _no_snapshot(failure):
    # type: (Failure) -> None
    failure.trap(UnknownSnapshot)


__all__ = ["DatasetSearch", "ListPoll", "SnapshotWatcher", "TransitionPoll", "Watcher"]

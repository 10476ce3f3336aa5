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

# Seconds after which a list that is not complete no longer keeps the next from beginning.
_LIST_PATIENCE = 1.0


class ListPoll(SharedPoll):
    """
    Polls subjects with one list for all of them, or one request for each, whichever is cheaper.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param UUID cluster_id: the cluster whose volumes are listed.
    :param Intervals intervals: the intervals between polls.

    :ivar TransitionTimes times: the seconds that the cloud takes for each operation.
    """

    def __init__(self, reactor, service, cluster_id, intervals):
        # type: (IReactorTime, IVolumeService, UUID, Intervals) -> None
        SharedPoll.__init__(self, reactor, self.poll, intervals)
        self._service = service
        self._cluster_id = cluster_id
        self._list_cost = 1.0
        self._next_list = 0.0
        self._slices = Slices(reactor)
        self.times = TransitionTimes(reactor, intervals)

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
        # A list also answers all that are not due yet, which saves their next requests; but a
        # lone caller that does not wait must not cost a list each time.
        hasty = all(waiter.hasty for waiter in due)
        subjects = {waiter.subject for waiter in due} if hasty else self._waiting
        now = self._reactor.seconds()
        if len(subjects) <= self._list_cost:
            SharedPoll._poll_due(self, due)
        elif now < self._next_list and not hasty:
            self._tick_by(self._next_list)
        else:
            self._next_list = now + _LIST_PATIENCE
            self._poll_all()

    def _poll_all(self):
        # type: () -> None
        waiting, self._waiting = self._waiting, OrderedDict()
        poll = Poll([waiter for waiters in waiting.values() for waiter in waiters])
        poll.deferred = listed = self.list(cluster_labels(self._cluster_id))
        listed.addBoth(self._list_ended)
        listed.addCallbacks(
            self._got_list, self._failed, callbackArgs=(poll,), errbackArgs=(poll,)
        )

    def _list_ended(self, result):
        # type: (Any) -> Any
        # The moment at which one list ends is not worth another one.
        self._next_list = self._reactor.seconds() + self.times.resolution
        return result

    def _got_list(self, page, poll):
        # type: (Any, Poll) -> Deferred[None]
        self._list_cost = page.requests + self.length(page) / _VOLUMES_PER_REQUEST
        waiters = [waiter for waiter in poll.waiters if waiter.answer is not None]
        found = self.listed(page, {waiter.subject for waiter in waiters})
        absent = OrderedDict()  # type: OrderedDict[Any, List[Waiter]]
        for waiter in waiters:
            if waiter.subject not in found:
                absent.setdefault(waiter.subject, []).append(waiter)
        self._poll_each(absent.items())
        # What thousands of callers do with their answers must not keep the reactor from other work.
        return self._slices.run(self._answer(waiters, found))

    def _answer(self, waiters, found):
        # type: (List[Waiter], Mapping[Any, Any]) -> Iterator[None]
        for waiter in waiters:
            if waiter.subject in found:
                Poll([waiter]).answer(found[waiter.subject])
                yield


class Watcher(ListPoll):
    """
    Polls volumes: a poll fires with the :class:`~txstorage.clouds.Volume`, or ``None`` when the
    volume does not exist.
    """

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


class SnapshotWatcher(ListPoll):
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


__all__ = ["DatasetSearch", "ListPoll", "SnapshotWatcher", "Watcher"]

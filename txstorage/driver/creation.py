# -*- test-case-name: tests.driver -*-
"""
The creation of exactly one volume for a dataset, with a request that is not idempotent.

The dataset's label is looked up before each request, also after a lost response, and once more when
the volume is usable, because another node may have sent a request at the same time.  All nodes pick
the same volume.
"""

from __future__ import absolute_import, division, print_function

from itertools import count

from twisted.internet.task import deferLater

from .._log import CREATE_RESUMED, DUPLICATE_VOLUME
from .._support.eliot_context import resume_context
from ..errors import DatasetConflict, OperationFailed, UnusableStatus
from .convergence import Convergence
from .labels import belongs_to, dataset_labels, dataset_of, volume_name
from .last_problem import LastProblem
from .lifecycle import AWAITED, MAXIMUM_REQUESTS, chosen
from .polling import is_passing, until

MYPY = False
if MYPY:
    from typing import Any, Callable, List, NoReturn, Optional, Set, Text  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..clouds.interface import IVolumeService  # noqa: F401
    from ..clouds.values import Volume  # noqa: F401
    from ..interfaces import BlockDeviceVolume  # noqa: F401
    from .polling import DatasetSearch, Intervals, Pace, Watcher  # noqa: F401


# The lists that are read until one has the volume that was created; a cloud that never lists the
# volume must not keep it from being used.
_MAXIMUM_LISTS = 5


class _UntilUsable(Convergence):
    """
    The wait until a volume that was requested is usable.

    :ivar of_dataset: the volumes of the dataset in the list that ended the wait; ``None`` when no
        list did.
    """

    def __init__(self, service, watcher, volume_id, dataset_id):
        # type: (IVolumeService, Watcher, Text, UUID) -> None
        Convergence.__init__(self, service, watcher, u"create", volume_id)
        self._dataset_id = dataset_id
        self.of_dataset = None  # type: Optional[List[Volume]]

    def _ends_wait(self, volume):
        # type: (Optional[Volume]) -> bool
        ends = Convergence._ends_wait(self, volume)
        if ends:
            self.of_dataset = self._watcher.of_dataset(self._dataset_id)
        return ends


class Creation(object):
    """
    The creation of one dataset's volume.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param watcher: a :class:`~txstorage.driver.polling.lists.Watcher`.
    :param search: a :class:`~txstorage.driver.polling.lists.DatasetSearch`.
    :param intervals: :class:`~txstorage.driver.polling.timing.Intervals` between requests.
    :param UUID cluster_id: the cluster.
    :param UUID dataset_id: the dataset.
    :param int size: bytes, a multiple of the service's allocation unit.
    :param volume_type: text, or ``None`` for the cloud's default.
    """

    awaited = AWAITED[u"create"]

    def __init__(
        self,
        reactor,
        service,
        watcher,
        search,
        intervals,
        cluster_id,
        dataset_id,
        size,
        volume_type,
    ):
        # type: (IReactorTime, IVolumeService, Watcher, DatasetSearch, Intervals, UUID, UUID, int, Optional[Text]) -> None
        self._reactor = reactor
        self._service = service
        self._watcher = watcher
        self._search = search
        self._intervals = intervals
        self._cluster_id = cluster_id
        self._dataset_id = dataset_id
        self._size = size
        self._volume_type = volume_type
        self._requests = 0
        # Volumes that a list has, and that do not exist (any more).
        self._refuted = set()  # type: Set[Text]
        self._pace = None  # type: Optional[Pace]
        self._requested_id = None  # type: Any
        self._convergence = None  # type: Optional[_UntilUsable]
        self._problem = LastProblem()

    @property
    def volume_id(self):
        # type: () -> Text
        """
        :return: text: the volume's id, or a description of the dataset until the volume has one.
        """
        if self._convergence is None:
            return u"for dataset {}".format(self._dataset_id)
        return self._convergence.volume_id

    @property
    def last_seen(self):
        # type: () -> Text
        """:return: text for people: the last status, and the last problem."""
        seen = u"nothing" if self._convergence is None else self._convergence.last_seen
        return self._problem.after(seen)

    @property
    def name(self):
        # type: () -> Text
        """:return: text: the operation's subject, for messages."""
        return u"volume " + self.volume_id

    def run(self):
        # type: () -> Deferred[Volume]
        """
        Find or create the volume.

        :return: a ``Deferred`` that fires with the usable :class:`~txstorage.clouds.Volume`.
        """
        d = self._find()  # type: Deferred[Any]
        d.addCallback(self._adopt_or_request)
        d.addCallback(self._until_usable)
        return d.addCallback(self._until_chosen)

    def _find(self):
        # type: () -> Deferred[List[Volume]]
        return self._search.look(self._dataset_id).addCallback(self._candidates)

    def _candidates(self, found):
        # type: (List[Volume]) -> List[Volume]
        return [
            volume
            for volume in found
            if self._is_candidate(volume) and volume.volume_id not in self._refuted
        ]

    def _is_candidate(self, volume):
        # type: (Volume) -> bool
        return (
            belongs_to(volume, self._cluster_id)
            and dataset_of(volume) == self._dataset_id
            and volume.status != u"deleting"
        )

    def _find_with_retries(self, satisfied=lambda found: True):
        # type: (Callable[[List[Volume]], bool]) -> Deferred[List[Volume]]
        # After the first request, only the deadline may end the search.
        return until(self._reactor, self._intervals, self._find, satisfied, self._problem.retry)

    def _adopt_or_request(self, found):
        # type: (List[Volume]) -> Any
        if not found:
            return self._request()
        return self._look_at(chosen(found)).addCallback(self._adopt_or_look_on)

    def _adopt_or_look_on(self, volume):
        # type: (Optional[Volume]) -> Any
        if volume is None:
            return self._find_with_retries().addCallback(self._adopt_or_request)
        CREATE_RESUMED(
            dataset_id=self._dataset_id, volume_id=volume.volume_id, status=volume.status
        ).write()
        return volume

    def _look_at(self, listed):
        # type: (Volume) -> Deferred[Optional[Volume]]
        """
        Look at a listed volume itself, since a list may be out of date.

        :return: a ``Deferred`` that fires with the :class:`~txstorage.clouds.Volume`; ``None`` when
            it can't be the dataset's volume, so that later lists are read without it.
        """

        def seen(volume):
            # type: (Optional[Volume]) -> Optional[Volume]
            if volume is not None and self._is_candidate(volume):
                return volume
            self._refuted.add(listed.volume_id)
            return None

        looked = until(
            self._reactor,
            self._intervals,
            lambda: self._watcher.poll(listed.volume_id),
            lambda volume: True,
            self._problem.retry,
        )
        return looked.addCallback(seen)

    def _request(self):
        # type: () -> Deferred[Any]
        d = self._service.create_volume(
            volume_name(self._dataset_id),
            self._size,
            dataset_labels(self._cluster_id, self._dataset_id),
            self._volume_type,
        )
        return d.addCallbacks(self._accepted, self._not_accepted)

    def _accepted(self, volume):
        # type: (Volume) -> Volume
        self._requested_id = volume.volume_id
        return volume

    def _not_accepted(self, failure):
        # type: (Failure) -> Any
        error = failure.value  # type: Any
        if not is_passing(failure):
            return failure
        if not error.certainly_unprocessed:
            self._requests += 1
        if self._requests >= MAXIMUM_REQUESTS:
            return failure
        self._problem.retry(failure)
        # The cloud may still be processing the request: give the volume time to appear.
        if self._pace is None:
            self._pace = self._search.pace()
        delay = self._pace.delay()
        pause = resume_context(deferLater(self._reactor, delay, lambda: None))  # type: Deferred[Any]
        pause.addCallback(lambda _: self._find_with_retries())
        return pause.addCallback(self._adopt_or_request)

    def _until_usable(self, volume):
        # type: (Volume) -> Deferred[Any]
        # A list or a request has succeeded, so what failed before is over.
        self._problem = LastProblem()
        self._convergence = convergence = _UntilUsable(
            self._service, self._watcher, volume.volume_id, self._dataset_id
        )
        d = convergence.run_from(volume)  # type: Deferred[Any]
        return d.addErrback(self._delete_unusable)

    def _delete_unusable(self, failure):
        # type: (Failure) -> Any
        """
        Delete a volume that this call requested and that never became usable.  The volume holds no
        data, and must not remain the dataset's volume.
        """
        error = failure.value  # type: Any
        if not failure.check(UnusableStatus):
            return failure
        if error.volume_id != self._requested_id or error.status != u"error":
            return failure
        d = self._service.delete_volume(error.volume_id)  # type: Deferred[Any]
        return d.addBoth(lambda _: _raise_not_created(error))

    def _until_chosen(self, volume):
        # type: (Volume) -> Any
        found = None if self._convergence is None else self._convergence.of_dataset
        if found is not None and volume.listed:
            # The list that shows the volume usable began after the request for the volume.
            return self._choose(self._candidates(found), volume)
        # The volume exists, so a list without it is out of date, and may lack a rival, too.
        lists = count(1)
        searched = self._find_with_retries(
            lambda found: volume.volume_id in {each.volume_id for each in found}
            or next(lists) >= _MAXIMUM_LISTS
        )
        return searched.addCallback(self._choose, volume)

    def _choose(self, found, volume):
        # type: (List[Volume], Volume) -> Any
        rivals = [
            each
            for each in found
            if each.volume_id != volume.volume_id and each.volume_id not in self._refuted
        ]
        used = chosen(rivals + [volume])
        if used is volume:
            self._report_unused(rivals, volume)
            return volume
        return self._look_at(used).addCallback(self._use_rival, rivals, volume)

    def _use_rival(self, rival, rivals, volume):
        # type: (Optional[Volume], List[Volume], Volume) -> Any
        if rival is None:
            return self._choose(rivals, volume)
        self._report_unused(rivals + [volume], rival)
        return self._until_usable(rival)

    def _report_unused(self, volumes, used):
        # type: (List[Volume], Volume) -> None
        for volume in volumes:
            if volume.volume_id != used.volume_id:
                DUPLICATE_VOLUME(
                    dataset_id=self._dataset_id,
                    volume_id=volume.volume_id,
                    used=used.volume_id,
                ).write()


def of_size(volume, size):
    # type: (BlockDeviceVolume, int) -> BlockDeviceVolume
    """
    Check that a dataset's volume has the requested size.

    :param BlockDeviceVolume volume: the volume.
    :param int size: bytes.
    :return: the volume.
    :raises DatasetConflict: the size differs.
    """
    if volume.size != size:
        raise DatasetConflict(
            volume.blockdevice_id,
            u"Dataset {} already has a volume of {} bytes, {}; the requested size is {}".format(
                volume.dataset_id, volume.size, volume.blockdevice_id, size
            ),
        )
    return volume


def _raise_not_created(error):
    # type: (UnusableStatus) -> NoReturn
    reason = u"; the cloud reports: " + error.reason if error.reason else u""
    raise OperationFailed(
        u"create", error.volume_id, u"the cloud failed to create it, and it was deleted" + reason
    )
